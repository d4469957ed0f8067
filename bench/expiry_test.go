package bench

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/reports/proof"
)

// shortLived are cores by URL whose access tokens live for some seconds.
func shortLived(t *testing.T, seconds string) *launch.External {
	t.Helper()
	database := filepath.Join(t.TempDir(), "sessions.db")
	on, _ := mannered(t, "plain", database, true, "ACCESS_TOKEN_VALIDITY="+seconds)
	off, _ := mannered(t, "plain", database, false, "ACCESS_TOKEN_VALIDITY="+seconds)
	e, err := launch.NewExternal(t.Context(), launch.ExternalOptions{On: []string{on}, Off: []string{off}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	return e
}

// TestTokensThatEnd: where tokens live for less than the rounds take, they are made anew
// between rounds, and no call is answered wrongly.
func TestTokensThatEnd(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it waits for tokens to end; without -short it does")
	}
	// The windows alone take longer than a token lives.
	res, _, err := Run(t.Context(), Options{
		Target: shortLived(t, "8"), Versions: []string{"2.20"}, Plan: fixed(14, 0, 2), Seed: 5, RateHz: 100, Tokens: 100, Connections: 2,
		Window: 500 * time.Millisecond, SaturatedWindow: 500 * time.Millisecond, SteadyWindow: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int64{}
	for _, r := range res[0].Rounds {
		for _, w := range r.Windows {
			calls[r.Kind] += w.Calls
			if w.Errors > 0 {
				t.Errorf("%s round %d, flag %s: %d of %d calls were wrong, e.g. %s", r.Kind, r.Index, w.Variant, w.Errors, w.Calls, w.Example)
			}
		}
	}
	if calls[proof.KindCost] == 0 || calls[proof.KindSaturated] == 0 {
		t.Errorf("calls by kind: %v", calls)
	}
}

// TestTokensThatLiveTooShort: where no window fits into the life of a token, the error
// names the setting, and nothing is called answered wrongly.
func TestTokensThatLiveTooShort(t *testing.T) {
	t.Parallel()
	res, _, err := Run(t.Context(), Options{Target: shortLived(t, "2"), Versions: []string{"2.20"}, Plan: fixed(1, 0, 0), Seed: 5, RateHz: 100, Tokens: 10, Connections: 1})
	if err == nil || !strings.Contains(err.Error(), "access_token_validity") {
		t.Errorf("error %v", err)
	}
	for _, b := range res {
		if len(b.Rounds) != 0 {
			t.Errorf("%d rounds", len(b.Rounds))
		}
	}
}
