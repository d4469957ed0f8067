package bench

import (
	"time"

	"github.com/coreproof/coreproof/bench/clocks"
	"github.com/coreproof/coreproof/internal/meter"
)

// read takes all clocks at one moment, and then looks at what cannot be read so quickly.
func (m *measurement) read(s *sides, database meter.Process) clocks.Clocks {
	c := m.readings.Take(func() (clocks.Clocks, time.Duration) {
		began := time.Now()
		c := clocks.Clocks{At: began, Sides: make([]time.Duration, len(s.list)), Database: -1}
		for i := range s.list {
			c.Sides[i] = s.list[i].cpu()
		}
		return c, time.Since(began)
	})
	if database != nil {
		if t, err := database.CPU(); err == nil {
			c.Database = t
		}
	}
	for i := range s.list {
		c.Sides[i] = s.list[i].withStarted(c.Sides[i])
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
