package bench

import (
	"errors"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/meter"
)

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
		if c := m.read(s, nil); c.Sides[0] != tc.want {
			t.Errorf("%s: CPU time %s, want %s", tc.name, c.Sides[0], tc.want)
		}
		if n := m.memory(&s.list[0]); n != tc.memory {
			t.Errorf("%s: memory %d, want %d", tc.name, n, tc.memory)
		}
	}
}
