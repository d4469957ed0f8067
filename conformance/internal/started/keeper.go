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
	"sync/atomic"
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
}

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
	// Whole keeps it, with the flag on; nil where none can.
	Whole cores.Deployment
	Way   *Way
}

// Way counts its outages.
type Way struct {
	cores.Way
	broken atomic.Int64
	// Given is whether cores were given up that did not come back: nobody waits for them again.
	Given atomic.Bool
}

// Break begins one.
func (w *Way) Break(ctx context.Context, o cores.Outage) error {
	w.broken.Add(1)
	return w.Way.Break(ctx, o)
}

// Broken is how often it was broken off so far.
func (w *Way) Broken() int { return int(w.broken.Load()) }

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
	one := func(t cores.Target, flag bool) cores.Deployment {
		if err != nil {
			return nil
		}
		var d cores.Deployment
		if d, err = t.Start(ctx, 1, cores.Settings{Flag: flag}); err != nil {
			return nil
		}
		o.Keep(d)
		return d
	}
	d := &Divided{Way: &Way{Way: made.Way}, On: one(made.Cut, true)}
	if t.Capabilities().Off {
		d.Off = one(made.Cut, false)
	}
	if made.Whole != nil {
		d.Whole = one(made.Whole, true)
	}
	if err != nil {
		return nil, fmt.Errorf("start cores that can lose their database: %w", err)
	}
	return d, nil
}

// Stop stops all, and mends the way before, so that cores can end as they are used to.
func (o *Keeper) Stop(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	if o.divided != nil {
		errs = append(errs, o.divided.Way.Mend(ctx))
	}
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
