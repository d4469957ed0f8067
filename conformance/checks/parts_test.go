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

// TestAnOldCoreNeedNotReadSessions: the read of a session came with CDI 2.8, so a core that
// speaks 2.7 without it breaks no rule, and its profiles have no gap for it.
func TestAnOldCoreNeedNotReadSessions(t *testing.T) {
	t.Parallel()
	read := func(r *http.Request) bool {
		return r.Method == http.MethodGet && r.URL.Path == "/recipe/session"
	}
	d := fronted(read, func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }, false)
	for version, want := range map[string]proof.Outcome{"2.7": proof.Pass, "2.8": proof.Error} {
		o := only(t, "BL-08 BL-20 BL-21 BL-23 BL-60 SE-01 SE-02 SE-09 SE-15", version, d)
		got, _, err := conformance.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		worst := proof.Pass
		for i := range got.Checks {
			c := &got.Checks[i]
			outcome, why := verdict.Check(c, got.Histories)
			switch {
			case outcome == proof.Pass, c.Lacks != nil && c.Lacks.Kind == "protocol" && version == "2.7":
			default:
				worst = proof.Error
				if version == "2.7" {
					t.Errorf("%s: %s %s, lacks %+v, violations %+v", c.ID, outcome, why, c.Lacks, c.Violations)
				}
			}
		}
		if worst != want {
			t.Errorf("CDI %s: %s, want %s", version, worst, want)
		}
	}
}
