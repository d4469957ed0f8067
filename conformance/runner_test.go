package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/broken"
	"github.com/coreproof/coreproof/conformance/checks"
	"github.com/coreproof/coreproof/conformance/internal/testcore"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// whole is one version, tried whole.
func whole(versions ...string) (list []protocol.Stage) {
	for _, v := range versions {
		list = append(list, protocol.Stage{Version: v, Whole: true})
	}
	return list
}

// defective is a target whose cores have a defect; "" for none.
func defective(t *testing.T, name string) *testcore.Target {
	t.Helper()
	target := testcore.New(t)
	if name != "" {
		d, ok := broken.Find(name)
		if !ok {
			t.Fatalf("no defect %s", name)
		}
		target.Decorate = d.Decorate
	}
	return target
}

// options for two cores with the flag on and one with it off, all checks.
func options(t *testing.T, target *testcore.Target) conformance.Options {
	t.Helper()
	on, err := target.Start(t.Context(), 2, launch.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	off, err := target.Start(t.Context(), 1, launch.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Options{
		Target: target, On: on, Off: off, Checks: checks.All(), Stages: whole("5.5"), Seed: 7, Follow: 100 * time.Millisecond,
		Rerun: func(id, version string) string { return "coreproof conform --check " + id + " --version " + version },
	}
}

// run gives the conformance with all that is derived from it.
func run(t *testing.T, o conformance.Options) (*proof.Conformance, *proof.LeftBehind, proof.Verdict) {
	t.Helper()
	got, left, err := conformance.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	p := &proof.Proof{SchemaVersion: proof.SchemaVersion, Targets: []proof.Target{{Name: "test", Conformance: got, LeftBehind: left}}}
	verdict.Derive(p)
	return got, left, p.Verdict
}

func checkOf(t *testing.T, c *proof.Conformance, id string) *proof.Check {
	t.Helper()
	for i := range c.Checks {
		if c.Checks[i].ID == id {
			return &c.Checks[i]
		}
	}
	t.Fatalf("no check %s in %d", id, len(c.Checks))
	return nil
}

func profileOf(t *testing.T, c *proof.Conformance, name conformance.Profile) proof.Profile {
	t.Helper()
	for _, p := range c.Profiles {
		if p.Name == string(name) {
			return p
		}
	}
	t.Fatalf("no profile %s in %+v", name, c.Profiles)
	return proof.Profile{}
}

// own makes a check for the runner's own tests, and options that try it alone.
func own(t *testing.T, list ...conformance.Check) conformance.Options {
	o := options(t, testcore.New(t))
	o.Checks = list
	return o
}

func check(id string, run func(context.Context, *conformance.T) error) conformance.Check {
	return conformance.Check{ID: id, Title: id, Suite: "test", Profiles: []conformance.Profile{conformance.SessionBasic}, Run: run}
}

type breach struct{}

func (breach) Error() string     { return "bad shape" }
func (breach) Violation() string { return "bad shape" }

// TestOutcomes: what a check gives becomes evidence, from which the outcome follows.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	type trial = *conformance.Trial
	trials := func(f func(ctx context.Context, t trial) error) func(context.Context, *conformance.T) error {
		return func(ctx context.Context, c *conformance.T) error { return c.Trials(ctx, 4, f) }
	}
	bad := &conformance.Violation{Expected: "this", Got: "that"}
	for _, tc := range []struct {
		name        string
		run         func(context.Context, *conformance.T) error
		want        proof.Outcome
		reason      string
		trials, bad int
	}{
		{"nothing wrong", trials(func(context.Context, trial) error { return nil }), proof.Pass, "", 4, 0},
		{"always wrong", trials(func(context.Context, trial) error { return bad }), proof.Fail, "", 4, 4},
		{"wrong once", trials(func(_ context.Context, t trial) error {
			if t.Index == 2 {
				return bad
			}
			return nil
		}), proof.Fail, "", 4, 1},
		{"wrong outside of a trial", func(context.Context, *conformance.T) error { return bad }, proof.Fail, "", 1, 1},
		{"a violation weighs more than a harness error", trials(func(_ context.Context, t trial) error {
			if t.Index == 1 {
				return errors.New("lost the network")
			}
			return bad
		}), proof.Fail, "lost the network", 2, 1},
		{"a harness error", trials(func(context.Context, trial) error { return errors.New("lost the network") }), proof.Error, "lost the network", 1, 0},
		{"a panic", func(context.Context, *conformance.T) error { panic("oops") }, proof.Error, "runner_test.go", 0, 0},
		{"a panic in a trial", trials(func(context.Context, trial) error { panic("oops") }), proof.Error, "runner_test.go", 1, 0},
		{"something lacks", func(context.Context, *conformance.T) error { return conformance.Lackf("verb", "no such thing") }, proof.Skip, "no such thing", 0, 0},
		{"could not fail", trials(func(context.Context, trial) error { return conformance.CouldNotFailf("nothing there") }), proof.Vacuous, "nothing there", 1, 0},
		{"nothing was tried", func(context.Context, *conformance.T) error { return nil }, proof.Vacuous, "nothing was tried", 0, 0},
		{"an answer outside of the protocol", trials(func(context.Context, trial) error { return conformance.HarnessError("create", breach{}) }), proof.Fail, "", 4, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, _, _ := run(t, own(t, check("XX-01", tc.run)))
			got := c.Checks[0]
			if got.Outcome != tc.want || !strings.Contains(got.Reason, tc.reason) || got.Trials != tc.trials || len(got.Violations) != tc.bad {
				t.Errorf("got %s %q, %d of %d; want %s %q, %d of %d", got.Outcome, got.Reason, len(got.Violations), got.Trials, tc.want, tc.reason, tc.bad, tc.trials)
			}
			if clean := got.Outcome == proof.Pass || got.Outcome == proof.Skip || got.Trials == 0 && got.Trouble == "" && got.CouldNotFail == "" && len(got.Violations) == 0; clean == (got.Rerun != "") {
				t.Errorf("%s: rerun %q", got.Outcome, got.Rerun)
			}
		})
	}
}

// TestHopelessTrialsEnd: a rule that is broken in each of the first trials is not
// tried for long.
func TestHopelessTrialsEnd(t *testing.T) {
	t.Parallel()
	c, _, _ := run(t, own(t, check("XX-01", func(ctx context.Context, c *conformance.T) error {
		return c.Trials(ctx, 100, func(context.Context, *conformance.Trial) error {
			return &conformance.Violation{Expected: "this", Got: "that"}
		})
	}), check("XX-02", func(ctx context.Context, c *conformance.T) error {
		return c.Trials(ctx, 100, func(_ context.Context, t *conformance.Trial) error {
			if t.Index == 0 {
				return nil
			}
			return &conformance.Violation{Expected: "this", Got: "that"}
		})
	})))
	if a, b := c.Checks[0], c.Checks[1]; a.Trials != 8 || len(a.Violations) != 8 || b.Trials != 100 || len(b.Violations) != 99 {
		t.Errorf("tried %d and %d times", a.Trials, b.Trials)
	}
}

func TestCancelledRunKeepsWhatWasFound(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	once := func(err error) func(context.Context, *conformance.T) error {
		return func(ctx context.Context, c *conformance.T) error {
			return c.Trials(ctx, 1, func(context.Context, *conformance.Trial) error { return err })
		}
	}
	o := own(t,
		check("XX-01", once(nil)),
		check("XX-02", once(&conformance.Violation{Expected: "a", Got: "b"})),
		check("XX-03", func(ctx context.Context, _ *conformance.T) error { cancel(); <-ctx.Done(); return ctx.Err() }),
		check("XX-04", once(nil)),
	)
	o.Parallel = 1
	got, _, err := conformance.Run(ctx, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v, want context.Canceled", err)
	}
	if len(got.Checks) != 2 || got.Checks[1].ID != "XX-02" || len(got.Checks[1].Violations) != 1 || got.Planned != 4 {
		t.Errorf("kept %+v of %d", got.Checks, got.Planned)
	}
}

func TestNothingSelected(t *testing.T) {
	t.Parallel()
	o := options(t, testcore.New(t))
	for _, tc := range []struct {
		name   string
		choose conformance.Selection
		stages []protocol.Stage
	}{
		{"an unknown id", conformance.Selection{IDs: []string{"BL-99"}}, nil},
		{"an unknown id beside a known one", conformance.Selection{IDs: []string{"BL-02", "BL-99"}}, nil},
		{"an unknown suite", conformance.Selection{Suites: []string{"nothing"}}, nil},
		{"an unknown profile", conformance.Selection{Profiles: []string{"nothing"}}, nil},
		{"a check of another suite", conformance.Selection{IDs: []string{"BL-02"}, Suites: []string{"session"}}, nil},
		{"a check that does not exist in the version", conformance.Selection{IDs: []string{"BL-34"}}, whole("5.4")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := o
			o.Select, o.Stages = tc.choose, tc.stages
			got, _, err := conformance.Run(t.Context(), o)
			if !errors.Is(err, conformance.ErrNothingSelected) || got != nil {
				t.Errorf("got %v, %v; want ErrNothingSelected", got, err)
			}
		})
	}
	if _, _, err := conformance.Run(t.Context(), conformance.Options{}); err == nil {
		t.Error("a run without a core was accepted")
	}
	o.Stages = whole("9.9")
	if _, _, err := conformance.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), `"9.9" is no version of CDI`) {
		t.Errorf("a version that does not exist: %v", err)
	}
}

// TestV3EveryVersionIsTouched: by default the newest version of each generation is
// tried whole and every other one that the core speaks is touched.
func TestV3EveryVersionIsTouched(t *testing.T) {
	t.Parallel()
	o := options(t, testcore.New(t))
	o.Stages, o.Scale = nil, 0.01
	// What is tried is the question here, not what comes of it.
	tried := map[string]int{}
	for i := range o.Checks {
		o.Checks[i].Run = func(ctx context.Context, c *conformance.T) error { return nil }
	}
	got, _, _ := run(t, o)
	for _, c := range got.Checks {
		tried[c.Protocol]++
	}
	versions, err := o.Target.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		least := 8
		if slices.Contains([]string{"2.20", "5.5", "5.6"}, v) {
			least = 50
		}
		if tried["CDI "+v] < least {
			t.Errorf("version %s: %d checks, want at least %d", v, tried["CDI "+v], least)
		}
	}
}

// TestTrialsFollowTheSeed: the same seed draws the same tags and numbers, another
// one others, and half of the trials are tagged.
func TestTrialsFollowTheSeed(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) (out []string) {
		o := own(t, check("XX-01", func(ctx context.Context, c *conformance.T) error {
			return c.Trials(ctx, 8, func(ctx context.Context, t *conformance.Trial) error {
				out = append(out, fmt.Sprint(protocol.Tag(ctx), " ", t.Rand.Uint64()))
				return nil
			})
		}))
		o.Seed = seed
		if c, _, _ := run(t, o); c.Checks[0].Tagged != 4 {
			t.Errorf("%d of 8 trials tagged, want 4", c.Checks[0].Tagged)
		}
		return out
	}
	a, b, other := draw(1), draw(1), draw(2)
	if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, other) {
		t.Errorf("seed 1: %v and %v; seed 2: %v", a, b, other)
	}
	if n := strings.Count(strings.Join(a, "\n"), "XX-01/"); n != 4 {
		t.Errorf("%d of 8 trials tagged, want 4", n)
	}
}

func TestSerialChecksAreAlone(t *testing.T) {
	t.Parallel()
	var running, most, with atomic.Int64
	var list []conformance.Check
	for i := range 20 {
		serial := i%2 == 0
		c := check(fmt.Sprintf("XX-%02d", i), func(ctx context.Context, _ *conformance.T) error {
			n := running.Add(1)
			defer running.Add(-1)
			if serial && n > 1 {
				with.Add(1)
			}
			most.Store(max(most.Load(), n))
			return conformance.Pause(ctx, 2*time.Millisecond) // long enough to overlap with others
		})
		c.Needs.Serial = serial
		list = append(list, c)
	}
	got, _, _ := run(t, own(t, list...))
	if with.Load() > 0 || most.Load() > conformance.DefaultParallel {
		t.Errorf("%d times not alone, %d at once", with.Load(), most.Load())
	}
	for i, c := range got.Checks {
		if c.ID != list[i].ID {
			t.Errorf("place %d: %s, want the order of the list", i, c.ID)
		}
	}
}

func TestDedicatedCoresAreSharedAndStopped(t *testing.T) {
	t.Parallel()
	target := testcore.New(t)
	o := options(t, target)
	o.Select.IDs = []string{"BL-40", "BL-41", "BL-42"}
	got, _, _ := run(t, o)
	for _, c := range got.Checks {
		if c.Outcome != proof.Pass {
			t.Errorf("%s: %s %s", c.ID, c.Outcome, c.Reason)
		}
	}
	started := target.Started()[2:] // behind those of the run itself
	if len(started) != 2 {          // for a second and for a day
		t.Errorf("%d deployments started, want 2", len(started))
	}
	for _, d := range started {
		if !d.Stopped() {
			t.Errorf("the deployment with %+v was not stopped", d.Settings())
		}
	}
}

func TestBehavingByTheHeaderIsTold(t *testing.T) {
	t.Parallel()
	for defect, want := range map[string]string{
		"behaves-when-watched":    "only trials without the header",
		"misbehaves-when-watched": "only trials with the header",
	} {
		o := options(t, defective(t, defect))
		o.Select.IDs = []string{"BL-02"}
		got, _, _ := run(t, o)
		c := got.Checks[0]
		if c.Outcome != proof.Fail || !strings.Contains(c.Observations["header"], want) || len(c.Violations) != c.Trials/2 {
			t.Errorf("%s: %s %q, %d of %d", defect, c.Outcome, c.Observations["header"], len(c.Violations), c.Trials)
		}
	}
}

func TestAcceptanceWindow(t *testing.T) {
	t.Parallel()
	o := options(t, defective(t, "positive-cache-2s"))
	o.Follow = 5 * time.Second
	o.Select.IDs = []string{"BL-02"}
	got, _, _ := run(t, o)
	// The cache was filled before the revoke, so it ends less than two seconds after.
	if w := got.Immediacy.AcceptanceWindow; w <= 0 || w > 2*time.Second {
		t.Errorf("window %v of a cache of two seconds", w)
	}
	if i := got.Checks[0].Immediacy; i == nil || i.Broken == 0 || i.Broken > i.Revokes || i.Accepted < i.Broken || i.Calls < i.Accepted {
		t.Errorf("immediacy %+v", i)
	}
}

// TestNoFlagOffCore: without one, what needs it is told to lack, in the mode where
// the core's setting decides; the rest is tried.
func TestNoFlagOffCore(t *testing.T) {
	t.Parallel()
	o := options(t, testcore.New(t))
	o.Off, o.Stages = nil, whole("2.20")
	o.Select.IDs = []string{"BL-02", "BL-30"}
	got, _, _ := run(t, o)
	if c := checkOf(t, got, "BL-30"); c.Lacks == nil || c.Lacks.Kind != "off-side" {
		t.Errorf("BL-30 lacks %+v", c.Lacks)
	}
	if c := checkOf(t, got, "BL-02"); c.Outcome != proof.Pass {
		t.Errorf("BL-02: %s %s", c.Outcome, c.Reason)
	}
}

// TestTheHeaderCountsAsItWas: a trial that chooses for itself whether it carries the
// header is counted by what it chose.
func TestTheHeaderCountsAsItWas(t *testing.T) {
	t.Parallel()
	c, _, _ := run(t, own(t, check("XX-01", func(ctx context.Context, c *conformance.T) error {
		return c.Trials(ctx, 6, func(ctx context.Context, t *conformance.Trial) error {
			if t.Index < 3 {
				t.Tagged(ctx)
				return &conformance.Violation{Expected: "this", Got: "that"}
			}
			t.Untagged(ctx)
			return nil
		})
	})))
	got := c.Checks[0]
	if got.Tagged != 3 || len(got.Violations) != 3 || !got.Violations[0].Tagged || !strings.Contains(got.Observations["header"], "only trials with the header") {
		t.Errorf("%d tagged, violations %+v, %q", got.Tagged, got.Violations, got.Observations["header"])
	}
}

// isolating remembers the targets that checks had made.
type isolating struct {
	*testcore.Target
	mu   sync.Mutex
	made []*testcore.Target
}

func (i *isolating) Isolated(ctx context.Context, name string) (launch.Target, error) {
	n, err := i.Target.Isolated(ctx, name)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.made = append(i.made, n.(*testcore.Target))
	return n, err
}

// TestCoresStartedTogetherAreAllStopped, however many trials started some.
func TestCoresStartedTogetherAreAllStopped(t *testing.T) {
	t.Parallel()
	target := &isolating{Target: testcore.New(t)}
	o := options(t, target.Target)
	o.Target, o.Scale, o.Select.IDs = target, 3, []string{"SE-16"}
	got, _, _ := run(t, o)
	if c := checkOf(t, got, "SE-16"); c.Outcome != proof.Pass || c.Trials != 3 || len(target.made) != 3 {
		t.Fatalf("SE-16: %s %s, %d trials on %d databases", c.Outcome, c.Reason, c.Trials, len(target.made))
	}
	for i, made := range target.made {
		for _, d := range made.Started() {
			if !d.Stopped() {
				t.Errorf("trial %d: a core was left running", i)
			}
		}
	}
}

// TestCoresThatShareNothing: a core that keeps its sessions to itself is right, though
// another one that is started knows nothing of them. What needs two cores on one
// database is not tried, and says so.
func TestCoresThatShareNothing(t *testing.T) {
	t.Parallel()
	target := defective(t, "")
	target.Apart = true
	target.Can = launch.Capabilities{Settings: true, Throwaway: true, Instances: 1, Apart: true}
	on, err := target.Start(t.Context(), 1, launch.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	o := conformance.Options{
		Target: target, On: on, Checks: checks.All(), Stages: whole("5.6"), Seed: 7, Scale: 0.3,
		Rerun: func(id, version string) string { return "coreproof conform --check " + id },
	}
	if testing.Short() {
		o.Select.IDs = []string{"BL-02", "BL-05", "BL-60", "BL-70", "BL-73", "BL-74", "SE-01", "SE-11", "SE-16", "RO-01"}
	}
	got, _, _ := run(t, o)
	apart := []string{"BL-74", "SE-16"}
	for i := range got.Checks {
		c := &got.Checks[i]
		if c.Outcome == proof.Fail || c.Outcome == proof.Error || c.Outcome == proof.Vacuous {
			t.Errorf("%s: %s %+v", c.ID, c.Outcome, c.Violations)
		}
		if slices.Contains(apart, c.ID) && (c.Lacks == nil || !strings.Contains(c.Lacks.Text, "one database")) {
			t.Errorf("%s: %s, lacks %v, want one database that cores share", c.ID, c.Outcome, c.Lacks)
		}
	}
	if c := checkOf(t, got, "BL-73"); c.Outcome != proof.Pass {
		t.Errorf("BL-73: %s, want pass: it needs one core only", c.Outcome)
	}
}
