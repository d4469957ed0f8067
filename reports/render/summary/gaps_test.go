package summary

import (
	"slices"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// TestGapsTellWhatWasLeftOut: a value that a core refuses live users was not tried.
func TestGapsTellWhatWasLeftOut(t *testing.T) {
	t.Parallel()
	of := func(leftOut ...string) []string {
		return targetGaps(&proof.Target{Conformance: &proof.Conformance{Pairs: &proof.Pairs{Wanted: 9, Met: 9, LeftOut: leftOut}}})
	}
	const want = "not tried: asked as by an older proxy: the core answers a live user HTTP 505"
	if got := of("asked as by an older proxy: the core answers a live user HTTP 505"); !slices.Contains(got, want) {
		t.Errorf("gaps %q", got)
	}
	if got := of(); slices.ContainsFunc(got, func(s string) bool { return len(s) > 9 && s[:9] == "not tried" }) {
		t.Errorf("gaps %q", got)
	}
}
