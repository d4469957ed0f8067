package publication_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/coreproof/coreproof/internal/sshsig"
	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/publication"
	"github.com/coreproof/coreproof/reports/verdict"
)

var update = flag.Bool("update", false, "write docs/implementations.md and the READMEs again")

const (
	published = "../published"
	page      = "../../docs/implementations.md"
)

// example is a derived example proof with a digest.
func example(t *testing.T, name string) *proof.Proof {
	t.Helper()
	e, ok := examples.Named(name)
	if !ok {
		t.Fatalf("there is no example %s", name)
	}
	verdict.Derive(e.Proof)
	return digested(t, e.Proof)
}

func digested(t *testing.T, p *proof.Proof) *proof.Proof {
	t.Helper()
	p.SchemaVersion = proof.SchemaVersion
	d, err := proof.DigestOf(p)
	if err != nil {
		t.Fatal(err)
	}
	p.Digest = d
	return p
}

var someCore = publication.Implementation{Name: "some-core", Version: "1.2.3"}

func TestOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, example string
		claimed       []string
		change        func(*proof.Proof)
		conformant    bool
		notPassed     string // a profile
	}{
		{"all that is there", "good", nil, nil, true, ""},
		{"fewer than are there", "good", publication.Core, nil, true, ""},
		{"not the core profiles", "good", []string{"session-basic"}, nil, false, ""},
		{"one that nobody tried", "good", append(slices.Clone(publication.Core), "nothing-of-the-kind"), nil, false, "nothing-of-the-kind"},
		{"a broken core", "failing", nil, nil, false, "blacklisting"},
		{"a core with skipped checks", "incomplete", nil, nil, false, "*"},
		{"a skipped required check", "good", nil, func(p *proof.Proof) { skip(p, "blacklisting") }, false, "blacklisting"},
		{"too few revokes to tell", "good", nil, func(p *proof.Proof) { fewer(p, 200) }, false, ""},
		{"just enough", "good", nil, func(p *proof.Proof) { fewer(p, 320) }, true, ""},
		{"a check that was left out", "good", nil, func(p *proof.Proof) { leaveOut(p, "blacklisting") }, false, "blacklisting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := example(t, c.example)
			if c.change != nil {
				c.change(p)
				verdict.Derive(p)
				digested(t, p)
			}
			b, err := publication.Of(p, publication.Claim{Implementation: someCore, Profiles: c.claimed})
			if err != nil {
				t.Fatal(err)
			}
			if b.Conformant != c.conformant {
				t.Errorf("conformant %v, want %v: passed %v, not %v, outcome %s", b.Conformant, c.conformant, b.Passed, b.NotPassed, b.Outcome)
			}
			has := slices.ContainsFunc(b.NotPassed, func(g publication.Gap) bool { return g.Profile == c.notPassed || c.notPassed == "*" })
			if has != (c.notPassed != "") || len(b.Passed)+len(b.NotPassed) != len(b.Claimed) {
				t.Errorf("not passed %v, want %q", b.NotPassed, c.notPassed)
			}
			if d := publication.Check(b, p); len(d) > 0 {
				t.Errorf("what was just made does not follow: %v", d)
			}
			text, err := b.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again, err := publication.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			if d := publication.Check(again, p); len(d) > 0 {
				t.Errorf("what was written and read does not follow: %v", d)
			}
			if r := b.Readme(true); strings.Contains(r, "not passed") != (c.notPassed != "") || !strings.Contains(r, "ssh-keygen -Y verify") {
				t.Errorf("the README says\n%s", r)
			}
		})
	}
}

// skip makes a check of a profile one that the core lacks something for.
func skip(p *proof.Proof, profile string) {
	list := p.Targets[0].Conformance.Checks
	i := slices.IndexFunc(list, func(k proof.Check) bool { return slices.Contains(k.Profiles, profile) })
	list[i].Lacks = &proof.Lack{Kind: "verb", Text: "it cannot"}
	list[i].Trials, list[i].Immediacy, list[i].Violations = 0, nil, nil
}

// fewer leaves so many revokes, one a check and the others in the first.
func fewer(p *proof.Proof, revokes int) {
	var list []*proof.Immediacy
	for _, k := range p.Targets[0].Conformance.Checks {
		if k.Immediacy != nil {
			list = append(list, k.Immediacy)
		}
	}
	for i, m := range list {
		n := 1
		if i == 0 {
			n = revokes - len(list) + 1
		}
		m.Revokes, m.Calls, m.Twins, m.TwinsAccepted = n, n, n, n
	}
}

// leaveOut takes all entries of one check of a profile out.
func leaveOut(p *proof.Proof, profile string) {
	c := p.Targets[0].Conformance
	i := slices.IndexFunc(c.Checks, func(k proof.Check) bool { return slices.Contains(k.Profiles, profile) })
	id := c.Checks[i].ID
	for j := range c.Profiles {
		if c.Profiles[j].Members == 0 && c.Profiles[j].Name == profile {
			ids := map[string]bool{}
			for _, k := range c.Checks {
				if slices.Contains(k.Profiles, profile) {
					ids[k.ID] = true
				}
			}
			c.Profiles[j].Members = len(ids)
		}
	}
	c.Checks = slices.DeleteFunc(c.Checks, func(k proof.Check) bool { return k.ID == id })
}

// TestVersionsThatWereTried: only those without a gap are from one to another.
func TestVersionsThatWereTried(t *testing.T) {
	t.Parallel()
	b, err := publication.Of(example(t, "good"), publication.Claim{Implementation: someCore})
	if err != nil {
		t.Fatal(err)
	}
	for want, tc := range map[string]struct {
		protocol string
		versions []string
	}{
		"CDI 5.4":            {"CDI", []string{"5.4"}},
		"CDI 5.4, 5.5":       {"CDI", []string{"5.4", "5.5"}},
		"CDI 2.21 to 3.1":    {"CDI", []string{"2.21", "3.0", "3.1"}},
		"CDI 2.7, 2.20, 5.6": {"CDI", []string{"2.7", "2.20", "5.6"}},
		"CDI 5.4, 5.5, 5.7":  {"CDI", []string{"5.4", "5.5", "5.7"}},
		"CDI 5.5, 5.6, 5.7":  {"CDI", []string{"5.5", "5.6", "5.7"}},
		"X 1, 2, 3":          {"X", []string{"1", "2", "3"}},
	} {
		b.Protocol, b.Versions = tc.protocol, tc.versions
		if r := b.Readme(false); !strings.Contains(r, ", "+want+", on ") {
			t.Errorf("the README lacks %q:\n%s", want, r)
		}
		if p := publication.Page([]publication.Published{{Dir: "x/y", Publication: b}}, "x"); !strings.Contains(p, "| "+want+" |") {
			t.Errorf("the page lacks %q:\n%s", want, p)
		}
	}
}

func TestWhatCannotBePublished(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		example string
		is      publication.Implementation
		want    string
	}{
		"several targets":  {"databases", someCore, "targets"},
		"nothing tried":    {"empty", someCore, ""},
		"an early end":     {"interrupted", someCore, "ended early"},
		"a gate":           {"gate", someCore, ""},
		"a name for paths": {"good", publication.Implementation{Name: "../x", Version: "1"}, "small letters"},
		"no version":       {"good", publication.Implementation{Name: "x", Version: " "}, "version is missing"},
	} {
		_, err := publication.Of(example(t, c.example), publication.Claim{Implementation: c.is})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestEdited: each edit of what follows from the proof is told.
func TestEdited(t *testing.T) {
	t.Parallel()
	p := example(t, "failing")
	for name, edit := range map[string]func(*publication.Publication){
		"conformant":  func(b *publication.Publication) { b.Conformant = true },
		"passed":      func(b *publication.Publication) { b.Passed = b.Claimed },
		"notPassed":   func(b *publication.Publication) { b.NotPassed = nil },
		"outcome":     func(b *publication.Publication) { b.Outcome = proof.Pass },
		"date":        func(b *publication.Publication) { b.Date = b.Date.AddDate(1, 0, 0) },
		"digest":      func(b *publication.Publication) { b.Digest = "sha256:0" },
		"core":        func(b *publication.Publication) { b.Core = "another" },
		"versions":    func(b *publication.Publication) { b.Versions = []string{"5.6"} },
		"environment": func(b *publication.Publication) { b.Environment.Database = "another" },
		"tool":        func(b *publication.Publication) { b.Tool.Version = "v9" },
		"seed":        func(b *publication.Publication) { b.Seed++ },
		"command":     func(b *publication.Publication) { b.Command = nil },
		"protocol":    func(b *publication.Publication) { b.Protocol = "X" },
	} {
		b, err := publication.Of(p, publication.Claim{Implementation: someCore})
		if err != nil {
			t.Fatal(err)
		}
		edit(b)
		if d := publication.Check(b, p); len(d) != 1 || !strings.HasPrefix(d[0], name+":") {
			t.Errorf("%s: %v", name, d)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	b, err := publication.Of(example(t, "good"), publication.Claim{Implementation: someCore})
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	for name, bad := range map[string]string{
		"nothing": "", "a list": "[]", "more": good + "{}", "an unknown field": strings.Replace(good, `"seed"`, `"more": 1, "seed"`, 1),
		"another version": strings.Replace(good, `"schemaVersion": 2`, `"schemaVersion": 1`, 1), "written otherwise": strings.ReplaceAll(good, "\n", ""),
		"a field twice": strings.Replace(good, `"conformant": true`, `"conformant": false, "conformant": true`, 1),
	} {
		if _, err := publication.Decode([]byte(bad)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := publication.Find(fstest.MapFS{"cdi/other-core/publication.json": {Data: text}}); err == nil {
		t.Error("a publication in another's folder is taken")
	}
	list, err := publication.Find(fstest.MapFS{"cdi/some-core/publication.json": {Data: text}, "cdi/some-core/publication.json.sig": {}})
	if err != nil || len(list) != 1 || !list[0].Signed {
		t.Errorf("%v, %v", list, err)
	}
}

// TestPage: what cannot be called conformant is not listed as such.
func TestPage(t *testing.T) {
	t.Parallel()
	var list []publication.Published
	for _, name := range []string{"good", "failing", "incomplete"} {
		b, err := publication.Of(example(t, name), publication.Claim{Implementation: publication.Implementation{Name: name, Version: "1"}})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, publication.Published{Dir: "cdi/" + name, Publication: b})
	}
	yes, no, ok := strings.Cut(publication.Page(list, "x"), "## Not conformant")
	if !ok || !strings.Contains(yes, "[good](x/cdi/good)") || strings.Contains(yes, "[failing]") || strings.Contains(yes, "[incomplete]") || !strings.Contains(no, "[failing]") || !strings.Contains(no, "[incomplete]") {
		t.Errorf("%s\n---\n%s", yes, no)
	}
}

// TestPublished verifies all that is published here, and holds the pages to it.
func TestPublished(t *testing.T) {
	t.Parallel()
	list, err := publication.Find(os.DirFS(published))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("nothing is published, not even the reference core")
	}
	same := func(path, want string) {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s is not what the publications say (%v); run: go test ./reports/publication -update", path, err)
		}
	}
	for _, x := range list {
		dir := filepath.Join(published, filepath.FromSlash(x.Dir))
		p, err := proof.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range verdict.Verify(p, root.FS()) {
			t.Errorf("%s: %s", x.Dir, d)
		}
		for _, line := range publication.Check(x.Publication, p) {
			t.Errorf("%s: %s", x.Dir, line)
		}
		if x.Signed {
			armour, err1 := os.ReadFile(filepath.Join(dir, publication.SignatureName))
			text, err2 := os.ReadFile(filepath.Join(dir, publication.FileName))
			if _, err := sshsig.Verify(armour, publication.Namespace, text); err != nil || err1 != nil || err2 != nil {
				t.Errorf("%s: %v, %v, %v", x.Dir, err, err1, err2)
			}
		}
		if err := root.Close(); err != nil {
			t.Error(err)
		}
		same(filepath.Join(dir, "README.md"), x.Readme(x.Signed))
	}
	same(page, publication.Page(list, "../reports/published"))
}
