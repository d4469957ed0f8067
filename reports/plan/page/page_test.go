package page_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/plan"
	"github.com/coreproof/coreproof/reports/plan/page"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

func swept(t *testing.T, edits ...func(*proof.Proof)) *proof.Proof {
	t.Helper()
	e, ok := examples.Named("swept")
	if !ok {
		t.Fatal("there is no example swept")
	}
	for _, edit := range edits {
		edit(e.Proof)
	}
	verdict.Derive(e.Proof)
	return e.Proof
}

func written(t *testing.T, p *proof.Proof, a plan.Ask) string {
	t.Helper()
	var buf bytes.Buffer
	if err := page.Write(&buf, p, a); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// TestOthersThatWereMeasuredAreNotDenied: the script says of calls besides verify that they
// are in no figure only where verifies alone were measured.
func TestOthersThatWereMeasuredAreNotDenied(t *testing.T) {
	t.Parallel()
	doc := written(t, swept(t), plan.Ask{VerifyShare: 1, Headroom: 0.4})
	if !strings.Contains(doc, "model.verifyShare === 1 && a.verifyShare < 1 ? [number(") || strings.Count(doc, "are in no figure: their cost was not measured") != 1 {
		t.Error("the note on calls that are no verifies stands on any page")
	}
}

// TestTheModelsHoldWhatTheScriptNotes: the share that was measured, of the case and of each
// side, and how many sessions are another table.
func TestTheModelsHoldWhatTheScriptNotes(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0, 0.8} {
		p := swept(t, func(p *proof.Proof) { p.Targets[0].Bench[0].Design.VerifyShare = share })
		d, err := page.DataOf(p, plan.Ask{})
		if err != nil {
			t.Fatal(err)
		}
		want := share
		if want == 0 {
			want = 1
		}
		m := &d.Models[0]
		if m.Another == nil || *m.Another != 100_000 || m.VerifyShare != want || m.Sides[0].VerifyShare != want || m.Sides[1].VerifyShare != want {
			t.Errorf("share %g: %+v", share, m)
		}
		p.Targets[0].Bench[0].Design.Rows = nil
		if d, err = page.DataOf(p, plan.Ask{}); err != nil || d.Models[0].Another != nil {
			t.Errorf("rows that nobody counted: %v, %+v", err, d)
		}
	}
}

// TestThePageRunsItsScriptAlone: the policy names the hash of the script as it stands.
func TestThePageRunsItsScriptAlone(t *testing.T) {
	t.Parallel()
	doc := written(t, swept(t), plan.Ask{VerifyShare: 1, Headroom: 0.4})
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(doc, -1)
	if len(scripts) != 1 {
		t.Fatalf("%d scripts, want 1", len(scripts))
	}
	sum := sha256.Sum256([]byte(scripts[0][1]))
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(doc)
	if want := "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; policy == nil || html.UnescapeString(policy[1]) != want {
		t.Errorf("the policy is %v, want %s", policy, want)
	}
	for _, bad := range []string{"src=", "href=", "@import", "url(", "fetch(", "eval(", "innerHTML", "ZgotmplZ", "NaN"} {
		if strings.Contains(doc, bad) {
			t.Errorf("the page has %q in it", bad)
		}
	}
	if doc != written(t, swept(t), plan.Ask{VerifyShare: 1, Headroom: 0.4}) {
		t.Error("the same proof gives two pages")
	}
}

// TestThePageEscapes what a core calls itself.
func TestThePageEscapes(t *testing.T) {
	t.Parallel()
	const evil = `</script><script>alert(1)</script></title>"'>`
	doc := written(t, swept(t, func(p *proof.Proof) {
		tg := &p.Targets[0]
		tg.Name, tg.Core.Name, tg.Bench[0].Protocol, p.Machine.CPU = evil, evil, evil, evil
	}), plan.Ask{VerifyShare: 1, Headroom: 0.4})
	if strings.Contains(doc, "<script>alert") || strings.Count(doc, "</script>") != 2 {
		t.Error("foreign text is taken for markup")
	}
}

// TestEveryFigureHasAName that the page shows.
func TestEveryFigureHasAName(t *testing.T) {
	t.Parallel()
	p := swept(t)
	d, err := page.DataOf(p, plan.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	made, err := plan.Make(p, plan.Ask{RPS: 3500, VerifyShare: 1, Headroom: 0.4, Flags: []string{plan.Off, plan.On}, Sessions: 5000, VCPUPrice: 1, InstancesFail: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range made.Cases[0].Sides[1].Figures {
		if d.Names[f.Key].Name == "" || d.Names[f.Key].Formula == "" {
			t.Errorf("%s has no name or formula", f.Key)
		}
	}
	if n := len(made.Cases[0].Sides[1].Figures); n != len(d.Names) {
		t.Errorf("%d names for %d figures", len(d.Names), n)
	}
}

func TestWhatCannotBePlannedIsRefused(t *testing.T) {
	t.Parallel()
	if err := page.Write(&bytes.Buffer{}, swept(t, func(p *proof.Proof) { p.Interrupted = "SIGINT" }), plan.Ask{VerifyShare: 1}); err == nil {
		t.Error("an interrupted proof makes a page")
	}
}
