package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/proof"
)

// defects are the ways in which a fake core can be wrong, and the checks that
// must each catch it.
var defects = []struct {
	name   string
	caught []string
}{
	{"flag ignored", []string{
		"BL-02", "BL-03", "BL-04", "BL-05", "BL-06", "BL-07", "BL-08", "BL-09", "BL-10", "BL-11", "BL-12", "BL-13", "BL-14", "BL-15", "BL-16",
		"BL-17", "BL-18", "BL-20", "BL-21", "BL-22", "BL-25", "BL-26", "BL-27", "BL-28", "BL-33", "BL-35", "BL-36", "BL-40", "BL-41", "BL-42",
		"BL-50", "BL-51", "BL-52", "BL-53", "BL-54", "BL-55", "BL-56", "BL-58", "BL-59", "BL-60",
	}},
	{"live sessions refused now and then", []string{"BL-01"}},
	{"positive cache of 200 ms", []string{"BL-02", "BL-18", "BL-59", "BL-60"}},
	{"behaves when it is watched", []string{"BL-02"}},
	{"misbehaves when it is watched", []string{"BL-02"}},
	{"500 instead of a refusal", []string{"BL-02", "BL-59", "BL-60"}},
	{"a revoke by handles stops at 10", []string{"BL-03", "BL-04"}},
	{"a revoke by handles stops at 100", []string{"BL-04"}},
	{"a revoke by user stops at 10", []string{"BL-05", "BL-06"}},
	{"a revoke by user stops at 100", []string{"BL-06"}},
	{"revoke reaches one instance only", []string{"BL-07"}},
	{"refreshed tokens are not covered", []string{"BL-08", "BL-12"}},
	{"exchanged tokens are not covered", []string{"BL-09", "BL-12"}},
	{"regenerated tokens are not covered", []string{"BL-10"}},
	{"static keys are not covered", []string{"BL-11"}},
	{"only the newest token is covered", []string{"BL-12"}},
	{"one token format is not covered", []string{"BL-13"}},
	{"changed sessions are not covered", []string{"BL-14"}},
	{"a revoke ends all of the user's", []string{"BL-15"}},
	{"a revoke of one user ends all", []string{"BL-16"}},
	{"a revoke of all bars the user", []string{"BL-17"}},
	{"refused once, accepted later", []string{"BL-18"}},
	{"refresh survives revoke", []string{"BL-20", "BL-21", "BL-50"}},
	{"a child's refresh survives revoke", []string{"BL-21"}},
	{"regenerate brings the session back", []string{"BL-22"}},
	{"reads come from a cache", []string{"BL-23", "BL-60"}},
	{"revoked sessions are still listed", []string{"BL-24"}},
	{"a write of payload upserts", []string{"BL-25"}},
	{"a write of data upserts", []string{"BL-26"}},
	{"a second revoke reports again", []string{"BL-27"}},
	{"unknown handles are reported", []string{"BL-28", "BL-29"}},
	{"an unknown session is an error", []string{"BL-29"}},
	{"the request decides in both eras", []string{"BL-31"}},
	{"sticky refusal", []string{"BL-33"}},
	{"the handshake hides the flag", []string{"BL-34"}},
	{"database before signature", []string{"BL-35", "BL-36", "BL-42"}},
	{"database before anti-csrf", []string{"BL-36"}},
	{"database before expiry", []string{"BL-42"}},
	{"an unused refreshed token is never looked up", []string{"BL-37"}},
	{"short tokens are not worth a check", []string{"BL-40"}},
	{"long tokens are kept in a cache", []string{"BL-41"}},
	{"tokens never expire", []string{"BL-43"}},
	{"a refresh in flight brings the session back", []string{"BL-50"}},
	{"a revoke during a refresh is a foreign key error", []string{"BL-20", "BL-50"}},
	{"a revoke of all reports what it left alive", []string{"BL-51"}},
	{"a slow write of payload brings the session back", []string{"BL-52"}},
	{"a slow write of data brings the session back", []string{"BL-53"}},
	{"a promotion in flight brings the session back", []string{"BL-54"}},
	{"a regenerate in flight brings the session back", []string{"BL-55"}},
	{"the second of two refreshes is theft", []string{"BL-56"}},
	{"a refresh holds two connections", []string{"BL-57"}},
	{"two revokes both report", []string{"BL-58", "BL-60"}},
	{"fails open when many ask", []string{"BL-59"}},

	{"the wrong user comes back", []string{"SE-01"}},
	{"fraction lost", []string{"SE-02"}},
	{"revoked sessions are still listed", []string{"SE-03"}},
	{"refresh keeps the refresh token", []string{"SE-04"}},
	{"theft goes unseen", []string{"SE-05"}},
	{"payload changes go unseen", []string{"SE-06"}},
	{"verify gives a token again and again", []string{"SE-06"}},
	{"regenerate prolongs the token", []string{"SE-07"}},
	{"writes merge", []string{"SE-08"}},
	{"unknown sessions are empty ones", []string{"SE-09"}},
	{"signatures are not verified", []string{"SE-10", "BL-35"}},
	{"anti-csrf is not checked", []string{"SE-12", "BL-36"}},
	{"garbage refreshes give a 500", []string{"SE-13"}},
	{"keys of its own", []string{"SE-14"}},

	{"users ignore case", []string{"IS-01"}},
	{"users ignore trailing blanks", []string{"IS-02"}},
	{"users are found by prefix", []string{"IS-03"}},
	{"users ignore accents", []string{"IS-04"}},
	{"users are normalised", []string{"IS-05"}},
	{"users are patterns", []string{"IS-06"}},
	{"handles ignore case", []string{"IS-07"}},
}

// fakeRun tries checks on fake cores: two with the flag on, one with it off.
func fakeRun(t *testing.T, defect string, change func(*Options), ids ...string) *proof.Conformance {
	t.Helper()
	f := &fakeTarget{db: newFakeDatabase(defect)}
	o := Options{
		On: f.start(2, target.Settings{Flag: true}), Off: f.start(1, target.Settings{}), Target: f,
		Select: Selection{IDs: ids}, Seed: 7, HistoryDir: t.TempDir(), Follow: 400 * time.Millisecond,
		Rerun: func(id string) string { return "coreproof run --check " + id },
	}
	if change != nil {
		change(&o)
	}
	got, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// outcomes are those of one check in all versions.
func outcomes(c *proof.Conformance, id string) []proof.Outcome {
	var out []proof.Outcome
	for i := range c.Checks {
		if c.Checks[i].ID == id {
			out = append(out, c.Checks[i].Outcome)
		}
	}
	return out
}

func TestDefectsAreCaught(t *testing.T) {
	t.Parallel()
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			got := fakeRun(t, d.name, nil, d.caught...)
			for _, id := range d.caught {
				if o := outcomes(got, id); !slices.Contains(o, proof.Fail) {
					t.Errorf("%s: %v, want fail", id, o)
				}
			}
			for _, c := range got.Checks {
				if c.Outcome != proof.Fail {
					continue
				}
				if c.Expected == "" || c.Got == "" || c.Violations == 0 || c.Trials < c.Violations || c.Rerun == "" {
					t.Errorf("%s fails without telling all: %+v", c.ID, c)
				}
				if c.ID != "BL-34" && (len(c.Exchanges) == 0 || !strings.HasPrefix(c.Replay, "curl -sS -X POST -H ")) {
					t.Errorf("%s fails without evidence: %d exchanges, replay %q", c.ID, len(c.Exchanges), c.Replay)
				}
				if len(c.Exchanges) > keptExchanges+1 {
					t.Errorf("%s: %d exchanges", c.ID, len(c.Exchanges))
				}
			}
		})
	}
}

// TestEveryCheckCanFail holds the list above to the list of checks: a check that
// no defect trips is no check.
func TestEveryCheckCanFail(t *testing.T) {
	t.Parallel()
	elsewhere := map[string]string{
		"BL-30": "is the flag-off control: vacuous instead of failed, TestVacuous",
		"BL-32": "is the flag-off control on a core whose setting is on: TestVacuous",
		"SE-11": "needs real signatures: TestVerifyJWT",
	}
	for _, c := range Checks() {
		caught := false
		for _, d := range defects {
			caught = caught || slices.Contains(d.caught, c.ID)
		}
		if _, ok := elsewhere[c.ID]; caught == ok {
			t.Errorf("%s %s: caught by a defect here: %v, elsewhere: %v", c.ID, c.Title, caught, ok)
		}
	}
}
