package conformance

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/adapter/cdi"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
	"github.com/coreproof/coreproof/reports/proof"
)

// refTarget starts reference cores inside the test's process, over real HTTP, on
// one SQLite file.
type refTarget struct {
	t    *testing.T
	path string
}

func newRefTarget(t *testing.T) *refTarget {
	return &refTarget{t: t, path: filepath.Join(t.TempDir(), "sessions.db")}
}

func (r *refTarget) Name() string                { return "sqlite" }
func (r *refTarget) Kind() string                { return "test" }
func (r *refTarget) Fixed() bool                 { return false }
func (r *refTarget) Database() meter.Database    { return nil }
func (r *refTarget) Close(context.Context) error { return nil }
func (r *refTarget) Describe(context.Context) (target.Description, error) {
	return target.Description{}, nil
}
func (r *refTarget) Isolated(context.Context, string) (target.Target, error) {
	return nil, target.ErrUnsupported
}
func (r *refTarget) Start(ctx context.Context, n int, s target.Settings) (target.Deployment, error) {
	d := &refDeployment{settings: s}
	for range n {
		db, err := sqlite.Open(ctx, store.Config{URI: r.path})
		if err != nil {
			return nil, err
		}
		settings := refcore.DefaultSettings()
		settings.Blacklisting = s.Flag
		if s.AccessTokenValidity > 0 {
			settings.AccessValidity = s.AccessTokenValidity
		}
		if s.Jitter != nil {
			settings.Jitter = *s.Jitter
		}
		engine, err := refcore.New(ctx, refcore.Options{Store: db, Settings: settings})
		if err != nil {
			return nil, err
		}
		handler, err := httpapi.New(httpapi.Options{Engine: engine})
		if err != nil {
			return nil, err
		}
		server := httptest.NewServer(handler)
		d.servers = append(d.servers, server)
		var once sync.Once
		r.t.Cleanup(func() {
			once.Do(func() {
				server.Close()
				engine.Close()
				_ = db.Close()
			})
		})
	}
	return d, nil
}

type refDeployment struct {
	settings target.Settings
	servers  []*httptest.Server
}

func (d *refDeployment) Clients(p target.Protocol) []adapter.Core {
	var out []adapter.Core
	for i, s := range d.servers {
		name := map[bool]string{true: "on", false: "off"}[d.settings.Flag]
		c, err := cdi.New(cdi.Options{Name: fmt.Sprintf("%s-%d", name, i), BaseURL: s.URL, Version: string(p)})
		if err != nil {
			return nil
		}
		out = append(out, c)
	}
	return out
}
func (d *refDeployment) Processes() []meter.Process         { return nil }
func (d *refDeployment) Settings() target.Settings          { return d.settings }
func (d *refDeployment) Kill(context.Context, int) error    { return target.ErrUnsupported }
func (d *refDeployment) Restart(context.Context, int) error { return target.ErrUnsupported }
func (d *refDeployment) Stop(context.Context) error         { return nil }

// TestReferenceCore tries every check on the reference core, on both sides of
// HTTP and of a database.
func TestReferenceCore(t *testing.T) {
	t.Parallel()
	ref := newRefTarget(t)
	on, err := ref.Start(t.Context(), 2, target.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	off, err := ref.Start(t.Context(), 1, target.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run(t.Context(), Options{On: on, Off: off, Target: ref, Seed: 1, HistoryDir: t.TempDir(), Scale: 0.2})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Checks {
		if c.Outcome != proof.Pass {
			t.Errorf("%s %s (%s): %s %s; want %s, got %s\n%+v", c.ID, c.Title, c.Protocol, c.Outcome, c.Reason, c.Expected, c.Got, c.Exchanges)
		}
	}
	for _, p := range got.Profiles {
		if p.Outcome != proof.Pass {
			t.Errorf("profile %+v", p)
		}
	}
	if v := verdict(got); v.ExitCode != 0 {
		t.Errorf("verdict %+v", v)
	}
	if i := got.Immediacy; i.Accepted > 0 || i.Trials == 0 || i.ControlAccepted == 0 {
		t.Errorf("immediacy %+v", i)
	}
	t.Logf("%d checks, %d trials of immediacy, took %v", len(got.Checks), got.Immediacy.Trials, got.Took)
}
