package capacity

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within*math.Abs(want)) {
		t.Errorf("%s = %.6g, want %.6g within %g %%", what, got, want, 100*within)
	}
}

func parameter(m []proof.Parameter, name string) float64 {
	for _, p := range m {
		if p.Name == name {
			return p.Value
		}
	}
	return math.NaN()
}

// swept is a bench with a derived sweep of one curve.
func swept(noise float64, c examples.Curve) *proof.Bench {
	c.Variant = "on"
	b := &proof.Bench{Variants: []proof.Variant{{Name: "on"}}, Sweep: examples.Sweep(4, noise, c)}
	Derive(b)
	return b
}

// TestResidence: M/M/1 by hand, and M/M/2 at ρ = 0.75, where Erlang's C is 9/14.
func TestResidence(t *testing.T) {
	t.Parallel()
	near(t, "M/M/1", residence(500, 1000, 1), 2, 1e-12)
	near(t, "M/M/2", residence(1500, 1000, 2), 1+9./14/(2*0.25), 1e-12)
	if x := residence(1000, 1000, 1); !math.IsInf(x, 1) {
		t.Errorf("at the limit it is %g", x)
	}
}

func TestFitsRecoverTheirParameters(t *testing.T) {
	t.Parallel()
	rates := []float64{200, 500, 1000, 1500, 2000, 2500, 3000, 3500}
	for _, servers := range []int{1, 2, 4} {
		var list []response
		for _, hz := range rates {
			list = append(list, response{hz, 0.3 + residence(hz, 4000/float64(servers), servers)})
		}
		f, ok := fitQueue(list, servers)
		if !ok {
			t.Fatal("no fit")
		}
		near(t, fmt.Sprintf("m of %d servers", servers), parameter(f.parameters, "m"), 4000/float64(servers), 0.001)
		near(t, "Z", parameter(f.parameters, "Z"), 0.3, 0.01)
		near(t, "limit", f.limit, 4000, 0.001)
	}
	for _, want := range [][3]float64{{0.4, 0.2, 0.01}, {0.4, 0.3, 0}, {0.4, 0, 0.05}} {
		var list []response
		for _, hz := range rates {
			if ms, ok := uslAt(hz, want[0], want[1], want[2]); ok {
				list = append(list, response{hz, ms})
			}
		}
		f, ok := fitUSL(list, 1)
		if !ok || len(list) < 5 {
			t.Fatalf("no fit over %d rates", len(list))
		}
		for i, name := range []string{"S", "σ", "κ"} {
			if got := parameter(f.parameters, name); math.Abs(got-want[i]) > 1e-6 {
				t.Errorf("%s = %g, want %g", name, got, want[i])
			}
		}
	}
	// σ = 0.2, κ = 0.01: N* = √80, and X there by hand.
	near(t, "limit of USL", uslLimit(0.4, 0.2, 0.01), 1000*8.94427191/(0.4*(1+0.2*7.94427191+0.01*8.94427191*7.94427191)), 1e-6)
}

// TestTheBetterLawComesFirst, by what it predicts of rates that were held out.
func TestTheBetterLawComesFirst(t *testing.T) {
	t.Parallel()
	var queue, usl []response
	for _, hz := range []float64{200, 500, 1000, 1500, 2000, 2500, 3000, 3400} {
		queue = append(queue, response{hz, 2 + residence(hz, 3600, 1)})
		if ms, ok := uslAt(hz/2, 0.4, 0.05, 0.2); ok {
			usl = append(usl, response{hz / 2, ms})
		}
	}
	for want, list := range map[string][]response{"queue": queue, "usl": usl} {
		m, why := models(list, 1)
		if len(m) != 2 || m[0].Name != want {
			t.Fatalf("%s: got %+v (%s)", want, m, why)
		}
		if m[0].R2 < 0.9999 || m[0].Worst > 0.001 || m[0].HeldOut > m[1].HeldOut {
			t.Errorf("%s: R² %g, worst %g, held out %g and %g", want, m[0].R2, m[0].Worst, m[0].HeldOut, m[1].HeldOut)
		}
	}
	if m, why := models(queue[:3], 1); m != nil || why == "" {
		t.Errorf("three rates gave %v, %q", m, why)
	}
}

// TestGoodness by hand: 1, 2, 3 predicted as 1, 2, 4.
func TestGoodness(t *testing.T) {
	t.Parallel()
	f := fitted{at: func(hz float64) (float64, bool) { return map[float64]float64{1: 1, 2: 2, 3: 4}[hz], true }}
	r2, worst := goodness(f, []response{{1, 1}, {2, 2}, {3, 3}})
	near(t, "R²", r2, 0.5, 1e-12)
	near(t, "worst", worst, 1./3, 1e-12)
}

func TestCriteria(t *testing.T) {
	t.Parallel()
	calm := proof.SweepPoint{RateHz: 1000, Achieved: 1, LagP99: 2, P50: 1, Backlog: 2}
	for want, edit := range map[string]func(*proof.SweepPoint){
		"":         func(*proof.SweepPoint) {},
		byAchieved: func(p *proof.SweepPoint) { p.Achieved = 0.979 },
		byLag:      func(p *proof.SweepPoint) { p.LagP99 = 21 },
		byBacklog:  func(p *proof.SweepPoint) { p.Backlog = 51 },
		byLatency:  func(p *proof.SweepPoint) { p.P50 = 5.1 },
	} {
		p := calm
		edit(&p)
		if got := criterion(&p, 1, 1000); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
	p := calm
	p.LagP99 = 201
	if got := criterion(&p, 50, 1000); got != byLag { // a fifth of the window, whatever the median
		t.Errorf("a lag of a fifth of the window: %q", got)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		marks      string // s: saturated
		at, fewest int
	}{{"....ss", 4, 0}, {"ssss", 0, 0}, {"....", 4, 0}, {".s...ss", 5, 1}, {"...ss.s", 3, 1}, {"", 0, 0}, {"s.", 0, 1}} {
		var list []window
		for _, c := range tc.marks {
			p := &proof.SweepPoint{}
			if c == 's' {
				p.Saturated = byLag
			}
			list = append(list, window{SweepPoint: p})
		}
		if at, fewest := split(list); at != tc.at || fewest != tc.fewest {
			t.Errorf("%s: split %d with %d misplaced, want %d with %d", tc.marks, at, fewest, tc.at, tc.fewest)
		}
	}
}

// TestDerive on a curve without noise: 0.9 of the limit is the last rate served.
func TestDerive(t *testing.T) {
	t.Parallel()
	b := swept(0, examples.Curve{Limit: 5000, Delay: 0.2, CPU: 150, PerSecond: 10000, DB: 40, DBPerSecond: 2000, Idle: 0})
	if len(b.Sweep.Curves) != 1 {
		t.Fatalf("%d curves", len(b.Sweep.Curves))
	}
	c := b.Sweep.Curves[0]
	if c.Knee == nil || c.Knee.N != 4 {
		t.Fatalf("knee %+v, %s", c.Knee, c.KneeRule)
	}
	near(t, "knee", c.Knee.Value, 4500, 1e-9)
	if len(c.Models) == 0 || c.Models[0].Name != "queue" {
		t.Fatalf("models %+v, %s", c.Models, c.ModelReason)
	}
	near(t, "limit", c.Models[0].Limit, 5000, 0.01)
	for _, f := range []struct {
		figure     Figure
		at1000, at float64
	}{{CoreCPU, 160, 152.5}, {DatabaseCPU, 42, 40.5}} {
		r := Read(b, "on", f.figure, nil)
		if r == nil {
			t.Fatal("no curve")
		}
		near(t, "at 1,000", r.At(1000).Value, f.at1000, 1e-4)
		near(t, "at 4,000", r.At(4000).Value, f.at, 1e-4)
		if r.Low != 250 || r.High != 4500 || r.shape.name != "a + b/λ" {
			t.Errorf("from %g to %g, %s", r.Low, r.High, r.shape.name)
		}
	}
	p := Read(b, "on", P99, nil)
	near(t, "p99 at a rate", p.At(1000).Value, 4.2*(0.2+0.25), 1e-3)
	if hz := p.Highest(4.2 * (0.2 + 0.5)); math.Abs(hz-3000) > 20 {
		t.Errorf("p99 is kept up to %g, want 3,000", hz)
	}
	if hz := p.Highest(0.1); hz != 0 {
		t.Errorf("a p99 that no rate keeps is kept up to %g", hz)
	}
	again := &proof.Bench{Variants: b.Variants, Sweep: &proof.Sweep{Window: b.Sweep.Window, Blocks: 4, Points: b.Sweep.Points}}
	Derive(again)
	if !reflect.DeepEqual(again.Sweep.Curves, b.Sweep.Curves) {
		t.Error("the same evidence gave another curve")
	}
}

// TestReadBetweenNeighbours: CPU a call that has a shape is read off that shape; what has
// none is read between the rates beside it.
func TestReadBetweenNeighbours(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		noise  float64
		of     func(hz float64) float64 // µs a call
		beside bool
	}{
		"falls to a floor, and noise": {0.05, func(hz float64) float64 { return 150 + 1e5/hz }, false},
		"falls in the middle":         {0.005, func(hz float64) float64 { return 100 + 80/(1+math.Exp((hz-2000)/300)) }, true},
	} {
		b := swept(tc.noise, examples.Curve{Limit: 5000, Delay: 0.2, CPU: 1, DB: -1})
		for i := range b.Sweep.Points {
			p := &b.Sweep.Points[i]
			p.CPU *= tc.of(p.RateHz)
		}
		c := Read(b, "on", CoreCPU, nil)
		if c.beside != tc.beside {
			t.Errorf("%s: read between neighbours %v (%s)", name, c.beside, c.Formula())
		}
		for _, share := range []float64{0.2, 0.5, 0.8} {
			near(t, name, c.At(5000*share).Value, tc.of(5000*share), 0.03)
		}
		p := c.Portable()
		if p.Busy != tc.beside || (len(p.Points) > 0) != tc.beside || (len(p.Lines) > 0) == tc.beside {
			t.Errorf("%s: portable form %+v", name, p)
		}
	}
	c := &Curve{beside: true, Low: 100, High: 300, blocks: [][]sample{{{100, 10}, {300, 6}}}}
	near(t, "by hand", c.At(200).Value, (1000+1800)/2./200, 1e-12)
}

// TestSaturatedWindowsAreInNoFigure: whatever they hold, the curve is the same.
func TestSaturatedWindowsAreInNoFigure(t *testing.T) {
	t.Parallel()
	c := examples.Curve{Limit: 5000, Delay: 0.2, CPU: 150, PerSecond: 10000, DB: -1}
	a, b := swept(0.02, c), swept(0.02, c)
	b.Sweep.Curves = nil
	for i := range b.Sweep.Points {
		if p := &b.Sweep.Points[i]; p.Saturated != "" {
			p.CPU, p.P99, p.Mean = 1e9, 1e6, 1e5
		}
	}
	Derive(b)
	if !reflect.DeepEqual(a.Sweep.Curves, b.Sweep.Curves) {
		t.Error("saturated windows are in a figure")
	}
	for _, r := range a.Sweep.Curves[0].Rates {
		if (r.RateHz >= 5000) != (r.Saturated == 4) || (r.RateHz >= 5000) != (r.P99 == nil) {
			t.Errorf("at %g: %d saturated, p99 %+v", r.RateHz, r.Saturated, r.P99)
		}
		if r.DatabaseCPU != nil {
			t.Error("a database that cannot be read has a figure")
		}
	}
}

func TestRemarks(t *testing.T) {
	t.Parallel()
	b := swept(0, examples.Curve{Limit: 5000, DB: -1, CPU: 100})
	if fails, warns := Remarks(b); fails != nil || warns != nil {
		t.Errorf("a good sweep: %v, %v", fails, warns)
	}
	for i := range b.Sweep.Points {
		b.Sweep.Points[i].Errors = 1
	}
	fails, warns := Remarks(b)
	if len(fails) != 1 || len(warns) != 1 { // above saturation it may turn calls away
		t.Errorf("wrong answers: %v, %v", fails, warns)
	}
	b = swept(0, examples.Curve{Limit: 5000, DB: -1, CPU: 100})
	b.Sweep.Curves = nil
	for i := range b.Sweep.Points {
		if p := &b.Sweep.Points[i]; p.Share >= 0.2 && p.Share < 0.5 {
			p.Achieved = 0.5
		}
	}
	Derive(b)
	if _, warns := Remarks(b); len(warns) != 1 {
		t.Errorf("a disturbed curve: %v", warns)
	}
}

func TestContradictions(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*proof.Sweep){
		"":               func(*proof.Sweep) {},
		"variant":        func(s *proof.Sweep) { s.Points[0].Variant = "x" },
		"twice":          func(s *proof.Sweep) { s.Points[1] = s.Points[0] },
		"block":          func(s *proof.Sweep) { s.Blocks = 3 },
		"errors":         func(s *proof.Sweep) { s.Points[0].Errors = s.Points[0].Calls + 1 },
		"time":           func(s *proof.Sweep) { s.Points[0].Took = time.Millisecond },
		"quantiles":      func(s *proof.Sweep) { s.Points[0].P50 = s.Points[0].P99 + 1 },
		"too many calls": func(s *proof.Sweep) { s.Points[0].Calls *= 2 },
	} {
		b := swept(0, examples.Curve{Limit: 5000, DB: -1, CPU: 100})
		edit(b.Sweep)
		if got := Contradictions(b); (len(got) > 0) != (name != "") {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// TestP99IsNotThatOfTheLucky: of a rate that queued in half of its windows or more the plan
// reads no p99, though one window has one.
func TestP99IsNotThatOfTheLucky(t *testing.T) {
	t.Parallel()
	b := swept(0, examples.Curve{Limit: 5000, DB: -1, CPU: 100})
	b.Sweep.Curves = nil
	for i := range b.Sweep.Points {
		p := &b.Sweep.Points[i]
		if p.Share >= 0.9 && p.Block > 0 {
			p.Achieved = 0.5
		}
		if p.Share == 0.8 && p.Block == 0 {
			p.Achieved = 0.5
		}
	}
	Derive(b)
	if c := Read(b, "on", P99, nil); c.High != 4000 {
		t.Errorf("p99 is read up to %g, want 4,000", c.High)
	}
	if c := Read(b, "on", CoreCPU, nil); c.High != 4500 {
		t.Errorf("CPU is read up to %g, want 4,500", c.High)
	}
}
