package render

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/coreproof/coreproof/reports/proof"
)

// Elements that the page is made of. Anything else, above all whatever runs or
// fetches, came from outside.
func allowed(element string) bool {
	return slices.Contains(strings.Fields("html head meta title style body header nav main section article footer p span b small h1 h2 h3 h4 h5 ul li dl dt dd div a details summary pre figure figcaption table caption thead tbody tr th td svg line rect circle text path desc"), element)
}

// inspect walks over a page and reports what must not be in it.
func inspect(t testing.TB, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	ids, refs := map[string]bool{}, []string{}
	level := 0
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
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

func hasChild(n *html.Node, name string) bool {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Data == name {
			return true
		}
	}
	return false
}

func TestHTMLIsSelfContained(t *testing.T) {
	t.Parallel()
	for _, name := range exampleNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := format(t, "html", example(t, name))
			inspect(t, page)
			if len(page) > MaxHTML {
				t.Errorf("%d bytes, want at most %d", len(page), MaxHTML)
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
	p.Budgets[0].Name, p.Budgets[0].Unit = evil, evil
	tg := &p.Targets[0]
	tg.Name, tg.Kind, tg.Core.Product, tg.Database.Version, tg.Notes = evil, evil, evil, evil, []string{evil}
	tg.Database.Settings = map[string]string{evil: evil}
	tg.Bench[0].Protocol, tg.Bench[0].Era, tg.Bench[0].NotGateable, tg.Bench[0].Gateable = evil, evil, evil, false
	tg.Bench[0].CoreCPUDiff.Unit, tg.Bench[0].CoreCPURatio.Method = evil, evil
	tg.Bench[0].Dropped = []proof.Dropped{{Kind: evil, Reason: evil}}
	tg.Footprint.Source, tg.Footprint.Space.Reason, tg.Footprint.Space.SchemaOn = evil, evil, evil
	tg.Conformance.Histories[0].Result = evil
	for i := range tg.Conformance.Checks {
		k := &tg.Conformance.Checks[i]
		k.ID, k.Title, k.Requirement, k.Source, k.Suite, k.Got, k.Expected, k.Replay, k.Rerun, k.Reason = evil, evil, evil, evil, evil, evil, evil, evil, evil, evil
		k.Observations = map[string]string{evil: evil}
		k.Profiles = append(k.Profiles, evil)
		k.Exchanges = []proof.Exchange{{Method: evil, URL: evil, RequestBody: evil, ResponseBody: evil, Error: evil, Tag: evil}}
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
	long := strings.Repeat(`<"&'>é `, 300)
	for i := range p.Targets[0].Conformance.Checks {
		k := &p.Targets[0].Conformance.Checks[i]
		k.Outcome, k.Got, k.Expected, k.Requirement, k.Replay, k.Suite = proof.Fail, long, long, long, long, fmt.Sprint(i)
		for range 10 {
			k.Exchanges = append(k.Exchanges, proof.Exchange{URL: long, RequestBody: long, ResponseBody: long, Error: long})
		}
		k.Observations = map[string]string{}
		for j := range 20 {
			k.Observations[fmt.Sprint(j)] = long
		}
	}
	p.Targets[0].Notes = []string{long, long}
	one := p.Targets[0]
	for i := range 12 {
		one.Name = fmt.Sprint(i, long)
		p.Targets = append(p.Targets, one)
	}
	page := format(t, "html", p)
	inspect(t, page)
	if len(page) > MaxHTML {
		t.Errorf("%d bytes, want at most %d", len(page), MaxHTML)
	}
	if !strings.Contains(page, "proof.json has everything") || !strings.Contains(page, "more targets are in proof.json") {
		t.Error("the page does not say that it leaves something out")
	}
}

// Text and lines stand out from the background as WCAG 2 AA wants: 4.5 for
// text, 3 for what is drawn.
func TestContrast(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(pageCSS, -1)
	if len(blocks) != 3 {
		t.Fatalf("the style sheet has %d sets of colours, want light, dark and print", len(blocks))
	}
	for i, b := range blocks {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z]+): (#[0-9a-f]{3,6})`).FindAllStringSubmatch(b[1], -1) {
			colour[m[1]] = m[2]
		}
		for name, least := range map[string]float64{"fg": 7, "muted": 4.5, "good": 4.5, "bad": 4.5, "unsure": 4.5, "off": 3, "on": 3, "db": 3} {
			for _, ground := range []string{"bg", "soft"} {
				if got := contrast(t, colour[name], colour[ground]); got < least {
					t.Errorf("set %d: %s on %s has contrast %.2f, want at least %.1f", i, name, ground, got, least)
				}
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	hex = strings.TrimPrefix(hex, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.03928 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		low, high float64
		want      string
	}{
		{0.13, 8, "[0.2 0.5 1 2 5]"}, {1e-3, 1e3, "[0.001 0.01 0.1 1 10 100 1000]"}, {0.21, 0.24, "[]"},
	} {
		if got := fmt.Sprint(logTicks(tc.low, tc.high)); got != tc.want {
			t.Errorf("logTicks(%g, %g) = %s, want %s", tc.low, tc.high, got, tc.want)
		}
	}
	ticks, decimals := evenTicks(0.97, 1.41)
	if got := fmt.Sprintf("%.3g %d", ticks, decimals); got != "[1 1.1 1.2 1.3 1.4] 1" {
		t.Errorf("evenTicks(0.97, 1.41) = %s", got)
	}
	if ticks, _ := evenTicks(1, 1); len(ticks) > 0 {
		t.Errorf("evenTicks(1, 1) = %v, want none", ticks)
	}
}
