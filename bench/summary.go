package bench

import (
	"math"

	"github.com/coreproof/coreproof/internal/stats"
	"github.com/coreproof/coreproof/reports/proof"
)

const level = 0.95

// interval gives the interval of a claim over rounds: anytime-valid where there
// are enough of them, Student's otherwise.
func interval(xs []float64) (stats.Interval, string) {
	if i := stats.Anytime(xs, level); !math.IsInf(i.High, 1) && len(xs) > 0 {
		return i, "anytime-valid t over rounds"
	}
	return fixed(xs)
}

// fixed is Student's interval; a single round has none.
func fixed(xs []float64) (stats.Interval, string) {
	i := stats.T(xs, level)
	if math.IsInf(i.High, 1) {
		i.Low, i.High = i.Mean, i.Mean
		return i, "one round: no interval"
	}
	return i, "t over rounds"
}

func estimate(i stats.Interval, method, unit string) *proof.Estimate {
	if i.N == 0 {
		return nil
	}
	return &proof.Estimate{Value: i.Mean, Low: i.Low, High: i.High, Level: level, N: i.N, Unit: unit, Method: method}
}

// claim estimates a difference or ratio, absolute a side's own figure.
func claim(xs []float64, unit string) *proof.Estimate {
	i, method := interval(xs)
	return estimate(i, method, unit)
}

func absolute(xs []float64, unit string) *proof.Estimate {
	i, method := fixed(xs)
	return estimate(i, method, unit)
}

// collect gives figures of the rounds of one kind.
func (e *era) collect(kind string, f func(proof.Round) (float64, bool)) []float64 {
	var xs []float64
	for _, r := range e.res.Rounds {
		if r.Kind != kind {
			continue
		}
		if x, ok := f(r); ok && !math.IsNaN(x) && !math.IsInf(x, 0) {
			xs = append(xs, x)
		}
	}
	return xs
}

// cpuPerCall in µs; false when it could not be read.
func cpuPerCall(s proof.Side) (float64, bool) {
	if s.CPU < 0 || s.Calls == 0 {
		return 0, false
	}
	return s.CPU / float64(s.Calls), true
}

func logRatio(r proof.Round) (float64, bool) {
	a, ok1 := cpuPerCall(r.A)
	b, ok2 := cpuPerCall(r.B)
	return math.Log(b) - math.Log(a), ok1 && ok2
}

// ratio of core CPU per call, b / a, over the rounds of a kind so far.
func (e *era) ratio(kind string) *proof.Estimate {
	i, method := interval(e.collect(kind, logRatio))
	return estimate(i.Map(math.Exp), method, "ratio")
}

// calm leaves saturated rounds out of latency figures.
func calm(f func(proof.Round) float64) func(proof.Round) (float64, bool) {
	return func(r proof.Round) (float64, bool) { return f(r), !r.Saturated }
}

// summarise turns the rounds into claims.
func (e *era) summarise() {
	b := e.res
	logs := e.collect("cost", logRatio)
	if len(logs) == 0 {
		b.Gateable, b.NotGateable = false, "the CPU time of the cores could not be read: cost is a latency duet"
	}
	b.CoreCPURatio = e.ratio("cost")
	b.Floor = e.ratio("aa")
	i, _ := fixed(logs)
	b.Sigma = i.SD
	b.CoreCPUOff = absolute(e.collect("cost", func(r proof.Round) (float64, bool) { return cpuPerCall(r.A) }), "µs")
	b.CoreCPUOn = absolute(e.collect("cost", func(r proof.Round) (float64, bool) { return cpuPerCall(r.B) }), "µs")
	b.CoreCPUDiff = claim(e.collect("cost", func(r proof.Round) (float64, bool) {
		a, ok1 := cpuPerCall(r.A)
		b, ok2 := cpuPerCall(r.B)
		return b - a, ok1 && ok2
	}), "µs")
	b.DatabaseCPU = absolute(e.collect("cost", func(r proof.Round) (float64, bool) {
		return r.DatabaseCPU / float64(r.B.Calls), r.DatabaseCPU >= 0 && r.B.Calls > 0
	}), "µs")
	for _, q := range quantiles {
		off := absolute(e.collect("cost", calm(func(r proof.Round) float64 { return q.of(r.A) })), "ms")
		on := absolute(e.collect("cost", calm(func(r proof.Round) float64 { return q.of(r.B) })), "ms")
		diff := claim(e.collect("cost", calm(func(r proof.Round) float64 { return q.of(r.B) - q.of(r.A) })), "ms")
		if off == nil || on == nil || diff == nil {
			continue
		}
		b.Latency = append(b.Latency, proof.LatencyRow{Quantile: q.q, Off: *off, On: *on, Diff: *diff})
		if q.q == 0.5 {
			b.CostPerCall = diff
		}
	}
	b.FloorLatency = claim(e.collect("aa", calm(func(r proof.Round) float64 { return r.B.P50 - r.A.P50 })), "ms")
	e.summariseClosed()
	e.histograms()
}

var quantiles = []struct {
	q  float64
	of func(proof.Side) float64
}{
	{0.5, func(s proof.Side) float64 { return s.P50 }},
	{0.9, func(s proof.Side) float64 { return s.P90 }},
	{0.99, func(s proof.Side) float64 { return s.P99 }},
	{0.999, func(s proof.Side) float64 { return s.P999 }},
}

func (e *era) summariseClosed() {
	b := e.res
	if e.RateCap > 0 {
		return // a capped target was never saturated
	}
	b.ThroughputOff = absolute(e.collect("closed", func(r proof.Round) (float64, bool) { return r.A.Rate, true }), "1/s")
	b.ThroughputOn = absolute(e.collect("closed", func(r proof.Round) (float64, bool) { return r.B.Rate, true }), "1/s")
	i, method := fixed(e.collect("closed", func(r proof.Round) (float64, bool) { return math.Log(r.B.Rate / r.A.Rate), true }))
	b.ThroughputRatio = estimate(i.Map(math.Exp), method, "ratio")
	b.SaturatedCPUOff = absolute(e.collect("closed", func(r proof.Round) (float64, bool) { return cpuPerCall(r.A) }), "µs")
	b.SaturatedCPUOn = absolute(e.collect("closed", func(r proof.Round) (float64, bool) { return cpuPerCall(r.B) }), "µs")
	if e.bytesOff.calls > 0 && e.bytesOn.calls > 0 {
		b.BytesPerCallOff = float64(e.bytesOff.bytes) / float64(e.bytesOff.calls)
		b.BytesPerCallOn = float64(e.bytesOn.bytes) / float64(e.bytesOn.calls)
	}
}
