package plan

import (
	"fmt"
	"math"

	"github.com/coreproof/coreproof/reports/words"
)

// HoursAMonth is a year's hours over twelve.
const HoursAMonth = 730

// perCall is a reading as a figure.
func (s *sizing) perCall(key, name string, x reading) Figure {
	f := s.scaled(key, name, x, 1, "")
	f.Unit, f.Formula = "µs", x.formula
	return f
}

// scaled is a reading times k.
func (s *sizing) scaled(key, name string, x reading, k float64, formula string) Figure {
	f := Figure{Key: key, Name: name, Unit: "vCPU", Tested: x.from, Formula: formula, Missing: x.missing}
	if x.est == nil {
		if f.Missing == "" {
			f.Missing = "too few windows were measured and not saturated"
		}
		f.Formula = ""
		return f
	}
	f.Value, f.Extrapolated = ptr(x.est.Value*k), x.extrapolated
	if i := x.est.Interval; i != nil {
		f.Low, f.High = ptr(max(0, i.Low*k)), ptr(i.High*k)
	}
	return f
}

// memory of the cores: the most that an instance was seen to hold.
func (s *sizing) memory() error {
	most := s.mostMemory()
	f := Figure{Key: "core-memory", Name: "core memory", Unit: "bytes", Formula: "instances · most that one was seen to hold, resident"}
	if most == 0 {
		f.Missing, f.Formula = "the cores' memory was not read", ""
	} else {
		n := s.out.Figure("instances")
		each := float64(most) / float64(s.variant.Instances)
		// The most that was seen is one number: the bounds of the instances are none of it.
		f.Value = times(n.Value, each)
		f.Tested = fmt.Sprintf("%s an instance, at the rate of the cost rounds", words.Size(int64(each)))
	}
	return s.add(f)
}

// mostMemory is the most that the cores of a unit were seen to hold, bytes.
func (s *sizing) mostMemory() (most int64) {
	for _, r := range s.Bench.Rounds {
		for _, w := range r.Windows {
			if w.Variant == s.flag {
				most = max(most, w.Memory, w.MemoryReady)
			}
		}
	}
	return most
}

// bytesASession of a compacted database with so many rows; nil with why it is not known.
func (s *sizing) bytesASession() (each *float64, rows float64, missing string) {
	if s.Target.Footprint == nil || s.Target.Footprint.Space == nil {
		return nil, 0, "space was not measured: the database could not be seen"
	}
	x := s.Target.Footprint.Space
	n, bytes := x.RevokedOff, x.BytesOff
	if s.flag == On {
		n, bytes = x.RevokedOn, x.BytesOn
	}
	if n <= 0 || bytes <= 0 {
		return nil, 0, "space was not measured"
	}
	return ptr(float64(bytes) / float64(n)), float64(n), ""
}

// disk for sessions, from the bytes of a database with some.
func (s *sizing) disk() error {
	if s.Sessions == 0 {
		return nil
	}
	f := Figure{Key: "disk", Name: fmt.Sprintf("database space of %s sessions", words.Count(s.Sessions)), Unit: "bytes"}
	each, rows, missing := s.bytesASession()
	if f.Missing = missing; missing != "" {
		return s.add(f)
	}
	f.Value = ptr(*each * float64(s.Sessions))
	f.Formula = "sessions · bytes a session; the empty database's bytes are in it, so it is an upper bound where sessions are as large; the same in memory where all are to be cached"
	f.Tested = fmt.Sprintf("%s bytes a session over %s rows, compacted", words.Number(*each, 0), words.Number(rows, 0))
	f.Extrapolated = float64(s.Sessions) > rows
	return s.add(f)
}

// total of what is bought, and its price. What is missing is said, not left out.
func (s *sizing) total() error {
	f := sum("total-vcpu", "vCPU, core and database", s.out.Figure("core-vcpu"), s.out.Figure("database-vcpu"))
	if err := s.add(f); err != nil {
		return err
	}
	if s.VCPUPrice == 0 {
		return nil
	}
	k := s.VCPUPrice * HoursAMonth
	return s.add(Figure{
		Key: "price", Name: "price a month", Value: times(f.Value, k), Low: times(f.Low, k), High: times(f.High, k), Missing: f.Missing,
		Formula: fmt.Sprintf("vCPU · %g an hour · %d hours", s.VCPUPrice, HoursAMonth), Extrapolated: f.Extrapolated,
	})
}

// sum adds two figures; where one is missing there is no sum.
func sum(key, name string, a, b *Figure) Figure {
	f := Figure{Key: key, Name: name, Unit: a.Unit, Formula: a.Name + " + " + b.Name, Extrapolated: a.Extrapolated || b.Extrapolated}
	switch {
	case a.Value == nil:
		f.Missing = a.Name + " is missing: " + a.Missing
	case b.Value == nil:
		f.Missing = fmt.Sprintf("%s is missing, so it is more than the %s of the core: %s", b.Name, words.Figure(*a.Value), b.Missing)
	default:
		f.Value = ptr(*a.Value + *b.Value)
		if a.Low != nil && a.High != nil && b.Low != nil && b.High != nil {
			f.Low, f.High = ptr(*a.Low+*b.Low), ptr(*a.High+*b.High)
		}
	}
	if f.Value == nil {
		f.Formula = ""
	}
	return f
}

// added is what the flag adds to the figures that are bought. Both sides are measured by
// themselves: the bounds are those of the difference of two intervals.
func added(off, on *Side) (out []Figure) {
	for _, key := range []string{"instances", "core-vcpu", "database-vcpu", "total-vcpu", "statements", "connections", "core-memory", "price"} {
		a, z := off.Figure(key), on.Figure(key)
		if a == nil || z == nil {
			continue
		}
		f := Figure{Key: key, Name: z.Name, Unit: z.Unit, Formula: "on − off", Extrapolated: a.Extrapolated || z.Extrapolated}
		switch {
		case a.Value == nil:
			f.Missing, f.Formula = a.Missing, ""
		case z.Value == nil:
			f.Missing, f.Formula = z.Missing, ""
		default:
			f.Value = ptr(*z.Value - *a.Value)
			if bounded(a) && bounded(z) {
				f.Low, f.High = ptr(*z.Low-*a.High), ptr(*z.High-*a.Low)
			}
		}
		out = append(out, f)
	}
	return out
}

func bounded(f *Figure) bool {
	return f.Low != nil && f.High != nil && !math.IsInf(*f.High, 0)
}
