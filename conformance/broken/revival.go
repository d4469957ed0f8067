package broken

import (
	"context"
	"errors"
	"time"

	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
)

// inFlight is about what a core needs between a read and the write that follows.
const inFlight = time.Millisecond

// revivedBy makes a core that reads a session during a verb, thinks, and writes
// back what it read, whether it is there still or not.
func revivedBy(verb string) serve.Decorate {
	d := below(func(next store.Store, seen *rows) database {
		return database{session: func(ctx context.Context, handle string) (store.Session, error) {
			s, err := next.Session(ctx, handle)
			if err == nil && isDuring(ctx, verb) {
				time.Sleep(inFlight)
				seen.revive(ctx, s)
			}
			return s, err
		}}
	})
	d.Engine = telling()
	return d
}

// rotationRevives makes a core whose rotation is an upsert.
func rotationRevives(verb string) serve.Decorate {
	d := below(func(next store.Store, seen *rows) database {
		return database{rotate: func(ctx context.Context, handle string, r store.Rotation) (bool, error) {
			if !isDuring(ctx, verb) {
				return next.Rotate(ctx, handle, r)
			}
			time.Sleep(inFlight)
			done, err := next.Rotate(ctx, handle, r)
			s, ok := seen.of(handle)
			if _, missing := next.Session(ctx, handle); done || err != nil || !ok || !errors.Is(missing, store.ErrNotFound) {
				return done, err
			}
			s.RefreshHash2, s.PrevRefreshHash2, s.RotatedAt, s.ExpiresAt, s.UseStaticKey = r.RefreshHash2, r.PrevRefreshHash2, r.RotatedAt, r.ExpiresAt, r.UseStaticKey
			seen.revive(ctx, s)
			return true, nil
		}}
	})
	d.Engine = telling()
	return d
}

// upserts makes a core that answers a verb about a session that is over by making
// it again as it was seen last.
func upserts(verb string) serve.Decorate {
	d := below(func(next store.Store, seen *rows) database {
		return database{session: func(ctx context.Context, handle string) (store.Session, error) {
			s, err := next.Session(ctx, handle)
			if !errors.Is(err, store.ErrNotFound) || !isDuring(ctx, verb) {
				return s, err
			}
			if last, ok := seen.of(handle); ok {
				seen.revive(ctx, last)
				return last, nil
			}
			return s, err
		}}
	})
	d.Engine = telling()
	return d
}

// putOff is how long a core puts off a write of the whole row.
const putOff = 300 * time.Millisecond

// flushLater writes a session as it is now once more, whole, in a while: whether it is
// there still or not.
func flushLater(ctx context.Context, next store.Store, seen *rows, handle string) {
	s, err := next.Session(ctx, handle)
	if err != nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	time.AfterFunc(putOff, func() { seen.revive(ctx, s) })
}

// writesBehind is a write that is also put off.
func writesBehind(next store.Store, write write, seen *rows) write {
	return func(ctx context.Context, handle string, value []byte, aliveAt int64) (bool, error) {
		done, err := write(ctx, handle, value, aliveAt)
		if done && err == nil {
			flushLater(ctx, next, seen, handle)
		}
		return done, err
	}
}

type write func(ctx context.Context, handle string, value []byte, aliveAt int64) (bool, error)

// writeUpserts writes also where nothing is, write being one of the two objects.
func writeUpserts(next write, seen *rows) write {
	return func(ctx context.Context, handle string, value []byte, aliveAt int64) (bool, error) {
		done, err := next(ctx, handle, value, aliveAt)
		if s, ok := seen.of(handle); err == nil && !done && ok {
			seen.revive(ctx, s)
			return true, nil
		}
		return done, err
	}
}

// slowWrite reads, thinks, and writes the whole row.
func slowWrite(next store.Store, write write, seen *rows) write {
	return func(ctx context.Context, handle string, value []byte, aliveAt int64) (bool, error) {
		s, err := next.Session(ctx, handle)
		if err != nil {
			return write(ctx, handle, value, aliveAt)
		}
		time.Sleep(inFlight)
		seen.revive(ctx, s)
		return write(ctx, handle, value, aliveAt)
	}
}

// revivalDefects: a session that was revoked comes back.
func revivalDefects() []Defect {
	return []Defect{
		{
			Name: "refresh-survives-revoke", Text: "a refresh token of a revoked session makes the session anew",
			CaughtBy: []string{"BL-20", "BL-21", "BL-50"}, Decorate: upserts("refresh"),
		},
		{
			Name: "regenerate-brings-back", Text: "regenerate makes a revoked session anew",
			CaughtBy: []string{"BL-22", "BL-55"}, Decorate: upserts("regenerate"),
		},
		{
			Name: "payload-write-upserts", Text: "a write of the payload makes a revoked session anew",
			CaughtBy: []string{"BL-25", "BL-52"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{setPayload: writeUpserts(next.SetPayload, seen)}
			}),
		},
		{
			Name: "data-write-upserts", Text: "a write of the data makes a revoked session anew",
			CaughtBy: []string{"BL-26", "BL-53"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{setData: writeUpserts(next.SetData, seen)}
			}),
		},
		{
			Name: "refresh-in-flight-brings-back", Text: "a refresh that read the session before its revoke writes it back after it",
			CaughtBy: []string{"BL-50"}, Decorate: revivedBy("refresh"),
		},
		{
			Name: "promotion-in-flight-brings-back", Text: "verify promotes a refreshed session by an upsert, which brings it back when it was revoked meanwhile",
			CaughtBy: []string{"BL-54"}, Below: "5.6", Decorate: rotationRevives("verify"),
		},
		{
			Name: "rotation-in-flight-brings-back", Text: "refresh rotates by an upsert, which brings the session back when it was revoked meanwhile",
			CaughtBy: []string{"BL-50", "BL-61"}, From: "5.6", Decorate: rotationRevives("refresh"),
		},
		{
			Name: "regenerate-in-flight-brings-back", Text: "a regenerate that read the session before its revoke writes it back after it",
			CaughtBy: []string{"BL-55"}, Decorate: revivedBy("regenerate"),
		},
		{
			Name: "slow-payload-write-brings-back", Text: "a write of the payload reads the session, thinks and writes it whole",
			CaughtBy: []string{"BL-52"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{setPayload: slowWrite(next, next.SetPayload, seen)}
			}),
		},
		{
			Name: "slow-data-write-brings-back", Text: "a write of the data reads the session, thinks and writes it whole",
			CaughtBy: []string{"BL-53"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{setData: slowWrite(next, next.SetData, seen)}
			}),
		},
		{
			Name: "data-write-behind-brings-back", Text: "a write of the data is written once more 300 ms later, with the whole session, which was revoked meanwhile",
			CaughtBy: []string{"BL-71", "BL-73"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{setData: writesBehind(next, next.SetData, seen)}
			}),
		},
		{
			Name: "payload-write-behind-brings-back", Text: "a write of the payload is written once more 300 ms later, with the whole session, which was revoked meanwhile",
			CaughtBy: []string{"BL-71"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{setPayload: writesBehind(next, next.SetPayload, seen)}
			}),
		},
		{
			Name: "rotation-behind-brings-back", Text: "a rotation (refresh, or the promotion by verify) is written once more 300 ms later, with the whole session, which was revoked meanwhile",
			CaughtBy: []string{"BL-71"},
			Decorate: below(func(next store.Store, seen *rows) database {
				return database{rotate: func(ctx context.Context, handle string, r store.Rotation) (bool, error) {
					done, err := next.Rotate(ctx, handle, r)
					if done && err == nil {
						flushLater(ctx, next, seen, handle)
					}
					return done, err
				}}
			}),
		},
	}
}
