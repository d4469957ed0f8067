package checks

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/covering"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// dimensionChecks: immediacy along every dimension in which a core may differ, see
// docs/dimensions.md.
func dimensionChecks() []Check {
	return []Check{{
		ID:    "BL-70",
		Title: "a revoke is seen at once whatever the session, the asker and the moment",
		Requirement: refusedAtOnce + "however the token came to be, whatever it holds, whoever asks, whatever was read before, " +
			"however long ago the revoke was and whatever else goes on: every pair of these is tried.",
		Source:   specRemove + ", " + specFlag + "; docs/dimensions.md",
		Profiles: []Profile{conformance.Blacklisting},
		Needs:    Needs{Serial: true, Abreast: true},
		Run:      alongDimensions,
	}}
}

// Names of dimensions.
const (
	dimMaker      = "made in version"
	dimOrigin     = "token from"
	dimPayload    = "payload"
	dimKey        = "key"
	dimConnection = "connection"
	dimInstance   = "asked instance"
	dimHeader     = "header"
	dimRead       = "read before"
	dimWait       = "time since the revoke"
	dimSessions   = "sessions of the user"
	dimNeighbour  = "a user with"
	dimLoad       = "load beside"
	dimVerb       = "revoked by"
	dimManner     = "asked as by"
	dimUser       = "user id"
	dimRevoker    = "revoked in version"
	dimAfter      = "after the revoke"
	dimAntiCSRF   = "anti-csrf value"
)

// Values of dimensions.
const (
	originCreate     = "create"
	originRefresh    = "refresh"
	originRefreshes  = "six refreshes"
	originPromotion  = "promotion"
	originRegenerate = "regenerate"
	payloadSmall     = "small"
	payloadBig       = "big"
	keyDynamic       = "dynamic"
	keyStatic        = "static"
	connectionKept   = "kept"
	connectionNew    = "new"
	instanceSame     = "same"
	instanceOther    = "other"
	headerWithout    = "without"
	headerWith       = "with"
	readNothing      = "nothing"
	readVerify       = "verify"
	readGet          = "get"
	readList         = "list"
	readRefresh      = "refresh"
	noNeighbour      = "an unlike id"
	longerID         = "a longer id"
	shorterID        = "a shorter id"
	loadQuiet        = "none"
	loadBusy         = "verifies"
	verbHandle       = "handle"
	verbHandles      = "handles"
	verbUser         = "user"
	mannerUsual      = "coreproof"
	mannerSDK        = string(protocol.MannerSDK)
	mannerProxied    = string(protocol.MannerProxied)
	mannerGateway    = string(protocol.MannerGateway)
	mannerNewer      = string(protocol.MannerNewer)
	mannerOlder      = string(protocol.MannerOlder)
	mannerTenants    = string(protocol.MannerTenants)
	userPlain        = "plain"
	userUUID         = "a UUID"
	userMail         = "an e-mail address"
	userMarks        = "with marks"
	payloadSDK       = "an SDK's claims"
	readUnchecked    = "verify without the check"
	revokerOff       = "any, where the flag is off"
	afterNothing     = "nothing"
	afterLogin       = "the user logs in"
	afterRefresh     = "he refreshes the new session"
	afterLogout      = "he ends the new session"
	antiCSRFWithout  = "none"
	antiCSRFMade     = "made, not asked for"
	antiCSRFAsked    = "asked for"
)

const (
	bigPayload = 12 << 10 // bytes
	busyCalls  = 6        // callers at once
	busyPause  = 2 * time.Millisecond
	caseWorker = 8 // cases under way at once

	sixRefreshes = 6 // of one session, as in an hour of a busy user
)

// waits since a revoke, by their names.
var waits = []struct {
	name string
	long time.Duration
}{{"none", 0}, {"10 ms", 10 * time.Millisecond}, {"1 s", time.Second}}

// sessionCounts of the user.
var sessionCounts = []struct {
	name string
	n    int
}{{"1", 1}, {"3", 3}, {"12", 12}}

// dimensionsOf are those that a core has in the version that is tried.
func dimensionsOf(c *T, may *takenValues) covering.Plan {
	at := c.On()[0]
	var list []covering.Dimension
	add := func(name string, values ...string) {
		if len(values) > 1 {
			list = append(list, covering.Dimension{Name: name, Values: values})
		}
	}
	with := func(v protocol.Verb, values []string, value string) []string {
		if at.Has(v) {
			return append(values, value)
		}
		return values
	}
	add(dimMaker, makers(c)...)
	origins := with(protocol.VerbRefresh, []string{originCreate}, originRefresh)
	origins = with(protocol.VerbRefresh, origins, originRefreshes)
	if slices.ContainsFunc(makers(c), func(v string) bool { return c.Protocol().Compare(v, "5.6") < 0 }) {
		origins = with(protocol.VerbRefresh, origins, originPromotion)
	}
	add(dimOrigin, with(protocol.VerbRegenerate, origins, originRegenerate)...)
	add(dimPayload, with(protocol.VerbPayload, with(protocol.VerbPayload, []string{payloadSmall}, payloadBig), payloadSDK)...)
	add(dimKey, with(protocol.VerbStaticKey, []string{keyDynamic}, keyStatic)...)
	add(dimConnection, connectionKept, connectionNew)
	if len(c.On()) > 1 {
		add(dimInstance, instanceSame, instanceOther)
	}
	add(dimHeader, headerWithout, headerWith)
	reads := with(protocol.VerbGet, []string{readNothing, readVerify}, readGet)
	reads = with(protocol.VerbList, reads, readList)
	if may.off {
		reads = append(reads, readUnchecked)
	}
	add(dimRead, with(protocol.VerbRefresh, reads, readRefresh)...)
	var w, n []string
	for _, x := range waits {
		w = append(w, x.name)
	}
	for _, x := range sessionCounts {
		n = append(n, x.name)
	}
	add(dimWait, w...)
	add(dimSessions, n...)
	if at.Has(protocol.VerbNames) { // else the harness names no user
		add(dimNeighbour, noNeighbour, longerID, shorterID)
	}
	add(dimLoad, loadQuiet, loadBusy)
	add(dimVerb, with(protocol.VerbRevokeUser, with(protocol.VerbSeveral, []string{verbHandle}, verbHandles), verbUser)...)
	revokers := makers(c)
	if may.off {
		revokers = append(revokers, revokerOff)
	}
	add(dimRevoker, revokers...)
	if at.Has(protocol.VerbNames) { // else the harness names no user
		add(dimAfter, with(protocol.VerbRefresh, []string{afterNothing, afterLogin, afterLogout}, afterRefresh)...)
	}
	add(dimAntiCSRF, with(protocol.VerbAntiCSRF, with(protocol.VerbAntiCSRF, []string{antiCSRFWithout}, antiCSRFMade), antiCSRFAsked)...)
	add(dimManner, may.manners...)
	add(dimUser, may.users...)
	p := covering.Plan{Dimensions: list, Strength: 2, Seed: c.Seed()}
	if c.Thorough() {
		p.Strength = 3
	}
	fixed := map[string]string{} // the version that is tried, where there is no other one
	for _, d := range []string{dimMaker, dimRevoker} {
		if !slices.ContainsFunc(list, func(x covering.Dimension) bool { return x.Name == d }) {
			fixed[d] = c.Version()
		}
	}
	p.Allowed = func(row []int) bool {
		v := values(p, row)
		maps.Copy(v, fixed)
		return togetherAllowed(c, v) && may.allowed(v)
	}
	return p
}

// makers are the version that is tried and, of each other generation, the newest
// that the core speaks.
func makers(c *T) []string {
	out := []string{c.Version()}
	p := c.Protocol()
	newest := map[string]string{}
	for _, v := range c.Spoken() {
		newest[p.Generation(v)] = v
	}
	for _, v := range c.Spoken() {
		if newest[p.Generation(v)] == v && p.Generation(v) != p.Generation(c.Version()) {
			out = append(out, v)
		}
	}
	return out
}

// values of a case by dimension; those that are not chosen yet are left out.
func values(p covering.Plan, row []int) map[string]string {
	out := map[string]string{}
	for i, v := range row {
		if v != covering.Unset {
			out[p.Dimensions[i].Name] = p.Dimensions[i].Values[v]
		}
	}
	return out
}

// togetherAllowed says which values go together.
func togetherAllowed(c *T, v map[string]string) bool {
	if v[dimConnection] == connectionKept && v[dimManner] == mannerOlder {
		return false // there each call has a connection of its own
	}
	maker, known := v[dimMaker]
	if !known {
		return true // not chosen yet
	}
	p := c.Protocol()
	switch {
	case v[dimKey] == keyStatic && p.FlagMode(maker) != protocol.ByRequest:
		return false // only there a session may ask for it
	case v[dimOrigin] == originPromotion && p.Compare(maker, "5.6") >= 0:
		return false
	}
	return true
}

func alongDimensions(ctx context.Context, c *T) error {
	makers, err := connectAll(c)
	if err != nil {
		return err
	}
	may, err := taken(ctx, c, makers)
	if err != nil {
		return err
	}
	plan := dimensionsOf(c, may)
	cases := plan.Cases()
	// The quiet ones first: load begins with the first that wants it, and lasts.
	load := slices.IndexFunc(plan.Dimensions, func(d covering.Dimension) bool { return d.Name == dimLoad })
	slices.SortStableFunc(cases, func(a, b []int) int { return a[load] - b[load] })
	quiet := 0
	for _, row := range cases {
		if row[load] == 0 {
			quiet++
		}
	}
	tried, loaded := make([]bool, len(cases)), make([]bool, len(cases))
	defer func() {
		var met [][]int
		for i, row := range cases {
			if tried[i] && !loaded[i] && i >= quiet {
				row = slices.Clone(row)
				row[load] = covering.Unset // it met the rest
			}
			if tried[i] {
				met = append(met, row)
			}
		}
		c.Observe("cases", fraction(len(met), len(cases)))
		wanted, n, missed := plan.Coverage(met)
		for i := range missed {
			missed[i] = c.Label() + ": " + missed[i]
		}
		c.Pairs(proof.Pairs{Strength: plan.Strength, Wanted: wanted, Met: n, Missed: missed[:min(len(missed), 20)], LeftOut: may.leftOut})
	}()
	beside := &loadBeside{}
	run := func(from, to int) error {
		return c.TrialsAtOnce(ctx, to-from, caseWorker, func(ctx context.Context, t *Trial) error {
			i := from + t.Index
			one := &dimensionCase{Trial: t, values: values(plan, cases[i]), makers: makers}
			before := beside.answered.Load()
			err := one.run(ctx)
			tried[i] = err == nil || conformance.IsViolation(err)
			loaded[i] = beside.answered.Load() > before
			return err
		})
	}
	if err := run(0, quiet); err != nil {
		return err
	}
	stop, err := beside.start(ctx, c)
	if err != nil {
		return err
	}
	err = run(quiet, len(cases))
	stop()
	return errors.Join(err, beside.trouble())
}

func connectAll(c *T) (map[string][]Instance, error) {
	out := map[string][]Instance{}
	for _, v := range makers(c) {
		at, err := c.Connect(v)
		if err != nil {
			return nil, err
		}
		out[v] = at
	}
	return out, nil
}

// loadBeside verifies other live sessions all the time. What is not answered OK is no load.
type loadBeside struct {
	answered atomic.Int64 // OK

	mu   sync.Mutex
	last error // of what was not
}

func (l *loadBeside) start(ctx context.Context, c *T) (stop func(), err error) {
	var tokens []string
	for range busyCalls {
		s, err := c.On()[0].Create(ctx, protocol.CreateRequest{UserID: c.NewUser()})
		if err := conformance.Need(s.Reply, err, "create a session for the load beside"); err != nil {
			return nil, err
		}
		tokens = append(tokens, s.Access.Value)
	}
	ctx, cancel := context.WithCancel(conformance.Unrecorded(ctx))
	var done sync.WaitGroup
	for i, token := range tokens {
		at := c.On()[i%len(c.On())]
		done.Go(func() {
			for ctx.Err() == nil {
				v, err := at.Ask(ctx, token)
				if ctx.Err() == nil {
					l.note(conformance.Need(v.Reply, err, "verify a live session as load beside at "+at.Name()))
				}
				_ = conformance.Pause(ctx, busyPause)
			}
		})
	}
	return func() { cancel(); done.Wait() }, nil
}

func (l *loadBeside) note(err error) {
	if err == nil {
		l.answered.Add(1)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = err
}

// trouble is why there was no load at all.
func (l *loadBeside) trouble() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.answered.Load() > 0 {
		return nil
	}
	return l.last
}
