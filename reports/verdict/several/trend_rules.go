package several

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// logouts lists the runs in which calls were accepted after a logout. A core that lets one
// in a thousand in shows it in some nights alone: that later ones had none mends nothing
// unless they tried enough.
func (t *Trend) logouts(kept []*proof.Proof) {
	since := map[string]int{} // logouts after the last run in which one was broken
	seen := map[string]bool{} // that such a run was seen
	for run, p := range slices.Backward(kept) {
		for i := range p.Targets {
			x := &p.Targets[i]
			if x.Conformance == nil {
				continue
			}
			switch m := x.Conformance.Immediacy; {
			case m.Broken > 0:
				seen[x.Name] = true
				t.Broken = append(t.Broken, Broken{Run: run, Target: x.Name, Text: fmt.Sprintf("%d of %d", m.Broken, m.Revokes), Mended: fewer(m.Broken, m.Revokes, since[x.Name])})
			case !seen[x.Name]:
				since[x.Name] += m.Revokes
			}
		}
	}
	slices.Reverse(t.Broken)
}

func decided(o proof.Outcome) bool { return o == proof.Pass || o == proof.Fail }

func label(k proof.Check) string { return strings.TrimSpace(k.ID + " " + k.Protocol) }

// moves lists the checks decided in both runs whose outcome was so in a and is not in z. A
// failure that a did not decide is one more.
func moves(a, z *Point, was proof.Outcome) (out []string) {
	for name, o := range z.checks {
		before, ok := a.checks[name]
		if ok && before == was && o != was || !ok && was == proof.Pass && o == proof.Fail {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
