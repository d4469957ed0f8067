package plan

import (
	"errors"
	"math"

	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/capacity"
	"github.com/coreproof/coreproof/reports/verdict/estimate"
)

// Model is all that a plan of one case rests on, so that another program, such as a
// page's script, can make it for any load with the same result.
type Model struct {
	Target   string `json:"target"`
	Protocol string `json:"protocol"`
	Core     string `json:"core"`
	// VerifyShare of the calls were verifies.
	VerifyShare float64 `json:"verifyShare"`
	// Another is how many stored sessions are another table than the one that was
	// measured, if more than these; nil where its rows could not be asked.
	Another *int64      `json:"another,omitempty"`
	Sides   []SideModel `json:"sides"`
	Notes   []string    `json:"notes"`
}

// SideModel is the flag off or on.
type SideModel struct {
	Flag string `json:"flag"`
	// Refused says why nothing can be planned for this side; "" where it can.
	Refused string `json:"refused,omitempty"`
	// VerifyShare of the calls were verifies, as in Model.
	VerifyShare float64 `json:"verifyShare"`

	Limit    Bounded `json:"limit"`    // calls per second that a unit serves
	LimitHow string  `json:"limitHow"` // how that is known
	// LimitExtrapolated: no load curve shows it.
	LimitExtrapolated bool `json:"limitExtrapolated,omitempty"`

	Per      float64  `json:"per"`                // instances of a unit
	VCPUs    float64  `json:"vcpus"`              // of a unit; 0 where it is not known
	Low      float64  `json:"low"`                // lowest rate that was measured of a unit
	High     float64  `json:"high"`               // highest
	Memory   *float64 `json:"memory,omitempty"`   // bytes of an instance
	Session  *float64 `json:"session,omitempty"`  // bytes of a stored session
	Rows     float64  `json:"rows"`               // over which that was seen
	Space    string   `json:"space,omitempty"`    // why there is no Session
	Embedded bool     `json:"embedded,omitempty"` // the database is in the core's process
	// Statements of a verify; nil where they were not counted.
	Statements *float64 `json:"statements,omitempty"`
	// Hold is how long a call holds a connection, ms, 0 where it takes none; nil where it
	// is not known, for the reason NoHold.
	Hold   *Bounded `json:"hold,omitempty"`
	NoHold string   `json:"noHold,omitempty"`

	P99      *capacity.Portable `json:"p99,omitempty"` // ms, over the rate of a unit
	Core     ReadingModel       `json:"core"`          // µs a call, over the rate of a unit
	Database ReadingModel       `json:"database"`      // µs a call, over the rate of all
}

// ReadingModel is a figure per call: a curve, else a fixed figure that is extrapolated
// everywhere but where Inside, else missing.
type ReadingModel struct {
	Curve   *capacity.Portable `json:"curve,omitempty"`
	Fixed   *Bounded           `json:"fixed,omitempty"`
	Inside  bool               `json:"inside,omitempty"`
	Missing string             `json:"missing,omitempty"`
	Formula string             `json:"formula,omitempty"`
	From    string             `json:"from,omitempty"`
}

// Bounded is a value with the bounds of its interval, where it has one.
type Bounded struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
}

func bounds(e *proof.Estimate) Bounded {
	b := Bounded{Value: e.Value}
	if i := e.Interval; i != nil {
		b.Low, b.High = ptr(i.Low), ptr(i.High)
	}
	return b
}

// Models of all cases that Make would plan.
func Models(p *proof.Proof, target, protocol string) ([]Model, error) {
	benches, err := Benches(p, target, protocol)
	if err != nil {
		return nil, err
	}
	var out []Model
	refused := ""
	for _, x := range benches {
		r := &reckoning{Ask: Ask{RPS: 1, VerifyShare: x.Bench.Design.Verifies(), Extrapolate: true}, Source: x, proof: p}
		m := Model{Target: x.Target.Name, Protocol: x.Bench.Protocol, Core: x.Target.Core.Name, VerifyShare: x.Bench.Design.Verifies()}
		if rows := x.Bench.Design.Rows; rows != nil {
			n := anotherTable(*rows)
			m.Another = &n
		}
		r.remark()
		some := false
		for _, flag := range []string{Off, On} {
			s := r.model(flag)
			some = some || s.Refused == ""
			refused = s.Refused
			m.Sides = append(m.Sides, s)
		}
		m.Notes = r.notes
		if some {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("nothing can be planned: " + refused)
	}
	return out, nil
}

func (r *reckoning) model(flag string) SideModel {
	m := SideModel{Flag: flag, VerifyShare: r.VerifyShare}
	s, err := r.sizing(flag)
	if err != nil {
		m.Refused = err.Error()
		return m
	}
	limit, err := s.limit()
	if err != nil {
		m.Refused = err.Error()
		return m
	}
	m.Limit, m.LimitHow, m.LimitExtrapolated = bounds(limit.Estimate), limit.how, limit.extrapolated
	m.Per, m.VCPUs = float64(s.variant.Instances), s.vcpus
	m.Low, m.High = s.measured()
	if s.variant.Instances > 1 {
		s.note("%d instances were measured together and are planned as one unit, those that may fail as well", s.variant.Instances)
	}
	if most := s.mostMemory(); most > 0 {
		m.Memory = ptr(float64(most) / m.Per)
	}
	m.Session, m.Rows, m.Space = s.bytesASession()
	m.Embedded = s.Target.Embedded(s.Bench)
	statements, known := s.statements()
	if known {
		m.Statements = ptr(statements)
	}
	switch e, none, missing := s.hold(); {
	case none:
		m.Hold = &Bounded{}
	case missing != "":
		m.NoHold = missing
	default:
		b := bounds(e)
		m.Hold = &b
	}
	if c := capacity.Read(s.Bench, flag, capacity.P99, nil); c != nil {
		m.P99 = c.Portable()
	}
	m.Core = portable(s.coreReading())
	m.Database = portable(s.database(statements, known))
	if missing := m.Database.Missing; missing != "" {
		s.note("the database's CPU is missing in the total: %s", missing)
	}
	return m
}

func portable(x reading) ReadingModel {
	m := ReadingModel{Missing: x.missing, Formula: x.formula, From: x.from}
	switch {
	case x.curve != nil:
		m.Curve = x.curve.Portable()
	case x.est != nil:
		b := bounds(x.est)
		m.Fixed, m.Inside = &b, !x.extrapolated
	}
	return m
}

// Quantiles are Student's, by degrees of freedom from 0 on, for the intervals of means
// over so many blocks less one.
func Quantiles(blocks int) []float64 {
	out := []float64{0}
	for n := 2; n <= max(blocks, 2); n++ {
		// The half-width is quantile · SD / √n.
		xs := make([]float64, n)
		xs[0], xs[1] = 1, -1
		i := stats.T(xs, estimate.Level)
		out = append(out, i.High/i.SD*math.Sqrt(float64(n)))
	}
	return out
}

// Blocks is the most blocks that a curve of the models has.
func Blocks(models []Model) (n int) {
	for _, m := range models {
		for _, s := range m.Sides {
			for _, c := range []*capacity.Portable{s.P99, s.Core.Curve, s.Database.Curve} {
				if c != nil {
					n = max(n, len(c.Lines), len(c.Points))
				}
			}
		}
	}
	return n
}

// MinBlocks is how many blocks an interval needs.
func MinBlocks() int { return stats.StudentT.MinN }
