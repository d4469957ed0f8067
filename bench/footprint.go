package bench

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/coreproof/coreproof/bench/population"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// FootprintOptions of the statement and space claims.
type FootprintOptions struct {
	Target launch.Target
	// Versions of the target's protocol, each counted by itself.
	Versions []string
	// Calls per counted operation.
	Calls int
	// Sessions on each side of the space comparison.
	Sessions int
	Seed     uint64
	Progress func(Event)
}

// Footprint counts statements per call by the database's or its driver's own
// counters, and compares schema, rows and bytes of two new databases after the
// same work with the flag on and off. It gives launch.ErrUnsupported where the
// target's database cannot be seen.
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
	if !o.Target.Capabilities().Settings {
		return nil, fmt.Errorf("footprint %s: the cores' settings and database are somebody else's: %w", o.Target.Name(), launch.ErrUnsupported)
	}
	var sides [2]*counted
	for i, flag := range []bool{false, true} {
		s, err := newCounted(ctx, o, flag)
		if s != nil {
			defer func() { _ = s.close(context.WithoutCancel(ctx)) }() // the target's Close tells what is left
		}
		if err != nil {
			return nil, fmt.Errorf("footprint %s, flag %s: %w", o.Target.Name(), flagName(flag), err)
		}
		sides[i] = s
		f.Source = s.db.Source()
	}
	made, err := sessionsOf(ctx, o, sides)
	if err != nil {
		return f, err
	}
	// One side at a time: some servers count for all of their databases together.
	for i, v := range o.Versions {
		for j, s := range sides {
			if err := s.count(ctx, v, made[j][i], f); err != nil {
				return f, fmt.Errorf("footprint %s, version %s, flag %s: %w", o.Target.Name(), v, flagName(s.flag), err)
			}
		}
		o.Progress(Event{Target: o.Target.Name(), Protocol: protocol.Label(o.Target.Protocol(), v), Phase: PhaseFootprint, Done: i + 1, Of: len(o.Versions) + 1})
	}
	space, err := compareSpace(ctx, o, sides)
	if err != nil {
		return f, fmt.Errorf("footprint %s: space: %w", o.Target.Name(), err)
	}
	f.Space = space
	o.Progress(Event{Target: o.Target.Name(), Phase: PhaseFootprint, Done: len(o.Versions) + 1, Of: len(o.Versions) + 1})
	return f, nil
}

// sessionsOf makes the sessions whose calls are counted, of all versions, on both sides
// at once: that is most of the work, and waits for a disk.
func sessionsOf(ctx context.Context, o FootprintOptions, sides [2]*counted) (made [2][][]protocol.Tokens, err error) {
	g, ctx := errgroup.WithContext(ctx)
	for i, s := range sides {
		made[i] = make([][]protocol.Tokens, len(o.Versions))
		g.Go(func() error {
			for j, v := range o.Versions {
				core, err := s.core(v)
				if err == nil {
					made[i][j], err = s.sessions(ctx, core, "footprint-"+v, o.Calls)
				}
				if err != nil {
					return fmt.Errorf("footprint %s, version %s, flag %s: %w", o.Target.Name(), v, flagName(s.flag), err)
				}
			}
			return nil
		})
	}
	return made, g.Wait()
}

// counted is a core on a database of its own.
type counted struct {
	flag   bool
	target launch.Target
	dep    launch.Deployment
	db     meter.Database
}

func newCounted(ctx context.Context, o FootprintOptions, flag bool) (*counted, error) {
	t, err := o.Target.Isolated(ctx, "footprint-"+flagName(flag))
	if err != nil {
		return nil, err
	}
	s := &counted{flag: flag, target: t}
	if s.dep, err = t.Start(ctx, 1, launch.Settings{Flag: flag}); err != nil {
		return s, err
	}
	s.db, err = t.Database(ctx)
	return s, err
}

func (s *counted) close(ctx context.Context) error {
	if s.dep != nil {
		if err := s.dep.Stop(ctx); err != nil {
			return err
		}
	}
	return s.target.Close(ctx)
}

// count makes calls of each kind on sessions and reads the books before and after.
func (s *counted) count(ctx context.Context, version string, sessions []protocol.Tokens, f *proof.Footprint) error {
	core, err := s.core(version)
	if err != nil {
		return err
	}
	label, calls := protocol.Label(s.target.Protocol(), version), len(sessions)
	check := protocol.VerifyRequest{CheckDatabase: s.flag}
	verify := func(token string) error {
		r := check
		r.AccessToken = token
		v, err := core.Verify(ctx, r)
		return protocol.Answered(v.Reply, err)
	}
	// The first calls of a process may load keys and open connections.
	for range 3 {
		if err := verify(sessions[0].Access.Value); err != nil {
			return err
		}
	}
	refreshed := make([]protocol.Tokens, 0, calls/4)
	for _, op := range []struct {
		name  string
		calls int
		verb  protocol.Verb // "" for one that every core has
		do    func(i int) error
	}{
		{proof.OpVerify, calls, "", func(i int) error { return verify(sessions[i].Access.Value) }},
		{"refresh", calls / 4, protocol.VerbRefresh, func(i int) error {
			t, err := core.(protocol.Refresher).Refresh(ctx, protocol.RefreshRequest{RefreshToken: sessions[i].Refresh.Value})
			refreshed = append(refreshed, t)
			return protocol.Answered(t.Reply, err)
		}},
		{"first verify after a refresh", calls / 4, protocol.VerbRefresh, func(i int) error { return verify(refreshed[i].Access.Value) }},
		{"revoke one session", calls / 4, "", func(i int) error {
			r, err := core.Revoke(ctx, sessions[i].Session.Handle)
			return protocol.Answered(r.Reply, err)
		}},
	} {
		if op.verb != "" && !protocol.Has(core, op.verb) {
			continue
		}
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
		row := proof.Statements{Operation: op.name, Protocol: label, Flag: flagName(s.flag), Calls: int64(op.calls), Count: int64(after) - int64(before)}
		if s.flag {
			row.Unpromised = protocol.Without(core, protocol.VerbPromise)
		}
		f.Statements = append(f.Statements, row)
	}
	return nil
}

func (s *counted) core(version string) (protocol.Core, error) {
	cores, err := s.dep.Cores(version)
	if err != nil {
		return nil, err
	}
	return cores[0], nil
}

func (s *counted) sessions(ctx context.Context, core protocol.Core, users string, n int) ([]protocol.Tokens, error) {
	list := make([]protocol.Tokens, 0, n)
	for i := range n {
		t, err := core.Create(ctx, protocol.CreateRequest{UserID: fmt.Sprintf("%s-%d", users, i%20), Payload: population.Payload(i), Data: map[string]any{"cart": []int{i}}})
		if err := protocol.Answered(t.Reply, err); err != nil {
			return nil, fmt.Errorf("create session %d: %w", i, err)
		}
		list = append(list, t)
	}
	return list, nil
}

// compareSpace does the same work on both sides, side by side, and compares what is left.
func compareSpace(ctx context.Context, o FootprintOptions, sides [2]*counted) (*proof.Space, error) {
	version := o.Versions[len(o.Versions)-1]
	// Where nobody knows the session table, that is known before any work.
	if _, err := sides[0].db.SessionRows(ctx); err != nil {
		return nil, err
	}
	var all [2]left
	g, ctx := errgroup.WithContext(ctx)
	for i, s := range sides {
		g.Go(func() (err error) {
			all[i], err = s.work(ctx, version, o.Sessions)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	off, on := all[0], all[1]
	return &proof.Space{
		RowsOff: off.rows, RevokedOff: off.revoked, BytesOff: off.bytes, SchemaOff: off.schema,
		RowsOn: on.rows, RevokedOn: on.revoked, BytesOn: on.bytes, SchemaOn: on.schema,
	}, nil
}

// left is what a database holds after the work: rows before and after the revokes, bytes
// and schema after both.
type left struct {
	rows, revoked, bytes int64
	schema               string
}

// work makes sessions, has each verified, and ends a third of them and those of a user.
func (s *counted) work(ctx context.Context, version string, sessions int) (l left, err error) {
	core, err := s.core(version)
	if err != nil {
		return l, err
	}
	list, err := s.sessions(ctx, core, "space", sessions)
	if err != nil {
		return l, err
	}
	for _, t := range list {
		v, err := core.Verify(ctx, protocol.VerifyRequest{AccessToken: t.Access.Value, CheckDatabase: s.flag})
		if err := protocol.Answered(v.Reply, err); err != nil {
			return l, err
		}
	}
	if l.rows, err = s.db.SessionRows(ctx); err != nil {
		return l, err
	}
	for i := range sessions / 3 {
		r, err := core.Revoke(ctx, list[i].Session.Handle)
		if err := protocol.Answered(r.Reply, err); err != nil {
			return l, err
		}
	}
	if u, ok := core.(protocol.UserRevoker); ok {
		r, err := u.RevokeUser(ctx, "space-19")
		if err := protocol.Answered(r.Reply, err); err != nil {
			return l, err
		}
	}
	if l.revoked, err = s.db.SessionRows(ctx); err != nil {
		return l, err
	}
	if err := s.db.Compact(ctx); err != nil {
		return l, err
	}
	if l.bytes, err = s.db.Bytes(ctx); err != nil {
		return l, err
	}
	l.schema, err = s.db.SchemaHash(ctx)
	return l, err
}

func flagName(flag bool) string {
	if flag {
		return On
	}
	return Off
}
