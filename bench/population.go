package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/target"
)

// creators make sessions at the same time: enough to hide the database's
// commits, few enough not to flood a small core.
const creators = 16

// populate makes the sessions whose tokens the load draws from and hands the
// prepared requests to the generator. clean ends the sessions where the
// database is not ours to throw away.
func (e *era) populate(ctx context.Context) (rows int64, clean func(), err error) {
	d, err := e.Target.Start(ctx, 1, target.Settings{Flag: true})
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, d.Stop(context.WithoutCancel(ctx))) }()
	core := d.Clients(e.protocol)[0]
	e.kind = core.Era()
	users := benchUsers(e.Seed, e.protocol)
	if e.Target.Fixed() {
		clean = func() { e.revokeAll(ctx, core, users) }
	}
	tokens, err := e.create(ctx, core, users)
	if err != nil {
		return 0, clean, err
	}
	if err := e.load(ctx, core, tokens); err != nil {
		return 0, clean, err
	}
	rows = int64(len(tokens))
	if db := e.Target.Database(); db != nil {
		if n, err := db.SessionRows(ctx); err == nil {
			rows = n
		}
		e.idleDB = e.measureIdle(ctx)
	}
	return rows, clean, nil
}

// benchUsers is the prefix of the users of one bench.
func benchUsers(seed uint64, p target.Protocol) string {
	return fmt.Sprintf("coreproof-bench-%x-%s", seed, p)
}

// usersPerPopulation spreads the sessions, so that each can be revoked by user.
const usersPerPopulation = 100

func user(prefix string, i int) string { return fmt.Sprintf("%s-%d", prefix, i%usersPerPopulation) }

func (e *era) create(ctx context.Context, core adapter.Core, users string) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tokens := make([]string, e.Tokens)
	var next atomic.Int64
	var wg sync.WaitGroup
	var pace <-chan time.Time
	if e.RateCap > 0 {
		t := time.NewTicker(time.Duration(float64(time.Second) / e.RateCap))
		defer t.Stop()
		pace = t.C
	}
	for range creators {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(tokens) || ctx.Err() != nil {
					return
				}
				if pace != nil {
					select {
					case <-pace:
					case <-ctx.Done():
						return
					}
				}
				t, err := core.Create(ctx, adapter.CreateRequest{UserID: user(users, i), Payload: payload(i)})
				if err == nil && t.Status != adapter.OK {
					err = fmt.Errorf("HTTP %d %s %s", t.HTTPStatus, t.Status, t.Message)
				}
				if err != nil {
					cancel(fmt.Errorf("create session %d of %d: %w", i+1, len(tokens), err))
					return
				}
				tokens[i] = t.Access.Value
				if i%1000 == 999 {
					e.Progress(Event{Target: e.Target.Name(), Protocol: e.protocol, Phase: "tokens", Done: i + 1, Of: len(tokens)})
				}
			}
		})
	}
	wg.Wait()
	return tokens, context.Cause(ctx)
}

// payload is what an application puts into its tokens: a few roles and a number.
func payload(i int) map[string]any {
	return map[string]any{"role": "user", "n": i, "st-ev": map[string]any{"v": true, "t": 1700000000000 + i}}
}

// revokeAll ends what populate made, by user; what fails is logged.
func (e *era) revokeAll(ctx context.Context, core adapter.Core, users string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	for i := range usersPerPopulation {
		if _, err := core.RevokeUser(ctx, user(users, i)); err != nil {
			e.Log.Warn("could not end the sessions of a bench user", "user", user(users, i), "error", err)
			return
		}
	}
}

// load prepares the requests of both sides and hands them to the generator.
func (e *era) load(ctx context.Context, core adapter.Core, tokens []string) error {
	for _, check := range []bool{false, true} {
		bodies := make([][]byte, len(tokens))
		for i, t := range tokens {
			_, _, _, bodies[i] = core.VerifyHTTP(adapter.VerifyRequest{AccessToken: t, CheckDatabase: check})
		}
		if err := e.gen.Load(ctx, setName(check), bodies); err != nil {
			return err
		}
	}
	return nil
}

// setName is the set of bodies that a side sends: checkDatabase is part of them.
func setName(flag bool) string {
	if flag {
		return "on"
	}
	return "off"
}

const idleFor = 2 * time.Second

// measureIdle reads what the database spends without load, µs per second.
func (e *era) measureIdle(ctx context.Context) float64 {
	p := e.Target.Database().Process()
	if p == nil {
		return 0
	}
	before, err := p.CPU()
	if err != nil {
		return 0
	}
	select {
	case <-time.After(idleFor):
	case <-ctx.Done():
		return 0
	}
	after, err := p.CPU()
	if err != nil {
		return 0
	}
	return float64((after - before).Microseconds()) / idleFor.Seconds()
}
