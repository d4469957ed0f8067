package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/coreproof/coreproof/bench/population"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// populate makes the sessions of a target whose tokens the load draws from and hands
// the prepared requests to the generator. clean ends the sessions where the
// database is not ours to throw away.
func (m *measurement) populate(ctx context.Context, t launch.Target) (clean func(), err error) {
	var variants []Variant
	for _, v := range m.Variants {
		if m.target(v) == t {
			variants = append(variants, v)
		}
	}
	clean, same, err := m.populateFrom(ctx, t, launch.Settings{Flag: true}, variants)
	if err != nil || same {
		return clean, err
	}
	for _, v := range variants {
		// Their tokens are of another kind.
		if v.Settings.Flag {
			continue
		}
		if _, _, err := m.populateFrom(ctx, t, v.Settings, []Variant{v}); err != nil {
			return clean, err
		}
	}
	return clean, nil
}

// populateFrom makes the sessions of some variants at a core with settings of its own.
// same is false where the variants that such a core could not serve were left out.
func (m *measurement) populateFrom(ctx context.Context, t launch.Target, set launch.Settings, variants []Variant) (clean func(), same bool, err error) {
	d, err := t.Start(ctx, 1, set)
	if err != nil {
		return nil, false, err
	}
	stop := func() error { return d.Stop(context.WithoutCancel(ctx)) }
	cores, err := d.Cores(m.version)
	if err != nil {
		_ = stop() // the first error tells more
		return nil, false, err
	}
	core := cores[0]
	if !m.can.Throwaway {
		clean = func() { m.tidy(ctx, core) }
	}
	if same = protocol.Has(core, protocol.VerbSameTokens); !same {
		variants = slices.DeleteFunc(slices.Clone(variants), func(v Variant) bool { return v.Settings.Flag != set.Flag })
	}
	err = m.offerTokens(ctx, core, variants)
	if err == nil && !m.filled {
		err = m.fill(ctx, t)
	}
	if m.can.Settings { // cores of somebody else stay, for tidying up
		if stopErr := stop(); err == nil {
			err = stopErr
		}
	}
	return clean, same, err
}

// offerTokens makes sessions at a core and hands the requests with their tokens to the
// generator, for some variants.
func (m *measurement) offerTokens(ctx context.Context, core protocol.Core, variants []Variant) error {
	began := time.Now()
	tokens, until, err := m.population(core).Make(ctx, m.Tokens, func(sofar int) {
		if sofar%1000 == 0 {
			m.tell(PhaseTokens, sofar, m.Tokens)
		}
	})
	if err != nil {
		return err
	}
	m.expire(began, until)
	for _, v := range variants {
		bodies := make([][]byte, len(tokens))
		for i, token := range tokens {
			method, _, _, body := core.VerifyHTTP(protocol.VerifyRequest{AccessToken: token, CheckDatabase: v.CheckDatabase})
			if method == "" {
				return fmt.Errorf("variant %s: %w", v.Name, ErrNoLoad)
			}
			bodies[i] = body
		}
		if err := m.gen.Load(ctx, v.Name, bodies); err != nil {
			return err
		}
	}
	return nil
}

// fill makes up session rows, where they are asked for, and looks at the database.
func (m *measurement) fill(ctx context.Context, t launch.Target) error {
	db, err := t.Database(ctx)
	switch {
	case m.Rows > 0 && err != nil:
		return fmt.Errorf("fill up to %d session rows: %w", m.Rows, err)
	case m.Rows > 0 && !m.can.Throwaway:
		return fmt.Errorf("fill up to %d session rows: the database is somebody else's: %w", m.Rows, launch.ErrUnsupported)
	case m.Rows > 0:
		m.tell(PhaseRows, 0, int(m.Rows))
		if err := db.Fill(ctx, m.Rows); err != nil {
			return err
		}
	case err != nil:
		return nil // nobody can see it: the proof then says so
	}
	if n, err := db.SessionRows(ctx); err == nil {
		m.res.Design.Rows = &n
	}
	return nil
}

// users is the prefix of the users of this measurement, and of no other: to tidy up must
// not end the sessions of one beside it, whatever its seed.
func (m *measurement) users() string { return "coreproof-bench-" + m.crowd + "-" + m.version }

// usersPerPopulation spreads the sessions, so that each can be revoked by user.
const usersPerPopulation = 100

func (m *measurement) population(core protocol.Core) population.Population {
	return population.Population{Core: core, Prefix: m.users(), Users: usersPerPopulation}
}

// tidyWithin bounds the tidying up of one version.
const tidyWithin = 2 * time.Minute

// tidy ends what populate and control made, by user, and notes what it cannot end.
func (m *measurement) tidy(ctx context.Context, core protocol.Core) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyWithin)
	defer cancel()
	reasons, ok := m.population(core).End(ctx)
	if !ok {
		m.leave(-1, "the protocol cannot end all sessions of a user")
		return
	}
	for reason, n := range reasons {
		m.leave(n*m.Tokens/usersPerPopulation, reason)
	}
}

// leave notes what stays on the cores.
func (m *measurement) leave(sessions int, reason string) {
	if m.left == nil {
		m.left = &proof.LeftBehind{Reason: reason}
	}
	if pattern := m.population(nil).Pattern(); !slices.Contains(m.left.Users, pattern) {
		m.left.Users = append(m.left.Users, pattern)
	}
	if sessions < 0 || m.left.Sessions < 0 {
		m.left.Sessions = -1
		return
	}
	m.left.Sessions += sessions
}
