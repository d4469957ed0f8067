// Package diff plays the same sequences of calls on two cores and compares what they
// answer. A difference is tried again, made small, and told.
package diff

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/protocol/cdi/calls"
)

// Side is one of the two: the same cores with the flag as it was asked for.
type Side struct {
	Name string
	Core *calls.Core
}

// Pair is two sides that are compared, e.g. those whose flag is on.
type Pair struct {
	Name        string // "flag on"
	Left, Right Side
}

// Options of a comparison. Pairs and Versions are required.
type Options struct {
	Pairs []Pair
	// Versions of CDI that both speak, oldest first.
	Versions []string
	// Seed of the sequences. Two runs of one seed send the same calls.
	Seed uint64
	// First is the number of the first sequence, Sequences the number of the one after
	// the last; 0 is as many as Within allows.
	First, Sequences int
	// Within bounds the time for which new sequences are begun; 0 does not.
	Within time.Duration
	// Workers play so many sequences at once; 0 is DefaultWorkers.
	Workers int
	// Differences ends the comparison after so many different ones; 0 is 1.
	Differences int
	// Known are kinds of differences that were told before, and are not told again.
	Known     []string
	Tolerance calls.Tolerance
	// Tidy removes what sequences leave behind.
	Tidy bool
	// Progress is told now and then, one call at a time; may be nil.
	Progress func(Result)
}

// DefaultWorkers is how many sequences are played at once.
const DefaultWorkers = 4

// Difference is two answers to one call that do not mean the same.
type Difference struct {
	Pair Pair
	// Kind is what one difference has in common with others that are not told: the call
	// and the place, as first seen.
	Kind string
	// Sequence is its number; Calls what is left of it after shrinking, the last one
	// being the one whose answers differ. Was is how many calls there were before.
	Sequence, Was int
	Calls         []calls.Call
	// Path says where, Left and Right what stands there.
	Path, Left, Right string
	// Answers to each of Calls, renamed, for showing.
	LeftAnswers, RightAnswers []any
	// Again is how many of Tries replays of the whole sequence differed again.
	Again, Tries int
}

// Result is what was done, and seen.
type Result struct {
	Sequences, Calls int
	// Next is the number of the first sequence that was not played, for resuming.
	Next int
	// Cells counts the answers that agreed, by kind.
	Cells       map[calls.Cell]int
	Differences []*Difference
	Took        time.Duration
}

// tries is how often a sequence that differed is played again.
const tries = 3

type comparison struct {
	o     Options
	word  string // keeps this comparison's users apart from others'
	start time.Time

	mu     sync.Mutex
	next   int
	done   map[int]bool
	plays  int
	seen   map[string]bool
	result Result
	err    error
}

// Run compares until there are enough sequences, differences, or no more time. Its error
// says that a core could not be asked.
func Run(ctx context.Context, o Options) (Result, error) {
	if len(o.Pairs) == 0 || len(o.Versions) == 0 {
		return Result{}, errors.New("compare: there is nothing to compare")
	}
	if o.Sequences == 0 && o.Within == 0 {
		return Result{}, errors.New("compare: neither a number of sequences nor a time is given")
	}
	if o.Workers <= 0 {
		o.Workers = DefaultWorkers
	}
	if o.Differences <= 0 {
		o.Differences = 1
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	x := &comparison{o: o, word: "cpdiff-" + hex.EncodeToString(random), start: time.Now(), next: o.First, done: map[int]bool{}, seen: map[string]bool{}}
	for _, kind := range o.Known {
		x.seen[kind] = true
	}
	x.result = Result{Next: o.First, Cells: map[calls.Cell]int{}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for range o.Workers {
		wg.Go(func() {
			for {
				i, ok := x.take(ctx)
				if !ok {
					return
				}
				if err := x.one(ctx, i); err != nil {
					x.fail(err)
					cancel()
					return
				}
			}
		})
	}
	wg.Wait()
	x.result.Took = time.Since(x.start)
	return x.result, x.err
}

// take gives the number of the next sequence.
func (x *comparison) take(ctx context.Context) (int, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case ctx.Err() != nil, len(x.result.Differences) >= x.o.Differences,
		x.o.Sequences > 0 && x.next >= x.o.Sequences, x.o.Within > 0 && time.Since(x.start) > x.o.Within:
		return 0, false
	}
	x.next++
	return x.next - 1, true
}

func (x *comparison) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
	}
}

// one plays a sequence; a difference is made small.
func (x *comparison) one(ctx context.Context, index int) error {
	pair := x.o.Pairs[index%len(x.o.Pairs)]
	list := calls.Generate(x.o.Seed, index, x.o.Versions)
	p, err := x.play(ctx, pair, list)
	enough := false
	if kind, unknown := x.kind(list, p); unknown {
		d, e := x.explain(ctx, pair, index, list, p)
		d.Kind, err = kind, errors.Join(err, e)
		x.mu.Lock()
		enough = len(x.result.Differences) >= x.o.Differences // others were at work meanwhile
		if !enough {
			x.result.Differences = append(x.result.Differences, d) // it was seen, whatever came after
		}
		x.mu.Unlock()
	}
	switch {
	case ctx.Err() != nil && err != nil, enough:
		return nil // ended: this sequence does not count, and is played again by who goes on
	case err != nil:
		return fmt.Errorf("sequence %d: %w", index, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.result.Sequences++
	x.result.Calls += p.sent
	for _, c := range p.cells {
		x.result.Cells[c]++
	}
	x.done[index] = true
	for x.done[x.result.Next] {
		delete(x.done, x.result.Next)
		x.result.Next++
	}
	if x.o.Progress != nil {
		r := x.result
		r.Took = time.Since(x.start)
		x.o.Progress(r)
	}
	return nil
}

// kind is that of the difference that a play ended with, if any; unknown says that it was
// not seen yet, and notes it.
func (x *comparison) kind(list []calls.Call, p played) (kind string, unknown bool) {
	if p.path == "" {
		return "", false
	}
	c := list[p.sent-1]
	kind = strings.Join([]string{c.Endpoint, c.Fault, p.path}, " ")
	x.mu.Lock()
	defer x.mu.Unlock()
	unknown = !x.seen[kind]
	x.seen[kind] = true
	return kind, unknown
}

// played is what one play of a sequence showed. It ends at the first difference.
type played struct {
	sent              int
	cells             []calls.Cell
	path, left, right string
	answers           [2][]any
}

// play sends each call to both sides and compares.
func (x *comparison) play(ctx context.Context, pair Pair, list []calls.Call) (p played, err error) {
	x.mu.Lock()
	x.plays++
	run := fmt.Sprintf("%s-%d", x.word, x.plays)
	x.mu.Unlock()
	sides := [2]Side{pair.Left, pair.Right}
	// The two may stand on one database: each side has users of its own.
	plays := [2]*calls.Play{pair.Left.Core.NewPlay(run + "-l-"), pair.Right.Core.NewPlay(run + "-r-")}
	if x.o.Tidy {
		defer func() {
			for i := range plays {
				if e := plays[i].Tidy(context.WithoutCancel(ctx), x.o.Versions[0]); e != nil && err == nil {
					err = fmt.Errorf("%s: %w", sides[i].Name, e)
				}
			}
		}()
	}
	for n := range list {
		c := &list[n]
		var answers [2]*calls.Answer
		var errs [2]error
		var wg sync.WaitGroup
		for i := range plays {
			wg.Go(func() { answers[i], errs[i] = plays[i].Send(ctx, c) })
		}
		wg.Wait()
		p.sent++
		for i, e := range errs {
			if e != nil {
				return p, fmt.Errorf("%s: %w", sides[i].Name, e)
			}
		}
		left, right := plays[0].Meaning(answers[0]), plays[1].Meaning(answers[1])
		p.answers[0], p.answers[1] = append(p.answers[0], left), append(p.answers[1], right)
		tolerance := x.o.Tolerance
		tolerance.Texts = tolerance.Texts || c.ByChance()
		if p.path, p.left, p.right = tolerance.Differs(left, right); p.path != "" {
			return p, nil
		}
		cell := calls.Outcome(c, answers[0])
		p.cells = append(p.cells, cell)
	}
	return p, nil
}
