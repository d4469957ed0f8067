// Package testcore starts reference cores inside a test's process, over real HTTP,
// on one database in memory: a target for tests of the runner, of checks and of
// broken cores. Only tests import it.
package testcore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
)

// Target starts reference cores, decorated or not. Set its fields before Start.
type Target struct {
	// Decorate makes each core a broken one.
	Decorate serve.Decorate
	// Can is what Capabilities says.
	Can launch.Capabilities
	// MaxVersion bounds what the cores speak; "" for none.
	MaxVersion string
	// Apart gives each core a database of its own, as cores that keep sessions
	// themselves have.
	Apart bool
	// Front changes the URL of a core, e.g. to one of a proxy in front of it.
	Front func(url string) string
	// Speak replaces the protocol; nil is CDI.
	Speak protocol.Protocol

	shares *Target // whose database these cores are on; nil for one of their own
	way    *way    // by which they reach it; nil where it cannot be lost

	t    testing.TB
	open sync.Once
	db   store.Store
	err  error

	mu      sync.Mutex
	started []*Deployment
}

// New makes a target that can do everything.
func New(t testing.TB) *Target {
	return &Target{t: t, Can: launch.Capabilities{Settings: true, Throwaway: true, Off: true}}
}

var _ launch.Target = (*Target)(nil)

func (r *Target) Name() string                      { return "sqlite" }
func (r *Target) Kind() string                      { return "test" }
func (r *Target) Capabilities() launch.Capabilities { return r.Can }
func (r *Target) Close(context.Context) error       { return nil }

// Protocol is CDI unless Speak is set.
func (r *Target) Protocol() protocol.Protocol {
	if r.Speak != nil {
		return r.Speak
	}
	return cdi.CDI{}
}

// Describe tells nothing.
func (r *Target) Describe(context.Context) (launch.Description, error) {
	return launch.Description{}, nil
}

// Isolated is a target alike on a database of its own.
func (r *Target) Isolated(context.Context, string) (launch.Target, error) {
	return &Target{
		Decorate: r.Decorate, Can: r.Can, MaxVersion: r.MaxVersion, Apart: r.Apart, Front: r.Front, Speak: r.Speak, t: r.t,
	}, nil
}

// Database is not supported.
func (r *Target) Database(context.Context) (meter.Database, error) {
	return nil, launch.ErrUnsupported
}

// Versions that the cores speak.
func (r *Target) Versions(context.Context) ([]string, error) {
	p := r.Protocol()
	var out []string
	for _, v := range p.Versions() {
		if r.MaxVersion == "" || p.Compare(v, r.MaxVersion) <= 0 {
			out = append(out, v)
		}
	}
	return out, nil
}

// Started are the deployments so far.
func (r *Target) Started() []*Deployment {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*Deployment(nil), r.started...)
}

// Store is the database behind the cores.
func (r *Target) Store(ctx context.Context) (store.Store, error) {
	if r.shares != nil {
		return r.shares.Store(ctx)
	}
	r.open.Do(func() { r.db, r.err = r.database(ctx) })
	return r.db, r.err
}

// database is a new one with the keys in it.
func (r *Target) database(ctx context.Context) (store.Store, error) {
	db, err := sqlite.Open(ctx, store.Config{})
	if err != nil {
		return nil, err
	}
	r.t.Cleanup(func() { _ = db.Close() })
	return db, putKeys(context.WithoutCancel(ctx), db)
}

// Start brings up n cores.
func (r *Target) Start(ctx context.Context, n int, s launch.Settings) (launch.Deployment, error) {
	d := &Deployment{target: r, settings: s}
	for range n {
		url, err := r.core(ctx, s)
		if err != nil {
			return nil, err
		}
		if r.Front != nil {
			url = r.Front(url)
		}
		d.urls = append(d.urls, url)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = append(r.started, d)
	return d, nil
}

func (r *Target) core(ctx context.Context, s launch.Settings) (url string, err error) {
	open := r.Store
	if r.Apart {
		open = r.database
	}
	db, err := open(ctx)
	if err != nil {
		return "", err
	}
	if r.way != nil {
		db = losable{db, r.way}
	}
	if wrap := r.Decorate.Store; wrap != nil {
		db = wrap(db)
	}
	settings := refcore.DefaultSettings()
	settings.Blacklisting = s.Flag
	if s.AccessTokenValidity > 0 {
		settings.AccessValidity = s.AccessTokenValidity
	}
	if s.Jitter != nil {
		settings.Jitter = *s.Jitter
	}
	for name, value := range s.Extra {
		if name != "REFRESH_TOKEN_ROTATION_GRACE_PERIOD" {
			return "", fmt.Errorf("test core: no setting %q", name)
		}
		seconds, err := strconv.Atoi(value)
		if err != nil {
			return "", fmt.Errorf("test core: %s: %w", name, err)
		}
		settings.GracePeriod = time.Duration(seconds) * time.Second
	}
	inner, err := refcore.New(ctx, refcore.Options{Store: db, Settings: settings})
	if err != nil {
		return "", err
	}
	var engine httpapi.Engine = inner
	if wrap := r.Decorate.Engine; wrap != nil {
		engine = wrap(engine)
	}
	api, err := httpapi.New(httpapi.Options{Engine: engine, MaxVersion: r.MaxVersion})
	if err != nil {
		inner.Close()
		return "", err
	}
	var handler http.Handler = api
	if wrap := r.Decorate.Handler; wrap != nil {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	r.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		inner.Close()
	})
	return server.URL, nil
}

// Deployment is some cores.
type Deployment struct {
	target   *Target
	settings launch.Settings
	urls     []string

	mu      sync.Mutex
	stopped bool
}

func (d *Deployment) name(i int) string {
	return fmt.Sprintf("%s-%d", cmp.Or(d.settings.Role, map[bool]string{true: "on", false: "off"}[d.settings.Flag]), i)
}

// Instances in the order of their start.
func (d *Deployment) Instances() []launch.Instance {
	var out []launch.Instance
	for i, u := range d.urls {
		out = append(out, launch.Instance{Name: d.name(i), URL: u})
	}
	return out
}

// Cores gives one client an instance.
func (d *Deployment) Cores(version string) ([]protocol.Core, error) {
	var out []protocol.Core
	for i, u := range d.urls {
		c, err := d.target.Protocol().Dial(protocol.DialOptions{
			Name: d.name(i), BaseURL: u, Version: version, Throttle: d.target.Can.Throttle, Timeout: d.settings.Patience,
		})
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Settings that the cores were started with.
func (d *Deployment) Settings() launch.Settings { return d.settings }

// Kill is not supported.
func (d *Deployment) Kill(context.Context, int) error { return launch.ErrUnsupported }

// Restart is not supported.
func (d *Deployment) Restart(context.Context, int) error { return launch.ErrUnsupported }

// Stop notes that it was called; the cores end with the test.
func (d *Deployment) Stop(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return errors.New("stopped twice")
	}
	d.stopped = true
	return nil
}

// Stopped says whether Stop was called.
func (d *Deployment) Stopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stopped
}
