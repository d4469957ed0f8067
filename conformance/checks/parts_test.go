package checks_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestACoreMayLackReadsOfParts: a core without the older calls breaks no rule, and one that
// is in trouble at them was not tried.
func TestACoreMayLackReadsOfParts(t *testing.T) {
	t.Parallel()
	parts := func(r *http.Request) bool {
		return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/data")
	}
	answer := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(text))
		}
	}
	for name, tc := range map[string]struct {
		with http.HandlerFunc
		want proof.Outcome
	}{
		"404":     {answer(404, "Not found"), proof.Pass},
		"405":     {answer(405, "Method not supported"), proof.Pass},
		"500":     {answer(500, "no route"), proof.Pass},
		"a page":  {answer(200, "<html>"), proof.Pass},
		"429":     {answer(429, "slow down"), proof.Error},
		"503":     {answer(503, "not now"), proof.Error},
		"hung up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, proof.Error},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, err := conformance.Run(t.Context(), only(t, "BL-23", "5.4", fronted(parts, tc.with, false)))
			if err != nil {
				t.Fatal(err)
			}
			c := &got.Checks[0]
			if outcome, why := verdict.Check(c, got.Histories); outcome != tc.want || (c.Observations["notTried"] == "") == (tc.want == proof.Pass) {
				t.Errorf("%s %s, want %s; observed %v, violations %+v", outcome, why, tc.want, c.Observations, c.Violations)
			}
		})
	}
}
