package coretest

import (
	"strings"
	"testing"
)

// Rule is one numbered rule of the specification.
type Rule struct {
	// Cite names it, e.g. "docs/spec/http-api.md 6.33".
	Cite string
	Name string
	// CDI are the versions that the rule is tested at; none: once, with "".
	CDI []string
	Run func(t *testing.T, cdi string)
	// WhyNot is why there is no test here.
	WhyNot string
}

// RunRules runs the tests of rules, side by side.
func RunRules(t *testing.T, rules []Rule) {
	t.Helper()
	checkRules(t, rules)
	for _, r := range rules {
		if r.WhyNot != "" {
			continue
		}
		_, number, _ := strings.Cut(r.Cite, " ")
		t.Run(number+"_"+strings.ReplaceAll(r.Name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			if len(r.CDI) == 0 {
				r.Run(t, "")
				return
			}
			for _, v := range r.CDI {
				t.Run(v, func(t *testing.T) { r.Run(t, v) })
			}
		})
	}
}

// checkRules reports rules that stand twice, and those that have neither a test
// nor a reason why not, or both.
func checkRules(t *testing.T, rules []Rule) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range rules {
		if seen[r.Cite] {
			t.Errorf("%s stands twice", r.Cite)
		}
		seen[r.Cite] = true
		if (r.Run == nil) == (r.WhyNot == "") {
			t.Errorf("%s: want a test or a reason why there is none", r.Cite)
		}
	}
}
