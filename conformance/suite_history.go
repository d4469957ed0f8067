package conformance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/reports/proof"
)

// historyChecks: many clients at once, everything recorded, judged afterwards.
func historyChecks() []Check {
	return []Check{{
		ID:          "BL-60",
		Title:       "a history of many clients can be explained",
		Requirement: "For each session, some one order of all creates, verifies, refreshes, reads and revokes by 16 clients at all instances explains every answer and respects what came strictly after what.",
		Source:      "DESIGN.md section 4 (linearizability)",
		Profiles:    []Profile{Blacklisting},
		Needs:       Needs{Alone: true},
		Run: func(ctx context.Context, s *Scene) error {
			w := &workload{Scene: s, started: time.Now(), budget: s.scaled(2400)}
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
)

// workload is clients that work on a few common sessions without pause.
type workload struct {
	*Scene
	started time.Time
	budget  int

	mu        sync.Mutex
	open      []*shared
	seen      []seen
	surprises []error // answers that no rule allows
	troubles  []error // no answers
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
	exchange  adapter.Exchange
}

func (w *workload) run(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, historyClients)
	for c := range historyClients {
		wg.Go(func() {
			errs[c] = guarded(func() error { return w.client(ctx, c) })
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return w.judge(ctx)
}

// client makes its share of the operations.
func (w *workload) client(ctx context.Context, c int) error {
	r := w.rand(c)
	for range w.budget / historyClients {
		if err := ctx.Err(); err != nil {
			return err
		}
		ctx := ctx
		if r.IntN(2) == 0 {
			ctx = adapter.WithTag(ctx, fmt.Sprintf("%s/%d", w.check.ID, c))
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
	case dice < 70:
		v, err := at.Ask(ctx, token)
		w.note(c, at, history.Verify, s.handle, v.Reply, err, alive(v.Reply))
	case dice < 80:
		w.refresh(ctx, c, at, s)
	case dice < 92:
		g, err := at.Get(ctx, s.handle)
		w.note(c, at, history.Get, s.handle, g.Reply, err, alive(g.Reply))
	default:
		v, err := at.Revoke(ctx, s.handle)
		result := history.Absent
		switch {
		case v.Status != adapter.OK:
			result = history.Unknown
		case slices.Contains(v.Handles, s.handle):
			result = history.Ended
		}
		w.note(c, at, history.Revoke, s.handle, v.Reply, err, result)
	}
}

// alive tells from an answer whether the session was found alive.
func alive(r adapter.Reply) history.Result {
	switch r.Status {
	case adapter.OK:
		return history.OK
	case adapter.Unauthorised, adapter.TryRefreshToken:
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
	got, err := at.Create(ctx, adapter.CreateRequest{UserID: user})
	if err != nil || got.Status != adapter.OK {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.troubles = append(w.troubles, need(got.Reply, err, "create a session at "+at.Name()))
		return
	}
	w.note(c, at, history.Create, got.Session.Handle, got.Reply, nil, history.OK)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, &shared{
		user: user, handle: got.Session.Handle, refresh: got.Refresh.Value, access: []string{got.Access.Value},
	})
}

// refresh refreshes a session that was not refreshed yet, and reads it otherwise:
// a second refresh with the same token may rightly be taken for theft.
func (w *workload) refresh(ctx context.Context, c int, at Instance, s *shared) {
	w.mu.Lock()
	first := !s.refreshed
	s.refreshed = true
	w.mu.Unlock()
	if !first {
		l, err := at.List(ctx, s.user)
		result := history.Unknown
		if l.Status == adapter.OK {
			result = history.Refused
			if slices.Contains(l.Handles, s.handle) {
				result = history.OK
			}
		}
		w.note(c, at, history.Get, s.handle, l.Reply, err, result)
		return
	}
	got, err := at.Refresh(ctx, adapter.RefreshRequest{RefreshToken: s.refresh})
	w.note(c, at, history.Refresh, s.handle, got.Reply, err, alive(got.Reply))
	if err == nil && got.Status == adapter.OK {
		w.mu.Lock()
		defer w.mu.Unlock()
		s.access = append(s.access, got.Access.Value)
	}
}

// note records an operation. Without an answer its result is unknown, whatever
// was made of it.
func (w *workload) note(c int, at Instance, kind history.Kind, handle string, r adapter.Reply, err error, result history.Result) {
	o := history.Operation{
		Client: c, Instance: at.Name(), Kind: kind, Handle: handle,
		Call: r.Invoked.Sub(w.started), Return: r.Returned.Sub(w.started), Result: result,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		o.Result, o.Note = history.Unknown, "no answer"
		w.troubles = append(w.troubles, trouble(fmt.Sprintf("%s at %s", kind, at.Name()), err))
	case result == history.Unknown:
		o.Note = describe(r)
		w.surprises = append(w.surprises, violated(r, fmt.Sprintf("%s among many clients at %s: OK or UNAUTHORISED", kind, at.Name()), describe(r)))
	case r.Status != adapter.OK && r.Status != adapter.Unauthorised:
		o.Note = describe(r)
	}
	w.seen = append(w.seen, seen{o, r.Exchange})
}

// judge saves the history, has it judged, and says what is wrong with it.
func (w *workload) judge(ctx context.Context) error {
	h := &history.History{
		Check: w.check.ID, Era: string(w.Era()), Protocol: w.stage.name(), Seed: w.Scene.run.seed,
		Started: w.started, Clients: historyClients,
	}
	for _, s := range w.seen {
		h.Operations = append(h.Operations, s.operation)
	}
	h.Sort()
	entry := proof.History{
		Check: h.Check, Era: h.Era, Operations: len(h.Operations), Sessions: h.Sessions(), Clients: h.Clients,
	}
	dir := w.Scene.run.options.HistoryDir
	name := fmt.Sprintf("%s-%s", w.check.ID, w.Protocol())
	if dir != "" {
		entry.File = name + ".jsonl"
		if err := history.Save(filepath.Join(dir, entry.File), h); err != nil {
			return err
		}
	}
	verdict, err := history.Recheck(ctx, h)
	if err != nil {
		return err
	}
	entry.Result, entry.Took = verdict.Result, verdict.Took
	counts := history.Count(h)
	w.Scene.mu.Lock()
	w.histories = append(w.histories, entry)
	w.immediacy.Trials += counts.After
	w.immediacy.Accepted += counts.AfterOK
	w.immediacy.AcceptanceWindow = max(w.immediacy.AcceptanceWindow, counts.Window)
	w.immediacy.ConcurrentTrials += counts.During
	w.immediacy.ConcurrentAccepted += counts.DuringOK
	w.trials = verdict.Sessions
	w.violations = len(verdict.Broken)
	w.Scene.mu.Unlock()
	w.Observe("verifiesDuringARevokeAccepted", fraction(counts.DuringOK, counts.During))

	switch {
	case len(verdict.Broken) > 0:
		return w.broken(h, verdict, counts, dir, name)
	case len(w.surprises) > 0:
		return w.surprises[0]
	case len(w.troubles) > 0:
		return fmt.Errorf("%d operations were not answered, the first: %w", len(w.troubles), w.troubles[0])
	case len(verdict.Undecided) > 0:
		return fmt.Errorf("%d of %d sessions took too long to judge", len(verdict.Undecided), verdict.Sessions)
	case counts.After == 0:
		return vacuousf("no verify was invoked after a revoke's response: nothing could be seen")
	}
	return nil
}

// broken draws the first broken session and makes its exchanges the evidence.
func (w *workload) broken(h *history.History, v history.Verdict, counts history.Counts, dir, name string) error {
	handle := v.Broken[0]
	got := fmt.Sprintf("%d of %d sessions cannot be explained, e.g. %s", len(v.Broken), v.Sessions, handle)
	if counts.AfterOK > 0 {
		got += fmt.Sprintf("; %d of %d verifies invoked after a revoke's response succeeded, the latest %s ms after it",
			counts.AfterOK, counts.After, millis(counts.Window))
	}
	if dir != "" {
		picture := fmt.Sprintf("%s-%s.html", name, handle)
		if err := history.Draw(filepath.Join(dir, picture), h, handle); err != nil {
			w.Observe("picture", "could not be drawn: "+err.Error())
		} else {
			w.Observe("picture", picture)
		}
	}
	violation := &Violation{Expected: "an order that explains all answers about each session", Got: got}
	var exchanges []adapter.Exchange
	over := false
	ofHandle := slices.DeleteFunc(slices.Clone(w.seen), func(s seen) bool { return s.operation.Handle != handle })
	slices.SortFunc(ofHandle, func(a, b seen) int { return int(a.operation.Call - b.operation.Call) })
	for i := range ofHandle {
		o := &ofHandle[i].operation
		exchanges = append(exchanges, ofHandle[i].exchange)
		over = over || o.Kind == history.Revoke && o.Result != history.Unknown
		if over && o.Result == history.OK {
			violation.Exchange = &ofHandle[i].exchange
			break // the story is told: it came back, or never went
		}
	}
	w.Scene.mu.Lock()
	defer w.Scene.mu.Unlock()
	w.first = &finding{violation: violation, exchanges: exchanges[max(0, len(exchanges)-keptExchanges):]}
	return nil
}
