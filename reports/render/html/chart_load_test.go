package html

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// TestNothingIsAFigure: a database that spent nothing is drawn, but where an axis has no 0.
func TestNothingIsAFigure(t *testing.T) {
	t.Parallel()
	curve := func(variant string, values ...float64) (c proof.LoadCurve) {
		c.Variant = variant
		for i, v := range values {
			c.Rates = append(c.Rates, proof.CurveRate{RateHz: float64(1000 * (i + 1)), Windows: 4, DatabaseCPU: &proof.Estimate{Value: v, Unit: "µs", N: 4}})
		}
		return c
	}
	of := func(r *proof.CurveRate) *proof.Estimate { return r.DatabaseCPU }
	curves := []proof.LoadCurve{curve("off", 0, 0, 0), curve("on", 40, 30, 0)}
	for log, want := range map[bool][2]int{false: {3, 3}, true: {0, 2}} {
		got := string(rateChart(curves, of, "x", "Database CPU", "µs", log))
		if off, on := strings.Count(got, `class="dot off"`), strings.Count(got, `class="dot on"`); off != want[0] || on != want[1] {
			t.Errorf("logarithmic %v: %d and %d dots, want %v", log, off, on, want)
		}
	}
	if got := rateChart(curves[:1], of, "x", "Database CPU", "µs", false); got != "" {
		t.Errorf("a picture of nothing: %s", got)
	}
}

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
