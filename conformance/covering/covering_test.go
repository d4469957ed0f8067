package covering_test

import (
	"reflect"
	"testing"

	"github.com/coreproof/coreproof/conformance/covering"
)

func plan(strength int, allowed func([]int) bool, sizes ...int) covering.Plan {
	p := covering.Plan{Strength: strength, Allowed: allowed, Seed: 1}
	for i, n := range sizes {
		d := covering.Dimension{Name: string(rune('a' + i))}
		for v := range n {
			d.Values = append(d.Values, string(rune('0'+v)))
		}
		p.Dimensions = append(p.Dimensions, d)
	}
	return p
}

// TestEveryTupleIsMet: all tuples that can be met are, in few cases, and the count
// agrees with the closed form.
func TestEveryTupleIsMet(t *testing.T) {
	t.Parallel()
	// a=0 goes with b=0 only.
	bound := func(c []int) bool { return c[0] != 0 || c[1] <= 0 }
	for _, tc := range []struct {
		name         string
		plan         covering.Plan
		wanted, most int
	}{
		{"pairs", plan(2, nil, 3, 3, 3, 3), 6 * 9, 15},
		{"pairs of unequal sizes", plan(2, nil, 5, 2, 2, 4), 10 + 10 + 20 + 4 + 8 + 8, 24},
		{"triples", plan(3, nil, 2, 2, 2, 2, 2), 10 * 8, 18},
		{"a constraint", plan(2, bound, 3, 3, 2), 7 + 6 + 6, 12},
		{"one dimension", plan(2, nil, 4), 4, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cases := tc.plan.Cases()
			wanted, met, missed := tc.plan.Coverage(cases)
			if wanted != tc.wanted || met != wanted || len(missed) > 0 {
				t.Errorf("%d of %d met, want all of %d; missed %v", met, wanted, tc.wanted, missed)
			}
			if len(cases) > tc.most {
				t.Errorf("%d cases, want at most %d", len(cases), tc.most)
			}
			for _, c := range cases {
				if tc.plan.Allowed != nil && !tc.plan.Allowed(c) {
					t.Errorf("case %v is not allowed", c)
				}
			}
			if !reflect.DeepEqual(cases, tc.plan.Cases()) {
				t.Error("the same plan gives other cases")
			}
			if len(cases) > 1 {
				if _, met, missed := tc.plan.Coverage(cases[1:]); met+len(missed) != wanted || len(missed) == 0 {
					t.Errorf("without a case: %d met, %d missed of %d", met, len(missed), wanted)
				}
			}
		})
	}
}

// TestManyDimensions counts what is met by itself: a plan of more dimensions than a digit
// has values is as whole as a short one.
func TestManyDimensions(t *testing.T) {
	t.Parallel()
	const dims, size = 20, 3
	sizes := make([]int, dims)
	for i := range sizes {
		sizes[i] = size
	}
	p := plan(2, nil, sizes...)
	cases := p.Cases()
	type pair struct{ a, b, x, y int }
	met := map[pair]bool{}
	for _, c := range cases {
		for a := range c {
			for b := a + 1; b < len(c); b++ {
				met[pair{a, b, c[a], c[b]}] = true
			}
		}
	}
	if want := dims * (dims - 1) / 2 * size * size; len(met) != want {
		t.Errorf("%d pairs met in %d cases, want %d", len(met), len(cases), want)
	}
	wanted, n, _ := p.Coverage(cases)
	if wanted != len(met) || n != len(met) {
		t.Errorf("counted %d of %d, and %d are met", n, wanted, len(met))
	}
}
