package capacity

import (
	"fmt"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// Remarks are what a reader of b's sweep must know: wrong answers below saturation,
// which fail the run, and what makes the curve less than it was to be. A core that
// turns calls away when it has too much to do does what it should.
func Remarks(b *proof.Bench) (fails, warns []string) {
	s := b.Sweep
	if s == nil {
		return nil, nil
	}
	for _, v := range b.Variants {
		var wrong, overloaded, shed, near int64
		example := ""
		for i := range s.Points {
			p := &s.Points[i]
			if p.Variant != v.Name || p.Errors <= 0 {
				continue
			}
			if p.Saturated != "" {
				overloaded, shed = overloaded+p.Errors-p.Shed, shed+p.Shed
				continue
			}
			w, n := wrongly(s, i)
			wrong, near = wrong+w, near+n
			if w > 0 && example == "" {
				example = p.Example
			}
		}
		if wrong > 0 {
			text := fmt.Sprintf("variant %s: %s answered wrongly on the load curve, below saturation", v.Name, words.Plural(wrong, "call"))
			if example != "" {
				text += ", e.g. " + example
			}
			fails = append(fails, text)
		}
		if shed+near > 0 {
			text := fmt.Sprintf("variant %s: on the load curve calls were turned away (429, 503): %s in windows that are saturated and in no figure", v.Name, words.Count(shed))
			if near > 0 {
				text += fmt.Sprintf(", %s in windows near these", words.Count(near))
			}
			warns = append(warns, text)
		}
		if overloaded > 0 {
			warns = append(warns, fmt.Sprintf("variant %s: %s answered wrongly on the load curve, past saturation", v.Name, words.Plural(overloaded, "call")))
		}
	}
	if s.CutShort != "" {
		warns = append(warns, "the load curve is not whole: "+s.CutShort)
	}
	for i := range s.Curves {
		c := &s.Curves[i]
		if c.Knee == nil {
			warns = append(warns, fmt.Sprintf("variant %s has %s", c.Variant, c.KneeRule))
		}
		if c.Knee != nil && c.Unfinished > 0 {
			warns = append(warns, fmt.Sprintf("variant %s: %s of the load curve is not in its knee, since not all of its rates were tried", c.Variant, words.Plural(c.Unfinished, "block")))
		}
		if text := Disturbed(c); text != "" {
			warns = append(warns, text)
		}
	}
	return fails, warns
}

// mostDisturbed is the share of windows that something else than the load may decide
// before a curve is not believed.
const mostDisturbed = 0.2

// Disturbed says why a curve is not to be believed; "" where it is.
func Disturbed(c *proof.LoadCurve) string {
	all := 0
	for _, r := range c.Rates {
		all += r.Windows
	}
	if float64(c.Disturbed) <= mostDisturbed*float64(all) {
		return ""
	}
	return fmt.Sprintf("variant %s: %d of %d windows of the load curve were decided by something else than the load (saturated below others that were not): try again on a quieter machine", c.Variant, c.Disturbed, all)
}

// Contradictions are what no honest sweep of b holds, by place within it.
func Contradictions(b *proof.Bench) (out []string) {
	s := b.Sweep
	if s == nil {
		return nil
	}
	known := map[string]bool{}
	for _, v := range b.Variants {
		known[v.Name] = true
	}
	at := map[string]bool{}
	for i := range s.Points {
		p := &s.Points[i]
		place := fmt.Sprintf("points[%d]", i)
		key := fmt.Sprintf("%s %d %g", p.Variant, p.Block, p.Share)
		switch {
		case !known[p.Variant]:
			out = append(out, place+".variant: none of the variants")
		case at[key]:
			out = append(out, place+": each rate once in a block")
		case p.Block < 0 || p.Block >= s.Blocks:
			out = append(out, place+".block: from 0 to below the number of blocks")
		case p.Calls < 0 || p.Others < 0 || p.Errors < 0 || p.Errors > p.Calls+p.Others:
			out = append(out, place+".errors: at most the calls")
		case p.Shed < 0 || p.Shed > p.Errors:
			out = append(out, place+".shed: at most the errors")
		case p.Took < s.Window && p.Calls > 0:
			out = append(out, place+".tookNs: at least the window")
		case p.P50 > p.P90 || p.P90 > p.P99 || p.P50 < 0:
			out = append(out, place+": quantiles that fall")
		case float64(p.Calls) > 1.001*p.RateHz*s.Window.Seconds()+1:
			out = append(out, place+".calls: at most what the rate makes in the window")
		}
		at[key] = true
	}
	return out
}
