package conformance_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/checks"
	"github.com/coreproof/coreproof/conformance/internal/testcore"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// slow puts a network between harness and core: each byte takes so long, one way.
func slow(t *testing.T, oneWay time.Duration) func(core string) string {
	return func(core string) string {
		u, err := url.Parse(core)
		if err != nil {
			t.Fatal(err)
		}
		host := u.Host
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				near, err := l.Accept()
				if err != nil {
					return
				}
				far, err := net.Dial("tcp", host)
				if err != nil {
					_ = near.Close()
					return
				}
				go carry(far, near, oneWay)
				go carry(near, far, oneWay)
			}
		}()
		u.Host = l.Addr().String()
		return u.String()
	}
}

// carry copies from one connection to another, everything as late as said.
func carry(to, from net.Conn, late time.Duration) {
	type piece struct {
		bytes []byte
		due   time.Time
	}
	pieces := make(chan piece, 1024)
	var done sync.WaitGroup
	done.Go(func() {
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.bytes); err != nil {
				break
			}
		}
		_ = to.Close()
		for range pieces { // let the reader end
		}
	})
	for {
		b := make([]byte, 32<<10)
		n, err := from.Read(b)
		if n > 0 {
			pieces <- piece{b[:n], time.Now().Add(late)}
		}
		if err != nil {
			close(pieces)
			done.Wait()
			_, _ = io.Copy(io.Discard, from)
			_ = from.Close()
			return
		}
	}
}

// TestV1ResurrectionIsCaughtHoweverFar: a core whose promotion brings a revoked
// session back fails BL-54 on loopback, through a rate cap, and far away.
func TestV1ResurrectionIsCaughtHoweverFar(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, target *testcore.Target)
		slow   bool
	}{
		{"on loopback", func(*testing.T, *testcore.Target) {}, false},
		{"through a cap of 200 calls a second", func(_ *testing.T, target *testcore.Target) {
			target.Can.Throttle = protocol.NewThrottle(200)
		}, false},
		{"through a cap of 30 calls a second", func(_ *testing.T, target *testcore.Target) {
			target.Can.Throttle = protocol.NewThrottle(30)
		}, true},
		{"with 20 ms of network", func(t *testing.T, target *testcore.Target) {
			target.Front = slow(t, 10*time.Millisecond)
		}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if testing.Short() && tc.slow {
				t.Skip("it takes a while; without -short it does")
			}
			t.Parallel()
			target := defective(t, "promotion-in-flight-brings-back")
			tc.change(t, target)
			o := options(t, target)
			o.Select.IDs, o.Scale = []string{"BL-54"}, 1
			got, _, _ := run(t, o)
			c := got.Checks[0]
			if c.Outcome != proof.Fail {
				t.Errorf("%s %s, want fail", c.Outcome, c.Reason)
			}
			if c.Race == nil || c.Race.MetAB == 0 || c.Race.MetBA == 0 {
				t.Fatalf("the calls did not meet in both orders: %+v", c.Race)
			}
			t.Logf("%d of %d trials broken, met %d and %d", len(c.Violations), c.Trials, c.Race.MetAB, c.Race.MetBA)
		})
	}
}

// TestV1WhatDoesNotMeetIsInconclusive: a race whose calls never overlap is no pass.
func TestV1WhatDoesNotMeetIsInconclusive(t *testing.T) {
	t.Parallel()
	var one sync.Mutex
	apart := func(ctx context.Context) (r protocol.Reply, err error) {
		one.Lock()
		defer one.Unlock()
		r.Invoked = time.Now()
		r.Returned = time.Now()
		return r, nil
	}
	o := own(t, check("XX-01", func(ctx context.Context, c *conformance.T) error {
		return c.Races(ctx, 3, 5, func(ctx context.Context, t *conformance.Trial) error {
			return t.Meet(ctx, "", apart, apart, nil)
		})
	}))
	got, _, _ := run(t, o)
	if c := got.Checks[0]; c.Outcome != proof.Vacuous || c.Race == nil || len(c.Race.Trials) < 50 {
		t.Errorf("%s %s after %d trials, want inconclusive", c.Outcome, c.Reason, c.Trials)
	}
}

// TestV4TwinsStandBesideEveryRevoke: every check that counts for immediacy saw a
// session accepted that was not revoked.
func TestV4TwinsStandBesideEveryRevoke(t *testing.T) {
	t.Parallel()
	o := options(t, testcore.New(t))
	o.Stages, o.Scale = whole("2.20", "5.6"), 0.2
	least := 40
	if testing.Short() {
		o.Stages, least = whole("5.6"), 25
	}
	o.Select.Profiles = []string{string(conformance.Blacklisting)}
	got, _, _ := run(t, o)
	seen := 0
	for _, c := range got.Checks {
		if m := c.Immediacy; m != nil {
			seen++
			if m.Twins == 0 || m.TwinsAccepted != m.Twins || m.Revokes == 0 || m.Revokes > m.Calls {
				t.Errorf("%s (%s): %+v", c.ID, c.Protocol, *m)
			}
		}
		if c.Outcome == proof.Fail || c.Outcome == proof.Error {
			t.Errorf("%s (%s): %s %s", c.ID, c.Protocol, c.Outcome, c.Reason)
		}
	}
	if seen < least {
		t.Errorf("%d checks of immediacy, want %d", seen, least)
	}
}

// TestV4RefusingEverybodyProvesNothing: a core that refuses all once it was asked to
// revoke does not pass by refusing.
func TestV4RefusingEverybodyProvesNothing(t *testing.T) {
	t.Parallel()
	o := options(t, defective(t, "revoke-user-ends-everybody"))
	o.Select.IDs = []string{"BL-05", "BL-17"}
	o.Parallel = 1 // or another check's revoke ends the sessions before their time
	got, _, v := run(t, o)
	if c := checkOf(t, got, "BL-05"); c.Outcome != proof.Vacuous || !strings.Contains(c.Reason, "not revoked") {
		t.Errorf("BL-05: %s %s, want inconclusive by its twin", c.Outcome, c.Reason)
	}
	if v.ExitCode == 0 {
		t.Errorf("verdict %+v", v)
	}
}

// TestV11SwitchTakenAsOnIsNamed: a core that takes checkDatabase false for true
// fails the rule that says so.
func TestV11SwitchTakenAsOnIsNamed(t *testing.T) {
	t.Parallel()
	o := options(t, defective(t, "always-checks"))
	o.Select.IDs = []string{"BL-02", "BL-38"}
	got, _, v := run(t, o)
	if c := checkOf(t, got, "BL-38"); c.Outcome != proof.Fail || !strings.Contains(c.Violations[0].Expected, "without the database check") {
		t.Errorf("BL-38: %s %+v", c.Outcome, c.Violations)
	}
	if c := checkOf(t, got, "BL-02"); c.Outcome != proof.Pass {
		t.Errorf("BL-02: %s %s", c.Outcome, c.Reason)
	}
	if p := profileOf(t, got, conformance.Switch); p.Outcome != proof.Fail || v.ExitCode != 1 {
		t.Errorf("profile %+v, verdict %+v", p, v)
	}
	if len(got.Switch) == 0 || got.Switch[0].Accepted != 0 || got.Switch[0].Trials == 0 || got.Switch[0].Named {
		t.Errorf("switch controls %+v", got.Switch)
	}
}

// TestV12AlwaysCheckingCoreCanBeProved: it passes by its twins, and claims no switch.
func TestV12AlwaysCheckingCoreCanBeProved(t *testing.T) {
	t.Parallel()
	target := defective(t, "always-checks")
	target.Can.AlwaysChecks = true
	o := options(t, target)
	o.Scale = 0.1
	o.Checks = slices.DeleteFunc(o.Checks, func(c conformance.Check) bool {
		return !slices.Contains([]string{"SE-15", "BL-01", "BL-02", "BL-05", "BL-37", "BL-38", "BL-33"}, c.ID)
	})
	got, _, v := run(t, o)
	if p := profileOf(t, got, conformance.Blacklisting); p.Outcome != proof.Pass {
		t.Errorf("profile %+v", p)
	}
	if p := profileOf(t, got, conformance.Switch); p.NotClaimed == "" || p.Outcome == proof.Fail {
		t.Errorf("profile %+v", p)
	}
	if v.ExitCode != 0 || len(got.Switch) == 0 {
		t.Errorf("verdict %+v, controls %+v", v, got.Switch)
	}
}

// TestV12AlwaysChecksIsHeldToItsWord: a core that is only said to always check is
// caught by the control that it must refuse.
func TestV12AlwaysChecksIsHeldToItsWord(t *testing.T) {
	t.Parallel()
	target := testcore.New(t)
	target.Can.AlwaysChecks = true
	o := options(t, target)
	o.Select.IDs = []string{"BL-02"}
	got, _, v := run(t, o)
	if v.ExitCode != 1 || !slices.ContainsFunc(v.Findings, func(f proof.Finding) bool { return f.Kind == verdict.KindSwitch && f.Weight == proof.Fails }) {
		t.Errorf("verdict %+v, controls %+v", v, got.Switch)
	}
}

// TestN10OneCheckIsNoProfile: a profile of which some checks were selected is not
// proved whole.
func TestN10OneCheckIsNoProfile(t *testing.T) {
	t.Parallel()
	o := options(t, testcore.New(t))
	o.Select.IDs = []string{"BL-02"}
	got, _, _ := run(t, o)
	if p := profileOf(t, got, conformance.Blacklisting); p.Outcome != proof.Incomplete || p.Members < 20 {
		t.Errorf("profile %+v", p)
	}
}

// TestNamedOffSideThatRefusesIsVoid: where the caller named the flag-off core, its
// refusals are told as such, and are no rule broken.
func TestNamedOffSideThatRefusesIsVoid(t *testing.T) {
	t.Parallel()
	target := testcore.New(t)
	target.Can.NamedOff = true
	o := options(t, target)
	off, err := target.Start(t.Context(), 1, launch.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	o.Off, o.Stages = off, whole("2.20")
	o.Select.IDs = []string{"BL-02", "BL-30"}
	got, _, v := run(t, o)
	if c := checkOf(t, got, "BL-30"); c.Outcome != proof.Vacuous || !strings.Contains(c.Reason, "is the flag on there?") {
		t.Errorf("BL-30: %s %s", c.Outcome, c.Reason)
	}
	if len(got.Switch) != 1 || !got.Switch[0].Named || got.Switch[0].Accepted != 0 || v.ExitCode != 2 {
		t.Errorf("controls %+v, verdict %+v", got.Switch, v)
	}
}

// TestF5NothingIsLeftBehind: on cores that stay, what was made is ended in a version
// that they speak, and seen to be gone; what is not is told.
func TestF5NothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	target := testcore.New(t)
	target.Can = launch.Capabilities{Off: true}
	target.MaxVersion = "2.20"
	o := options(t, target)
	o.Stages, o.Scale = nil, 0.05
	o.Select.IDs = []string{"SE-01", "SE-03", "BL-05", "BL-06", "IS-03", "IS-02", "BL-51"}
	got, left, _ := run(t, o)
	if left != nil || len(got.Checks) == 0 {
		t.Errorf("left behind %+v", left)
	}
	db, err := target.Store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// All rows of any user are older than the end of time.
	if n, err := db.DeleteExpired(t.Context(), 1<<62, 1000); err != nil || n != 0 {
		t.Errorf("%d sessions are still there, %v", n, err)
	}

	target = defective(t, "user-stops-at-10")
	target.Can = launch.Capabilities{}
	o = options(t, target)
	o.Select.IDs = []string{"BL-06"}
	if _, left, _ := run(t, o); left == nil || left.Sessions < 100 || left.Reason == "" || len(left.Users) == 0 {
		t.Errorf("a core that keeps sessions: left behind %+v", left)
	}
}

var credential = regexp.MustCompile(`eyJ[0-9A-Za-z+/_=-]{20,}|[0-9A-Za-z+/=]{40,}\.[0-9a-f]{64}\.V2`)

// TestF6ReplayHoldsNoCredential: the replay of a failure names variables, and a
// shell puts them where the credentials stood.
func TestF6ReplayHoldsNoCredential(t *testing.T) {
	t.Parallel()
	o := options(t, defective(t, "flag-ignored"))
	for _, id := range []string{"BL-02", "BL-36"} {
		o.Select.IDs = []string{id} // the one is the foundation of the other
		got, _, _ := run(t, o)
		replay := checkOf(t, got, id).Violations[0].Replay
		if credential.MatchString(replay) || !strings.Contains(replay, "$ACCESS_TOKEN") {
			t.Errorf("%s: replay %q", id, replay)
		}
		sh, err := exec.LookPath("sh")
		if err != nil {
			t.Skip("no shell here")
		}
		out, err := exec.Command(sh, "-c", `ACCESS_TOKEN=here-it-is; curl() { printf '%s\n' "$@"; }; `+replay).CombinedOutput()
		if err != nil || !strings.Contains(string(out), `"accessToken":"here-it-is"`) || strings.Contains(string(out), "# set") {
			t.Errorf("%s: a shell reads %q, %v", id, out, err)
		}
	}
}

// TestF7TimeoutGrowsWithTheCap: a check that takes long only because calls are
// capped does not die.
func TestF7TimeoutGrowsWithTheCap(t *testing.T) {
	t.Parallel()
	target := testcore.New(t)
	target.Can.Throttle = protocol.NewThrottle(30)
	o := options(t, target)
	o.Select.IDs, o.Scale, o.CheckTimeout = []string{"BL-60"}, 0.1, time.Second
	got, _, _ := run(t, o)
	if c := got.Checks[0]; c.Trouble != "" || len(c.Violations) > 0 || c.Took < 2*time.Second {
		t.Errorf("%s %s after %v: %+v", c.Outcome, c.Reason, c.Took, c.Violations)
	}
	// Without a cap the time-out is what it is.
	o = own(t, check("XX-01", func(ctx context.Context, _ *conformance.T) error { <-ctx.Done(); return ctx.Err() }))
	o.CheckTimeout = 10 * time.Millisecond
	got, _, _ = run(t, o)
	if c := got.Checks[0]; c.Outcome != proof.Error || !strings.Contains(c.Reason, "longer than 10ms") {
		t.Errorf("%s %s", c.Outcome, c.Reason)
	}
}

// TestN9OneRootCause: a create that is broken is one failure, named by all that
// could not be tried for it.
func TestN9OneRootCause(t *testing.T) {
	t.Parallel()
	for _, defect := range []string{"create-broken", "verify-broken"} {
		o := options(t, defective(t, defect))
		got, _, v := run(t, o)
		failed := 0
		for _, c := range got.Checks {
			switch {
			case len(c.Violations) > 0:
				failed++
				if c.ID != "SE-15" {
					t.Errorf("%s: %s fails too: %+v", defect, c.ID, c.Violations[0])
				}
			case c.Lacks == nil && (c.Cause != "SE-15" || c.Trials > 0):
				t.Errorf("%s: %s was tried %d times, cause %q", defect, c.ID, c.Trials, c.Cause)
			}
		}
		if failed != 1 || v.ExitCode != 1 {
			t.Errorf("%s: %d checks fail, verdict %+v", defect, failed, v)
		}
	}
}

// TestAHiccupOfAFoundationIsOne: what rests on a foundation is not tried where no trial of
// that held, and told as it was; it is tried where some did.
func TestAHiccupOfAFoundationIsOne(t *testing.T) {
	t.Parallel()
	var (
		ok      error
		bad     = &conformance.Violation{Expected: "this", Got: "that"}
		lost    = errors.New("lost the network")
		nothing = conformance.CouldNotFailf("nothing there")
	)
	for _, tc := range []struct {
		name   string
		trials []error
		own    proof.Outcome
		says   string // of what rests on it; "" where it is tried
	}{
		{"holds", []error{ok, ok, ok}, proof.Pass, ""},
		{"lost once, at the end", []error{ok, ok, lost}, proof.Error, ""},
		{"could not fail once, at the end", []error{ok, ok, nothing}, proof.Vacuous, ""},
		{"broken once, lost once", []error{ok, bad, lost}, proof.Fail, ""},
		{"broken once", []error{bad, ok, ok}, proof.Fail, ""},
		{"always broken", []error{bad, bad, bad}, proof.Fail, "does not hold"},
		{"broken, then lost", []error{bad, bad, lost}, proof.Fail, "was broken in 2 of 3 trials and held in none"},
		{"lost", []error{lost}, proof.Error, "could not be tried itself"},
		{"could not fail", []error{nothing}, proof.Vacuous, "could not have failed itself"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			foundation := check("XX-01", func(ctx context.Context, c *conformance.T) error {
				return c.Trials(ctx, len(tc.trials), func(_ context.Context, t *conformance.Trial) error { return tc.trials[t.Index] })
			})
			foundation.Foundation = []conformance.Profile{conformance.SessionBasic}
			got, _, _ := run(t, own(t, foundation, check("XX-02", func(ctx context.Context, c *conformance.T) error {
				return c.Trials(ctx, 1, func(context.Context, *conformance.Trial) error { return nil })
			})))
			first, second := got.Checks[0], got.Checks[1]
			if first.Outcome != tc.own {
				t.Errorf("the foundation: %s %s, want %s", first.Outcome, first.Reason, tc.own)
			}
			if tried := second.Outcome == proof.Pass; tried != (tc.says == "") || (second.Cause == "") != tried || !strings.HasSuffix(second.Reason, tc.says) {
				t.Errorf("what rests on it: %s %q, cause %q, want it to say %q", second.Outcome, second.Reason, second.Cause, tc.says)
			}
		})
	}
}

// TestN9WhatIsWrongIsNamed: where it is wrong, and by the letter.
func TestN9WhatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	for defect, want := range map[string][2]string{
		"times-in-seconds":      {"SE-01", "in seconds"},
		"unauthorised-misspelt": {"BL-02", "the protocol spells it UNAUTHORISED"},
	} {
		o := options(t, defective(t, defect))
		o.Select.IDs = []string{want[0]}
		got, _, _ := run(t, o)
		if c := got.Checks[0]; c.Outcome != proof.Fail || !strings.Contains(c.Violations[0].Got, want[1]) {
			t.Errorf("%s: %s %+v", defect, c.Outcome, c.Violations)
		}
	}
}

// threeVerbs is CDI of which a client has only what every protocol has.
type threeVerbs struct{ cdi.CDI }

type bare struct{ protocol.Core }

func (threeVerbs) Dial(o protocol.DialOptions) (protocol.Core, error) {
	c, err := cdi.New(o)
	return bare{c}, err
}

// TestThreeVerbsAreEnough: a core that can only create, verify and revoke is tried
// with what that allows; what needs more is told to lack it.
func TestThreeVerbsAreEnough(t *testing.T) {
	t.Parallel()
	target := testcore.New(t)
	target.Speak = threeVerbs{}
	o := options(t, target)
	o.Stages, o.Scale = whole("2.20", "5.5", "5.6"), 0.1
	least := 30
	if testing.Short() {
		o.Stages, least = whole("2.20"), 10
	}
	got, _, _ := run(t, o)
	lacking, passed := 0, 0
	for _, c := range got.Checks {
		switch {
		case c.Lacks != nil && (c.Lacks.Kind == "verb" || c.Lacks.Kind == "protocol"):
			lacking++
		case c.Outcome == proof.Pass:
			passed++
		case c.Outcome != proof.Vacuous || c.Race == nil && c.ID != "BL-60": // so few trials may not meet
			t.Errorf("%s (%s): %s %s %+v", c.ID, c.Protocol, c.Outcome, c.Reason, c.Violations)
		}
	}
	if lacking < least || passed < least {
		t.Errorf("%d lack a verb, %d pass, want %d of each", lacking, passed, least)
	}
	if c := checkOf(t, got, "BL-70"); c.Outcome != proof.Pass {
		t.Errorf("BL-70: %s %s", c.Outcome, c.Reason)
	}
}

// unrefreshed is CDI of which a client gets no refresh tokens, and can write data.
type unrefreshed struct{ cdi.CDI }

type writer struct {
	protocol.Core
	protocol.DataWriter
}

func (unrefreshed) Dial(o protocol.DialOptions) (protocol.Core, error) {
	c, err := cdi.New(o)
	return writer{c, c}, err
}

func (w writer) Create(ctx context.Context, r protocol.CreateRequest) (protocol.Tokens, error) {
	s, err := w.Core.Create(ctx, r)
	s.Refresh = protocol.Token{}
	return s, err
}

// TestARaceNeedsNoRefreshToken where the calls that meet need none.
func TestARaceNeedsNoRefreshToken(t *testing.T) {
	t.Parallel()
	target := testcore.New(t)
	target.Speak = unrefreshed{}
	o := options(t, target)
	o.Select.IDs = []string{"BL-53"}
	got, _, _ := run(t, o)
	if c := checkOf(t, got, "BL-53"); c.Outcome != proof.Pass && c.Outcome != proof.Vacuous { // a busy machine's calls may not meet
		t.Errorf("%s %s", c.Outcome, c.Reason)
	}
}

// TestFlagOffShownAsOnFails: the first thing that must never pass.
func TestFlagOffShownAsOnFails(t *testing.T) {
	t.Parallel()
	o := options(t, testcore.New(t))
	o.On, o.Stages = o.Off, whole("2.20")
	o.HistoryDir, o.HistoryPath = t.TempDir(), "histories/test"
	for _, ids := range [][]string{{"BL-02"}, {"BL-34", "BL-60"}} {
		o.Select.IDs = ids
		got, _, v := run(t, o)
		for _, c := range got.Checks {
			if o, _ := verdict.Check(&c, got.Histories); o != proof.Fail {
				t.Errorf("%s: %s, want fail", c.ID, o)
			}
		}
		for _, h := range got.Histories {
			if !strings.HasPrefix(h.File, "histories/test/BL-60-2.20") || len(h.SHA256) != 64 {
				t.Errorf("history %+v", h)
			}
		}
		if v.ExitCode != 1 {
			t.Errorf("verdict %+v", v)
		}
	}
}

// TestTokensThatLiveShorterThanACheck are no broken rule: the check says what it lacks.
func TestTokensThatLiveShorterThanACheck(t *testing.T) {
	t.Parallel()
	target := testcore.New(t)
	short := launch.Settings{Flag: true, AccessTokenValidity: 6 * time.Second}
	on, err := target.Start(t.Context(), 2, short)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := conformance.Run(t.Context(), conformance.Options{
		Target: target, On: on, Checks: checks.All(), Stages: whole("5.6"), Select: conformance.Selection{IDs: []string{"BL-71"}}, Seed: 7, HistoryDir: t.TempDir(),
		Rerun: func(id, version string) string { return "coreproof conform --check " + id },
	})
	if err != nil {
		t.Fatal(err)
	}
	tried := false
	for i := range got.Checks {
		c := &got.Checks[i]
		if c.ID != "BL-71" {
			continue
		}
		tried = true
		if o, why := verdict.Check(c, got.Histories); o != proof.Skip || !strings.Contains(why, "longer access token validity") {
			t.Errorf("%s %s: %s %s, want it skipped for the tokens' short life", c.ID, c.Protocol, o, why)
		}
	}
	if !tried {
		t.Error("BL-71 was not selected")
	}
}
