package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestAnytimeMultipliers(t *testing.T) {
	t.Parallel()
	// w / (s/√n) at g = 1, from the method's description.
	for _, tc := range []struct {
		n           int
		strict, lax float64 // a = 0.005, a = 0.025
	}{
		{6, 18.0803, 5.4498}, {8, 6.4164, 4.2509}, {10, 5.2728, 3.8698}, {15, 4.4592, 3.5376},
		{20, 4.1967, 3.4248}, {30, 3.9985, 3.3466}, {40, 3.9234, 3.3246}, {60, 3.8696, 3.3216},
	} {
		for a, want := range map[float64]float64{0.005: tc.strict, 0.025: tc.lax} {
			if got := AnytimeWidth(tc.n, 1, a, 1) * math.Sqrt(float64(tc.n)); math.Abs(got-want) > 1e-3 {
				t.Errorf("multiplier(n=%d, a=%v) = %.4f, want %.4f", tc.n, a, got, want)
			}
		}
	}
	for n := range 5 {
		if w := AnytimeWidth(n, 1, 0.025, 1); !math.IsInf(w, 1) {
			t.Errorf("width at n=%d is %v, want +Inf", n, w)
		}
	}
}

func TestT(t *testing.T) {
	t.Parallel()
	// Student's t at 4 degrees of freedom, 97.5 %: 2.7764.
	got := T([]float64{1, 2, 3, 4, 5}, 0.95)
	want := 2.7764 * math.Sqrt(2.5) / math.Sqrt(5)
	if got.Mean != 3 || math.Abs(got.High-3-want) > 1e-3 || math.Abs(3-got.Low-want) > 1e-3 {
		t.Errorf("T = %+v, want 3 ± %.4f", got, want)
	}
	if one := T([]float64{1}, 0.95); !math.IsInf(one.High, 1) {
		t.Errorf("T of one sample = %+v, want infinite bounds", one)
	}
	if none := T(nil, 0.95); !math.IsNaN(none.Mean) {
		t.Errorf("T of nothing = %+v, want NaN", none)
	}
}

// TestAnytimeCoverage looks after every sample: the interval must hold at all
// of them in at least 95 % of the runs, where an ordinary one does not.
func TestAnytimeCoverage(t *testing.T) {
	t.Parallel()
	const runs, most = 1000, 40
	r := rand.New(rand.NewPCG(1, 2))
	missed, missedT := 0, 0
	for range runs {
		xs := make([]float64, 0, most)
		bad, badT := false, false
		for range most {
			xs = append(xs, r.NormFloat64()*0.02)
			if len(xs) < 6 {
				continue
			}
			if i := Anytime(xs, 0.95); i.Low > 0 || i.High < 0 {
				bad = true
			}
			if i := T(xs, 0.95); i.Low > 0 || i.High < 0 {
				badT = true
			}
		}
		if bad {
			missed++
		}
		if badT {
			missedT++
		}
	}
	if missed > runs*5/100 {
		t.Errorf("the anytime interval missed in %d of %d runs", missed, runs)
	}
	if missedT <= runs*5/100 {
		t.Errorf("an ordinary interval missed in only %d of %d runs: this test could not fail", missedT, runs)
	}
}

// A method has an interval from its least number of samples on, and none below.
func TestMethods(t *testing.T) {
	t.Parallel()
	for _, m := range []Method{AnytimeT, StudentT} {
		if m.Name == "" || m.Assumption == "" || m.MinN < 3 {
			t.Errorf("%+v says too little", m)
		}
		var xs []float64
		last := math.Inf(1)
		for n := 1; n <= 40; n++ {
			xs = append(xs, float64(n%2))
			i, ok := m.Of(xs, 0.95)
			if ok != (n >= m.MinN) {
				t.Errorf("%s: n = %d has an interval: %v", m.Name, n, ok)
			}
			if !ok {
				continue
			}
			half := i.High - i.Mean
			if half > last*1.05 { // even and odd numbers differ a little in spread
				t.Errorf("%s: half-width %.3g at n = %d after %.3g", m.Name, half, n, last)
			}
			last = half
		}
		if _, ok := m.Of([]float64{1e308, -1e308, 1e308, -1e308, 1e308, -1e308}, 0.95); ok {
			t.Errorf("%s: an interval of what cannot be reckoned with", m.Name)
		}
		if _, ok := m.Of(nil, 0.95); ok {
			t.Errorf("%s: an interval of nothing", m.Name)
		}
	}
}
