package bench

import "testing"

// TestIdleIsAtRest: what a database still writes down of the inserts before is not its
// idling.
func TestIdleIsAtRest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		looks []float64 // µs per second; below 0 it could not be read
		want  float64   // below 0 for none
		took  int
	}{
		{"at rest", []float64{800, 900}, 800, 2},
		{"busy at first", []float64{400_000, 300_000, 90_000, 1200, 900, 800}, 900, 5},
		{"busy without ups and downs", []float64{100_000, 95_000}, 95_000, 2},
		{"never at rest", []float64{400_000, 10_000, 300_000, 20_000, 200_000, 30_000}, 30_000, 6},
		{"not readable", []float64{-1}, -1, 1},
		{"not readable any more", []float64{400_000, -1}, -1, 2},
	} {
		took := 0
		got := settled(6, func() (float64, bool) {
			took++
			return tc.looks[took-1], tc.looks[took-1] >= 0
		})
		switch {
		case (got == nil) != (tc.want < 0), got != nil && *got != tc.want, took != tc.took:
			t.Errorf("%s: %v after %d looks, want %v after %d", tc.name, got, took, tc.want, tc.took)
		}
	}
}

// TestIdleAfterTheRounds: the smaller reading is believed.
func TestIdleAfterTheRounds(t *testing.T) {
	t.Parallel()
	one, two := 1.0, 2.0
	for _, tc := range []struct{ a, b, want *float64 }{{nil, nil, nil}, {&one, nil, &one}, {nil, &two, &two}, {&one, &two, &one}, {&two, &one, &one}} {
		if got := lesser(tc.a, tc.b); got != tc.want {
			t.Errorf("%v and %v: %v", tc.a, tc.b, got)
		}
	}
}
