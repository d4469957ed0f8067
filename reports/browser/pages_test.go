package browser

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/plan"
	planpage "github.com/coreproof/coreproof/reports/plan/page"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/html"
	"github.com/coreproof/coreproof/reports/render/many"
	"github.com/coreproof/coreproof/reports/render/sheet"
	"github.com/coreproof/coreproof/reports/verdict"
	"github.com/coreproof/coreproof/reports/verdict/several"
)

//go:embed rules.js
var rules string

// required makes a missing browser a failure.
const required = "COREPROOF_REQUIRE_BROWSER"

// shared are the browser and the pages of all tests.
type shared struct {
	ctx   context.Context
	none  string // why there is no browser
	pages map[string]string
	err   error
}

// started once: a browser takes seconds.
var started = sync.OnceValue(func() (s shared) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		s.none = "there is no Chromium"
		return s
	}
	dir, err := os.MkdirTemp("", "coreproof-pages-")
	if err != nil {
		s.err = err
		return s
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)...)
	var cancel context.CancelFunc
	s.ctx, cancel = chromedp.NewContext(allocator)
	atEnd = func() {
		cancel()
		stop()
		_ = os.RemoveAll(dir)
	}
	if err := chromedp.Do(s.ctx); err != nil {
		s.err = fmt.Errorf("start %s: %w", path, err)
		return s
	}
	s.pages, s.err = write(dir)
	return s
})

// atEnd ends what was started.
var atEnd = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	atEnd()
	os.Exit(code)
}

// browser is Chromium; the test is skipped where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	s := started()
	switch {
	case s.none != "" && os.Getenv(required) != "":
		t.Fatalf("%s, and %s is set", s.none, required)
	case s.none != "":
		t.Skip(s.none)
	case s.err != nil:
		t.Fatal(s.err)
	}
	return s.ctx
}

// tab opens a page of its own; what goes wrong on it fails the test at its end.
func tab(t *testing.T, ctx context.Context, file string, width, height int64, scheme string) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var wrong []string
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		wrong = append(wrong, fmt.Sprintf(format, args...))
	}
	err := chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			say("exception: %s at line %d", e.ExceptionDetails.Text, e.ExceptionDetails.LineNumber)
		case *runtime.EventConsoleAPICalled:
			say("the console says something: %s", e.Type)
		case *log.EventEntryAdded:
			say("%s: %s", e.Entry.Level, e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "file://") {
				say("the page asks for %s", e.Request.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var mobile []chromedp.EmulateViewportOption
	if width < 600 {
		mobile = append(mobile, chromedp.EmulateMobile)
	}
	media := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height, mobile...), media, chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, w := range wrong {
			t.Errorf("on %s: %s", filepath.Base(file), w)
		}
	})
	return ctx
}

// run evaluates a script, within a minute.
func run[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%s: %v", strings.TrimSpace(script[:min(len(script), 100)]), err)
	}
	return v
}

func example(t *testing.T, name string) *proof.Proof {
	t.Helper()
	p, err := derived(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// derived is an example with all that follows from it.
func derived(name string) (*proof.Proof, error) {
	e, ok := examples.Named(name)
	if !ok {
		return nil, fmt.Errorf("there is no example %s", name)
	}
	verdict.Derive(e.Proof)
	return e.Proof, nil
}

// several runs of a core that got dearer at the 13th.
func nightly() (list []several.Named, err error) {
	for i := range 20 {
		e, ok := examples.Named("swept")
		if !ok {
			return nil, errors.New("there is no example swept")
		}
		e.Proof.Started = e.Proof.Started.AddDate(0, 0, i)
		for k := range e.Proof.Targets[0].Bench[0].Rounds {
			for w := range e.Proof.Targets[0].Bench[0].Rounds[k].Windows {
				x := &e.Proof.Targets[0].Bench[0].Rounds[k].Windows[w]
				x.CPU *= 1 + 0.01*float64(i*7%5)
				if i >= 12 && x.Variant == "on" {
					x.CPU *= 1.15
				}
			}
		}
		list = append(list, several.Named{Name: fmt.Sprintf("nightly/2026-03-%02d/proof.json", 2+i), Proof: e.Proof})
	}
	return list, nil
}

// pages of all kinds, by name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	browser(t)
	return started().pages
}

// write writes pages of all kinds to a folder.
func write(dir string) (map[string]string, error) {
	out := map[string]string{}
	list, err := nightly()
	if err != nil {
		return nil, err
	}
	named := map[string]func(*bytes.Buffer) error{
		"trend": func(b *bytes.Buffer) error { return sheet.HTML(b, many.Trend(several.Follow(list), "nightly")) },
	}
	for _, name := range examples.Names() {
		p, err := derived(name)
		if err != nil {
			return nil, err
		}
		named["report-"+name] = func(b *bytes.Buffer) error { return html.Render(b, p) }
		switch name {
		case "failing":
			named["compare"] = func(b *bytes.Buffer) error {
				return sheet.HTML(b, many.Comparison(several.Compare([]several.Named{list[0], list[19], {Name: "failing.json", Proof: p}})))
			}
		case "swept":
			named["plan"] = func(b *bytes.Buffer) error {
				return planpage.Write(b, p, plan.Ask{VerifyShare: 1, Headroom: 0.4, Flags: []string{plan.Off, plan.On}})
			}
		}
	}
	for name, render := range named {
		var buf bytes.Buffer
		if err := render(&buf); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = filepath.Join(dir, name+".html")
		if err := os.WriteFile(out[name], buf.Bytes(), 0o644); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// everything is opened: rules hold for what is folded away too.
const unfold = `document.querySelectorAll("details").forEach((d) => { d.open = true; }); document.querySelectorAll("details").length`

// TestRules holds every page to the rules, light and dark, from a telephone to a wide
// screen, with all that can be unfolded.
func TestRules(t *testing.T) {
	ctx := browser(t)
	for name, file := range pages(t) {
		for _, screen := range []struct {
			width  int64
			scheme string
		}{{390, "light"}, {390, "dark"}, {1280, "light"}, {1920, "dark"}} {
			if screen.width == 1920 && name != "report-swept" && name != "report-good" && name != "plan" {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d-%s", name, screen.width, screen.scheme), func(t *testing.T) {
				t.Parallel()
				page := tab(t, ctx, file, screen.width, 844, screen.scheme)
				run[int](t, page, unfold)
				for _, broken := range run[[]string](t, page, rules) {
					t.Error(broken)
				}
			})
		}
	}
}

// TestRulesFindWhatIsWrong: each rule breaks on a page that breaks it.
func TestRulesFindWhatIsWrong(t *testing.T) {
	ctx := browser(t)
	file := pages(t)["report-swept"]
	for rule, harm := range map[string]string{
		"language":  `document.documentElement.lang = ""`,
		"title":     `document.title = ""`,
		"zoom":      `document.querySelector("meta[name=viewport]").content = "user-scalable=no"`,
		"landmark":  `document.body.append(document.createElement("main"))`,
		"headings":  `document.querySelector("h2").outerHTML = "<h4>x</h4>"`,
		"name":      `document.querySelector("summary").innerHTML = ""`,
		"picture":   `document.querySelector("svg circle").setAttribute("cx", "900")`,
		"reference": `document.querySelector("svg").setAttribute("aria-labelledby", "nowhere")`,
		"id":        `document.querySelectorAll("section").forEach((s) => { s.id = "same"; })`,
		"link":      `document.querySelector("nav a").href = "#nowhere"`,
		"table":     `document.querySelector("caption").remove()`,
		"order":     `document.querySelector(".scroll").tabIndex = 3`,
		"hidden":    `document.querySelector("nav").setAttribute("aria-hidden", "true")`,
		"scrolling": `document.querySelectorAll(".sideways").forEach((e) => e.remove())`,
		"overflow":  `document.querySelector("h1").style.width = "3000px"`,
		"target":    `document.querySelector("summary").style.cssText = "height: 9px; padding: 0; overflow: hidden; font-size: 4px"`,
		"contrast":  `document.querySelector(".sentence").style.color = "#999"`,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			page := tab(t, ctx, file, 390, 844, "light")
			run[string](t, page, harm+`; "done"`)
			found := run[[]string](t, page, rules)
			for _, f := range found {
				if strings.HasPrefix(f, rule+":") {
					return
				}
			}
			t.Errorf("the rule does not see that it is broken; found %q", found)
		})
	}
}
