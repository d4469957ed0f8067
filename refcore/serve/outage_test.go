package serve_test

import (
	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"

	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// The tests of this file stop servers that other tests share, so they are not
// parallel to any; within one each database is a server of its own.

// TestDatabaseFrozen: while the database does not answer, neither an acceptance
// nor a log-out is made up, and what needs no database goes on.
func TestDatabaseFrozen(t *testing.T) {
	for _, db := range kindtest.Servers() {
		t.Run(db.Name, func(t *testing.T) {
			t.Parallel()
			core := startCore(t, db.Environ(db.Fresh(t)))
			lives, revoked := core.create(t), core.create(t)
			if r, err := core.tryRevoke(t.Context(), revoked.Session.Handle); err != nil || len(r.Revoked) != 1 {
				t.Fatalf("revoke: %s, %v", r, err)
			}
			wantVerify(t, core, "a session", lives, "OK")
			if got := core.hello(t); got != http.StatusOK {
				t.Errorf("hello: HTTP %d", got)
			}

			server := db.Server(t)
			server.Pause(t)
			thaw := sync.OnceFunc(func() { server.Unpause(t) })
			t.Cleanup(thaw) // others need the server
			// More calls than there are connections, so that what needs none is seen
			// to wait for none.
			var asked sync.WaitGroup
			defer asked.Wait()
			for i := range 15 {
				session := []reply{lives, revoked}[i%2]
				asked.Go(func() {
					if r, err := core.tryVerify(t.Context(), session.Access.Token, true); err != nil || r.HTTP < 500 {
						t.Errorf("verify with the database, frozen: %s, %v, want HTTP 5xx", r, err)
					}
				})
			}
			for range 5 {
				if r, err := core.tryVerify(t.Context(), lives.Access.Token, false); err != nil || r.Status != "OK" {
					t.Errorf("verify without the database, frozen: %s, %v", r, err)
				}
			}
			if got := core.hello(t); got != http.StatusInternalServerError {
				t.Errorf("hello, frozen: HTTP %d, want 500", got)
			}
			asked.Wait() // all are answered although nothing has thawed
			if t.Failed() {
				t.Log(core.stderr.String())
			}
			thaw()

			eventually(t, "hello answers 200 again", func() bool { return core.hello(t) == http.StatusOK })
			wantVerify(t, core, "a session, thawed", lives, "OK")
			wantVerify(t, core, "a revoked session, thawed", revoked, "UNAUTHORISED")
		})
	}
}

// TestDatabaseRestarts under load: what fails is an HTTP 5xx, a revoked session
// is never accepted, a living one never logged out, and the core comes back by
// itself.
func TestDatabaseRestarts(t *testing.T) {
	for _, db := range kindtest.Servers() {
		t.Run(db.Name, func(t *testing.T) {
			t.Parallel()
			core := startCore(t, db.Environ(db.Fresh(t)))
			lives, revoked := core.create(t), core.create(t)
			victims := make([]reply, 40)
			for i := range victims {
				victims[i] = core.create(t)
			}
			if r, err := core.tryRevoke(t.Context(), revoked.Session.Handle); err != nil || len(r.Revoked) != 1 {
				t.Fatalf("revoke: %s, %v", r, err)
			}

			ctx, stop := context.WithCancel(t.Context())
			var load sync.WaitGroup
			end := func() { stop(); load.Wait() }
			defer end()
			var answers, failures atomic.Int64
			for i := range 6 {
				session, good := lives, "OK"
				if i%2 == 1 {
					session, good = revoked, "UNAUTHORISED"
				}
				load.Go(func() {
					for ctx.Err() == nil {
						r, err := core.tryVerify(ctx, session.Access.Token, true)
						switch {
						case ctx.Err() != nil:
						case err == nil && r.HTTP >= 500:
							failures.Add(1)
						case err == nil && r.Status == good:
							answers.Add(1)
						default:
							t.Errorf("verify during a restart: %s, %v, want HTTP 5xx or %s", r, err, good)
							return
						}
					}
				})
			}
			var gone []reply // their revoke was answered
			load.Go(func() {
				for _, v := range victims {
					r, err := core.tryRevoke(ctx, v.Session.Handle)
					if err == nil && r.Status == "OK" {
						gone = append(gone, v)
					} else if ctx.Err() == nil && (err != nil || r.HTTP < 500) {
						t.Errorf("revoke during a restart: %s, %v", r, err)
					}
				}
			})
			eventually(t, "load before the restart", func() bool { return answers.Load() > 100 })
			db.Server(t).Restart(t)
			eventually(t, "verify works again", func() bool {
				r, err := core.tryVerify(t.Context(), lives.Access.Token, true)
				return err == nil && r.Status == "OK"
			})
			before := answers.Load()
			eventually(t, "load after the restart", func() bool { return answers.Load() > before+100 || t.Failed() })
			end()
			t.Logf("%d answers, %d failures, %d of %d revokes answered", answers.Load(), failures.Load(), len(gone), len(victims))
			if db.Name == "postgres" && failures.Load() == 0 {
				t.Error("nothing failed: was the database down at all?")
			}
			for i, v := range gone {
				wantVerify(t, core, fmt.Sprintf("revoked session %d after the restart", i), v, "UNAUTHORISED")
			}
			wantVerify(t, core, "a session after the restart", lives, "OK")
		})
	}
}
