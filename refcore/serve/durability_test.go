package serve_test

import (
	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"

	"net/http"
	"net/url"
	"testing"
)

// TestKilledRightAfterARevoke: a revoke that was answered has happened, even if
// the core dies in the next moment.
func TestKilledRightAfterARevoke(t *testing.T) {
	t.Parallel()
	const rounds = 20
	for _, db := range kindtest.All() {
		t.Run(db.Name, func(t *testing.T) {
			t.Parallel()
			env := db.Environ(db.Fresh(t))
			core := startCore(t, env)
			stays := core.create(t) // a database that forgets everything must not pass
			for range rounds {
				s := core.create(t)
				wantVerify(t, core, "a new session", s, "OK")
				r, err := core.tryRevoke(t.Context(), s.Session.Handle)
				core.kill()
				if err != nil || len(r.Revoked) != 1 {
					t.Fatalf("revoke: %s, %v", r, err)
				}
				core = startCore(t, env)
				wantVerify(t, core, "a revoked session after the restart", s, "UNAUTHORISED")
				if r, err := core.call(t.Context(), http.MethodGet, "/recipe/session?sessionHandle="+url.QueryEscape(s.Session.Handle), nil); err != nil || r.Status != "UNAUTHORISED" {
					t.Errorf("get of a revoked session after the restart: %s, %v", r, err)
				}
				wantVerify(t, core, "a session that nobody revoked", stays, "OK")
				if t.Failed() {
					return
				}
			}
		})
	}
}
