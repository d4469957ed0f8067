package verdict

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/capacity"
	"github.com/coreproof/coreproof/reports/words"
)

// ofBench gives how many cost rounds counted.
func (c *collector) ofBench(b *proof.Bench) (ran int) {
	c.ofAnswers(b)
	fails, warns := capacity.Remarks(b)
	for _, text := range fails {
		c.add(KindBench, proof.Fails, b.Protocol, "", "%s", text)
	}
	for _, text := range warns {
		c.add(KindBench, proof.Warns, b.Protocol, "", "%s", text)
	}
	accepted := false
	for _, v := range b.Controls {
		if v.Variant == on && v.Accepted > 0 {
			accepted = true
			c.add(KindBench, proof.Fails, b.Protocol, "", "variant on accepted %d of %d revoked tokens%s", v.Accepted, v.Trials, against(&v))
		}
	}
	if b.Cost == nil {
		c.add(KindBench, proof.Untried, b.Protocol, "", "no variants off and on were compared, so no cost of the flag was measured")
	} else if why := noPrice(b); why != "" && !accepted { // else it is said
		c.add(KindBench, proof.Untried, b.Protocol, "", "%s", why)
	}
	dropped, saturated, all := badRounds(b)
	switch {
	case all == 0:
		c.add(KindBench, proof.Untried, b.Protocol, "", "no cost round counted")
	case float64(dropped) > mostBad*float64(dropped+all):
		c.add(KindBench, proof.Untried, b.Protocol, "", "invalid machine: %d of %d cost rounds were dropped; try again on a quieter one", dropped, dropped+all)
	}
	switch {
	case all > 0 && float64(saturated) > mostSaturated*float64(all):
		c.add(KindBench, proof.Untried, b.Protocol, "", "overload: %d of %d cost rounds were saturated, so no figure is known; give a lower --rate than %.4g", saturated, all, b.Design.RateHz)
	case saturated > 0:
		c.add(KindBench, proof.Warns, b.Protocol, "", "%d of %d cost rounds were saturated and are in no figure", saturated, all)
	}
	for _, u := range unsteady(b) {
		c.add(KindSteady, proof.Warns, b.Protocol, "", "no steady state was reached: %s; the figures may still fall", u)
	}
	if b.Cost != nil && b.Cost.CoreCPURatio != nil && b.Cost.CoreCPURatio.Interval == nil {
		c.add(KindBench, proof.Warns, b.Protocol, "", "the cost has no interval: %s", b.Cost.CoreCPURatio.Warnings[0])
	}
	if b.Design.FloorReason != "" {
		c.add(KindBench, proof.Warns, b.Protocol, "", "the noise floor is not available: %s", b.Design.FloorReason)
	}
	if b.Cost != nil && b.Cost.Sigma > noisy {
		c.add(KindBench, proof.Warns, b.Protocol, "", "the machine is noisy: rounds differ by %.1f %%", 100*b.Cost.Sigma)
	}
	return all
}

// ofAnswers has one finding a variant for calls that were answered wrongly.
func (c *collector) ofAnswers(b *proof.Bench) {
	type wrong struct {
		calls, errors int64
		rounds        int
		example       string
	}
	var order []string
	by := map[string]*wrong{}
	for i := range b.Rounds {
		for _, w := range b.Rounds[i].Windows {
			if w.Errors <= 0 {
				continue
			}
			x := by[w.Variant]
			if x == nil {
				x = &wrong{}
				by[w.Variant] = x
				order = append(order, w.Variant)
			}
			x.errors += w.Errors
			x.calls += w.Calls
			x.rounds++
			if x.example == "" {
				x.example = w.Example
			}
		}
	}
	for _, name := range order {
		x := by[name]
		text := fmt.Sprintf("variant %s: %s answered wrongly under load, in %s", name, words.Plural(x.errors, "call"), words.Plural(x.rounds, "round"))
		if x.example != "" {
			text += ", e.g. " + x.example
		}
		c.add(KindBench, proof.Fails, b.Protocol, "", "%s", text)
	}
}

// ofSettings flags what makes a database cheaper than one in production.
func (c *collector) ofSettings(d *proof.Database) {
	if d == nil {
		return
	}
	switch {
	case !d.TLSWanted || d.TLS == "yes":
	case d.TLS == "no":
		c.add(KindTarget, proof.Untried, "", "", "encrypted connections to the database were asked for, and those of the cores were not: the figures are not of TLS")
	default:
		c.add(KindSetting, proof.Warns, "", "", "encrypted connections to the database were asked for, and whether those of the cores were cannot be seen")
	}
	var odd []string
	for _, s := range []struct{ name, value string }{{"fsync", "off"}, {"autovacuum", "off"}, {"synchronous_commit", "off"}, {"full_page_writes", "off"}} {
		if strings.EqualFold(d.Settings[s.name], s.value) {
			odd = append(odd, s.name+" "+s.value)
		}
	}
	if len(odd) > 0 {
		c.add(KindSetting, proof.Warns, "", "", "the database ran with %s: its figures are not those of production", strings.Join(odd, ", "))
	}
}
