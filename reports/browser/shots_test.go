package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// shots names a folder for pictures and prints of pages, for whoever wants to look at
// them; shot picks pages by a part of their name.
const shots, shot = "COREPROOF_SHOTS", "COREPROOF_SHOT"

func TestShots(t *testing.T) {
	dir := os.Getenv(shots)
	if dir == "" {
		t.Skip(shots + " names no folder")
	}
	ctx := browser(t)
	keep := func(name string, data []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, file := range pages(t) {
		if !strings.Contains(name, os.Getenv(shot)) {
			continue
		}
		for _, screen := range []struct {
			width  int64
			scheme string
		}{{1280, "light"}, {1280, "dark"}, {390, "light"}} {
			x := tab(t, ctx, file, screen.width, 844, screen.scheme)
			data, err := chromedp.Run(x, chromedp.FullScreenshot(100))
			keep(fmt.Sprintf("%s-%d-%s.png", name, screen.width, screen.scheme), data, err)
		}
		data, err := chromedp.Run(tab(t, ctx, file, 1280, 844, "light"), chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
		keep(name+".pdf", data, err)
	}
}

// TestPrint: on paper nothing is folded away, and no table is cut off at the margin.
func TestPrint(t *testing.T) {
	ctx := browser(t)
	all := pages(t)
	for _, name := range []string{"report-failing", "report-swept", "trend"} {
		t.Run(name, func(t *testing.T) {
			// 718 is A4 less margins of a centimetre, in CSS pixels.
			x := tab(t, ctx, all[name], 718, 1000, "dark")
			print := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
				_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
				return err
			})
			if err := chromedp.Do(x, print); err != nil {
				t.Fatal(err)
			}
			// Content of a closed details has no boxes, or ones without height, where it is
			// not shown.
			hidden := run[[]string](t, x, `[...document.querySelectorAll("details:not([open])")].filter((d) => {
				const inner = [...d.querySelectorAll(":scope table, :scope p, :scope li, :scope pre")];
				return inner.length > 0 && !inner.some((e) => e.getBoundingClientRect().height > 0 && e.checkVisibility({contentVisibilityAuto: true}));
			}).map((d) => d.querySelector("summary").textContent.trim().slice(0, 80))`)
			for _, h := range hidden {
				t.Errorf("folded away on paper: %s", h)
			}
			for _, wide := range run[[]string](t, x, `[...document.querySelectorAll("table, pre, svg")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => Math.round(e.getBoundingClientRect().right) + " of " + innerWidth + ": " + e.outerHTML.slice(0, 120).replace(/\s+/g, " "))`) {
				t.Errorf("cut off on paper: %s", wide)
			}
			pdf, err := chromedp.Run(x, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
			if err != nil || len(pdf) < 10_000 {
				t.Errorf("a PDF of %d bytes: %v", len(pdf), err)
			}
		})
	}
}
