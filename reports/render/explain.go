package render

import (
	"fmt"
	"sort"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// explain is what a maintainer needs to understand and repeat a result.
func explain(k *proof.Check) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, clean(value))
		}
	}
	line("requirement", k.Requirement)
	line("source", k.Source)
	line("era", eraWord(k.Era))
	line("expected", k.Expected)
	line("got", k.Got)
	line("reason", k.Reason)
	if k.Trials > 0 && (k.Outcome == proof.Fail || k.Violations > 0) {
		line("broken", fmt.Sprintf("%d of %d trials", k.Violations, k.Trials))
	}
	for _, o := range observations(k.Observations) {
		line(o.Name, o.Value)
	}
	line("replay", k.Replay)
	line("rerun", k.Rerun)
	return b.String()
}

// pair is a name with its value.
type pair struct{ Name, Value string }

// observations sorts what a check noted, so that reports do not depend on the
// order of a map.
func observations(m map[string]string) []pair {
	out := make([]pair, 0, len(m))
	for k, v := range m {
		out = append(out, pair{oneLine(clip(k, 1000)), oneLine(clip(v, 1000))})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func exchanges(list []proof.Exchange) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "> %s %s", oneLine(x.Method), oneLine(x.URL))
		if x.Tag != "" {
			fmt.Fprintf(&b, "  [%s]", oneLine(x.Tag))
		}
		fmt.Fprintf(&b, "\n")
		if x.RequestBody != "" {
			fmt.Fprintf(&b, "> %s\n", clean(clip(x.RequestBody, 4000)))
		}
		if x.Error != "" {
			fmt.Fprintf(&b, "< no response: %s (%s)\n", oneLine(x.Error), duration(x.Took))
			continue
		}
		fmt.Fprintf(&b, "< HTTP %d (%s)\n", x.Status, duration(x.Took))
		if x.ResponseBody != "" {
			fmt.Fprintf(&b, "< %s\n", clean(clip(x.ResponseBody, 4000)))
		}
	}
	return b.String()
}
