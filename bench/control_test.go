package bench

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// flagged is a core that only knows whether its flag is on.
type flagged struct {
	protocol.Core
	name    string
	on      bool
	revoked map[string]bool
	offered int
}

func (f *flagged) Name() string { return f.name }
func (f *flagged) Create(_ context.Context, r protocol.CreateRequest) (protocol.Tokens, error) {
	var t protocol.Tokens
	t.Status, t.Session.Handle, t.Access.Value = protocol.OK, r.UserID, r.UserID
	return t, nil
}
func (f *flagged) Verify(_ context.Context, r protocol.VerifyRequest) (v protocol.Verified, _ error) {
	v.Status = protocol.OK
	if f.on && f.revoked[r.AccessToken] {
		v.Status = protocol.Unauthorised
	}
	return v, nil
}
func (f *flagged) Revoke(_ context.Context, handles ...string) (r protocol.Revoked, _ error) {
	f.offered++
	for _, h := range handles {
		f.revoked[h] = true
	}
	r.Status = protocol.OK
	return r, nil
}

// TestControlOffersToEachCore: one core whose flag is not its side's is found, wherever
// it stands, and named.
func TestControlOffersToEachCore(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		variant  Variant
		flags    []bool
		accepted int
		against  []string
	}{
		{"off, one core", FlagVariants()[0], []bool{false}, 3, nil},
		{"off, the flag is on at one of two", FlagVariants()[0], []bool{false, true}, 2, []string{"core-1"}},
		{"off, the flag is on at the fourth", FlagVariants()[0], []bool{false, false, false, true}, 3, []string{"core-3"}},
		{"off, always checks", FlagVariants()[0], []bool{true, true}, 0, []string{"core-0", "core-1"}},
		{"on, four cores", FlagVariants()[1], []bool{true, true, true, true}, 0, nil},
		{"on, the flag is off at the fourth", FlagVariants()[1], []bool{true, true, true, false}, 1, []string{"core-3"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var cores []protocol.Core
			for i, on := range tc.flags {
				cores = append(cores, &flagged{name: "core-" + string(rune('0'+i)), on: on, revoked: map[string]bool{}})
			}
			m := &measurement{bench: &bench{}, version: "2.20", res: &proof.Bench{}}
			row, err := m.offer(t.Context(), tc.variant, cores)
			if err != nil || row.Trouble != "" {
				t.Fatal(err, row.Trouble)
			}
			if row.Trials != max(controlTrials, len(cores)) || row.Accepted != tc.accepted || !slices.Equal(row.Against, tc.against) {
				t.Errorf("%+v, want %d accepted, %q against the flag", row, tc.accepted, tc.against)
			}
			for _, c := range cores {
				if c.(*flagged).offered == 0 {
					t.Errorf("%s was offered nothing", c.Name())
				}
			}
		})
	}
}

// TestControlIsVoid: a flag-off side of which one core has its flag on is not priced.
func TestControlIsVoid(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "sessions.db")
	var urls []string
	for _, flag := range []bool{true, false, true} {
		u, _ := mannered(t, "plain", database, flag)
		urls = append(urls, u)
	}
	e, err := launch.NewExternal(t.Context(), launch.ExternalOptions{On: urls[:1], Off: urls[1:]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	res, _, err := Run(t.Context(), Options{Target: e, Versions: []string{"2.20"}, Plan: fixed(1, 0, 0), Tokens: 5, Seed: 5, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	if c := res[0].Controls; len(c) != 2 || len(c[0].Against) != 1 || len(c[1].Against) != 0 || len(res[0].Rounds) != 0 {
		t.Errorf("controls %+v, %d rounds", c, len(res[0].Rounds))
	}
}
