package summary

import (
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

func between(low, value, high float64, unit string) *proof.Estimate {
	return &proof.Estimate{Value: value, N: 8, Unit: unit, Interval: &proof.Interval{Low: low, High: high, Level: 0.95}}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		e           *proof.Estimate
		want, short string
	}{
		{"missing", nil, "not measured", Missing},
		{"three digits", between(59.2112, 61.3619, 63.5127, "µs"), "61.4 (59.2 to 63.5)", "61.4 ±2.2"},
		{"an interval that is wide", between(-0.0611, 0.0019, 0.0649, "s"), "0.002 (−0.061 to 0.065)", "0.002 ±0.063"},
		{"ms have three decimals at most", between(0.0471, 0.04873, 0.0503, "ms"), "0.049 (0.047 to 0.050)", "0.049 ±0.002"},
		{"ratios have three decimals", between(1.34468, 1.35285, 1.36106, "ratio"), "1.353 (1.345 to 1.361)", "1.353 ±0.008"},
		{"one round has no interval", &proof.Estimate{Value: 5, N: 1, Unit: "µs"}, "5.00 (1 round, no interval)", "5.00"},
		{"rates have the digits that their interval leaves", between(6370, 8751, 11132, "1/s"), "8,800 (6,400 to 11,100)", "8,800 ±2,400"},
		{"rates without an interval have two", &proof.Estimate{Value: 8751, N: 2, Unit: "1/s"}, "8,800 (2 rounds, no interval)", "8,800"},
		{"small rates", between(1, 2, 3, "1/s"), "2 (1 to 3)", "2 ±1"},
	} {
		m := Measure(tc.e)
		if m.String() != tc.want || m.Short() != tc.short {
			t.Errorf("%s: got %q, %q; want %q, %q", tc.name, m.String(), m.Short(), tc.want, tc.short)
		}
	}
}

func TestStand(t *testing.T) {
	t.Parallel()
	e := func(low, value, high float64) *proof.Estimate { return between(low, value, high, "ratio") }
	for _, tc := range []struct {
		name         string
		claim, floor *proof.Estimate
		want         Standing
	}{
		{"clear of it", e(1.34, 1.35, 1.36), e(0.99, 1, 1.01), ClearOf},
		{"below it", e(0.90, 0.91, 0.92), e(0.99, 1, 1.01), ClearOf},
		{"inside it", e(1.001, 1.005, 1.009), e(0.99, 1, 1.01), InFloor},
		{"overlapping it", e(1.005, 1.02, 1.035), e(0.99, 1, 1.01), Overlap},
		{"no difference within its interval", e(0.99, 1.05, 1.1), e(0.999, 1, 1.001), NotShown},
		{"no difference within its interval, no floor", e(0.99, 1.05, 1.1), nil, NotShown},
		{"no floor", e(1.34, 1.35, 1.36), nil, NoFloor},
		{"a floor of one round", e(1.34, 1.35, 1.36), &proof.Estimate{Value: 1, N: 1}, NoFloor},
		{"few rounds", &proof.Estimate{Value: 1.35, N: 4}, e(0.99, 1, 1.01), Undecided},
		{"no claim", nil, e(0.99, 1, 1.01), Undecided},
	} {
		if got := Stand(tc.claim, tc.floor, 1); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}
