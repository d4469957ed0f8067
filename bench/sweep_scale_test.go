package bench

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/protocol/protocols"
	"github.com/coreproof/coreproof/reports/proof"
)

// loops is a closed loop on a core that answers each caller each times a second, at most
// most, and turns the rest away.
type loops struct {
	generator.Generator
	each, most int64
	callers    []int
}

func (l *loops) Run(_ context.Context, j generator.Job) (generator.Result, error) {
	l.callers = append(l.callers, j.Connections)
	calls := l.each * int64(j.Connections)
	shed := max(calls-l.most, 0)
	return generator.Result{Took: time.Second, Sides: []generator.SideResult{{Calls: calls, Wrong: shed, Shed: shed}}}, nil
}

// TestScaleIsThatOfEnoughCallers: a core whose calls wait, as for a database far away, is
// saturated by many callers alone; what it turned away it did not serve.
func TestScaleIsThatOfEnoughCallers(t *testing.T) {
	t.Parallel()
	cdi, err := protocols.Find("CDI")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		each, most int64
		most64     int // callers tried last
		want       float64
		deadline   time.Duration
	}{
		"busy at once":         {1000, 8000, 16, 8000, time.Hour},
		"20 ms away, 64 calls": {50, 1 << 40, 64, 3200, time.Hour},
		"20 ms away, pool":     {50, 1000, 64, 1000, time.Hour}, // 400, 800, 1,000, 1,000
		"sheds beyond":         {100, 900, 32, 900, time.Hour},  // 800, 900 are served
		"no time":              {50, 1 << 40, 8, 400, -time.Hour},
	} {
		g := &loops{each: tc.each, most: tc.most}
		m := &measurement{bench: &bench{Options: Options{Connections: 8, VerifyShare: 1}, protocol: cdi, gen: g, rnd: rand.New(rand.NewPCG(1, 1))}}
		s := &sweeper{measurement: m, Sweep: Sweep{Connections: 64}, out: &proof.Sweep{}, deadline: time.Now().Add(tc.deadline)}
		if err := s.scale(t.Context(), []generator.Side{{}}, "on", nil); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := s.out.Saturation[0].RateHz; got != tc.want || g.callers[len(g.callers)-1] != tc.most64 {
			t.Errorf("%s: %g/s, callers %v; want %g with %d at last", name, got, g.callers, tc.want, tc.most64)
		}
		if made, reckoned := time.Duration(len(g.callers))*scaleWindow, s.scaleWithin(); made > reckoned {
			t.Errorf("%s: it took %s, and was reckoned with %s", name, made, reckoned)
		}
	}
}

// TestRatesAbove: where a core keeps up with all rates of a block, higher ones are tried.
func TestRatesAbove(t *testing.T) {
	t.Parallel()
	shares := []float64{0.02, 0.05}
	res, _, err := Run(t.Context(), Options{
		Target: embedded(t), Versions: []string{"5.4"}, Plan: fixed(1, 0, 0), Window: 200 * time.Millisecond, RateHz: 100, Tokens: 50, Connections: 2, Seed: 5,
		Sweep: &Sweep{Shares: shares, Blocks: 1, Within: 30 * time.Second, Connections: 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &sweeper{out: res[0].Sweep}
	kept, tried := map[string]bool{"off": true, "on": true}, map[string]bool{}
	for i := range s.out.Points {
		p := &s.out.Points[i]
		if p.Share == 1.5 {
			tried[p.Variant] = true
		} else if p.Share < 1 && !s.keptUp(p) {
			kept[p.Variant] = false
		}
	}
	for name := range kept {
		if kept[name] != tried[name] {
			t.Errorf("variant %s kept up: %v, higher rates tried: %v", name, kept[name], tried[name])
		}
	}
	for name, p := range map[string]proof.SweepPoint{
		"late":          {RateHz: 100, Calls: 100, Achieved: 0.97},
		"turned away":   {RateHz: 100, Calls: 100, Achieved: 1, Shed: 1},
		"sent late":     {RateHz: 100, Calls: 100, Achieved: 1, LagP99: 1e6},
		"left with 6 %": {RateHz: 100, Calls: 100, Achieved: 1, Backlog: 6},
	} {
		if s.keptUp(&p) {
			t.Errorf("%s: it kept up", name)
		}
	}
}
