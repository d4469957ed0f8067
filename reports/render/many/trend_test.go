package many

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/several"
)

// TestIntervalsBeyondThePicture end in an arrow, and their bounds are told.
func TestIntervalsBeyondThePicture(t *testing.T) {
	t.Parallel()
	point := func(run int, low, high float64) several.Point {
		return several.Point{Run: run, Value: 100, Interval: &proof.Interval{Low: low, High: high, Level: 0.95}}
	}
	for _, tc := range []struct {
		name   string
		third  several.Point
		arrows int
		told   string
	}{
		{"within", point(2, 90, 110), 0, ""},
		{"above", point(2, 90, 12345), 1, "90 to 12,345 at run 3"},
		{"below zero", point(2, -50, 110), 1, "−50 to 110 at run 3"},
	} {
		x := &several.Series{Name: "core CPU", Unit: "µs", Points: []several.Point{point(0, 95, 105), point(1, 95, 105), tc.third}}
		got := string(seriesChart(x, 1))
		if n := strings.Count(got, "whisker arrow on"); n != tc.arrows {
			t.Errorf("%s: %d arrows, want %d", tc.name, n, tc.arrows)
		}
		if told := strings.Contains(got, "beyond the picture"); told != (tc.arrows > 0) || !strings.Contains(got, tc.told) {
			t.Errorf("%s: the description is %s", tc.name, got)
		}
	}
}
