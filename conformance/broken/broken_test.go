package broken_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/broken"
	"github.com/coreproof/coreproof/conformance/checks"
	"github.com/coreproof/coreproof/conformance/internal/testcore"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// generations are the newest version of each generation in which a defect shows.
func generations(d broken.Defect) (list []protocol.Stage) {
	p := cdi.CDI{}
	for _, s := range protocol.Stages(p, p.Versions()) {
		if s.Whole && (d.From == "" || p.Compare(s.Version, d.From) >= 0) && (d.Below == "" || p.Compare(s.Version, d.Below) < 0) {
			list = append(list, s)
		}
	}
	return list
}

// serve tries checks on a broken core: two instances with the flag on, one with it off.
func serve(t *testing.T, d broken.Defect, ids []string) *proof.Conformance {
	t.Helper()
	scale := 0.3
	if isRace(ids[0]) || d.Name == "positive-cache-50ms" {
		scale = 1 // what shows only when calls are close to one another needs its trials
	}
	target := testcore.New(t)
	target.Decorate = d.Decorate
	on, err := target.Start(t.Context(), 2, launch.Settings{Flag: true})
	if err != nil {
		t.Fatal(err)
	}
	off, err := target.Start(t.Context(), 1, launch.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := conformance.Run(t.Context(), conformance.Options{
		Target: target, On: on, Off: off, Checks: checks.All(), Stages: generations(d),
		Select: conformance.Selection{IDs: ids}, Seed: 7, Scale: scale, Thorough: d.Thorough, CheckTimeout: 5 * time.Minute, Follow: 100 * time.Millisecond, HistoryDir: t.TempDir(),
		Rerun: func(id, version string) string { return "coreproof conform --check " + id },
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestV14DefectsAreCaughtInEveryVersion serves each defect over HTTP and wants each
// check that it names to fail, in every generation of the protocol in which both
// exist.
func TestV14DefectsAreCaughtInEveryVersion(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("every broken core is served; without -short they are")
	}
	for _, d := range broken.All() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			// One at a time: what would rest on another is tried all the same.
			for _, ids := range separately(d.CaughtBy) {
				missed := caught(t, d, ids)
				for tries := 1; missed != "" && (fleeting(d) || isRace(ids[0])) && tries < 3; tries++ {
					missed = caught(t, d, ids)
				}
				if missed != "" {
					t.Error(missed)
				}
			}
		})
	}
}

// fleeting defects show for milliseconds after a revoke; on a starved machine the
// next call may come later than that. So may the second call of a race.
func fleeting(d broken.Defect) bool {
	return strings.HasSuffix(d.Name, "ms") || d.Name == "answers-shared-in-flight" // for 10 ms
}

// caught says what was missed of a defect; "" when each check failed for it.
func caught(t *testing.T, d broken.Defect, ids []string) (missed string) {
	t.Helper()
	got := serve(t, d, ids)
	seen := map[string]bool{}
	for i := range got.Checks {
		c := &got.Checks[i]
		if c.Lacks != nil {
			continue
		}
		seen[c.ID] = true
		if o, why := verdict.Check(c, got.Histories); o != proof.Fail {
			missed += fmt.Sprintf("%s (%s): %s %s, want fail\n", c.ID, c.Protocol, o, why)
			continue
		}
		evident(t, c)
	}
	for _, id := range ids {
		if !seen[id] {
			missed += id + " was not tried in any version\n"
		}
	}
	return missed
}

// separately keeps foundations apart from what rests on them, and races by
// themselves.
func separately(ids []string) (lists [][]string) {
	var rest, races []string
	for _, c := range checks.All() {
		if !slices.Contains(ids, c.ID) {
			continue
		}
		if len(c.Foundation) > 0 {
			lists = append(lists, []string{c.ID})
		} else if isRace(c.ID) {
			races = append(races, c.ID)
		} else {
			rest = append(rest, c.ID)
		}
	}
	for _, list := range [][]string{rest, races} {
		if len(list) > 0 {
			lists = append(lists, list)
		}
	}
	return lists
}

func isRace(id string) bool { return id >= "BL-50" && id <= "BL-61" || id >= "BL-75" && id <= "BL-77" }

var credential = regexp.MustCompile(`eyJ[0-9A-Za-z+/_=-]{20,}|[0-9A-Za-z+/=]{40,}\.[0-9a-f]{64}\.V2`)

// evident wants a failure to tell all that a maintainer needs, and no credential.
func evident(t *testing.T, c *proof.Check) {
	t.Helper()
	if c.Rerun == "" || len(c.Violations) == 0 {
		t.Errorf("%s fails without telling all: %+v", c.ID, c)
		return
	}
	for i, v := range c.Violations {
		if v.Expected == "" || v.Got == "" {
			t.Errorf("%s: violation %d tells nothing: %+v", c.ID, i, v)
		}
		texts := []string{v.Expected, v.Got, v.Replay}
		for _, e := range v.Exchanges {
			texts = append(texts, e.URL, e.RequestBody, e.ResponseBody, e.Error)
		}
		for _, text := range texts {
			if s := credential.FindString(text); s != "" {
				t.Errorf("%s: a live credential is kept: %.40s… in %.200s", c.ID, s, text)
			}
		}
	}
	if v := c.Violations[0]; c.ID != "BL-34" && (len(v.Exchanges) == 0 || v.Replay == "") {
		t.Errorf("%s: the first violation has no evidence", c.ID)
	}
}

// TestEveryCheckCanFail holds the list of defects to the list of checks: a check
// that no defect trips is no check.
func TestEveryCheckCanFail(t *testing.T) {
	t.Parallel()
	for _, c := range checks.All() {
		if c.Needs.Protocol != "" {
			continue // its defects are other servers': TestBrokenAuthorizationServersAreNamed
		}
		if !slices.ContainsFunc(broken.All(), func(d broken.Defect) bool { return slices.Contains(d.CaughtBy, c.ID) }) {
			t.Errorf("%s %s: no defect trips it", c.ID, c.Title)
		}
	}
}

// TestListIsWhole holds each entry to what `coreproof core --broken` needs of it.
func TestListIsWhole(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := map[string]bool{}
	var ids []string
	for _, c := range checks.All() {
		ids = append(ids, c.ID)
	}
	for _, d := range broken.All() {
		if !name.MatchString(d.Name) || seen[d.Name] || d.Text == "" || len(d.CaughtBy) == 0 || len(generations(d)) == 0 {
			t.Errorf("%q is malformed, taken or empty", d.Name)
		}
		seen[d.Name] = true
		for _, id := range d.CaughtBy {
			if !slices.Contains(ids, id) {
				t.Errorf("%s names check %s, which is not there", d.Name, id)
			}
		}
		if got, ok := broken.Find(d.Name); !ok || got.Name != d.Name {
			t.Errorf("%s is not found by its name", d.Name)
		}
	}
	if _, ok := broken.Find("nothing"); ok {
		t.Error("a defect that is not there was found")
	}
}
