package diff

import (
	"context"
	"slices"
	"time"

	"github.com/coreproof/coreproof/internal/protocol/cdi/calls"
)

// shrinkFor bounds the time that one difference may take.
const shrinkFor = 20 * time.Second

// explain plays a sequence that differed again and makes it small. One that does not
// differ again is told as it was seen: a race is no less a difference.
func (x *comparison) explain(ctx context.Context, pair Pair, index int, list []calls.Call, first played) (*Difference, error) {
	whole := list[:first.sent]
	d := &Difference{Pair: pair, Sequence: index, Was: first.sent, Calls: whole}
	d.show(first)
	for range tries {
		p, err := x.play(ctx, pair, whole)
		if err != nil {
			return d, err
		}
		d.Tries++
		if p.path != "" {
			d.Again++
		}
	}
	if d.Again == 0 {
		return d, nil
	}
	// A candidate has to differ once in as many plays as it took to see the whole one
	// differ again.
	attempts := (d.Tries + d.Again - 1) / d.Again
	end := time.Now().Add(shrinkFor)
	differs := func(list []calls.Call) (played, bool, error) {
		for range attempts {
			if ctx.Err() != nil || time.Now().After(end) {
				return played{}, false, ctx.Err()
			}
			p, err := x.play(ctx, pair, list)
			if err != nil || p.path != "" {
				return p, err == nil, err
			}
		}
		return played{}, false, nil
	}
	small, p, err := shrink(whole, first, differs)
	if err != nil {
		return d, err
	}
	d.Calls = small
	d.show(p)
	return d, nil
}

func (d *Difference) show(p played) {
	d.Path, d.Left, d.Right = p.path, p.left, p.right
	d.LeftAnswers, d.RightAnswers = p.answers[0], p.answers[1]
}

// shrink takes calls out, in halves, quarters and so on down to single ones, with those
// that need their answers, then makes the rest say less, as long as the answers differ.
// It always ends at the first call whose answers differ.
func shrink(list []calls.Call, last played, differs func([]calls.Call) (played, bool, error)) ([]calls.Call, played, error) {
	try := func(candidate []calls.Call) (bool, error) {
		if len(candidate) == 0 {
			return false, nil
		}
		p, ok, err := differs(candidate)
		if ok {
			list, last = candidate[:p.sent], p
		}
		return ok, err
	}
	for size := max(1, len(list)/2); size >= 1; size /= 2 {
		for at := 0; at < len(list)-1; {
			ok, err := try(without(list, at, min(at+size, len(list)-1)))
			if err != nil {
				return list, last, err
			}
			if !ok {
				at += size
			}
		}
	}
	// A call that takes its values from an earlier one frees those between.
	for i := len(list) - 1; i > 0; i-- {
		if i >= len(list) {
			continue // it became shorter
		}
		for _, from := range list[i].Needs() {
			for j := 0; i < len(list) && j < i && list[j].ID < from; j++ {
				candidate := slices.Clone(list)
				candidate[i] = list[i].Redirected(from, list[j].ID)
				ok, err := try(candidate)
				if err != nil {
					return list, last, err
				}
				if ok {
					break
				}
			}
		}
	}
	for i := 0; i < len(list); i++ {
		for again := true; again && i < len(list); {
			again = false
			for _, simpler := range list[i].Simpler(list[len(list)-1].Home) {
				candidate := slices.Clone(list)
				candidate[i] = simpler
				ok, err := try(candidate)
				if err != nil {
					return list, last, err
				}
				if ok {
					again = true
					break
				}
			}
		}
	}
	// What says less may need less.
	for at := len(list) - 2; at >= 0; at-- {
		if at >= len(list)-1 {
			continue
		}
		if _, err := try(without(list, at, at+1)); err != nil {
			return list, last, err
		}
	}
	return list, last, nil
}

// without takes calls from to below to out, and all that need what they give.
func without(list []calls.Call, from, to int) []calls.Call {
	gone := map[int]bool{}
	var out []calls.Call
	for i := range list {
		if i >= from && i < to || slices.ContainsFunc(list[i].Needs(), func(id int) bool { return gone[id] }) {
			gone[list[i].ID] = true
			continue
		}
		out = append(out, list[i])
	}
	return out
}
