package render

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// sentence says in plain words what was found.
func sentence(p *proof.Proof, s *summary) string {
	i := sumImmediacy(p)
	var b strings.Builder
	switch s.Outcome {
	case proof.Pass:
		switch {
		case i.trials == 0 || i.accepted > 0:
			b.WriteString("What was tried held, but whether a logged-out user is refused was not shown")
		default:
			fmt.Fprintf(&b, "Logging out took effect at once: all %s calls made after a confirmed logout were refused%s", count(i.trials), onTargets(p, i))
		}
	case proof.Fail:
		switch {
		case i.accepted > 0:
			fmt.Fprintf(&b, "A logged-out user can still get in: %s of %s calls made after a confirmed logout were let in, up to %s later", count(i.accepted), count(i.trials), duration(i.window))
		case i.trials > 0:
			fmt.Fprintf(&b, "All %s calls made after a confirmed logout were refused, but %s", count(i.trials), failed(len(s.Failures)))
		default:
			fmt.Fprintf(&b, "%s; whether a logged-out user is refused was not shown", capital(failed(len(s.Failures))))
		}
	default:
		switch {
		case p.Interrupted != "":
			fmt.Fprintf(&b, "The run was cut short (%s), so nothing is decided; what was found until then is shown", clip(oneLine(p.Interrupted), 80))
		case len(p.Targets) == 0:
			b.WriteString("Nothing was tried, so nothing is shown, neither good nor bad")
		default:
			fmt.Fprintf(&b, "Nothing is decided: %s could not be tried or could not have failed", plural(len(s.Untried), "thing"))
		}
	}
	if s.Outcome == proof.Pass {
		switch {
		case s.Cost.Value == "not measured":
			b.WriteString("; what the check costs was not measured")
		case strings.HasSuffix(s.Cost.Value, "CPU"):
			b.WriteString("; the check costs " + strings.TrimSuffix(strings.TrimPrefix(s.Cost.Value, "+"), " CPU") + " of the core's CPU per call, and no latency that can be told from noise")
		case s.costIsNoise:
			b.WriteString("; what the check costs cannot be told from noise")
		default:
			b.WriteString("; the check costs " + strings.ReplaceAll(s.Cost.Value, "+", "") + " per call")
		}
	}
	b.WriteString(".")
	if names := incompleteProfiles(p); s.Outcome == proof.Pass && len(names) > 0 {
		fmt.Fprintf(&b, " Not fully proved, since required checks were skipped: %s.", enumerate(names))
	}
	return b.String()
}

// incompleteProfiles names the required profiles of which checks were skipped
// on any target.
func incompleteProfiles(p *proof.Proof) []string {
	var names []string
	for _, t := range p.Targets {
		if t.Conformance == nil {
			continue
		}
		for _, f := range t.Conformance.Profiles {
			if !f.Optional && f.Outcome == proof.Incomplete {
				names = added(names, oneLine(f.Name))
			}
		}
	}
	return names
}

func failed(n int) string {
	if n == 1 {
		return "1 requirement was not met"
	}
	return count(n) + " requirements were not met"
}

func onTargets(p *proof.Proof, i immediacy) string {
	if len(p.Targets) == 1 {
		return ""
	}
	if i.untried == 0 {
		return fmt.Sprintf(", on all %d targets", i.targets)
	}
	return fmt.Sprintf(", on %d of %d targets", i.targets, len(p.Targets))
}
