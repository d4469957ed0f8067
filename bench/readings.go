package bench

import (
	"slices"
	"time"

	"github.com/coreproof/coreproof/internal/meter"
)

// clocks are the CPU clocks of all sides and of the database at one moment.
type clocks struct {
	at       time.Time
	sides    []time.Duration
	database time.Duration
	// torn: the reader lost its processor in the middle each time, so the clocks are of
	// different moments.
	torn bool
}

const (
	// readWithin bounds how long reading all clocks may take: a reader that loses its
	// processor in the middle reads the clocks of different moments.
	readWithin = 50 * time.Microsecond
	// readTries are made at most.
	readTries = 5
	// readingsKept are looked back at, to tell what takes long by nature.
	readingsKept = 25
)

// readings remembers how long reading took.
type readings struct{ took []time.Duration }

// slow says whether reading takes long by nature, as of containers: then a long one is
// not torn.
func (r *readings) slow() bool {
	if len(r.took) < readTries {
		return false
	}
	return slices.Sorted(slices.Values(r.took))[len(r.took)/2] >= readWithin
}

// take reads until it was quick; where it is slow by nature the first reading is kept.
func (r *readings) take(read func() (clocks, time.Duration)) (c clocks) {
	var first clocks
	for try := range readTries {
		var took time.Duration
		c, took = read()
		r.took = append(r.took, took)
		r.took = r.took[max(0, len(r.took)-readingsKept):]
		if try == 0 {
			first = c
		}
		if took < readWithin {
			return c
		}
		if r.slow() {
			return first
		}
	}
	c.torn = true
	return c
}

// read takes all clocks at one moment, and then looks at what cannot be read so quickly.
func (m *measurement) read(s *sides, database meter.Process) clocks {
	c := m.readings.take(func() (clocks, time.Duration) {
		began := time.Now()
		c := clocks{at: began, sides: make([]time.Duration, len(s.list)), database: -1}
		for i := range s.list {
			c.sides[i] = s.list[i].cpu()
		}
		return c, time.Since(began)
	})
	if database != nil {
		if t, err := database.CPU(); err == nil {
			c.database = t
		}
	}
	for i := range s.list {
		c.sides[i] = s.list[i].withStarted(c.sides[i])
	}
	return c
}

// withStarted adds what processes of a side's cores spent that these started and that
// ended since: workers that are there for a while, programs that are run. Where one lives
// the work is not readable.
func (s *side) withStarted(cpu time.Duration) time.Duration {
	for _, i := range s.instances {
		p, ok := i.Process.(meter.Starter)
		if cpu < 0 || !ok {
			continue
		}
		ended, err := p.Started()
		if err != nil {
			return -1
		}
		cpu += ended
	}
	return cpu
}
