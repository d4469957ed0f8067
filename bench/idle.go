package bench

import (
	"context"
	"math"
	"time"

	"github.com/coreproof/coreproof/internal/pause"
)

const (
	// idleFor is one look at a database without load.
	idleFor = time.Second
	// restWithin bounds the wait for a database to come to rest after many inserts: it
	// goes on writing down what they left.
	restWithin = 12 * time.Second
	// restShare and restCPU are how near two looks in a row have to be, as a share of the
	// larger one, or in µs per second: clocks of containers move in steps.
	restShare, restCPU = 0.2, 3000
)

// rest waits until the database has come to rest and says what it spends without load, µs
// per second; nil where that cannot be read.
func (m *measurement) rest(ctx context.Context) *float64 {
	p := m.databaseProcess(ctx)
	if p == nil {
		return nil
	}
	return settled(int(restWithin/idleFor), func() (float64, bool) {
		before, err := p.CPU()
		if err != nil {
			return 0, false
		}
		began := time.Now()
		if pause.For(ctx, idleFor) != nil {
			return 0, false
		}
		after, err := p.CPU()
		return float64((after - before).Microseconds()) / time.Since(began).Seconds(), err == nil
	})
}

// settled looks until two looks in a row agree, a number of times at most, and gives the
// smaller of the last two; nil where a look fails.
func settled(most int, look func() (perSecond float64, ok bool)) *float64 {
	last, ok := look()
	for i := 1; ok && i < most; i++ {
		var now float64
		if now, ok = look(); !ok {
			break
		}
		agree := math.Abs(now-last) <= max(restShare*max(now, last), restCPU)
		smaller := min(now, last)
		if agree || i == most-1 {
			return &smaller
		}
		last = now
	}
	return nil
}

// lesser of two figures that may not be known.
func lesser(a, b *float64) *float64 {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}
