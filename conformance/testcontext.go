package conformance

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/replay"
	"github.com/coreproof/coreproof/reports/proof"
)

// T is what one run of one check has to work with and where it notes what it
// found. Its methods are safe for concurrent use.
type T struct {
	run   *run
	check *Check
	stage *stage

	mu           sync.Mutex
	trials, held int
	tagged       int
	violations   []proof.Violation
	observations map[string]string
	immediacy    proof.Immediacy
	race         *proof.Race
	collisions   map[string]*collision
	histories    []proof.History
	pairs        *proof.Pairs
	connected    []protocol.Core
	outside      recorder // what goes over the wire outside of trials
	broken       [2]int   // violated trials without and with the tag
}

// Protocol that is spoken.
func (t *T) Protocol() protocol.Protocol { return t.stage.protocol }

// Version of the protocol that is spoken.
func (t *T) Version() string { return t.stage.version }

// Label is protocol and version as reports print them.
func (t *T) Label() string { return t.stage.label }

// AtLeast says whether the version that is spoken is v or newer.
func (t *T) AtLeast(v string) bool { return t.stage.protocol.Compare(t.stage.version, v) >= 0 }

// FlagMode says who decides whether verify asks the database.
func (t *T) FlagMode() protocol.FlagMode { return t.stage.mode }

// Whole is false in a version that is only touched.
func (t *T) Whole() bool { return t.stage.whole }

// Thorough says whether triples of dimension values are wanted.
func (t *T) Thorough() bool { return t.run.options.Thorough }

// CheckID is the id of the check that runs.
func (t *T) CheckID() string { return t.check.ID }

// Seed of the run.
func (t *T) Seed() uint64 { return t.run.seed }

// On are the instances that ask the database at every verify.
func (t *T) On() []Instance { return t.stage.on }

// Off are those that do not; empty when there are none.
func (t *T) Off() []Instance { return t.stage.off }

// OffNamed says whether the caller named the flag-off side himself.
func (t *T) OffNamed() bool {
	return t.stage.mode == protocol.BySetting && t.run.options.Target.Capabilities().NamedOff
}

// Spoken are the versions that the target speaks, oldest first.
func (t *T) Spoken() []string { return t.run.spoken }

// Connect gives the flag-on instances, spoken to in a version over connections of
// their own, which are closed when the check ends.
func (t *T) Connect(version string) ([]Instance, error) {
	cores, err := t.run.options.On.Cores(version)
	if err != nil {
		return nil, fmt.Errorf("speak %s: %w", protocol.Label(t.stage.protocol, version), err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connected = append(t.connected, cores...)
	return t.run.side(cores, true), nil
}

// Observe notes a figure or fact worth keeping.
func (t *T) Observe(key, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.observations == nil {
		t.observations = map[string]string{}
	}
	t.observations[key] = value
}

// Pairs notes which pairs of dimension values were met.
func (t *T) Pairs(p proof.Pairs) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pairs = &p
}

// NewUser gives a user id that nobody has used. None is the beginning of another.
func (t *T) NewUser() string { return t.run.newUser() }

// touchedScale is the share of trials in versions that are only touched.
const touchedScale = 0.05

// Scaled is n trials at the scale that was asked for, at least one; in versions
// that are only touched, a twentieth of them.
func (t *T) Scaled(n int) int {
	scale := t.run.scale
	if !t.stage.whole {
		scale *= touchedScale
	}
	return max(1, int(float64(n)*scale+0.5))
}

// Rand is the source of randomness number i of this check: the same for the same
// seed, whatever else runs. It is not safe for concurrent use.
func (t *T) Rand(i int) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s %s %d", t.check.ID, t.stage.version, i)
	return rand.New(rand.NewPCG(t.run.seed, h.Sum64()))
}

// Trial is one try of a rule.
type Trial struct {
	*T
	// Index counts from 0.
	Index int
	// Rand is this trial's own; not safe for concurrent use.
	Rand *rand.Rand

	recorder *recorder
	twins    twins
	carries  bool // the header
}

// Trials tries a rule n times (scaled), one after the other. A Violation ends its
// trial only, so that the share of broken trials becomes known; any other error
// ends the check. It ends early when none of the first trials held: nothing is
// learned by more.
func (t *T) Trials(ctx context.Context, n int, try func(ctx context.Context, t *Trial) error) error {
	return t.TrialsAtOnce(ctx, t.Scaled(n), 1, try)
}

// TrialsAtOnce is Trials with some trials under way at once, and n as it is.
func (t *T) TrialsAtOnce(ctx context.Context, n, workers int, try func(ctx context.Context, t *Trial) error) error {
	tags := t.tags(n)
	return Each(ctx, n, workers, func(ctx context.Context, i int) error {
		if t.hopeless() {
			return nil
		}
		_, err := t.trial(ctx, i, tags[i], try)
		return err
	})
}

// hopelessTrials in which the rule was broken, and none in which it was not, are
// enough.
const hopelessTrials = 8

func (t *T) hopeless() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.violations) >= hopelessTrials && len(t.violations) >= t.trials
}

// tags says which trials carry the header: one of each two, at random.
func (t *T) tags(n int) []bool {
	r := t.Rand(-1)
	tags := make([]bool, n+1)
	for i := 0; i < n; i += 2 {
		first := r.IntN(2) == 0
		tags[i], tags[i+1] = first, !first
	}
	return tags[:n]
}

// Untagged takes the header away from the trial's requests under ctx, whatever was
// drawn for it. Call it, or Tagged, before the first request.
func (t *Trial) Untagged(ctx context.Context) context.Context {
	t.carries = false
	return protocol.WithTag(ctx, "")
}

// Tagged makes the trial's requests under ctx carry the header.
func (t *Trial) Tagged(ctx context.Context) context.Context {
	t.carries = true
	return protocol.WithTag(ctx, t.tag())
}

func (t *Trial) tag() string { return fmt.Sprintf("%s/%d", t.check.ID, t.Index) }

// trial runs one try; its error ends the check.
func (t *T) trial(ctx context.Context, i int, tag bool, try func(context.Context, *Trial) error) (violated bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	one := &Trial{T: t, Index: i, Rand: t.Rand(i), recorder: &recorder{}}
	ctx = withRecorder(ctx, one.recorder)
	if tag {
		ctx = one.Tagged(ctx)
	}
	err = guarded(func() error { return try(ctx, one) })
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trials++
	tag = one.carries
	if tag {
		t.tagged++
	}
	var v *Violation
	if !errors.As(err, &v) {
		if err == nil {
			t.held++
		}
		return false, err
	}
	t.violate(v, i, tag, one.recorder)
	return true, nil
}

// Violate notes a violation that was found otherwise than by the error of a trial,
// with exchanges that show it.
func (t *T) Violate(v *Violation, trial int, exchanges []protocol.Exchange) {
	r := &recorder{secrets: t.outside.known()}
	for _, e := range exchanges {
		r.record(e)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.violate(v, trial, false, r)
}

// CountTrials sets how many trials there were, for checks that do not use Trials.
func (t *T) CountTrials(n, tagged int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trials, t.tagged = n, tagged
}

// violate notes a violation; t.mu is held.
func (t *T) violate(v *Violation, trial int, tagged bool, r *recorder) {
	out := proof.Violation{
		Trial: trial, Tagged: tagged,
		Expected: proof.ShortenTokens(v.Expected), Got: proof.ShortenTokens(v.Got),
	}
	if tagged {
		t.broken[1]++
	} else {
		t.broken[0]++
	}
	if len(t.violations) < keptViolations {
		t.explain(&out, v, r)
	}
	t.violations = append(t.violations, out)
}

// explain adds what a maintainer needs to see a violation for himself.
func (t *T) explain(out *proof.Violation, v *Violation, r *recorder) {
	exchanges := r.exchanges()
	if v.Exchange != nil && !holds(exchanges, *v.Exchange) {
		// Others came after it in such numbers that it is no longer there.
		exchanges = append(exchanges, *v.Exchange)
	}
	out.Exchanges = replay.Evidence(exchanges)
	switch {
	case v.Exchange != nil:
		out.Replay = r.curl(*v.Exchange)
	case len(exchanges) > 0:
		out.Replay = r.curl(exchanges[len(exchanges)-1])
	}
}

func holds(list []protocol.Exchange, e protocol.Exchange) bool {
	for _, x := range list {
		if x.Sent.Equal(e.Sent) && x.RequestBody == e.RequestBody && x.URL == e.URL {
			return true
		}
	}
	return false
}

// byHeader tells when only trials with, or only those without the header were
// broken; "" otherwise. t.mu is held.
func (t *T) byHeader() string {
	plain, tagged := t.trials-t.tagged, t.tagged
	b := t.broken
	if plain < 2 || tagged < 2 || b[0]+b[1] < 2 || (b[0] == 0) == (b[1] == 0) {
		return ""
	}
	which := "without"
	if b[1] > 0 {
		which = "with"
	}
	return fmt.Sprintf("only trials %s the header %s were broken (%d of %d without, %d of %d with): the core may behave by it",
		which, protocol.TagHeader, b[0], plain, b[1], tagged)
}

// Paced is how long a number of calls takes at the throttle's rate; 0 without one.
func (t *T) Paced(calls int) time.Duration { return t.run.paced(calls) }
