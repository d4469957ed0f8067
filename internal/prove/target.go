package prove

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// targetRun is the work on one target.
type targetRun struct {
	*run
	target launch.Target
	can    launch.Capabilities
	row    *proof.Target
	// spoken versions of the cores, oldest first.
	spoken []string
	// databaseAt says where the database runs.
	databaseAt string
}

func (x *targetRun) stages(ctx context.Context) error {
	on, off, err := x.start(ctx)
	if err != nil {
		return err
	}
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		for _, d := range []launch.Deployment{off, on} {
			if d == nil {
				continue
			}
			if err := d.Stop(context.WithoutCancel(ctx)); err != nil {
				x.Watch.Note("stopping cores: %s", oneLine(err))
			}
		}
	}
	defer stop()
	x.describe(ctx)
	if x.Stages.Conform {
		if err := x.conform(ctx, on, off); err != nil {
			return err
		}
	}
	stop() // figures come from cores of their own
	if x.Stages.Footprint {
		if err := x.footprint(ctx); err != nil {
			return err
		}
	}
	if x.Stages.Bench {
		return x.bench(ctx)
	}
	return nil
}

// start brings the cores for the checks up, both sides where there are two.
func (x *targetRun) start(ctx context.Context) (on, off launch.Deployment, err error) {
	n := x.Instances
	if n == 0 {
		n = 1
		if x.Stages.Conform {
			n = 2
		}
	}
	if on, err = x.target.Start(ctx, n, launch.Settings{Flag: true}); err != nil {
		return nil, nil, err
	}
	if x.can.Off && x.Stages.Conform {
		if off, err = x.target.Start(ctx, n, launch.Settings{}); err != nil {
			return nil, nil, errors.Join(err, on.Stop(context.WithoutCancel(ctx)))
		}
	}
	if x.spoken, err = x.target.Versions(ctx); err != nil {
		return on, off, err
	}
	for _, i := range on.Instances() {
		if !x.can.Settings {
			x.row.Core.URLsOn = append(x.row.Core.URLsOn, i.URL)
		}
	}
	if off != nil && !x.can.Settings {
		for _, i := range off.Instances() {
			x.row.Core.URLsOff = append(x.row.Core.URLsOff, i.URL)
		}
	}
	return on, off, nil
}

func (x *targetRun) conform(ctx context.Context, on, off launch.Deployment) error {
	o := x.Options.Conformance
	o.Target, o.On, o.Off, o.Seed, o.Log = x.target, on, off, x.Seed, x.Log
	if len(x.Versions) > 0 {
		for _, v := range x.Versions {
			o.Stages = append(o.Stages, protocol.Stage{Version: v, Whole: true})
		}
	}
	o.HistoryPath = path.Join("histories", x.target.Name())
	o.HistoryDir = filepath.Join(x.Out, filepath.FromSlash(o.HistoryPath))
	o.Rerun = func(check, version string) string { return x.Rerun(x.target.Name(), check, version) }
	o.Progress = func(e conformance.Event) { x.Watch.Check(x.target.Name(), e) }
	res, left, err := conformance.Run(ctx, o)
	x.row.Conformance, x.row.LeftBehind = res, left
	if res != nil {
		for _, c := range res.Checks {
			x.speak(c.Protocol)
		}
	}
	x.save()
	if errors.Is(err, conformance.ErrNothingSelected) {
		return fmt.Errorf("%w: %w; \"coreproof checks\" lists them", ErrUnusable, err)
	}
	return err
}

func (x *targetRun) footprint(ctx context.Context) error {
	versions, _ := x.measured()
	if len(versions) == 0 {
		return nil // bench tells why
	}
	f, err := bench.Footprint(ctx, bench.FootprintOptions{Target: x.target, Versions: versions, Seed: x.Seed, Progress: x.Watch.Bench})
	if f != nil && len(f.Statements) > 0 {
		x.row.Footprint = f // else nothing was seen, and an empty one would look like a count
	}
	x.save()
	if err != nil && ctx.Err() == nil {
		// Checks and costs do not depend on it: a database that cannot be seen is no
		// reason to stop, but one that ours is must be seen.
		if errors.Is(err, launch.ErrUnsupported) || x.foreign() {
			what := "statements and space were"
			switch {
			case x.row.Footprint == nil:
			case len(verdict.Uncounted(f)) == 0:
				what = "space was"
			default:
				what = "some statements, and space, were"
			}
			x.note("%s not looked at: %s", what, oneLine(err))
			return nil
		}
	}
	return err
}

// foreign says whether the core is not the reference core.
func (x *targetRun) foreign() bool { return x.row.Core.Product != "refcore" }

func (x *targetRun) bench(ctx context.Context) error {
	o := x.Options.Bench
	o.Target, o.Seed, o.Log, o.Progress = x.target, x.Seed, x.Log, x.Watch.Bench
	if w, ok := x.target.(launch.Warmer); ok {
		o.Target = w.Warm()
	}
	o.Instances = max(x.Instances, 1)
	versions, notes := x.measured()
	for _, n := range notes {
		x.note("%s", n)
	}
	o.Versions = versions
	res, left, err := bench.Run(ctx, o)
	if errors.Is(err, bench.ErrNoLoad) { // a property of the core, as where no version can be measured
		x.note("no cost: %s", oneLine(err))
		res, err = slices.DeleteFunc(res, func(b proof.Bench) bool { return len(b.Rounds) == 0 }), nil
	}
	x.row.Bench = res
	for i := range res {
		res[i].Design.DatabaseAt = x.databaseAt
		x.speak(res[i].Protocol)
	}
	x.leave(left)
	return err
}

// measured are the versions that costs are measured in: the newest of each flag
// mode. Where the core's setting decides, two sides are needed.
func (x *targetRun) measured() (versions, notes []string) {
	p := x.target.Protocol()
	if n := len(x.spoken); n > 0 {
		if _, err := p.Judge(x.spoken[n-1]); err != nil {
			return nil, []string{"no cost: " + oneLine(err)}
		}
	}
	if len(x.Versions) > 0 {
		return x.Versions, nil
	}
	for _, mode := range []protocol.FlagMode{protocol.BySetting, protocol.ByRequest} {
		newest := ""
		for _, v := range x.spoken {
			if p.FlagMode(v) == mode {
				newest = v
			}
		}
		switch {
		case newest == "":
			notes = append(notes, fmt.Sprintf("no cost where the %s decides: the cores speak no such version", mode))
		case mode == protocol.BySetting && !x.can.Off:
			notes = append(notes, fmt.Sprintf("no cost at %s: there the core's setting decides, which needs a core whose flag is off too (--url-off)", protocol.Label(p, newest)))
		default:
			versions = append(versions, newest)
		}
	}
	return versions, notes
}

// leave adds to what stays on the cores.
func (x *targetRun) leave(more *proof.LeftBehind) {
	switch have := x.row.LeftBehind; {
	case more == nil:
	case have == nil:
		x.row.LeftBehind = more
	default:
		have.Users = append(have.Users, more.Users...)
		if have.Sessions < 0 || more.Sessions < 0 {
			have.Sessions = -1
		} else {
			have.Sessions += more.Sessions
		}
		have.Reason += "; " + more.Reason
	}
}

// speak notes that a version was spoken.
func (x *targetRun) speak(label string) {
	for _, p := range x.row.Core.Protocols {
		if p == label {
			return
		}
	}
	x.row.Core.Protocols = append(x.row.Core.Protocols, label)
}

func (x *targetRun) note(format string, args ...any) {
	x.row.Notes = append(x.row.Notes, fmt.Sprintf(format, args...))
}

// describe fills in what takes part; what cannot be seen is a note.
func (x *targetRun) describe(ctx context.Context) {
	d, err := x.target.Describe(ctx)
	if err != nil {
		x.note("not all of the target can be seen: %s", oneLine(err))
	}
	c := &x.row.Core
	c.Product, c.Version, c.Image = d.CoreProduct, d.CoreVersion, d.CoreImage
	if c.Name == "" {
		c.Name = c.Product
	}
	if c.Name == "" {
		c.Name = "core at " + strings.Join(c.URLsOn, ", ")
	}
	x.row.Notes = append(x.row.Notes, d.Notes...)
	if d.DatabaseProduct != "" {
		x.row.Database = &proof.Database{Product: d.DatabaseProduct, Version: d.DatabaseVersion, Image: d.Image, TLS: d.TLS, TLSWanted: d.TLSWanted, Settings: d.DatabaseSettings}
	}
	x.databaseAt = d.DatabaseAt
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
