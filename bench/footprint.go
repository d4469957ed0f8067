package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/proof"
)

// FootprintOptions of the statement and space claims.
type FootprintOptions struct {
	Target    target.Target
	Protocols []target.Protocol
	// Calls per counted operation.
	Calls int
	// Sessions on each side of the space comparison.
	Sessions int
	Seed     uint64
	Progress func(Event)
}

// spaceTolerance is how much the sizes may differ after compaction.
const spaceTolerance = 0.05

// Footprint counts statements per call by the database's or its driver's own
// books, and compares schema, rows and bytes of two new databases after the
// same work with the flag on and off. Nil when the target's database cannot be
// read.
func Footprint(ctx context.Context, o FootprintOptions) (*proof.Footprint, error) {
	if o.Calls == 0 {
		o.Calls = 200
	}
	if o.Sessions == 0 {
		o.Sessions = 600
	}
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	f := &proof.Footprint{Statements: []proof.Statements{}}
	if o.Target.Fixed() {
		return nil, nil
	}
	var sides [2]*side
	for i, flag := range []bool{false, true} {
		s, err := newSide(ctx, o, flag)
		if s != nil {
			defer func() { _ = s.close(context.WithoutCancel(ctx)) }() // the target's Close tells what is left
		}
		if err != nil {
			return nil, fmt.Errorf("footprint %s, flag %s: %w", o.Target.Name(), setName(flag), err)
		}
		sides[i] = s
		f.Source = s.db.Source()
	}
	for i, p := range o.Protocols {
		for _, s := range sides {
			if err := s.count(ctx, p, o.Calls, f); err != nil {
				return f, fmt.Errorf("footprint %s, CDI %s, flag %s: %w", o.Target.Name(), p, setName(s.flag), err)
			}
		}
		o.Progress(Event{Target: o.Target.Name(), Protocol: p, Phase: "footprint", Done: i + 1, Of: len(o.Protocols) + 1})
	}
	space, err := compareSpace(ctx, o, sides)
	if err != nil {
		return f, fmt.Errorf("footprint %s: space: %w", o.Target.Name(), err)
	}
	f.Space = space
	o.Progress(Event{Target: o.Target.Name(), Phase: "footprint", Done: len(o.Protocols) + 1, Of: len(o.Protocols) + 1})
	return f, nil
}

// side is a core on a database of its own.
type side struct {
	flag   bool
	target target.Target
	dep    target.Deployment
	db     meter.Database
}

func newSide(ctx context.Context, o FootprintOptions, flag bool) (*side, error) {
	t, err := o.Target.Isolated(ctx, "footprint-"+setName(flag))
	if err != nil {
		return nil, err
	}
	s := &side{flag: flag, target: t}
	if s.dep, err = t.Start(ctx, 1, target.Settings{Flag: flag}); err != nil {
		return s, err
	}
	if s.db = t.Database(); s.db == nil {
		return s, errors.New("the database's books cannot be read")
	}
	return s, nil
}

func (s *side) close(ctx context.Context) error {
	if s.dep != nil {
		if err := s.dep.Stop(ctx); err != nil {
			return err
		}
	}
	return s.target.Close(ctx)
}

// count makes calls of each kind and reads the books before and after.
func (s *side) count(ctx context.Context, p target.Protocol, calls int, f *proof.Footprint) error {
	core := s.dep.Clients(p)[0]
	era := string(core.Era())
	sessions, err := s.sessions(ctx, core, "footprint-"+string(p), calls)
	if err != nil {
		return err
	}
	check := adapter.VerifyRequest{CheckDatabase: s.flag}
	want := 0.0
	if s.flag {
		want = 1
	}
	verify := func(token string) error {
		r := check
		r.AccessToken = token
		v, err := core.Verify(ctx, r)
		return answered(v.Reply, err)
	}
	// The first calls of a process may load keys and open connections.
	for range 3 {
		if err := verify(sessions[0].Access.Value); err != nil {
			return err
		}
	}
	refreshed := make([]adapter.Tokens, 0, calls/4)
	for _, op := range []struct {
		name     string
		calls    int
		expected *float64
		do       func(i int) error
	}{
		{"verify", calls, &want, func(i int) error { return verify(sessions[i].Access.Value) }},
		{"refresh", calls / 4, nil, func(i int) error {
			t, err := core.Refresh(ctx, adapter.RefreshRequest{RefreshToken: sessions[i].Refresh.Value})
			refreshed = append(refreshed, t)
			return answered(t.Reply, err)
		}},
		{"first verify after a refresh", calls / 4, nil, func(i int) error { return verify(refreshed[i].Access.Value) }},
		{"revoke one session", calls / 4, nil, func(i int) error {
			r, err := core.Revoke(ctx, sessions[i].Session.Handle)
			return answered(r.Reply, err)
		}},
	} {
		before, err := s.db.Statements(ctx)
		if err != nil {
			return fmt.Errorf("read the statement count: %w", err)
		}
		for i := range op.calls {
			if err := op.do(i); err != nil {
				return fmt.Errorf("%s %d: %w", op.name, i, err)
			}
		}
		after, err := s.db.Statements(ctx)
		if err != nil {
			return fmt.Errorf("read the statement count: %w", err)
		}
		f.Statements = append(f.Statements, proof.Statements{
			Operation: op.name, Era: era, Flag: setName(s.flag), Calls: int64(op.calls), Count: int64(after) - int64(before), Expected: op.expected,
		})
	}
	return nil
}

func (s *side) sessions(ctx context.Context, core adapter.Core, users string, n int) ([]adapter.Tokens, error) {
	list := make([]adapter.Tokens, 0, n)
	for i := range n {
		t, err := core.Create(ctx, adapter.CreateRequest{UserID: fmt.Sprintf("%s-%d", users, i%20), Payload: payload(i), Data: map[string]any{"cart": []int{i}}})
		if err := answered(t.Reply, err); err != nil {
			return nil, fmt.Errorf("create session %d: %w", i, err)
		}
		list = append(list, t)
	}
	return list, nil
}

// answered turns anything but OK into an error.
func answered(r adapter.Reply, err error) error {
	if err == nil && r.Status != adapter.OK {
		err = fmt.Errorf("HTTP %d %s %s", r.HTTPStatus, r.Status, r.Message)
	}
	return err
}

// compareSpace does the same work on both sides and compares what is left.
func compareSpace(ctx context.Context, o FootprintOptions, sides [2]*side) (*proof.Space, error) {
	p := o.Protocols[len(o.Protocols)-1]
	space := &proof.Space{Tolerance: spaceTolerance}
	for _, s := range sides {
		rows, revoked, bytes, schema := &space.RowsOff, &space.RevokedOff, &space.BytesOff, &space.SchemaOff
		if s.flag {
			rows, revoked, bytes, schema = &space.RowsOn, &space.RevokedOn, &space.BytesOn, &space.SchemaOn
		}
		core := s.dep.Clients(p)[0]
		list, err := s.sessions(ctx, core, "space", o.Sessions)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			v, err := core.Verify(ctx, adapter.VerifyRequest{AccessToken: t.Access.Value, CheckDatabase: s.flag})
			if err := answered(v.Reply, err); err != nil {
				return nil, err
			}
		}
		if *rows, err = s.db.SessionRows(ctx); err != nil {
			return nil, err
		}
		for i := range o.Sessions / 3 {
			r, err := core.Revoke(ctx, list[i].Session.Handle)
			if err := answered(r.Reply, err); err != nil {
				return nil, err
			}
		}
		r, err := core.RevokeUser(ctx, "space-19")
		if err := answered(r.Reply, err); err != nil {
			return nil, err
		}
		if *revoked, err = s.db.SessionRows(ctx); err != nil {
			return nil, err
		}
		if err := s.db.Compact(ctx); err != nil {
			return nil, err
		}
		if *bytes, err = s.db.Bytes(ctx); err != nil {
			return nil, err
		}
		if *schema, err = s.db.SchemaHash(ctx); err != nil {
			return nil, err
		}
	}
	judgeSpace(space)
	return space, nil
}

// judgeSpace says whether the flag took no space.
func judgeSpace(s *proof.Space) {
	switch diff := float64(s.BytesOn-s.BytesOff) / float64(max(s.BytesOff, 1)); {
	case s.SchemaOn != s.SchemaOff:
		s.Reason = fmt.Sprintf("the schema differs: %s with the flag on, %s with it off", s.SchemaOn, s.SchemaOff)
	case s.RowsOn != s.RowsOff:
		s.Reason = fmt.Sprintf("%d session rows with the flag on, %d with it off", s.RowsOn, s.RowsOff)
	case s.RowsOff == 0:
		s.Reason = "no session row was seen: the comparison could not have failed"
	case s.RevokedOn != s.RevokedOff:
		s.Reason = fmt.Sprintf("after the same revokes %d session rows with the flag on, %d with it off", s.RevokedOn, s.RevokedOff)
	case s.RevokedOff >= s.RowsOff:
		s.Reason = "the revokes left every row: the comparison could not have failed"
	case diff > s.Tolerance || diff < -s.Tolerance:
		s.Reason = fmt.Sprintf("%d bytes with the flag on, %d with it off: %+.1f %%", s.BytesOn, s.BytesOff, 100*diff)
	default:
		s.Held = true
	}
}
