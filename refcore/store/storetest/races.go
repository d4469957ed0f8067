package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/coreproof/coreproof/refcore/store"
)

// deletesAtOnce: a read that starts after a delete was acknowledged does not
// find the row, at whichever store, while others keep both busy.
func deletesAtOnce(f *fixture) {
	stores := []store.Store{f.open(), f.open()}
	ctx := f.Context()
	const callers, rounds = 4, 25
	errs := at(callers, func(caller int) error {
		for round := range rounds {
			a, b := stores[(caller+round)%2], stores[(caller+round+1)%2]
			x := session(fmt.Sprint("user ", caller))
			if err := a.CreateSession(ctx, x); err != nil {
				return err
			}
			if _, err := b.Liveness(ctx, x.Handle); err != nil {
				return fmt.Errorf("liveness at the other store after create: %w", err)
			}
			if round%2 == 0 {
				if gone, err := a.Delete(ctx, []string{x.Handle}); err != nil || len(gone) != 1 {
					return fmt.Errorf("delete: got %q, %w", gone, err)
				}
			} else if gone, err := a.DeleteByUser(ctx, x.UserID, now); err != nil || len(gone) != 1 {
				return fmt.Errorf("delete by user: got %q, %w", gone, err)
			}
			if _, err := b.Liveness(ctx, x.Handle); !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("liveness at the other store after delete: got %v, want ErrNotFound", err)
			}
			if ok, err := b.SetData(ctx, x.Handle, x.Data, now); ok || err != nil {
				return fmt.Errorf("set data at the other store after delete: got %v, %v, want false", ok, err)
			}
		}
		return nil
	})
	for _, err := range errs {
		if err != nil {
			f.Error(err)
		}
	}
}

// staysDeleted: two hundred writes at two stores against one delete.
func staysDeleted(f *fixture) {
	stores := []store.Store{f.open(), f.open()}
	ctx := f.Context()
	const rounds, writers = 3, 200
	for round := range rounds {
		x := f.create(stores[0], session("user"))
		var deleted atomic.Bool
		var before, after atomic.Int64
		errs := at(writers+1, func(i int) error {
			s := stores[i%2]
			if i == writers/2 {
				var gone []string
				var err error
				switch round % 3 {
				case 0:
					gone, err = s.Delete(ctx, []string{x.Handle})
				case 1:
					gone, err = s.Delete(ctx, []string{x.Handle, handle()})
				case 2:
					gone, err = s.DeleteByUser(ctx, "user", now)
				}
				deleted.Store(true)
				if err != nil || !slices.Equal(gone, []string{x.Handle}) {
					return fmt.Errorf("delete: got %q, %w, want the session", gone, err)
				}
				return nil
			}
			late := deleted.Load()
			var ok bool
			var err error
			switch i % 3 {
			case 0:
				ok, err = s.Rotate(ctx, x.Handle, store.Rotation{
					Expect: x.RefreshHash2, RefreshHash2: x.RefreshHash2, RotatedAt: int64(i), ExpiresAt: x.ExpiresAt + int64(i),
				})
			case 1:
				ok, err = s.SetData(ctx, x.Handle, fmt.Appendf(nil, `{"n":%d}`, i), now)
			case 2:
				ok, err = s.SetPayload(ctx, x.Handle, fmt.Appendf(nil, `{"n":%d}`, i), now)
			}
			if err != nil {
				return fmt.Errorf("write %d: %w", i, err)
			}
			if ok && late {
				return fmt.Errorf("write %d started after the delete's answer and found the row", i)
			}
			if ok {
				before.Add(1)
			} else {
				after.Add(1)
			}
			return nil
		})
		if err := errors.Join(errs...); err != nil {
			f.Errorf("round %d: %v", round, err)
		}
		for _, s := range stores {
			if _, err := s.Session(ctx, x.Handle); !errors.Is(err, store.ErrNotFound) {
				f.Errorf("round %d: after the delete: got %v, want ErrNotFound", round, err)
			}
			f.wantSet("handles after the delete", ask(s.Handles(ctx, "user", 0)).or(f), nil)
		}
		f.Logf("round %d: %d writes before the delete, %d after", round, before.Load(), after.Load())
	}
}

// writesBeside: rotations, and updates of data and payload, at two stores do not
// undo each other, and none is told that the session is gone.
func writesBeside(f *fixture) {
	stores := []store.Store{f.open(), f.open()}
	ctx := f.Context()
	x := f.create(stores[0], session("user"))
	const writes = 40
	name := func(i int) string { return hash(fmt.Sprint("rotation", i)) }
	value := func(of string, i int) []byte { return fmt.Appendf(nil, `{"%s":%d}`, of, i) }
	errs := at(3, func(kind int) error {
		for i := range writes {
			s := stores[(i+kind)%2]
			var ok bool
			var err error
			switch kind {
			case 0:
				r := store.Rotation{Expect: name(i - 1), RefreshHash2: name(i), RotatedAt: int64(i), ExpiresAt: x.ExpiresAt + int64(i)}
				if i == 0 {
					r.Expect = x.RefreshHash2
				}
				ok, err = s.Rotate(ctx, x.Handle, r)
			case 1:
				ok, err = s.SetData(ctx, x.Handle, value("data", i), now)
			case 2:
				ok, err = s.SetPayload(ctx, x.Handle, value("payload", i), now)
			}
			if !ok || err != nil {
				return fmt.Errorf("write %d of kind %d: got %v, %v", i, kind, ok, err)
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		f.Fatal(err)
	}
	got := ask(stores[0].Session(ctx, x.Handle)).or(f)
	if got.RefreshHash2 != name(writes-1) || got.ExpiresAt != x.ExpiresAt+writes-1 ||
		string(got.Data) != string(value("data", writes-1)) || string(got.Payload) != string(value("payload", writes-1)) {
		f.Errorf("after the last of each: got %+v", got)
	}
}

// deletesOnce: of many callers that delete one session exactly one is told that
// it did, whichever way they ask.
func deletesOnce(f *fixture) {
	stores := []store.Store{f.open(), f.open()}
	ctx := f.Context()
	const rounds, callers = 5, 16
	for round := range rounds {
		user := fmt.Sprint("user ", round)
		x := f.create(stores[0], session(user))
		results := at(callers, func(i int) answer[[]string] {
			s := stores[i%2]
			switch i / 2 % 3 {
			case 0:
				return ask(s.Delete(ctx, []string{x.Handle}))
			case 1:
				return ask(s.Delete(ctx, []string{handle(), x.Handle, x.Handle}))
			default:
				return ask(s.DeleteByUser(ctx, user, now))
			}
		})
		var all []string
		for i, r := range results {
			if r.err != nil {
				f.Fatalf("round %d, caller %d: %v", round, i, r.err)
			}
			all = append(all, r.value...)
		}
		f.wantSet(fmt.Sprintf("round %d: what %d callers deleted", round, callers), all, []string{x.Handle})
	}
}

// deletesOverlapping: callers that delete the same sessions in different orders,
// of which databases that lock row by row make deadlocks, beside rotations.
func deletesOverlapping(f *fixture) {
	stores := []store.Store{f.open(), f.open()}
	ctx := f.Context()
	const rounds, callers, sessions = 3, 10, 40
	for round := range rounds {
		user := fmt.Sprint("user ", round)
		handles := f.createMany(stores[0], sessions, user)
		results := at(callers, func(i int) answer[[]string] {
			s := stores[i%2]
			switch {
			case i < 6:
				mine := slices.Clone(handles)
				rand.Shuffle(len(mine), func(a, b int) { mine[a], mine[b] = mine[b], mine[a] })
				return ask(s.Delete(ctx, mine))
			case i < 8:
				for _, h := range handles {
					if _, err := s.Rotate(ctx, h, store.Rotation{
						Expect: hash("first"), RefreshHash2: hash("first"), RotatedAt: int64(i), ExpiresAt: now + 1,
					}); err != nil {
						return ask([]string(nil), fmt.Errorf("rotate: %w", err))
					}
				}
				return answer[[]string]{}
			default:
				return ask(s.DeleteByUser(ctx, user, now))
			}
		})
		var all []string
		for i, r := range results {
			if r.err != nil {
				f.Fatalf("round %d, caller %d: %v", round, i, r.err)
			}
			all = append(all, r.value...)
		}
		f.wantSet(fmt.Sprintf("round %d: what all callers deleted", round), all, handles)
		f.wantSet("what is left", ask(stores[0].Handles(ctx, user, 0)).or(f), nil)
	}
}

func rotatesOnce(f *fixture) {
	stores := []store.Store{f.open(), f.open()}
	ctx := f.Context()
	const rounds, callers = 5, 20
	for round := range rounds {
		x := f.create(stores[0], session("user"))
		won := at(callers, func(i int) answer[bool] {
			return ask(stores[i%2].Rotate(ctx, x.Handle, store.Rotation{
				Expect: x.RefreshHash2, RefreshHash2: hash(fmt.Sprint("next", i)), PrevRefreshHash2: x.RefreshHash2,
				RotatedAt: now, ExpiresAt: x.ExpiresAt,
			}))
		})
		if n := f.count("rotate", won); n != 1 {
			f.Fatalf("round %d: %d of %d rotations won, want 1", round, n, callers)
		}
		winner := slices.IndexFunc(won, func(a answer[bool]) bool { return a.value })
		got := ask(stores[1].Session(ctx, x.Handle)).or(f)
		if got.RefreshHash2 != hash(fmt.Sprint("next", winner)) {
			f.Errorf("round %d: rotation %d won, the row holds %s", round, winner, got.RefreshHash2)
		}
	}
}

// deletesBesideLogins: sessions that were there when the call began are gone
// when it returns; those created meanwhile went and were reported, or are
// there.
func deletesBesideLogins(f *fixture) {
	stores := []store.Store{f.open(), f.open()}
	ctx := f.Context()
	const rounds, before, meanwhile = 3, 30, 30
	for round := range rounds {
		user := fmt.Sprint("user ", round)
		old := f.createMany(stores[0], before, user)
		var fresh []string
		for range meanwhile {
			fresh = append(fresh, handle())
		}
		var gone []string
		errs := at(meanwhile+1, func(i int) (err error) {
			if i == meanwhile/2 {
				gone, err = stores[0].DeleteByUser(ctx, user, now)
				return err
			}
			x := session(user)
			x.Handle = fresh[min(i, meanwhile-1)]
			if i == meanwhile {
				x.Handle = fresh[meanwhile/2]
			}
			return stores[1].CreateSession(ctx, x)
		})
		if err := errors.Join(errs...); err != nil {
			f.Fatal(err)
		}
		left := ask(stores[1].Handles(ctx, user, now)).or(f)
		f.wantSet(fmt.Sprintf("round %d: gone and left together", round), append(slices.Clone(gone), left...), append(slices.Clone(old), fresh...))
		for _, h := range old {
			if !slices.Contains(gone, h) {
				f.Errorf("round %d: a session that was there before the call survived it", round)
			}
		}
		f.wantSet("the rest", ask(stores[1].DeleteByUser(ctx, user, now)).or(f), left)
	}
}
