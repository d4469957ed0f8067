package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/machine"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/internal/version"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
)

// stages that a command asks for.
type stages struct{ conform, footprint, bench bool }

// session is one run of the harness: it fills a proof and saves it after every
// stage, so that nothing is lost.
type session struct {
	o        *options
	s        streams
	stages   stages
	proof    *proof.Proof
	progress *progress
	log      *slog.Logger
}

// execute runs the stages on every target and gives the exit code.
func execute(ctx context.Context, name string, args []string, o *options, st stages, s streams) int {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		fmt.Fprintf(s.err, "coreproof %s: --out %s: %v\n", name, o.out, pathless(err))
		return exitUntried
	}
	x := &session{o: o, s: s, stages: st, progress: newProgress(s.err, o.quiet), log: slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	x.proof = &proof.Proof{
		SchemaVersion: proof.SchemaVersion,
		Tool:          proof.Tool{Name: "coreproof", Version: version.String(), Commit: version.Commit(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH},
		Command:       append([]string{"coreproof", name}, redact(args)...), Seed: o.seed, Started: time.Now().UTC(), Machine: machine.Describe(), Targets: []proof.Target{},
	}
	for _, limit := range x.proof.Machine.Limits {
		x.progress.note("note: %s", limit)
	}
	dbs := o.dbs
	if len(dbs) == 0 {
		dbs = list{"sqlite"}
	}
	for _, db := range dbs {
		if ctx.Err() != nil {
			break
		}
		if code, stop := x.try(ctx, db); stop {
			x.progress.clear()
			return code
		}
	}
	return x.finish(ctx)
}

// usageError is trouble with what the caller gave: nothing was tried.
type usageError struct{ error }

// try runs the stages on one target. stop ends the command at once.
func (x *session) try(ctx context.Context, db string) (code int, stop bool) {
	t, err := x.o.open(ctx, db)
	if err != nil {
		if x.o.url.On != "" && ctx.Err() == nil {
			fmt.Fprintf(x.s.err, "coreproof: %v\n", err)
			return exitUntried, true
		}
		x.proof.Targets = append(x.proof.Targets, proof.Target{Name: db, Kind: "container", Error: oneLine(err)})
		x.progress.note("%s: %s", db, oneLine(err))
		return 0, false
	}
	defer func() {
		if err := t.Close(context.WithoutCancel(ctx)); err != nil {
			x.progress.note("%s: cleaning up: %v", t.Name(), err)
		}
	}()
	x.proof.Targets = append(x.proof.Targets, proof.Target{Name: t.Name(), Kind: t.Kind(), Instances: x.instances(2), Core: proof.Server{Product: "unknown"}})
	row := &x.proof.Targets[len(x.proof.Targets)-1]
	err = x.stagesOn(ctx, t, row)
	x.save()
	var usage usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintf(x.s.err, "coreproof: %v\n", err)
		return exitUntried, true
	case err != nil && ctx.Err() == nil:
		row.Error = oneLine(err)
		x.progress.note("%s: %s", t.Name(), row.Error)
	}
	return 0, false
}

func (x *session) instances(usual int) int {
	if x.o.instances > 0 {
		return x.o.instances
	}
	if x.o.url.On != "" || !x.stages.conform {
		return 1
	}
	return usual
}

func (x *session) stagesOn(ctx context.Context, t target.Target, row *proof.Target) error {
	eras, notes, err := x.o.eras(t)
	if err != nil {
		return usageError{err}
	}
	row.Notes = append(row.Notes, notes...)
	for _, p := range eras {
		row.Core.Protocols = append(row.Core.Protocols, "CDI "+string(p))
	}
	row.Core.URLOn, row.Core.URLOff = x.o.url.On, x.o.url.Off
	if x.stages.conform {
		if err := x.conform(ctx, t, row, eras); err != nil {
			return err
		}
	}
	if x.stages.footprint {
		f, err := bench.Footprint(ctx, bench.FootprintOptions{Target: t, Protocols: eras, Seed: x.o.seed, Progress: x.progress.bench})
		row.Footprint = f
		if err != nil {
			return err
		}
		if f == nil {
			row.Notes = append(row.Notes, "statements and space were not looked at: the database cannot be seen")
		}
		x.save()
	}
	if x.stages.bench {
		o := bench.Options{
			Target: t, Protocols: eras, Instances: max(x.o.instances, 1), CostRounds: x.o.rounds, FloorRounds: x.o.floorRounds, ClosedRounds: x.o.closedRounds,
			Stretch: x.o.stretch, RateHz: x.o.rate, Tokens: x.o.tokens, Pin: !x.o.noPin, Seed: x.o.seed, Log: x.log, Progress: x.progress.bench,
		}
		if x.stages.conform { // a short run
			o.ClosedStretch = 700 * time.Millisecond
		}
		if u, ok := t.(*target.URL); ok {
			o.TLS, o.RateCap = u.TLS(), u.RateCap()
		}
		row.Bench, err = bench.Run(ctx, o)
		if describeErr := x.describe(ctx, t, row); err == nil {
			err = describeErr
		}
		return err
	}
	return x.describe(ctx, t, row)
}

func (x *session) conform(ctx context.Context, t target.Target, row *proof.Target, eras []target.Protocol) error {
	n := x.instances(2)
	on, err := t.Start(ctx, n, target.Settings{Flag: true})
	if err != nil {
		return err
	}
	defer x.stop(ctx, on)
	var off target.Deployment
	if u, ok := t.(*target.URL); !ok || u.HasOff() {
		if off, err = t.Start(ctx, n, target.Settings{}); err != nil {
			return err
		}
		defer x.stop(ctx, off)
	}
	if err := x.describe(ctx, t, row); err != nil {
		return err
	}
	scope := x.scope(t)
	res, err := conformance.Run(ctx, conformance.Options{
		On: on, Off: off, Target: t, Protocols: eras, Select: conformance.Selection{IDs: x.o.checks, Suites: x.o.suites, Profiles: x.o.profiles},
		Seed: x.o.seed, HistoryDir: filepath.Join(x.o.out, "histories", t.Name()), Scale: x.o.scale, Log: x.log,
		Rerun: func(id string) string {
			return fmt.Sprintf("coreproof conform %s --check %s --seed %d", scope, id, x.o.seed)
		},
		Progress: func(e conformance.Event) { x.progress.check(t.Name(), e) },
	})
	row.Conformance = res
	x.save()
	if errors.Is(err, conformance.ErrNothingSelected) {
		return usageError{fmt.Errorf("%w; coreproof checks lists them", err)}
	}
	return err
}

// scope is the part of a command line that names the target.
func (x *session) scope(t target.Target) string {
	if x.o.url.On == "" {
		return "--db " + t.Name()
	}
	s := "--url-on " + x.o.url.On
	if x.o.url.Off != "" {
		s += " --url-off " + x.o.url.Off
	}
	return s
}

func (x *session) stop(ctx context.Context, d target.Deployment) {
	if err := d.Stop(context.WithoutCancel(ctx)); err != nil {
		x.progress.note("stopping cores: %v", err)
	}
}

func (x *session) describe(ctx context.Context, t target.Target, row *proof.Target) error {
	if row.Database != nil || row.Core.Product != "unknown" {
		return nil
	}
	d, err := t.Describe(ctx)
	if err != nil {
		return err
	}
	row.Core.Product, row.Core.Version, row.Core.Image = d.CoreProduct, d.CoreVersion, d.CoreImage
	row.Notes = append(row.Notes, d.Notes...)
	if d.DatabaseProduct != "" {
		row.Database = &proof.Database{Product: d.DatabaseProduct, Version: d.DatabaseVersion, Image: d.Image, TLS: d.TLS, Settings: d.DatabaseSettings}
	}
	return nil
}

func (x *session) path() string { return filepath.Join(x.o.out, proof.FileName) }

func (x *session) save() {
	x.proof.Finished = time.Now().UTC()
	x.proof.Machine.LoadEnd = machine.Load()
	if err := proof.Save(x.path(), x.proof); err != nil {
		x.progress.note("could not save the proof so far: %v", err)
	}
}

// finish judges, saves and renders; the exit code comes from the saved proof,
// read again.
func (x *session) finish(ctx context.Context) int {
	if ctx.Err() != nil {
		x.proof.Interrupted = "stopped by the caller before the end"
	}
	limits, err := parseBudgets(x.o.budgets)
	if err == nil && len(limits) > 0 {
		judgeBudgets(x.proof, limits)
	}
	x.proof.Finished = time.Now().UTC()
	x.proof.Machine.LoadEnd = machine.Load()
	x.progress.clear()
	if err := proof.Save(x.path(), x.proof); err != nil {
		fmt.Fprintf(x.s.err, "coreproof: %v\n", err)
		return exitUntried
	}
	saved, err := proof.Load(x.path())
	if err != nil {
		fmt.Fprintf(x.s.err, "coreproof: %v\n", err)
		return exitUntried
	}
	if err := x.render(saved); err != nil {
		fmt.Fprintf(x.s.err, "coreproof: %v\n", err)
		return exitUntried
	}
	return saved.Verdict.ExitCode
}

// render writes the asked reports: files into the folder, the rest to standard output.
func (x *session) render(p *proof.Proof) error {
	names := x.o.formats
	if len(names) == 0 {
		for _, f := range render.Formats {
			if f.File != "" || f.Name == "terminal" || f.Name == "github" && os.Getenv("GITHUB_ACTIONS") == "true" {
				names = append(names, f.Name)
			}
		}
	}
	for _, name := range names {
		f, _ := render.Find(name) // checked with the flags
		switch {
		case f.Name == "json": // saved already
		case f.File != "":
			if err := writeReport(filepath.Join(x.o.out, f.File), f, p); err != nil {
				return err
			}
		case f.Name == "terminal" && x.o.quiet:
			fmt.Fprintf(x.s.out, "%s: %s\n", p.Verdict.Outcome, strings.Join(append([]string{x.path()}, p.Verdict.Reasons...), "; "))
		case f.Name == "terminal":
			o := render.TerminalOptions{Colour: isTerminal(x.s.out) && os.Getenv("NO_COLOR") == "", Report: filepath.Join(x.o.out, "report.html")}
			if err := render.Terminal(x.s.out, p, o); err != nil {
				return fmt.Errorf("print the summary: %w", err)
			}
		default:
			if err := f.Render(x.s.out, p); err != nil {
				return fmt.Errorf("print the %s report: %w", f.Name, err)
			}
		}
	}
	return nil
}

func writeReport(path string, f render.Format, p *proof.Proof) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the %s report: %w", f.Name, err)
	}
	if err := errors.Join(f.Render(file, p), file.Close()); err != nil {
		return fmt.Errorf("write the %s report: %w", f.Name, err)
	}
	return nil
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

func pathless(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// redact hides the values of flags that are secret.
func redact(args []string) []string {
	out := make([]string, len(args))
	hide := false
	for i, a := range args {
		switch name, _, hasValue := strings.Cut(a, "="); {
		case hide:
			out[i], hide = "***", false
		case strings.TrimLeft(name, "-") == "api-key" && hasValue:
			out[i] = name + "=***"
		case strings.TrimLeft(name, "-") == "api-key":
			out[i], hide = a, true
		default:
			out[i] = a
		}
	}
	return out
}
