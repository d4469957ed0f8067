package attack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/coreproof/coreproof/bench/generator"
)

// Schema names the form of the documents that this package writes.
const Schema = "coreproof-shard/1"

// Shard is what came of a shard's share, or of the shares of several together.
type Shard struct {
	Schema string `json:"schema"`
	Plan   `json:"plan"`
	// Shards are those whose shares are in it, from 0, in rising order; Began when each
	// sent its first, CPU what each spent (negative: not readable, ns).
	Shards []int           `json:"shards"`
	Began  []time.Time     `json:"began"`
	CPU    []time.Duration `json:"cpuNs"`
	// Ahead compares each one's clock with that of the first core; nil where the core did
	// not say, or nobody asked.
	Ahead []*Ahead `json:"ahead"`
	// At is when they were to begin; nil for at once.
	At *time.Time `json:"at,omitempty"`
	// Due is how many calls the schedule holds; InTime of them were sent before its end.
	Due    int64 `json:"due"`
	InTime int64 `json:"inTime"` // sent before the end
	// Calls that were answered or failed, Wrong of them otherwise than OK.
	Calls int64 `json:"calls"`
	Wrong int64 `json:"wrong"` // failed, or answered otherwise than OK
	// Shed of the wrong ones were answered 429 or 503: the cores turned them away.
	Shed int64 `json:"shed,omitempty"`
	// Example of a wrong answer, one line.
	Example string `json:"example,omitempty"`
	// Latency from the moment that a call was due to the last byte, Late how late calls
	// were sent: HDR histograms in ns, three digits.
	Latency *generator.Latency `json:"latency"`
	Late    *generator.Latency `json:"late"` // how late calls were sent, ns
}

// Read reads documents one after the other until the end of r; name is what errors call
// it.
func Read(r io.Reader, name string) ([]*Shard, error) {
	d := json.NewDecoder(r)
	var out []*Shard
	for {
		s := new(Shard)
		err := d.Decode(s)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: document %d is no shard: %w", name, len(out)+1, err)
		}
		if s.Ahead == nil {
			s.Ahead = make([]*Ahead, len(s.Shards))
		}
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", name, len(out)+1, err)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: there is no shard in it; give what coreproof attack wrote", name)
	}
	return out, nil
}

// check refuses what contradicts itself.
func (s *Shard) check() error {
	switch {
	case s.Schema != Schema:
		return fmt.Errorf("schema %q, and this program reads %q: give what coreproof attack wrote", s.Schema, Schema)
	case s.Latency == nil || s.Latency.Histogram == nil || s.Late == nil || s.Late.Histogram == nil:
		return errors.New("it has no latencies")
	case len(s.Shards) == 0 || len(s.Shards) != len(s.Began) || len(s.Shards) != len(s.CPU):
		return fmt.Errorf("%d shards, %d starts, %d CPU times: want one each", len(s.Shards), len(s.Began), len(s.CPU))
	case len(s.Ahead) != len(s.Shards) || slices.ContainsFunc(s.Ahead, func(a *Ahead) bool { return a != nil && a.Low > a.High }):
		return fmt.Errorf("clocks of %d shards, or one that is ahead by more at least than at most: want one each of %d", len(s.Ahead), len(s.Shards))
	case s.Of < 1 || slices.Min(s.Shards) < 0 || slices.Max(s.Shards) >= s.Of:
		return fmt.Errorf("shards %v of %d: they count from 0", s.Shards, s.Of)
	case s.Shed < 0 || s.Shed > s.Wrong:
		return fmt.Errorf("%d turned away of %d wrong: it was edited", s.Shed, s.Wrong)
	case s.Wrong < 0 || s.Wrong > s.Calls || s.InTime < 0 || s.InTime > s.Calls || s.Calls > s.Due:
		return fmt.Errorf("%d wrong and %d in time of %d calls of %d due: it was edited", s.Wrong, s.InTime, s.Calls, s.Due)
	case s.Latency.TotalCount() != s.Calls || s.Late.TotalCount() != s.Calls:
		return fmt.Errorf("%d latencies and %d lags of %d calls: it was edited", s.Latency.TotalCount(), s.Late.TotalCount(), s.Calls)
	}
	return nil
}

// Merge adds shards of one plan up, exactly: counts add, and a histogram of the same
// buckets is the sum of its parts, so the result is that of one sender of all calls.
func Merge(list []*Shard) (*Shard, error) {
	if len(list) == 0 {
		return nil, errors.New("merge: there is nothing to merge")
	}
	out := &Shard{Schema: Schema, Plan: list[0].Plan, At: list[0].At,
		Latency: &generator.Latency{Histogram: generator.NewHistogram()}, Late: &generator.Latency{Histogram: generator.NewHistogram()}}
	type row struct {
		shard int
		began time.Time
		cpu   time.Duration
		ahead *Ahead
	}
	var rows []row
	for _, s := range list {
		if s.Plan != out.Plan {
			return nil, fmt.Errorf("merge: shards %v are of another plan than shards %v: seed, rate, duration, protocol, flag or number of shards differ", s.Shards, list[0].Shards)
		}
		if (s.At == nil) != (out.At == nil) || s.At != nil && !s.At.Equal(*out.At) {
			return nil, fmt.Errorf("merge: shards %v were to begin at another time than shards %v", s.Shards, list[0].Shards)
		}
		for i, n := range s.Shards {
			if slices.ContainsFunc(rows, func(r row) bool { return r.shard == n }) {
				return nil, fmt.Errorf("merge: shard %d comes twice: its calls would count twice", n)
			}
			rows = append(rows, row{n, s.Began[i], s.CPU[i], s.Ahead[i]})
		}
		out.Due, out.InTime, out.Calls = out.Due+s.Due, out.InTime+s.InTime, out.Calls+s.Calls
		out.Wrong, out.Shed = out.Wrong+s.Wrong, out.Shed+s.Shed
		if out.Example == "" {
			out.Example = s.Example
		}
		for _, h := range []struct{ to, from *generator.Latency }{{out.Latency, s.Latency}, {out.Late, s.Late}} {
			if dropped := h.to.Merge(h.from.Histogram); dropped > 0 {
				return nil, fmt.Errorf("merge: %d latencies of shards %v are beyond what is kept", dropped, s.Shards)
			}
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.shard, b.shard) })
	for _, r := range rows {
		out.Shards, out.Began, out.CPU = append(out.Shards, r.shard), append(out.Began, r.began), append(out.CPU, r.cpu)
		out.Ahead = append(out.Ahead, r.ahead)
	}
	return out, nil
}

// Quantile of the latencies of all calls that were due, in per cent. Calls that were given
// up, since they could not be sent within a tenth of the duration after its end, waited
// longer than those that were sent: a quantile among them is not known.
func (s *Shard) Quantile(q float64) (d time.Duration, known bool) {
	if s.Calls == 0 || s.Due == 0 {
		return 0, false
	}
	of := q * float64(s.Due) / float64(s.Calls)
	if of > 100 {
		return 0, false
	}
	return time.Duration(s.Latency.ValueAtQuantile(of)), true
}

// Missing are the shards whose shares are not in it.
func (s *Shard) Missing() (out []int) {
	for i := range s.Of {
		if !slices.Contains(s.Shards, i) {
			out = append(out, i)
		}
	}
	return out
}

// Skew is how far apart the first and the last shard began, each by its own clock.
func (s *Shard) Skew() time.Duration {
	return slices.MaxFunc(s.Began, time.Time.Compare).Sub(slices.MinFunc(s.Began, time.Time.Compare))
}

// Bounds within which shards count as one load: together for all but mostApart of the
// time, and nearly all calls sent when they were due.
const (
	mostApart = 0.02
	// clocksApart is what clocks that a core's Date tells apart may differ by in any case:
	// some servers write one that is up to a second old.
	clocksApart   = 1500 * time.Millisecond
	leastAchieved = 0.99
)

// Doubts are the reasons why the figures are not those of the load that was asked for;
// none when they are.
func (s *Shard) Doubts() (out []string) {
	if m := s.Missing(); len(m) > 0 {
		out = append(out, fmt.Sprintf("shards %v of %d are missing", m, s.Of))
	}
	if skew := s.Skew(); skew > time.Duration(mostApart*float64(s.Duration)) {
		out = append(out, fmt.Sprintf("the shards began %s apart, more than %g %% of %s: give them one --start-at, and their machines one clock", skew.Round(time.Millisecond), 100*mostApart, s.Duration))
	}
	if least, _, _ := s.Apart(); least > max(clocksApart, time.Duration(mostApart*float64(s.Duration))) {
		out = append(out, fmt.Sprintf("the shards' clocks are %s apart at least, held against the cores': they did not send at the same time", least.Round(time.Millisecond)))
	}
	// One call may be due so near the end that it is sent after it.
	if got := float64(s.InTime) / float64(max(1, s.Due)); s.Due-s.InTime > 1 && got < leastAchieved {
		out = append(out, fmt.Sprintf("%.1f %% of the calls were sent before the end, less than %g %%: the shards or the cores could not keep up", 100*got, 100*leastAchieved))
	}
	return out
}
