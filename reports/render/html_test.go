package render_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/html"
)

// Elements that the page is made of. Anything else, above all whatever runs or
// fetches, came from outside.
func allowed(element string) bool {
	return slices.Contains(strings.Fields("html head meta title style body header nav main section article footer p span b small h1 h2 h3 h4 h5 ul li dl dt dd div a details summary pre abbr figure figcaption table caption thead tbody tr th td svg line rect circle text path desc"), element)
}

// inspect walks over a page and reports what must not be in it.
func inspect(t testing.TB, page string) {
	t.Helper()
	root, err := xhtml.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	ids, refs := map[string]bool{}, []string{}
	level := 0
	var walk func(n *xhtml.Node)
	walk = func(n *xhtml.Node) {
		if n.Type == xhtml.ElementNode {
			if !allowed(n.Data) {
				t.Errorf("the page has an element %q", n.Data)
			}
			if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
				if h := int(n.Data[1] - '0'); h > level+1 {
					t.Errorf("heading h%d follows h%d", h, level)
				} else {
					level = h
				}
			}
			attrs := map[string]string{}
			for _, a := range n.Attr {
				attrs[a.Key] = a.Val
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "src", a.Key == "style":
					t.Errorf("%s has an attribute %s=%q", n.Data, a.Key, a.Val)
				case a.Key == "href" && !strings.HasPrefix(a.Val, "#"):
					t.Errorf("%s leads outside: %q", n.Data, a.Val)
				case a.Key == "href":
					refs = append(refs, a.Val[1:])
				case a.Key == "aria-labelledby":
					refs = append(refs, strings.Fields(a.Val)...)
				case a.Key == "id":
					if ids[a.Val] {
						t.Errorf("id %q is there twice", a.Val)
					}
					ids[a.Val] = true
				}
			}
			switch n.Data {
			case "svg":
				if attrs["role"] != "img" || attrs["aria-labelledby"] == "" {
					t.Error("a picture has no label")
				}
			case "table":
				if first := n.FirstChild; first == nil || !hasChild(n, "caption") {
					t.Error("a table has no caption")
				}
			case "th":
				if attrs["scope"] == "" {
					t.Error("a heading cell has no scope")
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	for _, r := range refs {
		if !ids[r] {
			t.Errorf("the page refers to %q, which is not there", r)
		}
	}
	if strings.Contains(page, "@import") || strings.Contains(page, "url(") {
		t.Error("the style sheet fetches something")
	}
}

func hasChild(n *xhtml.Node, name string) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Data == name {
			return true
		}
	}
	return false
}

func TestHTMLIsSelfContained(t *testing.T) {
	t.Parallel()
	for _, name := range examples.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := format(t, "html", example(t, name))
			inspect(t, page)
			if len(page) > html.MaxBytes {
				t.Errorf("%d bytes, want at most %d", len(page), html.MaxBytes)
			}
			for _, bad := range []string{"ZgotmplZ", "%!", "NaN", "Inf", "<no value>"} {
				if strings.Contains(page, bad) {
					t.Errorf("the page has %q in it", bad)
				}
			}
		})
	}
}

// Every text of a proof may be hostile.
func TestHTMLEscapesEverything(t *testing.T) {
	t.Parallel()
	const evil = `</style></svg></title>"'><script>alert(1)</script><img src=x onerror=alert(1)>`
	p := example(t, "failing")
	p.Interrupted = evil
	p.Notes = []string{evil}
	p.Tool.Version, p.Command, p.Machine.CPU = evil, []string{evil}, evil
	tg := &p.Targets[0]
	tg.Name, tg.Kind, tg.Core.Name, tg.Core.Product, tg.Database.Version, tg.Notes = evil, evil, evil, evil, evil, []string{evil}
	tg.Database.Settings = map[string]string{evil: evil}
	tg.LeftBehind = &proof.LeftBehind{Users: []string{evil}, Reason: evil}
	b := &tg.Bench[0]
	b.Protocol, b.FlagMode, b.Design.DatabaseAt, b.Design.FloorReason = evil, evil, evil, evil
	b.Steady[0].Variant, b.Steady[0].Unit, b.Controls[0].Variant = evil, evil, evil
	b.Dropped = []proof.Dropped{{Kind: evil, Reason: evil}}
	tg.Footprint.Source, tg.Footprint.Space.SchemaOn = evil, evil
	tg.Conformance.Histories[0].Result = evil
	tg.Conformance.Switch[0].Trouble = evil
	for i := range tg.Conformance.Checks {
		k := &tg.Conformance.Checks[i]
		k.ID, k.Title, k.Requirement, k.Source, k.Suite, k.Rerun, k.Trouble = evil, evil, evil, evil, evil, evil, evil
		k.Observations = map[string]string{evil: evil}
		k.Profiles = append(k.Profiles, evil)
		k.Violations = []proof.Violation{{Expected: evil, Got: evil, Replay: evil, Exchanges: []proof.Exchange{{Method: evil, URL: evil, RequestBody: evil, ResponseBody: evil, Error: evil, Tag: evil, Host: evil, Proto: evil}}}}
	}
	page := format(t, "html", p)
	inspect(t, page)
	if !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Error("the text is not shown either")
	}
}

// A proof may be larger than a page: then the page has less detail and says so.
func TestHTMLStaysSmall(t *testing.T) {
	t.Parallel()
	p := example(t, "failing")
	long := strings.Repeat(`<"&'>é `, 150)
	c := p.Targets[0].Conformance
	c.Checks = c.Checks[:20]
	for i := range c.Checks {
		k := &c.Checks[i]
		k.Requirement, k.Suite = long, fmt.Sprint(i)
		v := proof.Violation{Got: long, Expected: long, Replay: long}
		for range 4 {
			v.Exchanges = append(v.Exchanges, proof.Exchange{URL: long, RequestBody: long, ResponseBody: long, Error: long})
		}
		k.Violations = []proof.Violation{v}
		k.Observations = map[string]string{}
		for j := range 20 {
			k.Observations[fmt.Sprint(j)] = long
		}
	}
	p.Targets[0].Notes = []string{long, long}
	one := p.Targets[0]
	one.Bench = nil // the first has them
	for i := range 12 {
		one.Name = fmt.Sprint(i, long)
		p.Targets = append(p.Targets, one)
	}
	page := format(t, "html", p)
	inspect(t, page)
	if len(page) > html.MaxBytes {
		t.Errorf("%d bytes, want at most %d", len(page), html.MaxBytes)
	}
	if !strings.Contains(page, "proof.json has everything") || !strings.Contains(page, "more targets are in proof.json") {
		t.Error("the page does not say that it leaves something out")
	}
}
