package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/target"
)

// own are the deployments that checks started for their own settings. Checks
// with the same wishes share one.
type own struct {
	mu      sync.Mutex
	started map[ownKey]*ownDeployment
}

type ownKey struct {
	flag     bool
	validity time.Duration
}

type ownDeployment struct {
	once       sync.Once
	deployment target.Deployment
	err        error
}

// get starts a deployment of one core, or gives the one that is there.
func (o *own) get(ctx context.Context, t target.Target, k ownKey) (target.Deployment, error) {
	o.mu.Lock()
	if o.started == nil {
		o.started = map[ownKey]*ownDeployment{}
	}
	d := o.started[k]
	if d == nil {
		d = &ownDeployment{}
		o.started[k] = d
	}
	o.mu.Unlock()
	d.once.Do(func() {
		exact := 0.0
		// The cores outlive the check that happens to need them first.
		ctx := context.WithoutCancel(ctx)
		d.deployment, d.err = t.Start(ctx, 1, target.Settings{Flag: k.flag, AccessTokenValidity: k.validity, Jitter: &exact})
	})
	return d.deployment, d.err
}

func (o *own) stop(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, d := range o.started {
		if d.deployment != nil {
			errs = append(errs, d.deployment.Stop(ctx))
		}
	}
	return errors.Join(errs...)
}

// Own gives a core whose access tokens live as long as asked, on the side that
// checks or on the one that does not.
func (s *Scene) Own(ctx context.Context, check bool, validity time.Duration) (Instance, error) {
	// Where the request decides, the setting does not matter: one core will do.
	flag := check || s.Era() == adapter.EraRequest
	d, err := s.run.own.get(ctx, s.run.options.Target, ownKey{flag, validity})
	if err != nil {
		return Instance{}, fmt.Errorf("start a core with access tokens of %v: %w", validity, err)
	}
	cores := d.Clients(s.Protocol())
	if len(cores) == 0 {
		return Instance{}, fmt.Errorf("the core with access tokens of %v gives no client for %s", validity, s.Protocol())
	}
	return Instance{Core: cores[0], check: check}, nil
}
