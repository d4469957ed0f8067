package conformance_test

import (
	"context"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/conformance/internal/testcore"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// undivided is a target whose database is not in its hands.
type undivided struct{ *testcore.Target }

func (undivided) Divided(context.Context, string) (*launch.Divided, error) {
	return nil, launch.ErrUnsupported
}

// TestOutagesThatCannotBeMade are told to lack, and leave a gap in their profile.
func TestOutagesThatCannotBeMade(t *testing.T) {
	t.Parallel()
	for name, cannot := range map[string]func(x *testcore.Target) launch.Target{
		"no way to its database": func(x *testcore.Target) launch.Target { return undivided{x} },
		"cores of somebody else": func(x *testcore.Target) launch.Target { x.Can.Settings = false; return x },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := testcore.New(t)
			o := options(t, x)
			o.Target, o.Stages, o.Select.Profiles = cannot(x), whole("2.20"), []string{"faults"}
			got, _, _ := run(t, o)
			for _, c := range got.Checks {
				if c.Lacks == nil || c.Lacks.Kind != "outage" || !strings.Contains(c.Lacks.Text, "that it started") {
					t.Errorf("%s: %s, lacks %+v", c.ID, c.Outcome, c.Lacks)
				}
			}
			if len(got.Checks) != 5 {
				t.Errorf("%d checks", len(got.Checks))
			}
			p := &proof.Proof{Targets: []proof.Target{{Name: "x", Conformance: got}}}
			verdict.Derive(p)
			if f := p.Targets[0].Conformance.Profiles[0]; f.Name != "faults" || f.Outcome != proof.Incomplete {
				t.Errorf("profile %+v", f)
			}
		})
	}
}

// TestAnOutageEndsWithTheRun: cores that are stopped have their database again.
func TestAnOutageEndsWithTheRun(t *testing.T) {
	t.Parallel()
	x := &divided{Target: testcore.New(t)}
	o := options(t, x.Target)
	o.Target, o.Stages, o.Select.IDs = x, whole("2.20"), []string{"FA-04"}
	got, _, _ := run(t, o)
	if c := checkOf(t, got, "FA-04"); c.Outcome != proof.Pass || c.Trials != 2 || c.Observations["back after silent"] == "" {
		t.Errorf("%s %s, %d trials, %v", c.Outcome, c.Reason, c.Trials, c.Observations)
	}
	d, err := x.made.Cut.Start(t.Context(), 1, launch.Settings{Flag: true})
	if err != nil {
		t.Fatalf("a core started after the run does not reach its database: %v", err)
	}
	if err := d.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// divided remembers what was divided.
type divided struct {
	*testcore.Target
	made *launch.Divided
}

func (d *divided) Divided(ctx context.Context, name string) (*launch.Divided, error) {
	made, err := d.Target.Divided(ctx, name)
	d.made = made
	return made, err
}
