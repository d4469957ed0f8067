package conformance

import (
	"cmp"
	"context"
	"runtime"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

const (
	// raceFor bounds a race in time where calls are not throttled.
	raceFor = 50 * time.Second
	// raceMost is how many trials are made at most for each that is wanted.
	raceMost = 16
	// callsInRaceTrial is about how many calls a trial makes, for the time that a
	// throttle takes.
	callsInRaceTrial = 20
	// enoughBroken trials end a race: the rule is broken, and the share is known
	// well enough.
	enoughBroken = 5
)

// Orders of a race trial.
const (
	AFirst = "ab"
	BFirst = "ba"
)

// Races tries a race until want trials (scaled) whose calls met were seen of each
// order, at least least trials in all. What could not be met is told by the
// evidence: the trials that were made, and how many were wanted.
func (t *T) Races(ctx context.Context, want, least int, try func(ctx context.Context, t *Trial) error) error {
	want, least = t.Scaled(want), t.Scaled(least)
	t.mu.Lock()
	t.race = &proof.Race{Want: want}
	t.mu.Unlock()
	most := max(least, 2*want*raceMost)
	deadline := time.Now().Add(raceFor + t.run.paced(2*callsInRaceTrial*max(least, 4*want)))
	tags := t.tags(most)
	for i := range most {
		if i >= least && t.raced(want) || i > 0 && time.Now().After(deadline) {
			return nil
		}
		if _, err := t.trial(ctx, i, tags[i], try); err != nil {
			return err
		}
	}
	return nil
}

// raced says whether enough was seen.
func (t *T) raced(want int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.violations) >= enoughBroken {
		return true
	}
	ab, ba := 0, 0
	for _, r := range t.race.Trials {
		switch {
		case !r.Overlap():
		case r.Order == AFirst:
			ab++
		default:
			ba++
		}
	}
	return ab >= want && ba >= want
}

// collision is what is known about when two calls must be sent so that they
// meet: a staircase that goes one step earlier where the first took effect first,
// and one later where the second did, so that it stays where either may win. Fixed
// delays would see one order only, since nobody knows beforehand how fast a core is.
type collision struct {
	n      int
	offset time.Duration // of b's start behind a's
	step   time.Duration
	took   [2]time.Duration // running means
	silent bool             // the answers do not tell the order
	order  string           // of the last trial
}

const smallestStep = 20 * time.Microsecond

// next is the offset to try.
func (c *collision) next(uniform, normal float64) time.Duration {
	c.n++
	if c.step == 0 {
		c.step = 500 * time.Microsecond
	}
	low, high := -c.took[1]*9/10, c.took[0]*9/10
	if c.n%4 == 0 {
		// Now and then anywhere that they can meet: a core may be wrong elsewhere than
		// where the order turns.
		return low + time.Duration(uniform*float64(high-low))
	}
	if c.silent && c.n%4 == 2 && c.n > 2 {
		// Where the answers do not tell the order, the staircase stays where the two are
		// sent together. A core that works before it reads and writes does so at the end.
		late := 1 - uniform*uniform/8 // of the longer call
		if c.took[0] > c.took[1] {
			return time.Duration(late * float64(c.took[0]))
		}
		return -time.Duration(late * float64(c.took[1]))
	}
	d := c.offset + time.Duration(normal*float64(c.step))
	if c.n > 2 {
		d = max(low, min(high, d))
	}
	return d
}

// learn takes in a trial.
func (c *collision) learn(order string, took [2]time.Duration) {
	for i, d := range took {
		if c.took[i] == 0 {
			c.took[i] = d
		}
		c.took[i] = (3*c.took[i] + d) / 4
	}
	floor := max(smallestStep, min(c.took[0], c.took[1])/40)
	if order == c.order {
		c.step = min(c.step*5/4, max(c.took[0], c.took[1])/2+floor)
	} else {
		c.step = max(c.step*3/5, floor)
	}
	if order == AFirst {
		c.offset -= c.step
	} else {
		c.offset += c.step
	}
	c.offset = max(-c.took[1], min(c.took[0], c.offset))
	c.order = order
}

// Move is one call of a race, whose reply it gives. It may ask right after that one's answer.
type Move func(ctx context.Context) (protocol.Reply, error)

// Meet lets two calls meet, started from one barrier with an offset that is
// learned over the trials of one kind. order tells from the answers which took
// effect first (AFirst, BFirst); where it is nil or gives "", it is who was sent
// first. A throttle is paid beforehand, so that it never stands between the two.
func (t *Trial) Meet(ctx context.Context, kind string, a, b Move, order func() string) error {
	paid, err := t.run.options.Target.Capabilities().Throttle.Prepay(ctx, 4) // with a verify after each
	if err != nil {
		return err
	}
	t.mu.Lock()
	if t.collisions == nil {
		t.collisions = map[string]*collision{}
	}
	c := t.collisions[kind]
	if c == nil {
		c = &collision{silent: order == nil}
		t.collisions[kind] = c
	}
	offset := c.next(t.Rand.Float64(), t.Rand.NormFloat64())
	t.mu.Unlock()

	var replies [2]protocol.Reply
	begun := time.Now()
	runner := func(i int, call Move, late time.Duration) func(context.Context) error {
		return func(context.Context) error {
			spinFor(late)
			r, err := call(paid)
			if r.Invoked.IsZero() {
				r.Invoked, r.Returned = begun, time.Now()
			}
			replies[i] = r
			return err
		}
	}
	err = AtOnce(ctx, runner(0, a, max(0, -offset)), runner(1, b, max(0, offset)))
	t.met(c, begun, replies, order)
	return err
}

func (t *Trial) met(c *collision, begun time.Time, r [2]protocol.Reply, order func() string) {
	who := ""
	if order != nil {
		who = order()
	}
	sent := AFirst
	if r[1].Invoked.Before(r[0].Invoked) {
		sent = BFirst
	}
	who = cmp.Or(who, sent)
	t.mu.Lock()
	defer t.mu.Unlock()
	c.learn(who, [2]time.Duration{r[0].Returned.Sub(r[0].Invoked), r[1].Returned.Sub(r[1].Invoked)})
	if t.race == nil {
		return
	}
	since := func(at time.Time) int64 { return int64(at.Sub(begun)) }
	t.race.Trials = append(t.race.Trials, proof.RaceTrial{
		ACall: since(r[0].Invoked), AReturn: since(r[0].Returned),
		BCall: since(r[1].Invoked), BReturn: since(r[1].Returned), Order: who,
	})
}

// spinFor waits more exactly than sleeping does.
func spinFor(d time.Duration) {
	for begun := time.Now(); ; {
		rest := d - time.Since(begun)
		switch {
		case rest <= 0:
			return
		case rest > 2*time.Millisecond:
			time.Sleep(rest - 2*time.Millisecond)
		default:
			runtime.Gosched()
		}
	}
}
