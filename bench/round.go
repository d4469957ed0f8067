package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/proof"
)

// pair is both sides up at once.
type pair struct {
	flags [2]bool
	deps  [2]target.Deployment
	sides [2]generator.Side
}

// start brings both sides up as fresh processes, in random order.
func (e *era) start(ctx context.Context, flags [2]bool) (*pair, error) {
	p := &pair{flags: flags}
	first := e.rnd.IntN(2)
	for _, i := range []int{first, 1 - first} {
		s := target.Settings{Flag: flags[i], CPUs: e.serverCPUs}
		if len(e.serverCPUs) > 0 {
			s.GOMAXPROCS = 1
		}
		d, err := e.Target.Start(ctx, e.Instances, s)
		if err != nil {
			return nil, errors.Join(err, p.stop(ctx))
		}
		p.deps[i] = d
		p.sides[i] = e.side([2]string{"a", "b"}[i], d, flags[i])
	}
	return p, nil
}

// side describes a deployment to the generator.
func (e *era) side(name string, d target.Deployment, flag bool) generator.Side {
	s := generator.Side{Name: name, Set: setName(flag)}
	inner, _ := d.(target.Inner)
	for i, core := range d.Clients(e.protocol) {
		method, url, header, _ := core.VerifyHTTP(adapter.VerifyRequest{})
		if inner != nil {
			url = inner.InnerURLs()[i] + strings.TrimPrefix(url, core.URL())
		}
		s.Method, s.Header = method, header
		s.URLs = append(s.URLs, url)
	}
	return s
}

func (p *pair) stop(ctx context.Context) error {
	var errs []error
	for _, d := range p.deps {
		if d != nil {
			errs = append(errs, d.Stop(context.WithoutCancel(ctx)))
		}
	}
	return errors.Join(errs...)
}

// cpu adds up the CPU time of a deployment's cores; negative when unreadable.
func cpu(d target.Deployment) time.Duration {
	procs := d.Processes()
	if len(procs) == 0 {
		return -1
	}
	var sum time.Duration
	for _, p := range procs {
		t, err := p.CPU()
		if err != nil {
			return -1
		}
		sum += t
	}
	return sum
}

func spent(before, after time.Duration) float64 {
	if before < 0 || after < 0 {
		return -1
	}
	return float64((after - before).Nanoseconds()) / 1e3
}

// databaseCPU reads the database's clock; negative when there is none.
func (e *era) databaseCPU() time.Duration {
	db := e.Target.Database()
	if db == nil {
		return -1
	}
	var p meter.Process
	if p = db.Process(); p == nil {
		return -1
	}
	t, err := p.CPU()
	if err != nil {
		return -1
	}
	return t
}

// calibrate finds the rate: a share of what the pair serves in a closed loop.
func (e *era) calibrate(ctx context.Context) (err error) {
	e.Progress(Event{Target: e.Target.Name(), Protocol: e.protocol, Phase: "calibrate", Of: 1})
	if e.RateHz > 0 {
		e.rate = e.RateHz
		e.res.Design.RateShare = 0
	} else {
		p, err := e.start(ctx, [2]bool{false, true})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.stop(ctx)) }()
		var res generator.Result
		for _, d := range []time.Duration{e.WarmUp, time.Second} {
			if res, err = e.gen.Run(ctx, e.job(generator.Closed, p.sides[:], d)); err != nil {
				return err
			}
		}
		var calls int64
		for _, s := range res.Sides {
			if s.Wrong > 0 {
				return fmt.Errorf("calibration: %d of %d calls were answered wrongly, e.g. %s", s.Wrong, s.Calls, s.Example)
			}
			calls += s.Calls
		}
		e.rate = e.RateShare * float64(calls) / res.Took.Seconds()
	}
	if e.RateCap > 0 && e.rate > e.RateCap {
		e.rate = e.RateCap
	}
	if e.rate < 1 {
		return fmt.Errorf("calibration: the pair serves too few calls to measure (%.2f/s)", e.rate/e.RateShare)
	}
	return nil
}

func (e *era) job(kind generator.Kind, sides []generator.Side, d time.Duration) generator.Job {
	j := generator.Job{Kind: kind, Protocol: string(e.protocol), Sides: sides, RateHz: e.rate, Duration: d, Connections: e.Connections, Seed: e.rnd.Uint64()}
	if kind == generator.Closed && e.RateCap > 0 {
		// A capped target is never saturated.
		j.Kind = generator.Open
		j.RateHz = e.RateCap
	}
	return j
}

// round runs one round. A reason drops it; it may look only at what concerns
// both sides alike.
func (e *era) round(ctx context.Context, index int, kind string, flags [2]bool) (r proof.Round, reason string, err error) {
	p, err := e.start(ctx, flags)
	if err != nil {
		return r, "", err
	}
	defer func() { err = errors.Join(err, p.stop(ctx)) }()
	if kind == "closed" {
		r, err = e.saturate(ctx, index, p)
		return r, "", err
	}
	if _, err := e.gen.Run(ctx, e.job(generator.Open, p.sides[:], e.WarmUp)); err != nil {
		return r, "", err
	}
	started := time.Now()
	db0, a0, b0 := e.databaseCPU(), cpu(p.deps[0]), cpu(p.deps[1])
	res, err := e.gen.Run(ctx, e.job(generator.Open, p.sides[:], e.Stretch))
	if err != nil {
		return r, "", err
	}
	db1, a1, b1 := e.databaseCPU(), cpu(p.deps[0]), cpu(p.deps[1])
	r = proof.Round{
		Index: index, Kind: kind, Started: started.UTC(), Achieved: math.Min(res.Achieved, 1), LagP99: ms(res.LagP99),
		DatabaseCPU: spent(db0, db1), GeneratorCPU: us(res.CPU),
	}
	if r.DatabaseCPU >= 0 {
		r.DatabaseCPU = math.Max(0, r.DatabaseCPU-e.idleDB*time.Since(started).Seconds())
	}
	if r.A, err = summariseSide(res.Sides[0], flags[0], spent(a0, a1)); err != nil {
		return r, "", err
	}
	if r.B, err = summariseSide(res.Sides[1], flags[1], spent(b0, b1)); err != nil {
		return r, "", err
	}
	if r.A.Errors+r.B.Errors > 0 {
		e.Log.Error("calls were answered wrongly", "off", res.Sides[0].Example, "on", res.Sides[1].Example)
		return r, "", nil // counts, and fails the run
	}
	r.Saturated = saturated(res, r, e.Stretch)
	switch {
	case res.Achieved < 0.98:
		reason = fmt.Sprintf("only %.1f %% of the wanted rate was sent", 100*res.Achieved)
	case r.A.Calls == 0 || math.Abs(float64(r.B.Calls)/float64(r.A.Calls)-1) > 0.01:
		reason = fmt.Sprintf("the sides got different numbers of calls: %d and %d", r.A.Calls, r.B.Calls)
	}
	if kind == "cost" && reason == "" && !r.Saturated {
		err = e.merge(res)
	}
	return r, reason, err
}

func (e *era) merge(res generator.Result) error {
	for i := range e.merged {
		h, err := res.Sides[i].Histogram()
		if err != nil {
			return err
		}
		e.merged[i].Merge(h)
	}
	return nil
}

// saturated: sends were so late that the figures speak of a queue.
func saturated(res generator.Result, r proof.Round, stretch time.Duration) bool {
	return res.LagP99 > stretch/5 || r.LagP99 > 10*math.Max(r.A.P50, r.B.P50) && res.LagP99 > 20*time.Millisecond
}

// saturate gives each side, one after the other, a closed loop.
func (e *era) saturate(ctx context.Context, index int, p *pair) (proof.Round, error) {
	r := proof.Round{Index: index, Kind: "closed", Started: time.Now().UTC(), Achieved: 1, Saturated: e.RateCap == 0, DatabaseCPU: -1, GeneratorCPU: -1}
	first := e.rnd.IntN(2)
	for _, i := range []int{first, 1 - first} {
		if _, err := e.gen.Run(ctx, e.job(generator.Closed, p.sides[i:i+1], e.WarmUp)); err != nil {
			return r, err
		}
		before := cpu(p.deps[i])
		res, err := e.gen.Run(ctx, e.job(generator.Closed, p.sides[i:i+1], e.ClosedStretch))
		if err != nil {
			return r, err
		}
		s, err := summariseSide(res.Sides[0], p.flags[i], spent(before, cpu(p.deps[i])))
		if err != nil {
			return r, err
		}
		s.Rate = float64(s.Calls) / res.Took.Seconds()
		books := &e.bytesOff
		if i == 0 {
			r.A = s
		} else {
			r.B = s
			books = &e.bytesOn
		}
		books.bytes += res.Sides[0].BytesIn + res.Sides[0].BytesOut
		books.calls += s.Calls
	}
	return r, nil
}

func summariseSide(s generator.SideResult, flag bool, cpuUS float64) (proof.Side, error) {
	h, err := s.Histogram()
	if err != nil {
		return proof.Side{}, err
	}
	q := func(p float64) float64 { return ms(time.Duration(h.ValueAtQuantile(p))) }
	return proof.Side{
		Flag: setName(flag), Calls: s.Calls, Errors: s.Wrong, CPU: cpuUS,
		P50: q(50), P90: q(90), P99: q(99), P999: q(99.9), Max: ms(time.Duration(h.Max())),
	}, nil
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

func us(d time.Duration) float64 {
	if d < 0 {
		return -1
	}
	return float64(d.Nanoseconds()) / 1e3
}
