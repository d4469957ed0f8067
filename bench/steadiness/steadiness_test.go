package steadiness

import "testing"

func TestIsSteady(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		figures []float64
		want    bool
	}{
		{"too few windows", []float64{10, 10, 10, 10, 10}, false},
		{"level", []float64{10, 10, 10, 10, 10, 10}, true},
		{"falling", []float64{50, 40, 32, 26, 21, 17}, false},
		{"falling slowly", []float64{100, 97, 94, 91, 88, 85}, false},
		{"fell and is level", []float64{50, 40, 10, 10, 10, 10, 10, 10}, true},
		{"rising is no warm-up", []float64{10, 10, 10, 12, 13, 14}, true},
		{"a few per cent", []float64{100, 100, 99, 98, 98, 97}, true},
		{"six windows are few to know the noise by", []float64{103, 96, 104, 97, 103, 98}, false}, // a normal bound would say 9.2 %
		{"too noisy to tell", []float64{100, 130, 90, 140, 80, 95}, false},
	} {
		if got := Reached(tc.figures, 6); got != tc.want {
			t.Errorf("%s: steady %v, want %v", tc.name, got, tc.want)
		}
	}
}
