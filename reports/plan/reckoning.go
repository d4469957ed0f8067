package plan

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/capacity"
	"github.com/coreproof/coreproof/reports/words"
)

// reckoning is the work on one case.
type reckoning struct {
	Ask
	Source
	proof *proof.Proof
	notes []string
}

func (r *reckoning) plan() (*Case, error) {
	c := &Case{Target: r.Target.Name, Protocol: r.Bench.Protocol, Core: r.Target.Core.Name}
	r.remark()
	for _, flag := range r.Flags {
		s, err := r.side(flag)
		if err != nil {
			return nil, fmt.Errorf("flag %s: %w", flag, err)
		}
		c.Sides = append(c.Sides, *s)
	}
	if len(c.Sides) == 2 {
		c.Flag = added(&c.Sides[0], &c.Sides[1])
	}
	c.Notes = r.notes
	return c, nil
}

func (r *reckoning) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(r.notes, text) {
		r.notes = append(r.notes, text)
	}
}

// anotherTable than one of so many rows has more than this: ten times as many change the
// depth of its index.
func anotherTable(rows int64) int64 { return 10 * rows }

// remark notes what weighs on the whole case.
func (r *reckoning) remark() {
	if r.proof.Verdict.Outcome == proof.Fail {
		r.note("the proof FAILED: %s", r.proof.Verdict.Headline)
	}
	switch others, was := words.Figure(r.RPS*(1-r.VerifyShare)), r.Bench.Design.Verifies(); {
	case was < 1:
		r.note("%.3g %% of the calls that were measured began, refreshed or ended sessions: what they cost is in the figures of each verify, but for statements", 100*(1-was))
		if r.VerifyShare != was {
			r.note("the load asked for has %.3g %% of them: extrapolated", 100*(1-r.VerifyShare))
		}
	case r.VerifyShare < 1:
		r.note("%s calls a second that are no verifies are in no figure: their cost was not measured (bench --verify-share %.3g)", others, r.VerifyShare)
	}
	d, embedded := r.Bench.Design, r.Target.Embedded(r.Bench)
	if !embedded && d.DatabaseAt != "" {
		r.note("the database ran: %s", d.DatabaseAt)
	}
	if t := r.Target.Database; t != nil && t.TLS == "yes" {
		r.note("the connections between core and database were encrypted (TLS)")
	}
	if d.Rows != nil {
		r.note("measured on a table of %s session rows", words.Count(*d.Rows))
		if r.Sessions > anotherTable(*d.Rows) {
			r.note("%s sessions are many times as many, and what a lookup among them costs was not measured (bench --rows)", words.Count(r.Sessions))
		}
	}
	if embedded {
		r.note("the database ran inside the core's process: its CPU is in the core's, and instances on several machines cannot share it")
	} else {
		r.note("a core holds all connections of its pool, busy or not: what the database must accept is instances · pool")
	}
	if r.Bench.Sweep != nil && r.Bench.Sweep.CutShort != "" {
		r.note("the load curve is not whole: %s", r.Bench.Sweep.CutShort)
	}
	if cpu := r.proof.Machine.CPU; cpu != "" {
		r.note("all CPU figures are of the machine that was measured (%s), and of its load then", cpu)
	}
	for _, f := range r.proof.Verdict.Findings {
		if f.Target == r.Target.Name && (f.Protocol == "" || f.Protocol == r.Bench.Protocol) && slices.Contains([]string{"setting", "steady", "bench"}, f.Kind) {
			r.note("%s", f.Text)
		}
	}
}

// sizing is how one side is cut into instances.
type sizing struct {
	*reckoning
	flag     string
	variant  proof.Variant
	load     float64 // verifies per second
	units    float64 // that carry it
	unitHz   float64 // of each
	vcpus    float64 // of a unit; 0 where it is not known
	core, db reading
	out      *Side
}

// reading is a figure per call and how it was come by.
type reading struct {
	est           *proof.Estimate
	curve         *capacity.Curve // that est was read off, if it was
	formula, from string
	missing       string
	extrapolated  bool
}

// sizing of one side before anything is reckoned.
func (r *reckoning) sizing(flag string) (*sizing, error) {
	s := &sizing{reckoning: r, flag: flag, load: r.RPS * r.VerifyShare, out: &Side{Flag: flag}}
	i := slices.IndexFunc(r.Bench.Variants, func(v proof.Variant) bool { return v.Name == flag })
	if i < 0 {
		return nil, errors.New("it was not measured")
	}
	if was := r.Bench.Design.Verifies(); was < 1 && r.VerifyShare != was && !r.Extrapolate {
		return nil, fmt.Errorf("%.3g %% of the calls that were measured were verifies, and their figures hold for that share; leave --verify-share out, measure with bench --verify-share %.3g, or give --extrapolate", 100*was, r.VerifyShare)
	}
	s.variant = r.Bench.Variants[i]
	s.variant.Instances = max(s.variant.Instances, 1)
	if d := r.Bench.Design; d.Pinned && len(d.ServerCPUs) > 0 {
		s.vcpus = float64(len(d.ServerCPUs))
	}
	if c := s.curve(); c != nil {
		if why := capacity.Disturbed(c); why != "" {
			return nil, errors.New(why)
		}
	}
	return s, nil
}

func (r *reckoning) side(flag string) (*Side, error) {
	s, err := r.sizing(flag)
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{s.instances, s.coreCPU, s.databaseCPU, s.p99, s.memory, s.disk, s.total} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return s.out, nil
}

// add takes a figure; a value beyond what was measured is refused unless it was asked for.
func (s *sizing) add(f Figure) error {
	// Sessions take their space however many there are: that figure is marked alone.
	if f.Extrapolated && !s.Extrapolate && f.Key != "disk" {
		return fmt.Errorf("%s would be extrapolated: %s; measure there (bench --sweep, more --instances), or give --extrapolate", f.Name, f.Tested)
	}
	s.out.Figures = append(s.out.Figures, f)
	return nil
}

// curve of the sweep for this variant.
func (s *sizing) curve() *proof.LoadCurve {
	if s.Bench.Sweep == nil {
		return nil
	}
	for i := range s.Bench.Sweep.Curves {
		if c := &s.Bench.Sweep.Curves[i]; c.Variant == s.flag {
			return c
		}
	}
	return nil
}

// limit of a unit, calls per second.
type limit struct {
	*proof.Estimate
	how          string
	extrapolated bool
}

// limit is what a unit serves: the knee of its curve, where that ends before saturation
// (as behind a cap) the highest rate of it, else what it served in a closed loop, which is
// extrapolated: nobody saw how it queued on the way there.
func (s *sizing) limit() (l limit, err error) {
	if c := s.curve(); c != nil && c.Knee != nil {
		return limit{Estimate: c.Knee, how: "knee of the load curve"}, nil
	}
	if c := s.curve(); c != nil && c.Disturbed == 0 && !slices.ContainsFunc(c.Rates, func(r proof.CurveRate) bool { return r.Saturated > 0 }) {
		if _, high := s.measured(); high > 0 {
			s.note("flag %s: no rate that was tried saturated the core, so an instance may serve more than the %s calls a second that are planned with", s.flag, words.Figure(high))
			return limit{Estimate: &proof.Estimate{Value: high, Unit: "1/s", N: 1}, how: "highest rate measured, which did not saturate it"}, nil
		}
	}
	if c := s.curve(); c != nil && c.Knee == nil && len(c.Rates) > 0 && c.Rates[0].Saturated > 0 {
		return l, errors.New("the core was saturated at the lowest rate of its load curve already: measure one from lower rates on, on a quieter machine")
	}
	e := s.Bench.Cost.ThroughputOff
	if s.flag == On {
		e = s.Bench.Cost.ThroughputOn
	}
	if e == nil || e.Value <= 0 {
		return l, errors.New("what a core can serve was not measured: run coreproof bench --sweep")
	}
	return limit{Estimate: e, how: "calls a second in a closed loop", extrapolated: true}, nil
}

// instances divides the load among units, each kept below its limit less the headroom
// and, where a p99 must hold, below the rate at which it does.
func (s *sizing) instances() error {
	limit, err := s.limit()
	if err != nil {
		return err
	}
	free := 1 - s.Headroom
	usable, sure, perhaps := free*limit.Value, math.Inf(1), math.Inf(1)
	formula := fmt.Sprintf("⌈load / ((1 − headroom) · limit)⌉ + those that may fail; limit: %s", limit.how)
	if s.P99 > 0 {
		c := capacity.Read(s.Bench, s.flag, capacity.P99, nil)
		if c == nil {
			return errors.New("--p99 needs a load curve: run coreproof bench --sweep")
		}
		ms := float64(s.P99.Microseconds()) / 1000
		hz := c.Highest(ms)
		if hz <= 0 {
			return fmt.Errorf("--p99 %s: at the lowest rate that was measured, %s calls a second, p99 was above it already", s.P99, words.Figure(c.Low))
		}
		sure, perhaps = c.Surely(ms), c.Perhaps(ms)
		if hz < usable {
			usable = hz
			formula = "⌈load / highest measured rate that keeps p99⌉ + those that may fail"
		}
	}
	if usable <= 0 {
		return errors.New("what a core can serve is not above zero: no load can be planned")
	}
	count := func(rate float64) float64 { return math.Ceil(s.load/rate - 1e-9) }
	s.units = count(usable)
	s.unitHz = s.load / s.units
	per := float64(s.variant.Instances)
	f := Figure{
		Key: "instances", Name: "core instances", Value: ptr((s.units + float64(s.InstancesFail)) * per), Formula: formula,
		Source: "utilisation below the knee: Kleinrock 1979, Power and deterministic rules of thumb; knee: docs/plan.md",
	}
	if i := limit.Interval; i != nil && i.Low > 0 {
		f.Low = ptr((count(min(free*i.High, perhaps)) + float64(s.InstancesFail)) * per)
		if rate := min(usable, free*i.Low, sure); rate > 0 {
			f.High = ptr((count(rate) + float64(s.InstancesFail)) * per)
		} else {
			f.Low = nil // no bound
		}
	}
	if sure <= 0 {
		s.note("flag %s: at no rate that was measured is the whole interval of p99 within %s, so more instances may not keep it either", s.flag, s.P99)
	}
	low, high := s.measured()
	f.Tested = fmt.Sprintf("%s to %s calls a second an instance", words.Figure(low/per), words.Figure(high/per))
	f.Extrapolated = s.unitHz < low || s.unitHz > high || limit.extrapolated
	switch {
	case low == high:
		f.Tested = fmt.Sprintf("%s calls a second an instance alone; there is no load curve", words.Figure(low/per))
	case limit.extrapolated:
		f.Tested += fmt.Sprintf("; the load curve has no knee, and in a closed loop %s were served", words.Figure(limit.Value/per))
	}
	if s.variant.Instances > 1 {
		s.note("%d instances were measured together and are planned as one unit, those that may fail as well", s.variant.Instances)
	}
	if err := s.add(f); err != nil {
		return err
	}
	return s.add(Figure{Key: "instance-rate", Name: "calls/s an instance, where those that may fail are down", Unit: "1/s", Value: ptr(s.unitHz / per), Formula: "load / instances that are left"})
}

// measured is the range of rates of this variant that was measured and not saturated.
func (s *sizing) measured() (low, high float64) {
	if c := capacity.Read(s.Bench, s.flag, capacity.P99, nil); c != nil {
		return c.Low, c.High
	}
	hz := s.Bench.Design.RateHz / float64(max(len(s.Bench.Variants), 1))
	return hz, hz
}

// coreCPU is read at the rate of an instance: CPU per call falls with it.
func (s *sizing) coreCPU() error {
	s.core = s.coreReading()
	if err := s.add(s.perCall("core-cpu", "core CPU a call", s.core)); err != nil {
		return err
	}
	busy := s.scaled("core-vcpu-busy", "core vCPU, busy", s.core, s.load/1e6, "load · CPU a call")
	busy.Source = "utilisation law: Denning, Buzen 1978, The operational analysis of queueing network models"
	if err := s.add(busy); err != nil {
		return err
	}
	all := (s.units + float64(s.InstancesFail)) / s.units
	if s.vcpus > 0 {
		n := s.out.Figure("instances")
		each := s.vcpus / float64(s.variant.Instances)
		return s.add(Figure{Key: "core-vcpu", Name: "core vCPU, to provide", Unit: "vCPU", Value: times(n.Value, each), Low: times(n.Low, each), High: times(n.High, each),
			Formula: fmt.Sprintf("instances · %s vCPU, as measured", words.Figure(each)), Tested: n.Tested, Extrapolated: n.Extrapolated})
	}
	f := s.scaled("core-vcpu", "core vCPU, to provide", s.core, s.load/1e6*all/(1-s.Headroom), "busy / (1 − headroom), with those that may fail; how many vCPUs an instance had is not known")
	return s.add(f)
}

func (s *sizing) coreReading() reading {
	c := capacity.Read(s.Bench, s.flag, capacity.CoreCPU, nil)
	switch {
	case c != nil:
		return reading{est: c.At(s.unitHz), curve: c, formula: c.Formula(), from: span(c), extrapolated: s.unitHz < c.Low || s.unitHz > c.High}
	case s.Bench.Cost.CoreCPUOff != nil && s.Bench.Cost.CoreCPUOn != nil:
		e := s.Bench.Cost.CoreCPUOff
		if s.flag == On {
			e = s.Bench.Cost.CoreCPUOn
		}
		hz, _ := s.measured()
		return reading{est: e, formula: "mean of the cost rounds", from: words.Figure(hz) + " calls a second alone", extrapolated: true}
	}
	return reading{missing: "the cores' processes were not given, or one of them served both sides: start a core a side on one database, and name both (--url-on, --url-off, --pid-on, --pid-off)"}
}

// databaseCPU is read at the rate of all instances together, since they share it.
func (s *sizing) databaseCPU() error {
	statements, known := s.statements()
	f := Figure{Key: "statements", Name: "statements/s", Unit: "1/s", Formula: "load · statements a verify", Source: "exact count"}
	if known {
		f.Value, f.Tested = ptr(s.load*statements), s.Target.Footprint.Source
	} else {
		f.Missing = "statements were not counted: the database could not be seen"
	}
	if err := s.add(f); err != nil {
		return err
	}
	s.db = s.database(statements, known)
	if s.db.missing != "" {
		s.note("the database's CPU is missing in the total: %s", s.db.missing)
	}
	for _, f := range []Figure{
		s.perCall("database-cpu", "database CPU a call", s.db),
		s.scaled("database-vcpu", "database vCPU, to provide", s.db, s.load/1e6/(1-s.Headroom), "load · CPU a call / (1 − headroom)"),
	} {
		if err := s.add(f); err != nil {
			return err
		}
	}
	return s.connections()
}

// statements per verify.
func (s *sizing) statements() (float64, bool) {
	if s.Target.Footprint == nil {
		return 0, false
	}
	for _, x := range s.Target.Footprint.Statements {
		if x.Operation == proof.OpVerify && x.Protocol == s.Bench.Protocol && x.Flag == s.flag && x.Calls > 0 {
			return x.PerCall(), true
		}
	}
	return 0, false
}

func (s *sizing) database(statements float64, known bool) reading {
	nothing := &proof.Estimate{Unit: "µs", Interval: &proof.Interval{Level: 0.95}}
	if s.Target.Embedded(s.Bench) {
		return reading{est: nothing, formula: "none of its own: it is in the core's"}
	}
	if known && statements == 0 && s.Bench.Design.Verifies() == 1 {
		return reading{est: nothing, formula: "no statement, no CPU"}
	}
	if c := capacity.Read(s.Bench, s.flag, capacity.DatabaseCPU, nil); c != nil {
		return reading{est: c.At(s.load), curve: c, formula: c.Formula() + ", at the rate of all instances", from: span(c), extrapolated: s.load < c.Low || s.load > c.High}
	}
	if e := s.Bench.Cost.DatabaseCPU; e != nil && s.flag == On {
		hz, _ := s.measured()
		return reading{est: e, formula: "mean of the cost rounds", from: words.Figure(hz) + " calls a second alone", extrapolated: true}
	}
	return reading{missing: "the CPU of the database's processes could not be read; add what its own monitoring shows"}
}

// connections by Little's law: a call holds one for as long as the flag adds to its
// latency.
func (s *sizing) connections() error {
	f := Figure{
		Key: "connections", Name: "database connections busy, on average", Formula: "load · time held / (1 − headroom), one an instance at least; time held: what the flag adds to the latency, mean or median, whichever is more",
		Source: "Little 1961, A proof for the queuing formula L = λW",
	}
	e, none, missing := s.hold()
	switch {
	case none:
		f.Value, f.Formula = ptr(0), "no statement, no connection"
	case missing != "":
		f.Missing = missing
	default:
		n := *s.out.Figure("instances").Value
		need := func(ms float64) *float64 { return ptr(math.Max(math.Ceil(s.load*ms/1000/(1-s.Headroom)), n)) }
		f.Value = need(e.Value)
		if e.Interval != nil {
			f.Low, f.High = need(max(e.Interval.Low, 0)), need(e.Interval.High)
		}
		// The curve shows up to which rate core and database were seen to serve.
		_, high := s.measured()
		f.Tested = fmt.Sprintf("up to %s calls a second", words.Figure(high))
		f.Extrapolated = s.load > high
	}
	return s.add(f)
}

// hold is how long a call holds a connection, in ms. none: it takes none; missing says
// why it is not known.
func (s *sizing) hold() (e *proof.Estimate, none bool, missing string) {
	statements, known := s.statements()
	switch mixed := s.Bench.Design.Verifies() < 1; {
	case known && statements == 0 && !mixed:
		return nil, true, ""
	case s.Target.Embedded(s.Bench):
		return nil, false, "the database is inside the core's process"
	case mixed:
		return nil, false, "calls besides verify hold connections too, and for how long was not measured"
	case s.flag == Off:
		return nil, false, "statements were not counted: the database could not be seen"
	}
	if e = addedLatency(s.Bench); e == nil || e.Value <= 0 {
		return nil, false, "the flag added nothing measurable to the latency, so how long a call holds a connection is not known"
	}
	return e, false, ""
}

// addedLatency is what the flag adds to the median, or to the mean where that is more: a
// statement that is slow now and then is in the mean alone, and Little's law is one of
// means. nil where no latency was measured.
func addedLatency(b *proof.Bench) *proof.Estimate {
	if b.Cost.CostPerCall == nil {
		return nil
	}
	e := *b.Cost.CostPerCall
	of := func(name string) (sum, calls float64) {
		for _, h := range b.Histograms {
			for i := range h.UpperMs {
				if h.Variant == name {
					sum, calls = sum+h.UpperMs[i]*float64(h.Count[i]), calls+float64(h.Count[i])
				}
			}
		}
		return sum, calls
	}
	off, offCalls := of(Off)
	on, onCalls := of(On)
	if offCalls > 0 && onCalls > 0 {
		if mean := on/onCalls - off/offCalls; mean > e.Value {
			e.Value, e.Interval = mean, nil // that of the median says nothing of the mean
		}
	}
	return &e
}

// p99 is read off the curve at the rate of an instance.
func (s *sizing) p99() error {
	c := capacity.Read(s.Bench, s.flag, capacity.P99, nil)
	x := reading{missing: "there is no load curve (bench --sweep)"}
	if c != nil {
		x = reading{est: c.At(s.unitHz), formula: c.Formula(), from: span(c), extrapolated: s.unitHz < c.Low || s.unitHz > c.High}
	}
	f := s.scaled("p99", "p99, of core and database as measured", x, 1, "")
	f.Unit, f.Formula = "ms", x.formula
	if c != nil && s.units > 1 && s.db.est != nil && s.db.est.Value > 0 {
		f.Name = "p99, where the database is as fast as measured"
	}
	return s.add(f)
}

func span(c *capacity.Curve) string {
	return fmt.Sprintf("%s to %s calls a second", words.Figure(c.Low), words.Figure(c.High))
}

func ptr(x float64) *float64 { return &x }

func times(x *float64, k float64) *float64 {
	if x == nil {
		return nil
	}
	return ptr(*x * k)
}
