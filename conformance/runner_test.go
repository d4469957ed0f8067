package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/proof"
)

func verdict(c *proof.Conformance) proof.Verdict {
	return proof.Judge(&proof.Proof{Targets: []proof.Target{{Name: "fake", Conformance: c}}})
}

func profileOf(t *testing.T, c *proof.Conformance, name Profile) proof.Profile {
	t.Helper()
	for _, p := range c.Profiles {
		if p.Name == string(name) {
			return p
		}
	}
	t.Fatalf("no profile %s in %+v", name, c.Profiles)
	return proof.Profile{}
}

func TestGoodCorePasses(t *testing.T) {
	t.Parallel()
	var events []Event
	got := fakeRun(t, "", func(o *Options) { o.Progress = func(e Event) { events = append(events, e) } })
	for _, c := range got.Checks {
		// The fake publishes no keys.
		if c.Outcome != proof.Pass && (c.ID != "SE-11" || c.Outcome != proof.Skip) {
			t.Errorf("%s %s (%s): %s %s; want %s, got %s", c.ID, c.Title, c.Protocol, c.Outcome, c.Reason, c.Expected, c.Got)
		}
	}
	if len(events) != len(got.Checks) || events[len(events)-1].Done != events[0].Total {
		t.Errorf("%d events for %d checks", len(events), len(got.Checks))
	}
	if v := verdict(got); v.ExitCode != 0 {
		t.Errorf("verdict %+v, want exit 0", v)
	}
	i := got.Immediacy
	if i.Trials < 2000 || i.Accepted != 0 || i.AcceptanceWindow != 0 || i.ControlAccepted == 0 || i.ControlAccepted != i.ControlTrials {
		t.Errorf("immediacy %+v", i)
	}
	if i.UpperBound <= 0 || i.UpperBound > 3.0/float64(i.Trials) {
		t.Errorf("upper bound %g for 0 of %d", i.UpperBound, i.Trials)
	}
	for _, p := range []Profile{Blacklisting, MultiInstance, Lifetimes, Isolation} {
		if o := profileOf(t, got, p); o.Outcome != proof.Pass || o.Optional != (p == Isolation) {
			t.Errorf("profile %+v", o)
		}
	}
	if len(got.Histories) != 2 || got.Histories[0].Result != history.Linearizable {
		t.Errorf("histories %+v", got.Histories)
	}
}

// TestBothErasAreTriedWhole: each blacklisting check that exists in an era is
// tried there, and the other versions get the smoke checks.
func TestBothErasAreTriedWhole(t *testing.T) {
	t.Parallel()
	got := fakeRun(t, "", func(o *Options) { o.Scale = 0.05; o.Select.Suites = []string{"blacklisting"} })
	count := map[string]int{}
	for _, c := range got.Checks {
		count[c.Protocol]++
	}
	if count["CDI 2.20"] < 40 || count["CDI 5.4"] < 40 || count["CDI 2.18"] < 10 || count["CDI 3.1"] < 10 || len(count) != 4 {
		t.Errorf("checks by version: %v", count)
	}
}

func TestFlagOffPresentedAsOnFails(t *testing.T) {
	t.Parallel()
	f := &fakeTarget{db: newFakeDatabase("")}
	got := fakeRun(t, "", func(o *Options) {
		o.On, o.Off = f.start(1, target.Settings{}), f.start(1, target.Settings{})
		o.Protocols = []target.Protocol{"2.20"}
	}, "BL-02", "BL-34", "BL-60")
	for _, id := range []string{"BL-02", "BL-34", "BL-60"} {
		if o := outcomes(got, id); !slices.Equal(o, []proof.Outcome{proof.Fail}) {
			t.Errorf("%s: %v, want fail", id, o)
		}
	}
	v := verdict(got)
	if v.ExitCode != 1 || !strings.Contains(strings.Join(v.Reasons, "\n"), "BL-02") {
		t.Errorf("verdict %+v, want exit 1 naming BL-02", v)
	}
	if p := profileOf(t, got, Blacklisting); p.Outcome != proof.Fail || !strings.Contains(p.Reason, "BL-02") {
		t.Errorf("profile %+v", p)
	}
	if i := got.Immediacy; i.Accepted == 0 || i.AcceptanceWindow <= 0 || i.UpperBound <= float64(i.Accepted)/float64(i.Trials) && i.Accepted < i.Trials {
		t.Errorf("immediacy %+v", i)
	}
}

func TestVacuous(t *testing.T) {
	t.Parallel()
	f := &fakeTarget{db: newFakeDatabase("")}
	for _, tc := range []struct {
		name, defect string
		change       func(*Options)
		reason       string
	}{
		{"a flag-on core presented as the flag-off one", "", func(o *Options) {
			o.On, o.Off = f.start(1, target.Settings{Flag: true}), f.start(1, target.Settings{Flag: true})
			o.Protocols = []target.Protocol{"2.20"}
		}, "is the flag on there?"},
		{"a core that checks whatever it is told", "always checks", func(o *Options) {
			o.Protocols = []target.Protocol{"5.4"}
		}, "is the flag on there?"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := fakeRun(t, tc.defect, tc.change, "BL-02", "BL-30")
			if p := profileOf(t, got, Blacklisting); p.Outcome != proof.Vacuous || !strings.Contains(p.Reason, tc.reason) {
				t.Errorf("profile %+v, want vacuous because %q", p, tc.reason)
			}
			if o := outcomes(got, "BL-30"); !slices.Equal(o, []proof.Outcome{proof.Vacuous}) {
				t.Errorf("BL-30: %v, want vacuous", o)
			}
			if v := verdict(got); v.ExitCode != 2 {
				t.Errorf("verdict %+v, want exit 2", v)
			}
		})
	}
}

// TestUpgradeTrapIsReported: BL-32 passes with a warning, and cannot fail.
func TestUpgradeTrapIsReported(t *testing.T) {
	t.Parallel()
	got := fakeRun(t, "", nil, "BL-32")
	if len(got.Checks) != 1 || got.Checks[0].Outcome != proof.Pass || !strings.Contains(got.Checks[0].Observations["warning"], "upgrade trap") {
		t.Errorf("got %+v", got.Checks)
	}
	got = fakeRun(t, "always checks", nil, "BL-32")
	if o := outcomes(got, "BL-32"); !slices.Equal(o, []proof.Outcome{proof.Vacuous}) {
		t.Errorf("on a core that always checks: %v, want vacuous", o)
	}
}

// TestRefusedFromTheBeginningIsVacuous: a refusal after the revoke proves
// nothing then; BL-01 is the one that fails.
func TestRefusedFromTheBeginningIsVacuous(t *testing.T) {
	t.Parallel()
	bars := check("XX-1", func(ctx context.Context, s *Scene) error {
		return s.Trials(ctx, 1, func(ctx context.Context, t *Trial) error {
			s, err := t.Create(ctx, t.AnyOn(), adapter.CreateRequest{})
			if err != nil {
				return err
			}
			if _, err := t.Revoke(ctx, t.AnyOn(), s.Session.Handle); err != nil {
				return err
			}
			return t.Accepted(ctx, t.AnyOn(), s.Access.Value)
		})
	})
	got := own1(t, "", bars)
	if got.Outcome != proof.Vacuous || !strings.Contains(got.Reason, "proves nothing") {
		t.Errorf("got %+v", got)
	}
}

// check makes a check for the runner's own tests.
func check(id string, run func(context.Context, *Scene) error) Check {
	return Check{ID: id, Title: id, Profiles: []Profile{SessionBasic}, Run: run}
}

// own1 runs one check at CDI 5.4 on fake cores.
func own1(t *testing.T, defect string, c Check) proof.Check {
	t.Helper()
	f := &fakeTarget{db: newFakeDatabase(defect)}
	got, err := runChecks(t.Context(), Options{
		On: f.start(1, target.Settings{Flag: true}), Protocols: []target.Protocol{"5.4"}, Follow: time.Millisecond,
	}, []Check{c})
	if err != nil || len(got.Checks) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	return got.Checks[0]
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	trial := func(f func(ctx context.Context, t *Trial) error) func(context.Context, *Scene) error {
		return func(ctx context.Context, s *Scene) error { return s.Trials(ctx, 4, f) }
	}
	broken := &Violation{Expected: "this", Got: "that"}
	for _, tc := range []struct {
		name, defect string
		run          func(context.Context, *Scene) error
		want         proof.Outcome
		reason       string
		trials, bad  int
	}{
		{"nothing wrong", "", trial(func(context.Context, *Trial) error { return nil }), proof.Pass, "", 4, 0},
		{"always wrong", "", trial(func(context.Context, *Trial) error { return broken }), proof.Fail, "", 4, 4},
		{"wrong once", "", trial(func(_ context.Context, t *Trial) error {
			if t.Index == 2 {
				return broken
			}
			return nil
		}), proof.Fail, "", 4, 1},
		{"wrong outside of a trial", "", func(context.Context, *Scene) error { return broken }, proof.Fail, "", 1, 1},
		{"a violation weighs more than trouble", "", trial(func(_ context.Context, t *Trial) error {
			if t.Index == 1 {
				return errors.New("lost the network")
			}
			return broken
		}), proof.Fail, "lost the network", 2, 1},
		{"trouble", "", trial(func(context.Context, *Trial) error { return errors.New("lost the network") }), proof.Error, "lost the network", 1, 0},
		{"no answer", "no answer to verify", trial(func(ctx context.Context, t *Trial) error {
			_, err := t.Live(ctx, t.AnyOn(), adapter.CreateRequest{})
			return err
		}), proof.Error, "connection refused", 1, 0},
		{"a panic", "", func(context.Context, *Scene) error { panic("oops") }, proof.Error, "runner_test.go", 0, 0},
		{"a panic in a trial", "", trial(func(context.Context, *Trial) error { panic("oops") }), proof.Error, "runner_test.go", 1, 0},
		{"a panic in a race", "", trial(func(ctx context.Context, t *Trial) error {
			return t.race(ctx, func(context.Context) error { panic("oops") }, func(context.Context) error { return nil })
		}), proof.Error, "runner_test.go", 1, 0},
		{"a skip", "", func(context.Context, *Scene) error { return skippedf("no such thing") }, proof.Skip, "no such thing", 0, 0},
		{"vacuous", "", func(context.Context, *Scene) error { return vacuousf("could not fail") }, proof.Vacuous, "could not fail", 0, 0},
		{"an answer outside the protocol", "", trial(func(context.Context, *Trial) error { return trouble("create", breach{}) }), proof.Fail, "", 4, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := own1(t, tc.defect, check("XX-1", tc.run))
			if got.Outcome != tc.want || !strings.Contains(got.Reason, tc.reason) || got.Trials != tc.trials || got.Violations != tc.bad {
				t.Errorf("got %s %q, %d of %d; want %s %q, %d of %d", got.Outcome, got.Reason, got.Violations, got.Trials, tc.want, tc.reason, tc.bad, tc.trials)
			}
		})
	}
}

type breach struct{}

func (breach) Error() string     { return "bad shape" }
func (breach) Violation() string { return "bad shape" }

func TestSlowCheckIsAnError(t *testing.T) {
	t.Parallel()
	f := &fakeTarget{db: newFakeDatabase("")}
	got, err := runChecks(t.Context(), Options{
		On: f.start(1, target.Settings{Flag: true}), Protocols: []target.Protocol{"5.4"}, CheckTimeout: 10 * time.Millisecond,
	}, []Check{check("XX-1", func(ctx context.Context, _ *Scene) error { <-ctx.Done(); return ctx.Err() })})
	if err != nil || got.Checks[0].Outcome != proof.Error || !strings.Contains(got.Checks[0].Reason, "longer than 10ms") {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestCancelledRunKeepsWhatWasFound(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	f := &fakeTarget{db: newFakeDatabase("")}
	got, err := runChecks(ctx, Options{
		On: f.start(1, target.Settings{Flag: true}), Protocols: []target.Protocol{"5.4"}, Parallel: 1,
	}, []Check{
		check("XX-1", func(context.Context, *Scene) error { return nil }),
		check("XX-2", func(context.Context, *Scene) error { return &Violation{Expected: "a", Got: "b"} }),
		check("XX-3", func(ctx context.Context, _ *Scene) error { cancel(); <-ctx.Done(); return ctx.Err() }),
		check("XX-4", func(context.Context, *Scene) error { return nil }),
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v, want context.Canceled", err)
	}
	var ids []string
	for _, c := range got.Checks {
		ids = append(ids, c.ID+" "+string(c.Outcome))
	}
	if !slices.Equal(ids, []string{"XX-1 pass", "XX-2 fail"}) {
		t.Errorf("kept %v", ids)
	}
	if p := profileOf(t, got, SessionBasic); p.Outcome != proof.Fail {
		t.Errorf("profile %+v", p)
	}
}

func TestNothingSelected(t *testing.T) {
	t.Parallel()
	f := &fakeTarget{db: newFakeDatabase("")}
	on := f.start(1, target.Settings{Flag: true})
	for _, tc := range []struct {
		name    string
		select_ Selection
		on      []target.Protocol
	}{
		{"an unknown id", Selection{IDs: []string{"BL-99"}}, nil},
		{"an unknown id beside a known one", Selection{IDs: []string{"BL-02", "BL-99"}}, nil},
		{"an unknown suite", Selection{Suites: []string{"nothing"}}, nil},
		{"an unknown profile", Selection{Profiles: []string{"nothing"}}, nil},
		{"a check of another suite", Selection{IDs: []string{"BL-02"}, Suites: []string{"session"}}, nil},
		{"a check that does not exist in the version", Selection{IDs: []string{"BL-34"}}, []target.Protocol{"5.4"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := Run(t.Context(), Options{On: on, Select: tc.select_, Protocols: tc.on})
			if !errors.Is(err, ErrNothingSelected) || got != nil {
				t.Errorf("got %v, %v; want ErrNothingSelected", got, err)
			}
		})
	}
	if _, err := Run(t.Context(), Options{}); err == nil {
		t.Error("a run without a core was accepted")
	}
}

// TestOneCoreOfTheNewEra: the old era is skipped with its reason, and the
// profile can pass all the same.
func TestOneCoreOfTheNewEra(t *testing.T) {
	t.Parallel()
	f := &fakeTarget{db: newFakeDatabase(""), fixed: true}
	on := f.start(1, target.Settings{Flag: true})
	on.versions = []string{"2.21", "3.1", "5.3"}
	got := fakeRun(t, "", func(o *Options) { o.On, o.Off, o.Target = on, nil, f; o.Scale = 0.2 })
	tried := map[string]int{}
	for _, c := range got.Checks {
		switch {
		case c.Era == "setting":
			if c.Outcome != proof.Skip || !strings.Contains(c.Reason, "does not speak CDI 2.20 (it speaks 2.21 3.1 5.3)") {
				t.Errorf("%s (%s): %s %s", c.ID, c.Protocol, c.Outcome, c.Reason)
			}
		case c.Outcome == proof.Pass:
			tried[c.Protocol]++
		case c.Outcome != proof.Skip:
			t.Errorf("%s (%s): %s %s", c.ID, c.Protocol, c.Outcome, c.Reason)
		}
	}
	if tried["CDI 5.3"] < 40 || tried["CDI 3.1"] == 0 {
		t.Errorf("tried %v", tried)
	}
	if p := profileOf(t, got, Blacklisting); p.Outcome != proof.Pass {
		t.Errorf("profile %+v", p)
	}
	for name, lack := range map[Profile]string{MultiInstance: "2 instances", Lifetimes: "settings"} {
		if p := profileOf(t, got, name); p.Outcome != proof.Incomplete || !strings.Contains(p.Reason, lack) {
			t.Errorf("profile %+v, want incomplete for lack of %s", p, lack)
		}
	}
	if v := verdict(got); v.ExitCode != 0 {
		t.Errorf("verdict %+v", v)
	}
	// Somebody else's core is left as it was found.
	f.db.mu.Lock()
	defer f.db.mu.Unlock()
	if n := len(f.db.rows); n > 0 {
		t.Errorf("%d sessions left behind", n)
	}
}

// TestNoFlagOffCore: without one the old era has no control, so the profile is
// not complete, but what can be tried is.
func TestNoFlagOffCore(t *testing.T) {
	t.Parallel()
	got := fakeRun(t, "", func(o *Options) { o.Off = nil }, "BL-02", "BL-30", "BL-31")
	if p := profileOf(t, got, Blacklisting); p.Outcome != proof.Incomplete || !strings.Contains(p.Reason, "flag is off") {
		t.Errorf("profile %+v", p)
	}
	got = fakeRun(t, "", func(o *Options) { o.Off = nil; o.Protocols = []target.Protocol{"2.20"} }, "BL-02")
	if p := profileOf(t, got, Blacklisting); p.Outcome != proof.Vacuous {
		t.Errorf("profile without any control %+v, want vacuous", p)
	}
}

func TestBehavingByTheHeaderIsTold(t *testing.T) {
	t.Parallel()
	for defect, want := range map[string]string{
		"behaves when it is watched":    "only in trials without the header",
		"misbehaves when it is watched": "only in trials with the header",
	} {
		got := fakeRun(t, defect, func(o *Options) { o.Protocols = []target.Protocol{"5.4"} }, "BL-02")
		if c := got.Checks[0]; c.Outcome != proof.Fail || !strings.Contains(c.Got, want) || c.Violations != c.Trials/2 {
			t.Errorf("%s: %s %q, %d of %d", defect, c.Outcome, c.Got, c.Violations, c.Trials)
		}
	}
}

func TestAcceptanceWindow(t *testing.T) {
	t.Parallel()
	got := fakeRun(t, "positive cache of 200 ms", func(o *Options) { o.Follow = 5 * time.Second; o.Protocols = []target.Protocol{"5.4"} }, "BL-02")
	// The cache was filled before the revoke, so it ends less than 200 ms after.
	if w := got.Immediacy.AcceptanceWindow; w <= 0 || w > 200*time.Millisecond {
		t.Errorf("window %v of a cache of 200 ms", w)
	}
	if !regexp.MustCompile(`^OK at on-\d, asked \d+\.\d\d ms after the revoke's response \(in \d+ of 60 trials\)$`).MatchString(got.Checks[0].Got) {
		t.Errorf("got %q", got.Checks[0].Got)
	}
}

func TestBrokenHistoryIsSavedAndDrawn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := fakeRun(t, "flag ignored", func(o *Options) { o.HistoryDir = dir; o.Protocols = []target.Protocol{"5.4"} }, "BL-60")
	if len(got.Histories) != 1 || got.Histories[0].Result != history.NotLinearizable {
		t.Fatalf("histories %+v", got.Histories)
	}
	h, err := history.Load(filepath.Join(dir, got.Histories[0].File))
	if err != nil {
		t.Fatal(err)
	}
	v, err := history.Recheck(t.Context(), h)
	if err != nil || v.Result != history.NotLinearizable || len(v.Broken) != got.Checks[0].Violations {
		t.Errorf("judged again: %+v, %v", v, err)
	}
	if _, err := os.Stat(filepath.Join(dir, got.Checks[0].Observations["picture"])); err != nil {
		t.Error(err)
	}
}

// TestTrialsFollowTheSeed: the same seed draws the same tags and numbers, another
// one others, and half of the trials are tagged.
func TestTrialsFollowTheSeed(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) (out []string) {
		f := &fakeTarget{db: newFakeDatabase("")}
		c := check("XX-1", func(ctx context.Context, s *Scene) error {
			return s.Trials(ctx, 8, func(ctx context.Context, t *Trial) error {
				out = append(out, fmt.Sprint(adapter.Tag(ctx), " ", t.Rand.Uint64()))
				return nil
			})
		})
		if _, err := runChecks(t.Context(), Options{
			On: f.start(1, target.Settings{Flag: true}), Protocols: []target.Protocol{"5.4"}, Seed: seed,
		}, []Check{c}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	a, b, other := draw(1), draw(1), draw(2)
	if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, other) {
		t.Errorf("seed 1: %v and %v; seed 2: %v", a, b, other)
	}
	tagged := 0
	for _, line := range a {
		if strings.HasPrefix(line, "XX-1/") {
			tagged++
		}
	}
	if tagged != 4 {
		t.Errorf("%d of 8 trials tagged, want 4", tagged)
	}
}

func TestChecksAloneAreAlone(t *testing.T) {
	t.Parallel()
	var running, most, with atomic.Int64
	body := func(alone bool) func(context.Context, *Scene) error {
		return func(context.Context, *Scene) error {
			n := running.Add(1)
			defer running.Add(-1)
			if alone && n > 1 {
				with.Add(1)
			}
			most.Store(max(most.Load(), n))
			time.Sleep(2 * time.Millisecond) // long enough to overlap with others
			return nil
		}
	}
	var list []Check
	for i := range 20 {
		c := check(fmt.Sprintf("XX-%d", i), body(i%2 == 0))
		c.Needs.Alone = i%2 == 0
		list = append(list, c)
	}
	f := &fakeTarget{db: newFakeDatabase("")}
	got, err := runChecks(t.Context(), Options{On: f.start(1, target.Settings{Flag: true}), Protocols: []target.Protocol{"5.4"}}, list)
	if err != nil {
		t.Fatal(err)
	}
	if with.Load() > 0 || most.Load() > 6 {
		t.Errorf("%d times not alone, %d at once", with.Load(), most.Load())
	}
	for i, c := range got.Checks {
		if c.ID != list[i].ID {
			t.Errorf("place %d: %s, want the order of the list", i, c.ID)
		}
	}
}

func TestOwnCoresAreSharedAndStopped(t *testing.T) {
	t.Parallel()
	c := &counting{fakeTarget: &fakeTarget{db: newFakeDatabase("")}}
	got, err := Run(t.Context(), Options{
		On: c.start(1, target.Settings{Flag: true}), Off: c.start(1, target.Settings{}), Target: c,
		Select: Selection{Profiles: []string{string(Lifetimes)}},
	})
	if err != nil || profileOf(t, got, Lifetimes).Outcome != proof.Pass {
		t.Fatalf("got %+v, %v", got, err)
	}
	// On for a second and for a day, off for a second.
	if len(c.started) != 3 {
		t.Errorf("%d deployments started, want 3", len(c.started))
	}
	for _, d := range c.started {
		if !d.stopped.Load() {
			t.Errorf("the deployment with %+v was not stopped", d.settings)
		}
	}
}

// counting keeps what it starts.
type counting struct {
	*fakeTarget
	started []*fakeDeployment
}

func (c *counting) Start(_ context.Context, n int, s target.Settings) (target.Deployment, error) {
	c.db.mu.Lock()
	defer c.db.mu.Unlock()
	d := c.start(n, s)
	c.started = append(c.started, d)
	return d, nil
}
