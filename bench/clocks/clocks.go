// Package clocks reads the CPU clocks of several processes at one moment.
package clocks

import (
	"slices"
	"time"
)

// Clocks are the CPU clocks of all sides and of the database at one moment.
type Clocks struct {
	At       time.Time
	Sides    []time.Duration
	Database time.Duration // negative where it cannot be read
	// Torn: the reader lost its processor in the middle each time, so the Clocks are of
	// different moments.
	Torn bool
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

// Readings remembers how long reading took.
type Readings struct{ took []time.Duration }

// slow says whether reading takes long by nature, as of containers: then a long one is
// not torn.
func (r *Readings) slow() bool {
	if len(r.took) < readTries {
		return false
	}
	return slices.Sorted(slices.Values(r.took))[len(r.took)/2] >= readWithin
}

// Take reads until it was quick; where it is slow by nature the first reading is kept.
func (r *Readings) Take(read func() (Clocks, time.Duration)) (c Clocks) {
	var first Clocks
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
	c.Torn = true
	return c
}
