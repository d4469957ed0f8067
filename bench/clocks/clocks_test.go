package clocks

import (
	"testing"
	"time"
)

// TestTornReadings: a reading in whose middle the reader lost its processor is made
// again, and is no reading where it never came off; what takes long by nature is read
// once.
func TestTornReadings(t *testing.T) {
	t.Parallel()
	const quick, torn, container = 10 * time.Microsecond, 3 * time.Millisecond, 200 * time.Microsecond
	quickly := func(n int) (list []time.Duration) {
		for range n {
			list = append(list, quick)
		}
		return list
	}
	for _, tc := range []struct {
		name   string
		before []time.Duration // how long earlier readings took
		took   []time.Duration
		tries  int
		torn   bool
	}{
		{"quick", quickly(9), []time.Duration{quick}, 1, false},
		{"torn twice", quickly(9), []time.Duration{torn, torn, quick}, 3, false},
		{"torn each time", quickly(9), []time.Duration{torn, torn, torn, torn, torn}, 5, true},
		{"torn at the very first", nil, []time.Duration{torn, quick}, 2, false},
		{"slow by nature, not known yet", nil, []time.Duration{container, container, container, container, container}, 5, false},
		{"slow by nature", []time.Duration{container, container, container, container, container}, []time.Duration{container}, 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := Readings{took: tc.before}
			tries := 0
			c := r.Take(func() (Clocks, time.Duration) {
				tries++
				return Clocks{Database: time.Duration(tries)}, tc.took[tries-1]
			})
			if c.Torn != tc.torn || tries != tc.tries {
				t.Errorf("torn %v after %d readings, want %v after %d", c.Torn, tries, tc.torn, tc.tries)
			}
			if want := tc.took[len(tc.took)-1] == container; want && c.Database != 1 {
				t.Errorf("the %dth reading was kept, want the first", c.Database)
			}
		})
	}
}
