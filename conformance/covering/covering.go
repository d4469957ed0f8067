// Package covering makes covering arrays: few cases in which every pair (or every
// triple, …) of values of some dimensions meets at least once, as far as the values
// go together at all.
package covering

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// Dimension is one way in which cases differ.
type Dimension struct {
	Name   string
	Values []string
}

// Unset stands for a value that has not been chosen yet.
const Unset = -1

// Plan is what is to be covered.
type Plan struct {
	Dimensions []Dimension
	// Strength is how many dimensions must meet: 2 for pairs, 3 for triples.
	Strength int
	// Allowed says whether a case, some of whose values may be Unset, can be
	// completed; nil allows all.
	Allowed func(c []int) bool
	// Seed of all randomness: the same plan gives the same cases.
	Seed uint64
}

// candidates is how many rows are drawn for each that is taken.
const candidates = 24

// tries is how often a tuple is filled up at random before it counts as impossible.
const tries = 200

// Cases gives one index of a value per dimension and case. The greedy method takes,
// of some rows that each hold a tuple not met yet, the one that meets most new ones
// (Cohen, Dalal, Fredman, Patton: The AETG system, 1997).
func (p Plan) Cases() [][]int {
	r := rand.New(rand.NewPCG(p.Seed, uint64(p.Strength)))
	left := map[key]bool{}
	byKey := map[key]tuple{}
	var order []key
	for _, t := range p.tuples() {
		left[t.key()], byKey[t.key()] = true, t
		order = append(order, t.key())
	}
	var out [][]int
	for len(left) > 0 {
		order = slices.DeleteFunc(order, func(k key) bool { return !left[k] })
		var best []int
		most := 0
		for range candidates {
			row := p.fill(byKey[order[r.IntN(len(order))]], left, r)
			if row == nil {
				continue
			}
			if n := p.gain(row, left); n > most {
				best, most = row, n
			}
		}
		if best == nil {
			// Hold on to one tuple until it is met, or is known to be impossible.
			k := order[0]
			for range tries {
				if best = p.fill(byKey[k], left, r); best != nil {
					break
				}
			}
			if best == nil {
				delete(left, k)
				continue
			}
		}
		for _, k := range p.keys(best) {
			delete(left, k)
		}
		out = append(out, best)
	}
	return out
}

// Coverage counts the tuples that can be met, and those that cases meet, Unset values
// meeting none; missed tells the others in words.
func (p Plan) Coverage(cases [][]int) (wanted, met int, missed []string) {
	seen := map[key]bool{}
	for _, c := range cases {
		for _, k := range p.keys(c) {
			seen[k] = true
		}
	}
	r := rand.New(rand.NewPCG(p.Seed, 7))
	for _, t := range p.tuples() {
		switch {
		case seen[t.key()]:
			wanted, met = wanted+1, met+1
		case p.possible(t, r):
			wanted++
			missed = append(missed, p.words(t))
		}
	}
	return wanted, met, missed
}

func (p Plan) possible(t tuple, r *rand.Rand) bool {
	for range tries {
		if p.fill(t, nil, r) != nil {
			return true
		}
	}
	return false
}

// tuple is values of some dimensions.
type tuple struct{ dims, values []int }

// key tells tuples apart: a byte for a dimension, and one for its value. There are at
// most 256 dimensions of at most 256 values each, and four of them in a tuple.
type key uint64

func (k key) with(dim, value int) key { return k<<16 | key(dim)<<8 | key(value) }

func (t tuple) key() key {
	var k key
	for i, d := range t.dims {
		k = k.with(d, t.values[i])
	}
	return k
}

func (p Plan) words(t tuple) string {
	var w []string
	for i, d := range t.dims {
		w = append(w, p.Dimensions[d].Name+" "+p.Dimensions[d].Values[t.values[i]])
	}
	return strings.Join(w, " with ")
}

// tuples are all that Allowed does not exclude at once.
func (p Plan) tuples() []tuple {
	var out []tuple
	for _, dims := range choose(len(p.Dimensions), p.strength()) {
		values := make([]int, len(dims))
		for {
			t := tuple{dims, slices.Clone(values)}
			if p.allowed(p.row(t)) {
				out = append(out, t)
			}
			i := len(values) - 1
			for ; i >= 0; i-- {
				if values[i]++; values[i] < len(p.Dimensions[dims[i]].Values) {
					break
				}
				values[i] = 0
			}
			if i < 0 {
				break
			}
		}
	}
	return out
}

func (p Plan) strength() int { return min(max(p.Strength, 1), len(p.Dimensions)) }

func (p Plan) allowed(c []int) bool { return p.Allowed == nil || p.Allowed(c) }

func (p Plan) row(t tuple) []int {
	row := make([]int, len(p.Dimensions))
	for i := range row {
		row[i] = Unset
	}
	for i, d := range t.dims {
		row[d] = t.values[i]
	}
	return row
}

// fill completes a tuple to a case, taking for each dimension a value that meets
// many tuples of left; nil when it got stuck.
func (p Plan) fill(t tuple, left map[key]bool, r *rand.Rand) []int {
	row := p.row(t)
	for _, d := range r.Perm(len(row)) {
		if row[d] != Unset {
			continue
		}
		best, most := Unset, -1
		for _, v := range r.Perm(len(p.Dimensions[d].Values)) {
			row[d] = v
			if !p.allowed(row) {
				continue
			}
			n := 0
			if left != nil {
				n = p.gain(row, left)
			}
			if n > most {
				best, most = v, n
			}
		}
		if row[d] = best; best == Unset {
			return nil
		}
	}
	return row
}

func (p Plan) gain(row []int, left map[key]bool) int {
	n := 0
	p.each(row, func(k key) {
		if left[k] {
			n++
		}
	})
	return n
}

// keys are those of the tuples in a case whose values are all set.
func (p Plan) keys(row []int) []key {
	var out []key
	p.each(row, func(k key) { out = append(out, k) })
	return out
}

func (p Plan) each(row []int, f func(key)) {
	var from func(first, more int, k key)
	from = func(first, more int, k key) {
		if more == 0 {
			f(k)
			return
		}
		for d := first; d <= len(row)-more; d++ {
			if row[d] != Unset {
				from(d+1, more-1, k.with(d, row[d]))
			}
		}
	}
	from(0, p.strength(), 0)
}

// choose lists the ways to take k of n, each ascending.
func choose(n, k int) [][]int {
	if k == 0 {
		return [][]int{nil}
	}
	var out [][]int
	for _, head := range choose(n, k-1) {
		first := 0
		if len(head) > 0 {
			first = head[len(head)-1] + 1
		}
		for i := first; i < n; i++ {
			out = append(out, append(slices.Clone(head), i))
		}
	}
	return out
}
