// Package prove makes one proof from start to end: it opens each target, tries the
// checks, counts statements and bytes, prices the flag, judges and saves. It is
// what the command line runs; it prints nothing and asks nobody of what kind a
// target is.
package prove

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/machine"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// Source is a target to prove.
type Source struct {
	// Name of the target before it is open, e.g. "postgres".
	Name, Kind string
	Open       func(ctx context.Context) (launch.Target, error)
}

// Stages that are asked for.
type Stages struct{ Conform, Footprint, Bench bool }

// Options of a proof.
type Options struct {
	Tool proof.Tool
	// Command is argv without secrets.
	Command []string
	Seed    uint64
	// Out is the folder for the proof and what goes with it.
	Out     string
	Sources []Source
	Stages  Stages
	// Versions of the protocol to speak; nil chooses by rule from what the cores say.
	Versions []string
	// Instances of the core on each side; 0 is the stage's own number.
	Instances int
	// CoreName is what the caller calls the core; "" for its product.
	CoreName string
	// Require and Limits decide the verdict too; see proof.Proof.
	Require []string
	Limits  []proof.Limit
	// Conformance holds how checks are tried; prove fills in what belongs to a target.
	Conformance conformance.Options
	// Bench likewise.
	Bench bench.Options
	// Finally adds to the proof after all targets, before it is judged; may be nil.
	Finally func(ctx context.Context, p *proof.Proof)
	// Rerun makes the command that runs one check again.
	Rerun func(target, checkID, version string) string
	Watch Watcher
	Log   *slog.Logger
}

// Watcher is told how a proof goes, one call at a time.
type Watcher interface {
	Note(format string, args ...any)
	Check(target string, e conformance.Event)
	Bench(e bench.Event)
}

// ErrUnusable says that nothing was tried, for what the caller gave cannot be used.
var ErrUnusable = errors.New("nothing was tried")

// Run makes the proof and saves it after each stage, so that nothing is lost; until the
// end it is saved as one of an interrupted run. What
// cannot be tried is in the proof; an error is one of saving it, or ErrUnusable.
func Run(ctx context.Context, o Options) (*proof.Proof, error) {
	r, err := begin(o)
	if err != nil {
		return nil, err
	}
	for _, s := range o.Sources {
		if ctx.Err() != nil {
			break
		}
		if err := r.target(ctx, s); err != nil {
			// What was saved on the way is no result.
			return nil, errors.Join(err, Clear(o.Out))
		}
	}
	if o.Finally != nil {
		o.Finally(ctx, r.proof)
	}
	return r.finish(ctx)
}

// run is a proof under way.
type run struct {
	Options
	proof *proof.Proof
}

func begin(o Options) (*run, error) {
	if err := Clear(o.Out); err != nil {
		return nil, err
	}
	r := &run{Options: o, proof: &proof.Proof{
		Tool: o.Tool, Command: o.Command, Seed: o.Seed, Started: time.Now().UTC(), Machine: machine.Describe(),
		Require: o.Require, Limits: o.Limits, Targets: []proof.Target{},
	}}
	for _, limit := range r.proof.Machine.Limits {
		r.Watch.Note("note: %s", limit)
	}
	return r, nil
}

// target runs the stages on one target.
func (r *run) target(ctx context.Context, s Source) error {
	t, err := s.Open(ctx)
	if err != nil {
		if ctx.Err() == nil && s.Kind == "url" {
			return fmt.Errorf("%w: %w", ErrUnusable, err)
		}
		r.proof.Targets = append(r.proof.Targets, proof.Target{Name: s.Name, Kind: s.Kind, Core: proof.Server{Name: r.CoreName}, Error: oneLine(err)})
		r.Watch.Note("%s: %s", s.Name, oneLine(err))
		return nil
	}
	defer func() {
		if err := t.Close(context.WithoutCancel(ctx)); err != nil {
			r.Watch.Note("%s: closing: %s", t.Name(), oneLine(err))
		}
	}()
	r.proof.Targets = append(r.proof.Targets, proof.Target{Name: t.Name(), Kind: t.Kind(), Core: proof.Server{Name: r.CoreName}})
	x := &targetRun{run: r, target: t, can: t.Capabilities(), row: &r.proof.Targets[len(r.proof.Targets)-1]}
	err = x.stages(ctx)
	switch {
	case errors.Is(err, ErrUnusable):
		return err
	case err != nil && ctx.Err() == nil:
		x.row.Error = oneLine(err)
		r.Watch.Note("%s: %s", t.Name(), x.row.Error)
	}
	r.save()
	return nil
}

// finish judges and saves; the proof is the saved one, read again.
func (r *run) finish(ctx context.Context) (*proof.Proof, error) {
	r.proof.Interrupted = ""
	if ctx.Err() != nil {
		r.proof.Interrupted = "stopped by the caller before the end"
	}
	if err := r.store(); err != nil {
		return nil, err
	}
	return proof.Load(r.Out)
}

// unfinished is why a proof that is saved on the way is no result: a run that is killed
// leaves it behind, and what was left out must not look as if it held.
const unfinished = "the run has not come to its end"

// save keeps what was found so far.
func (r *run) save() {
	r.proof.Interrupted = unfinished
	if err := r.store(); err != nil {
		r.Watch.Note("could not save the proof so far: %v", err)
	}
}

func (r *run) store() error {
	r.proof.Finished = time.Now().UTC()
	r.proof.Machine.LoadEnd = machine.Load()
	for _, path := range proof.Scrub(r.proof) {
		r.Log.Warn("a credential was in a text of the proof and was shortened", "field", path)
	}
	verdict.Derive(r.proof)
	return proof.Save(r.Out, r.proof)
}
