package render_test

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestFirstFigureOfAGate is called by what was held: CPU in a duet of the two builds, or the
// price of the flag in two saved proofs, which no duet held against each other.
func TestFirstFigureOfAGate(t *testing.T) {
	t.Parallel()
	saved := func(edit func(head *proof.Target)) *proof.Proof {
		base, head := example(t, "good"), example(t, "good")
		p := &proof.Proof{Started: base.Started, Finished: base.Finished, Targets: []proof.Target{base.Targets[0], head.Targets[0]}}
		p.Targets[0].Name, p.Targets[1].Name = "base/x", "head/x"
		p.Gate = &proof.Gate{Saved: true, Conform: true, Statements: true, Limits: []proof.Limit{{Name: verdict.GateOnOff, Value: 0.1}},
			Base: proof.GateSide{Ref: "a", Targets: []string{"base/x"}, Machine: &base.Machine}, Head: proof.GateSide{Ref: "b", Targets: []string{"head/x"}, Machine: &head.Machine}}
		edit(&p.Targets[1])
		verdict.Derive(p)
		return p
	}
	for _, tc := range []struct {
		what, name, value, detail string
		duet                      bool
		of                        *proof.Proof
	}{
		{"two builds", "CPU per verify, head against base", "+8.", "cpu-on", true, example(t, "gate")},
		{"two proofs", "CPU on / off, head against base", "+0.0 %", "on-off", false, saved(func(*proof.Target) {})},
		{"head was not priced", "CPU on / off, head against base", "not measured", "price of the flag", false, saved(func(head *proof.Target) { head.Bench = nil })},
	} {
		f := summary.Of(tc.of).Accepted
		if f.Name != tc.name || !strings.HasPrefix(f.Value, tc.value) || !strings.Contains(f.Detail, tc.detail) {
			t.Errorf("%s: %+v", tc.what, f)
		}
		page := format(t, "html", tc.of)
		_, section, ok := strings.Cut(page, `<section id="gate">`)
		section, _, _ = strings.Cut(section, "<table>")
		if !ok || strings.Contains(section, ">duet<") != tc.duet || strings.Contains(section, "in a proof of its own") == tc.duet {
			t.Errorf("%s: the page says %s", tc.what, section)
		}
	}
}
