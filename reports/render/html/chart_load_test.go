package html

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// TestRatesThatQueuedAreMarked: what is left of a rate whose windows queued is not drawn as a
// rate that did not, and an interval that leaves the picture says so.
func TestRatesThatQueuedAreMarked(t *testing.T) {
	t.Parallel()
	rate := func(hz float64, saturated int, ms, high float64) proof.CurveRate {
		return proof.CurveRate{RateHz: hz, Windows: 4, Saturated: saturated, P99: &proof.Estimate{Value: ms, Unit: "ms", N: 4, Interval: &proof.Interval{Low: ms / 1.1, High: high, Level: 0.95}}}
	}
	of := func(r *proof.CurveRate) *proof.Estimate { return r.P99 }
	curve := proof.LoadCurve{Variant: "on", Rates: []proof.CurveRate{rate(1000, 0, 1, 1.1), rate(2000, 0, 2, 2.2)}}
	plain := string(rateChart([]proof.LoadCurve{curve}, of, "x", "p99", "ms", true))
	if strings.Contains(plain, "hollow") || strings.Contains(plain, "arrow") || strings.Contains(plain, "queued") {
		t.Errorf("something is marked: %s", plain)
	}
	curve.Rates = append(curve.Rates, rate(3000, 1, 4, 44000), rate(4000, 3, 0.5, 0.6))
	got := string(rateChart([]proof.LoadCurve{curve}, of, "x", "p99", "ms", true))
	if n := strings.Count(got, "dot hollow on"); n != 2 {
		t.Errorf("%d rates are hollow, want 2", n)
	}
	if n := strings.Count(got, "whisker arrow on"); n != 1 {
		t.Errorf("%d open ends, want 1", n)
	}
	_, path, _ := strings.Cut(got, `<path class="curve on" d="`)
	path, _, _ = strings.Cut(path, `"`)
	if n := strings.Count(path, "L"); n != 2 {
		t.Errorf("the line has %d parts, want 2: %s", n, path)
	}
	for _, want := range []string{"1 of 4 at 3,000 calls", "3 of 4 at 4,000 calls", "to 44,000 ms at 3,000 calls", "1 ms at the lowest rate, 4 at the highest"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said: %s", want, got)
		}
	}
	table := loadTable(&proof.Sweep{Curves: []proof.LoadCurve{curve}}, limits{Rows: 10})
	for _, r := range table.Rows[2:] {
		if !strings.Contains(r[2].Sub, "queued") {
			t.Errorf("row %+v", r)
		}
	}
}
