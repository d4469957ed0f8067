package coreprooftest_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/conformance/broken"
	"github.com/coreproof/coreproof/coreprooftest"
	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// core is a core under test on a database in memory; each call of start adds an instance.
type core struct {
	t  *testing.T
	db store.Store
}

func newCore(t *testing.T) *core {
	t.Helper()
	db, err := sqlite.Open(t.Context(), store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &core{t, db}
}

func (c *core) start(flag bool, d serve.Decorate) string {
	c.t.Helper()
	db := c.db
	if d.Store != nil {
		db = d.Store(db)
	}
	settings := refcore.DefaultSettings()
	settings.Blacklisting = flag
	inner, err := refcore.New(c.t.Context(), refcore.Options{Store: db, Settings: settings})
	if err != nil {
		c.t.Fatal(err)
	}
	var engine httpapi.Engine = inner
	if d.Engine != nil {
		engine = d.Engine(engine)
	}
	api, err := httpapi.New(httpapi.Options{Engine: engine})
	if err != nil {
		c.t.Fatal(err)
	}
	var handler http.Handler = api
	if d.Handler != nil {
		handler = d.Handler(handler)
	}
	s := httptest.NewServer(handler)
	c.t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		inner.Close()
	})
	return s.URL
}

// TestConformance is what a core's own test looks like.
func TestConformance(t *testing.T) {
	c := newCore(t)
	out := t.TempDir()
	coreprooftest.Run(t, coreprooftest.Deployment{
		Name: "refcore", On: []string{c.start(true, serve.Decorate{}), c.start(true, serve.Decorate{})}, Off: []string{c.start(false, serve.Decorate{})},
		CDI: []string{"2.20", "5.4"}, Checks: []string{"BL-01", "BL-02", "BL-07", "SE-01"}, Out: out,
	})
	p, err := proof.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	if d := verdict.Verify(p, os.DirFS(out)); len(d) > 0 {
		t.Errorf("the proof that was kept does not verify: %v", d)
	}
	if n := len(p.Targets[0].Conformance.Checks); n < 6 {
		t.Errorf("%d checks are in the proof, want those named in two versions", n)
	}
}

// TestVerdicts runs tests that must end as they are told to, each in a process of its own.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		fails      bool
	}{
		{"good", "--- PASS: TestChild/BL-02/CDI_5.4", false},
		{"broken", "--- FAIL: TestChild/BL-02/CDI_5.4", true},
		{"blind-at-first", "connection new", true},
		{"lacking", "--- SKIP: TestChild/BL-07/CDI_5.4", false},
		{"required", "multi-instance", true},
		{"always-off", "checkDatabase", true},
		{"nowhere", "nothing listens", true},
		{"far", "not this machine", true},
		{"no-such-check", "NOPE", true},
		{"no-such-profile", "no profile", true},
		{"no-such-version", "do not speak CDI 9.9", true},
		{"none", "no core whose flag is on", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(exe, "-test.run", "^TestChild$", "-test.v")
			cmd.Env = append(os.Environ(), "COREPROOFTEST_CHILD="+c.name)
			b, err := cmd.CombinedOutput()
			if failed := err != nil; failed != c.fails {
				t.Errorf("the test fails: %v, want %v\n%s", failed, c.fails, b)
			}
			if !strings.Contains(string(b), c.want) {
				t.Errorf("want %q in\n%s", c.want, b)
			}
		})
	}
}

// TestChild is one of TestVerdicts' tests.
func TestChild(t *testing.T) {
	what := os.Getenv("COREPROOFTEST_CHILD")
	if what == "" {
		t.Skip("run by TestVerdicts")
	}
	c := newCore(t)
	good := serve.Decorate{}
	d := coreprooftest.Deployment{CDI: []string{"5.4"}, Checks: []string{"BL-02"}}
	if what != "none" && what != "nowhere" && what != "far" {
		d.On = []string{c.start(true, good)}
	}
	switch what {
	case "broken":
		defect, _ := broken.Find("flag-ignored")
		d.On = []string{c.start(true, defect.Decorate)}
	case "blind-at-first":
		d.On, d.Checks = []string{c.start(true, serve.Decorate{Handler: broken.FirstOfAConnection})}, []string{"BL-70"}
	case "lacking", "required":
		d.Checks, d.Profiles = nil, []string{"multi-instance"}
		if what == "required" {
			d.Require = []string{"multi-instance"}
		} else {
			d.Checks, d.Profiles = []string{"BL-02", "BL-07"}, nil
		}
	case "always-off":
		defect, _ := broken.Find("always-checks")
		d.On, d.Checks = []string{c.start(true, defect.Decorate)}, defect.CaughtBy
	case "nowhere":
		d.On = []string{"http://127.0.0.1:1"}
	case "far":
		d.On = []string{"http://192.0.2.1:3567"}
	case "no-such-check":
		d.Checks = []string{"NOPE"}
	case "no-such-profile":
		d.Require = []string{"everything"}
	case "no-such-version":
		d.CDI = []string{"9.9"}
	}
	coreprooftest.Run(t, d)
}

// TestLinksLittle: a core's tests do not become heavier by what they do not need.
func TestLinksLittle(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "github.com/coreproof/coreproof/coreprooftest").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "github.com/coreproof/coreproof/conformance/checks") {
		t.Fatal("the checks are not among what it links: the list is of something else")
	}
	for _, d := range deps {
		for _, banned := range []string{"testcontainers", "github.com/moby/", "docker", "vegeta", "fasthttp", "pgx", "go-sql-driver", "mongo", "sqlite", "cobra", "coreproof/refcore", "coreproof/bench", "coreproof/internal/launch/"} {
			if strings.Contains(d, banned) && filepath.Base(d) != "place" {
				t.Errorf("it links %s", d)
			}
		}
	}
}
