// Package started keeps the cores that checks had started for themselves.
package started

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/cores"
)

// Keeper has the deployments that checks started for settings of their choice. Checks
// with the same wishes share one. The zero value has none.
type Keeper struct {
	shared sync.Map // *deployment by its key

	mu   sync.Mutex
	kept []cores.Deployment // that nobody shares

	divide  sync.Once
	divided *Divided
	err     error
	outages Outages
}

// Outages are those of the run.
func (o *Keeper) Outages() *Outages { return &o.outages }

type deployment struct {
	once       sync.Once
	deployment cores.Deployment
	err        error
}

// Wish is what a check wants of a core of its own.
type Wish struct {
	// AccessTokenValidity in whole seconds; 0 is the default.
	AccessTokenValidity time.Duration
	// Extra settings by the names that the core's environment has for them.
	Extra map[string]string
	// Alone names who has the core for himself; "" shares it with equal wishes.
	Alone string
}

// Key tells wishes apart, in words.
func (w Wish) Key(flag bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v", flag, w.AccessTokenValidity)
	if w.Alone != "" {
		fmt.Fprintf(&b, " alone:%s", w.Alone)
	}
	for _, k := range slices.Sorted(maps.Keys(w.Extra)) {
		fmt.Fprintf(&b, " %s=%s", k, w.Extra[k])
	}
	return b.String()
}

// Get starts a deployment of one core, or gives the one that is there.
func (o *Keeper) Get(ctx context.Context, t cores.Target, flag bool, w Wish) (cores.Deployment, error) {
	shared, _ := o.shared.LoadOrStore(w.Key(flag), &deployment{})
	d := shared.(*deployment)
	d.once.Do(func() {
		exact := 0.0
		// The cores outlive the check that happens to need them first.
		ctx := context.WithoutCancel(ctx)
		d.deployment, d.err = t.Start(ctx, 1, cores.Settings{
			Flag: flag, AccessTokenValidity: w.AccessTokenValidity, Jitter: &exact, Extra: w.Extra,
		})
	})
	return d.deployment, d.err
}

// Keep has a deployment stopped with the others.
func (o *Keeper) Keep(d cores.Deployment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, d)
}

// Divided are cores of one database of their own that can be taken from some of them.
type Divided struct {
	// On and Off lose it; Off is nil where no core is started with the flag off.
	On, Off cores.Deployment
	// Whole keeps it, with the flag on; nil where none can, or where one core alone may
	// have the database.
	Whole cores.Deployment
	// Peer is another core with the flag on, Whole where there is one; nil where there is
	// none at all.
	Peer cores.Deployment
	*Outages
}

// Divided starts them, or gives those that are there; cores.ErrUnsupported where the
// target's database is not in its hands.
func (o *Keeper) Divided(ctx context.Context, t cores.Target) (*Divided, error) {
	o.divide.Do(func() { o.divided, o.err = o.start(context.WithoutCancel(ctx), t) })
	return o.divided, o.err
}

func (o *Keeper) start(ctx context.Context, t cores.Target) (*Divided, error) {
	made, err := t.Divided(ctx, "outages")
	if err != nil {
		return nil, err
	}
	one := func(t cores.Target, role string, flag bool) cores.Deployment {
		if err != nil {
			return nil
		}
		// Tokens outlive outages and the time after them; where that cannot be chosen, they
		// live as long as the core lets them.
		s := cores.Settings{Flag: flag, Role: role, Patience: patience, AccessTokenValidity: time.Hour}
		var d cores.Deployment
		if d, err = t.Start(ctx, 1, s); errors.Is(err, cores.ErrUnsupported) {
			s.AccessTokenValidity = 0
			d, err = t.Start(ctx, 1, s)
		}
		if err != nil {
			return nil
		}
		o.Keep(d)
		return d
	}
	can := t.Capabilities()
	d := &Divided{On: one(made.Cut, "cut-on", true), Outages: &o.outages}
	if can.Off {
		d.Off = one(made.Cut, "cut-off", false)
	}
	switch several := can.Instances != 1; {
	case several && made.Whole != nil:
		d.Whole = one(made.Whole, "whole", true)
		d.Peer = d.Whole
	case several:
		d.Peer = one(made.Cut, "peer", true)
	}
	if err != nil {
		return nil, fmt.Errorf("start cores that can lose their database: %w", err)
	}
	o.outages.from(made.Way)
	return d, nil
}

// Stop stops all.
func (o *Keeper) Stop(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, d := range o.kept {
		errs = append(errs, d.Stop(ctx))
	}
	o.shared.Range(func(_, shared any) bool {
		if d := shared.(*deployment); d.deployment != nil {
			errs = append(errs, d.deployment.Stop(ctx))
		}
		return true
	})
	return errors.Join(errs...)
}
