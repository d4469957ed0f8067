package conformance

import (
	"context"
	"errors"
	"fmt"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/cores/started"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// Wish is what a check wants of a core of its own.
type Wish = started.Wish

// Dedicated gives a core with settings of the check's choice, on the side that
// checks or on the one that does not. Checks with the same wish share it.
func (t *T) Dedicated(ctx context.Context, check bool, w Wish) (Instance, error) {
	// Where the request decides, the setting does not matter: one core will do.
	flag := check || t.FlagMode() == protocol.ByRequest
	d, err := t.run.started.Get(ctx, t.run.options.Target, flag, w)
	if errors.Is(err, cores.ErrUnsupported) {
		return Instance{}, Lackf("settings", "needs a setting that the core has not: %s", err)
	}
	if err != nil {
		return Instance{}, fmt.Errorf("start a core with %s: %w", w.Key(flag), err)
	}
	cores, err := d.Cores(t.Version())
	if err != nil {
		return Instance{}, fmt.Errorf("speak %s to a core with %s: %w", t.Label(), w.Key(flag), err)
	}
	if len(cores) == 0 {
		return Instance{}, fmt.Errorf("a deployment with %s has no core", w.Key(flag))
	}
	return Instance{Core: cores[0], check: check, made: &t.run.made}, nil
}

// Alone gives a flag-on core that nobody else asks meanwhile: one of the check's own,
// or the first of the target where no other can be started on its database. Needs.Waits
// says to the runner that this is wanted.
func (t *T) Alone(ctx context.Context) (Instance, error) {
	if !t.run.startsOnSame() {
		return t.On()[0], nil
	}
	return t.Dedicated(ctx, true, Wish{Alone: t.check.ID + " " + t.Version()})
}

// Later gives a flag-on core that is started now, on the database of the others.
func (t *T) Later(ctx context.Context) (Instance, error) {
	if t.run.options.Target.Capabilities().Apart {
		return Instance{}, errApart
	}
	return t.Dedicated(ctx, true, Wish{Alone: t.check.ID + " " + t.Version() + " later"})
}

// errApart says that a check needs what cores that keep sessions themselves have not.
var errApart = Lackf("settings", "needs two cores on one database, and each core of this target keeps its sessions to itself")

// startsOnSame says whether further cores can be started on the database of the others.
func (r *run) startsOnSame() bool {
	can := r.options.Target.Capabilities()
	return can.Settings && !can.Apart
}

// StartTogether starts n cores at the same moment on a new, empty database; one that
// does not come up is a Violation. They are stopped at the end of the run.
func (t *T) StartTogether(ctx context.Context, n int) ([]Instance, error) {
	if t.run.options.Target.Capabilities().Apart {
		return nil, errApart
	}
	apart, err := t.run.options.Target.Isolated(ctx, "together")
	if errors.Is(err, cores.ErrUnsupported) {
		return nil, Lackf("settings", "needs an empty database, and this target gives none")
	}
	if err != nil {
		return nil, fmt.Errorf("make an empty database: %w", err)
	}
	started := make([]cores.Deployment, n)
	starts := make([]func(context.Context) error, n)
	for i := range starts {
		starts[i] = func(ctx context.Context) (err error) {
			started[i], err = apart.Start(context.WithoutCancel(ctx), 1, cores.Settings{Flag: true})
			return err
		}
	}
	err = AtOnce(ctx, starts...)
	var list []Instance
	for _, d := range started {
		if d == nil {
			continue
		}
		t.run.started.Keep(d)
		cores, dialErr := d.Cores(t.Version())
		if dialErr != nil {
			return nil, fmt.Errorf("speak %s to a core: %w", t.Label(), dialErr)
		}
		for _, c := range cores {
			list = append(list, Instance{Core: c, check: true, made: &t.run.made})
		}
	}
	if err != nil {
		return nil, &Violation{Expected: fmt.Sprintf("%d cores that are started at once on an empty database to answer", n), Got: proof.ShortenTokens(err.Error())}
	}
	return list, nil
}
