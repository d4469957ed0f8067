package summary_test

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
)

// TestCapacityIsOfOneBench: the detail is of the bench that has the value.
func TestCapacityIsOfOneBench(t *testing.T) {
	t.Parallel()
	for first, edit := range map[string]func(*proof.Bench){
		"CDI 2.20": func(*proof.Bench) {},
		"CDI 5.4": func(b *proof.Bench) { // CPU could not be read
			for i := range b.Rounds {
				for j := range b.Rounds[i].Windows {
					b.Rounds[i].Windows[j].CPU = -1
				}
			}
		},
	} {
		e, _ := examples.Named("good")
		edit(&e.Proof.Targets[0].Bench[0])
		if f := summary.Of(e.Proof).Capacity; !strings.HasPrefix(f.Value, "×") || !strings.HasPrefix(f.Detail, first+": CPU per verify") || !strings.Contains(f.Detail, "1 more below") {
			t.Errorf("want %s, got %+v", first, f)
		}
	}
}

// TestSubject: a core is called by what those targets say that could be tried.
func TestSubject(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func([]proof.Target){
		"refcore 0.0.0-example on ": func([]proof.Target) {},
		"refcore 0.0.0-example on sqlite": func(all []proof.Target) { // did not start, so it has no name
			all[0].Error, all[0].Core = "no answer", proof.Server{}
		},
		"several cores on ": func(all []proof.Target) { all[1].Core.Name = "another" },
		"unnamed core on ": func(all []proof.Target) {
			for i := range all {
				all[i].Error, all[i].Core = "no answer", proof.Server{}
			}
		},
	} {
		e, _ := examples.Named("databases")
		edit(e.Proof.Targets)
		if got := summary.Of(e.Proof).Subject; !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
