package stats

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

var divisive = Divisive{MinSize: 3, Level: 0.01, Permutations: 499, Seed: 7}

// noise of n samples around 100, by 1 on average.
func noise(r *rand.Rand, n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = 100 + r.NormFloat64()
	}
	return xs
}

// TestDivisiveFindsChanges that were made, where they were made.
func TestDivisiveFindsChanges(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		n    int
		at   map[int]float64 // from here on so much is added
	}{
		{"one step of three deviations", 40, map[int]float64{20: 3}},
		{"a step down", 40, map[int]float64{12: -4}},
		{"two steps upwards", 60, map[int]float64{20: 4, 40: 4}},
		{"up and back down again", 60, map[int]float64{25: 5, 35: -5}},
		{"near the end", 40, map[int]float64{36: 8}},
		{"near the beginning", 40, map[int]float64{4: 8}},
		{"none", 40, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			xs := noise(rand.New(rand.NewPCG(3, uint64(tc.n))), tc.n)
			for at, by := range tc.at {
				for i := at; i < tc.n; i++ {
					xs[i] += by
				}
			}
			got := divisive.Of(xs)
			if len(got) != len(tc.at) {
				t.Fatalf("%d change points, want %d: %v", len(got), len(tc.at), got)
			}
			for _, c := range got {
				near := false
				for at := range tc.at {
					near = near || at-1 <= c.At && c.At <= at+1
				}
				if !near || c.P > divisive.Level {
					t.Errorf("a change at %d (p %g); made were %v", c.At, c.P, tc.at)
				}
			}
			if again := divisive.Of(xs); !reflect.DeepEqual(got, again) {
				t.Errorf("the same series gives %v and then %v", got, again)
			}
		})
	}
}

// TestDivisiveFalsePositives: of series without a change at most Level are given one,
// whatever their distribution; some are, or the test would be blind.
func TestDivisiveFalsePositives(t *testing.T) {
	t.Parallel()
	d := Divisive{MinSize: 3, Level: 0.05, Permutations: 199, Seed: 11}
	for name, draw := range map[string]func(*rand.Rand) float64{
		"normal":     (*rand.Rand).NormFloat64,
		"log-normal": func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64()) },
		"two values": func(r *rand.Rand) float64 { return float64(r.IntN(2)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := d
			r := rand.New(rand.NewPCG(5, 5))
			const series = 400
			wrong := 0
			for i := range series {
				d.Seed = uint64(i) // or all series share their permutations
				xs := make([]float64, 24)
				for i := range xs {
					xs[i] = draw(r)
				}
				if len(d.Of(xs)) > 0 {
					wrong++
				}
			}
			rate := float64(wrong) / series
			t.Logf("%d of %d series without a change were given one: %.1f %%, level %.0f %%", wrong, series, 100*rate, 100*d.Level)
			if slack := 3 * math.Sqrt(d.Level*(1-d.Level)/series); rate > d.Level+slack || wrong == 0 {
				t.Errorf("false positives: %.1f %%, want above none and at most %.1f %%", 100*rate, 100*(d.Level+slack))
			}
		})
	}
}

// TestDivisiveOnLittle does not fail on series that are too short, or all alike.
func TestDivisiveOnLittle(t *testing.T) {
	t.Parallel()
	for _, xs := range [][]float64{nil, {1}, {1, 2, 3}, {5, 5, 5, 5, 5, 5, 5, 5, 5, 5}, {1e300, 1e300, 1e300, -1e300, 0, 0, 0, 0}} {
		if got := divisive.Of(xs); len(got) > 0 {
			t.Errorf("%v has change points %v", xs, got)
		}
	}
}

func TestSlope(t *testing.T) {
	t.Parallel()
	i := Slope([]float64{0, 1, 2, 3}, []float64{1, 3, 5, 7}, 0.95)
	if math.Abs(i.Mean-2) > 1e-12 || math.Abs(i.High-2) > 1e-9 || i.N != 4 {
		t.Errorf("a straight line gives %+v", i)
	}
	// By hand: y = 1.5 + 0.6x, residuals' sum of squares 1.8 over 2 degrees, spread 5.
	i = Slope([]float64{1, 2, 3, 4}, []float64{2, 3, 3, 4}, 0.95)
	if math.Abs(i.Mean-0.6) > 1e-12 || math.Abs(i.SD-math.Sqrt(0.2/2)) > 1e-12 {
		t.Errorf("got %+v, want 0.6 with deviation %.4f", i, math.Sqrt(0.1))
	}
	if i := Slope([]float64{1, 1, 1}, []float64{1, 2, 3}, 0.95); !math.IsInf(i.High, 1) {
		t.Errorf("all at one x: %+v has bounds", i)
	}
}
