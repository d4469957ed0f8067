package checks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/internal/protocol"
)

// historyChecks: many clients at once, everything recorded, judged afterwards.
func historyChecks() []Check {
	return []Check{{
		ID:          "BL-60",
		Title:       "a history of many clients can be explained",
		Requirement: "For each session, some one order of all creates, verifies, refreshes, reads and revokes by 16 clients at all instances explains every answer and respects what came strictly after what.",
		Source:      specRaces + " (linearizability)",
		Profiles:    []Profile{conformance.Blacklisting},
		Needs:       Needs{Serial: true, Abreast: true},
		Run: func(ctx context.Context, c *T) error {
			w := &workload{T: c, started: time.Now(), budget: c.Scaled(960)}
			return w.run(ctx)
		},
	}}
}

const (
	historyClients = 16
	// openSessions at a time, so few that clients meet at them.
	openSessions = 8
	// sessionOperations that begin after which a session is left alone: the judge's
	// memory grows with the square of a session's length.
	sessionOperations = 30
	// keptOfStory exchanges about a broken session are kept.
	keptOfStory = 12
)

// workload is clients that work on a few common sessions without pause.
type workload struct {
	*T
	started time.Time
	budget  int

	mu        sync.Mutex
	open      []*shared
	seen      []seen
	surprises []*conformance.Violation // answers that no rule allows
	troubles  []error                  // no answers
}

// shared is a session that several clients use.
type shared struct {
	user, handle string
	refresh      string
	access       []string
	refreshed    bool
	begun        int
}

// seen is one operation with its exchange.
type seen struct {
	operation history.Operation
	exchange  protocol.Exchange
}

func (w *workload) run(ctx context.Context) error {
	if err := conformance.Each(ctx, historyClients, historyClients, w.client); err != nil {
		return err
	}
	return w.judge(ctx)
}

// client makes its share of the operations.
func (w *workload) client(ctx context.Context, c int) error {
	r := w.Rand(c)
	for range w.budget / historyClients {
		if err := ctx.Err(); err != nil {
			return err
		}
		ctx := ctx
		if r.IntN(2) == 0 {
			ctx = protocol.WithTag(ctx, fmt.Sprintf("%s/%d", w.CheckID(), c))
		}
		w.step(ctx, c, r)
	}
	return nil
}

// step makes one operation.
func (w *workload) step(ctx context.Context, c int, r *rand.Rand) {
	at := w.On()[r.IntN(len(w.On()))]
	s, token := w.pick(r)
	if s == nil {
		w.create(ctx, c, at)
		return
	}
	switch dice := r.IntN(100); {
	case dice >= 92:
		w.revoke(ctx, c, at, s)
	case dice >= 80 && at.Has(protocol.VerbGet):
		g, err := at.Get(ctx, s.handle)
		w.note(c, at, history.Get, s.handle, g.Reply, err, aliveResult(g.Reply))
	case dice >= 70 && at.Has(protocol.VerbRefresh) && at.Has(protocol.VerbOutlive):
		// Where a refresh may end the token before it, a refusal would say nothing of the session.
		w.refresh(ctx, c, at, s)
	default:
		v, err := at.Ask(ctx, token)
		w.note(c, at, history.Verify, s.handle, v.Reply, err, aliveResult(v.Reply))
	}
}

func (w *workload) revoke(ctx context.Context, c int, at Instance, s *shared) {
	v, err := at.Revoke(ctx, s.handle)
	result := history.Absent
	switch {
	case v.Status != protocol.OK:
		result = history.Unknown
	case !at.Has(protocol.VerbReport):
		result = history.Done
	case slices.Contains(v.Handles, s.handle):
		result = history.Ended
	}
	w.note(c, at, history.Revoke, s.handle, v.Reply, err, result)
}

// aliveResult tells from an answer whether the session was found alive.
func aliveResult(r protocol.Reply) history.Result {
	switch r.Status {
	case protocol.OK:
		return history.OK
	case protocol.Unauthorised, protocol.TryRefreshToken:
		return history.Refused
	default:
		return history.Unknown
	}
}

// pick gives an open session and one of its tokens; nil when another session
// should be made.
func (w *workload) pick(r *rand.Rand) (*shared, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.open) < openSessions {
		return nil, ""
	}
	i := r.IntN(len(w.open))
	s := w.open[i]
	if s.begun++; s.begun >= sessionOperations {
		w.open = slices.Delete(w.open, i, i+1)
	}
	return s, s.access[r.IntN(len(s.access))]
}

func (w *workload) create(ctx context.Context, c int, at Instance) {
	user := w.NewUser()
	got, err := at.Create(ctx, protocol.CreateRequest{UserID: user})
	if err != nil || got.Status != protocol.OK {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.troubles = append(w.troubles, conformance.Need(got.Reply, err, "create a session at "+at.Name()))
		return
	}
	w.note(c, at, history.Create, got.Session.Handle, got.Reply, nil, history.OK)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, &shared{
		user: user, handle: got.Session.Handle, refresh: got.Refresh.Value, access: []string{got.Access.Value},
	})
}

// refresh refreshes a session that was not refreshed yet, and lists it otherwise:
// a second refresh with the same token may rightly be taken for theft.
func (w *workload) refresh(ctx context.Context, c int, at Instance, s *shared) {
	w.mu.Lock()
	first := !s.refreshed
	s.refreshed = true
	w.mu.Unlock()
	if !first {
		w.list(ctx, c, at, s)
		return
	}
	got, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: s.refresh})
	w.note(c, at, history.Refresh, s.handle, got.Reply, err, aliveResult(got.Reply))
	if err == nil && got.Status == protocol.OK {
		w.mu.Lock()
		defer w.mu.Unlock()
		s.access = append(s.access, got.Access.Value)
	}
}

func (w *workload) list(ctx context.Context, c int, at Instance, s *shared) {
	if !at.Has(protocol.VerbList) {
		return
	}
	l, err := at.List(ctx, s.user)
	result := history.Unknown
	if l.Status == protocol.OK {
		result = history.Refused
		if slices.Contains(l.Handles, s.handle) {
			result = history.OK
		}
	}
	w.note(c, at, history.Get, s.handle, l.Reply, err, result)
}

// note records an operation. Without an answer its result is unknown, whatever
// was made of it.
func (w *workload) note(c int, at Instance, kind history.Kind, handle string, r protocol.Reply, err error, result history.Result) {
	o := history.Operation{
		Client: c, Instance: at.Name(), Kind: kind, Handle: handle,
		Call: r.Invoked.Sub(w.started), Return: r.Returned.Sub(w.started), Result: result,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		w.troubles = append(w.troubles, conformance.HarnessError(fmt.Sprintf("%s at %s", kind, at.Name()), err))
		if r.Invoked.IsZero() {
			return // it was never sent
		}
		o.Result, o.Note = history.Unknown, "no answer"
	case result == history.Unknown:
		o.Note = conformance.Describe(r)
		w.surprises = append(w.surprises, &conformance.Violation{
			Expected: fmt.Sprintf("%s among many clients at %s: OK or UNAUTHORISED", kind, at.Name()),
			Got:      conformance.Describe(r), Exchange: &r.Exchange,
		})
	case r.Status != protocol.OK && r.Status != protocol.Unauthorised:
		o.Note = conformance.Describe(r)
	}
	w.seen = append(w.seen, seen{o, r.Exchange})
}

// judge has the history saved and judged, and says what is wrong with it.
func (w *workload) judge(ctx context.Context) error {
	h := &history.History{
		Check: w.CheckID(), FlagMode: string(w.FlagMode()), Protocol: w.Label(), Seed: w.Seed(),
		Started: w.started, Clients: historyClients,
	}
	for _, s := range w.seen {
		h.Operations = append(h.Operations, s.operation)
	}
	verdict, counts, err := w.Judge(ctx, h)
	if err != nil {
		return err
	}
	w.CountTrials(verdict.Sessions, 0)
	w.Observe("verifiesDuringARevokeAccepted", fraction(counts.DuringOK, counts.During))
	w.broken(h, verdict, counts)
	for _, s := range w.surprises {
		w.Violate(s, -1, nil)
	}
	switch {
	case len(verdict.Broken) > 0 || len(w.surprises) > 0:
		return nil
	case len(w.troubles) > 0:
		return fmt.Errorf("%d operations were not answered, the first: %w", len(w.troubles), w.troubles[0])
	case len(verdict.Undecided) > 0:
		return fmt.Errorf("%d of %d sessions took too long to judge", len(verdict.Undecided), verdict.Sessions)
	case counts.After == 0:
		return conformance.CouldNotFailf("no verify was invoked after a revoke's response: nothing could be seen")
	}
	return nil
}

// broken notes each session that cannot be explained, draws the first of them and
// makes its exchanges the evidence.
func (w *workload) broken(h *history.History, v history.Verdict, counts history.Counts) {
	for i, handle := range v.Broken {
		got := fmt.Sprintf("the answers about %s cannot be explained", handle)
		if i == 0 && counts.AfterOK > 0 {
			got += fmt.Sprintf("; in all, %d of %d verifies invoked after a revoke's response succeeded, the latest %s ms after it",
				counts.AfterOK, counts.After, conformance.Millis(counts.Window))
		}
		violation := &conformance.Violation{Expected: "an order that explains all answers about each session", Got: got}
		var story []protocol.Exchange
		if i == 0 {
			story = w.story(handle, violation)
			switch picture, err := w.Draw(h, handle); {
			case err != nil:
				w.Observe("picture", "could not be drawn: "+err.Error())
			case picture != "":
				w.Observe("picture", picture)
			}
		}
		w.Violate(violation, i, story)
	}
}

// story is the exchanges about a session until it came back, or never went.
func (w *workload) story(handle string, violation *conformance.Violation) []protocol.Exchange {
	var exchanges []protocol.Exchange
	over := false
	ofHandle := slices.DeleteFunc(slices.Clone(w.seen), func(s seen) bool { return s.operation.Handle != handle })
	slices.SortFunc(ofHandle, func(a, b seen) int { return int(a.operation.Call - b.operation.Call) })
	for i := range ofHandle {
		o := &ofHandle[i].operation
		exchanges = append(exchanges, ofHandle[i].exchange)
		over = over || o.Kind == history.Revoke && o.Result != history.Unknown
		if over && o.Result == history.OK {
			violation.Exchange = &ofHandle[i].exchange
			break
		}
	}
	return exchanges[max(0, len(exchanges)-keptOfStory):]
}
