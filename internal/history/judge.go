package history

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
)

// Words for Verdict.Result; the proof's.
const (
	Linearizable    = "linearizable"
	NotLinearizable = "not linearizable"
	Undecided       = "unknown"
)

// Verdict is what the judge made of a history.
type Verdict struct {
	Result   string
	Sessions int
	// Broken are the handles of the sessions that no order explains, sorted.
	Broken []string
	// Undecided are those that took too long.
	Undecided []string
	Took      time.Duration
}

// DefaultTimeout bounds the judging of one session. One with twenty operations
// takes microseconds.
const DefaultTimeout = 10 * time.Second

// alive, of a session; the states that one can be in.
type state int8

const (
	unborn state = iota
	alive
	ended
)

func (s state) String() string { return [...]string{"not yet made", "alive", "ended"}[s] }

// model is a session as everyone should see it: made once, alive until the first
// revoke, never alive again.
var model = porcupine.Model{
	Init: func() any { return unborn },
	Step: func(s, in, out any) (bool, any) { return step(s.(state), in.(Kind), out.(Result)) },
	DescribeOperation: func(in, out any) string {
		return fmt.Sprintf("%s → %s", in, out)
	},
	DescribeState: func(s any) string { return s.(state).String() },
	DescribeOperationMetadata: func(m any) string {
		s, _ := m.(string)
		return s
	},
}

func step(s state, kind Kind, result Result) (bool, state) {
	switch kind {
	case Create:
		// Without an answer nobody knows the handle, so such a session appears
		// in no history; it is accepted for histories made elsewhere.
		return s == unborn, alive
	case Revoke:
		switch result {
		case Ended:
			return s == alive, ended
		case Absent:
			// Unborn: somebody revoked what was not there yet.
			return s != alive, s
		default:
			// Done or Unknown. An operation without an answer is open-ended, so
			// "it never happened" is the order in which it comes last.
			if s == unborn {
				return true, s
			}
			return true, ended
		}
	default:
		if result == OK {
			return s == alive, s
		}
		return s != alive, s
	}
}

// Recheck judges h. Sessions are judged each for itself, which is sound because
// no operation here touches two, and keeps the time linear in the length.
func Recheck(ctx context.Context, h *History) (Verdict, error) {
	started := time.Now()
	parts := partition(h)
	verdicts := make([]porcupine.CheckResult, len(parts))
	var todo atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				i := int(todo.Add(1)) - 1
				if i >= len(parts) || ctx.Err() != nil {
					return
				}
				verdicts[i] = porcupine.CheckOperationsTimeout(model, parts[i].operations, DefaultTimeout)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return Verdict{}, fmt.Errorf("judge history of %s: %w", h.Check, err)
	}
	v := Verdict{Result: Linearizable, Sessions: len(parts)}
	for i, p := range parts {
		switch verdicts[i] {
		case porcupine.Illegal:
			v.Broken = append(v.Broken, p.handle)
		case porcupine.Ok:
		default:
			v.Undecided = append(v.Undecided, p.handle)
		}
	}
	slices.Sort(v.Broken)
	slices.Sort(v.Undecided)
	switch {
	case len(v.Broken) > 0:
		v.Result = NotLinearizable
	case len(v.Undecided) > 0:
		v.Result = Undecided
	}
	v.Took = time.Since(started)
	return v, nil
}

type part struct {
	handle     string
	operations []porcupine.Operation
}

// partition splits a history by session, in order of first appearance.
func partition(h *History) []part {
	index := map[string]int{}
	var parts []part
	for i := range h.Operations {
		o := &h.Operations[i]
		at, ok := index[o.Handle]
		if !ok {
			at = len(parts)
			index[o.Handle] = at
			parts = append(parts, part{handle: o.Handle})
		}
		if p, ok := o.toPorcupine(); ok {
			parts[at].operations = append(parts[at].operations, p)
		}
	}
	return parts
}

// toPorcupine gives false for operations that can explain nothing and break
// nothing: reads without an answer.
func (o *Operation) toPorcupine() (porcupine.Operation, bool) {
	end := int64(o.Return)
	if o.Result == Unknown {
		if o.Kind != Revoke && o.Kind != Create {
			return porcupine.Operation{}, false
		}
		end = math.MaxInt64
	}
	return porcupine.Operation{
		ClientId: o.Client, Input: o.Kind, Call: int64(o.Call), Output: o.Result, Return: end,
		Metadata: fmt.Sprintf("%s %s", o.Instance, o.Note),
	}, true
}

// Draw writes a picture of one session's operations to an HTML page.
func Draw(path string, h *History, handle string) error {
	one := History{}
	for _, o := range h.Operations {
		if o.Handle == handle {
			one.Operations = append(one.Operations, o)
		}
	}
	parts := partition(&one)
	if len(parts) == 0 {
		return fmt.Errorf("draw history: no session %s in it", handle)
	}
	// The picture's axis ends at the last return, so an open end is drawn just
	// behind it.
	var last int64
	for _, o := range parts[0].operations {
		if o.Return != math.MaxInt64 {
			last = max(last, o.Return)
		}
		last = max(last, o.Call)
	}
	for i := range parts[0].operations {
		parts[0].operations[i].Return = min(parts[0].operations[i].Return, last+1)
	}
	_, info := porcupine.CheckOperationsVerbose(model, parts[0].operations, DefaultTimeout)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("draw history %s: %w", path, err)
	}
	if err := porcupine.VisualizePath(model, info, path); err != nil {
		return fmt.Errorf("draw history %s: %w", path, err)
	}
	return nil
}
