package bench

import (
	"errors"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/meter"
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
			r := readings{took: tc.before}
			tries := 0
			c := r.take(func() (clocks, time.Duration) {
				tries++
				return clocks{database: time.Duration(tries)}, tc.took[tries-1]
			})
			if c.torn != tc.torn || tries != tc.tries {
				t.Errorf("torn %v after %d readings, want %v after %d", c.torn, tries, tc.torn, tc.tries)
			}
			if want := tc.took[len(tc.took)-1] == container; want && c.database != 1 {
				t.Errorf("the %dth reading was kept, want the first", c.database)
			}
		})
	}
}

// forking is a process that starts others.
type forking struct {
	meter.Process
	ended time.Duration
	err   error
}

func (forking) CPU() (time.Duration, error)       { return time.Second, nil }
func (forking) RSS() (int64, error)               { return 1 << 20, nil }
func (f forking) Started() (time.Duration, error) { return f.ended, f.err }

// TestWorkOfOthers: what a core's own processes did is in its figure, or there is none.
func TestWorkOfOthers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		p      meter.Process
		want   time.Duration
		memory int64
	}{
		{"none", forking{}, time.Second, 1 << 20},
		{"one that ended", forking{ended: 40 * time.Millisecond}, 1040 * time.Millisecond, 1 << 20},
		{"one that lives", forking{err: errors.New("it started another process")}, -1, 0},
	} {
		m := &measurement{}
		s := &sides{list: []side{{instances: []launch.Instance{{Process: tc.p}}}}}
		if c := m.read(s, nil); c.sides[0] != tc.want {
			t.Errorf("%s: CPU time %s, want %s", tc.name, c.sides[0], tc.want)
		}
		if n := m.memory(&s.list[0]); n != tc.memory {
			t.Errorf("%s: memory %d, want %d", tc.name, n, tc.memory)
		}
	}
}
