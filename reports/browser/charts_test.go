package browser

import (
	"fmt"
	"math"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict/chart"
)

// plotted is a picture read back: its dots in the values of its axes, which are taken
// from the ticks that are drawn.
type plotted struct {
	On, Off [][2]float64
	Ticks   int
}

// readBack gives the dots of a picture by its title's id, as a reader would: with the
// ticks for a ruler.
const readBack = `(id, log) => {
	const svg = document.getElementById(id + "-t").closest("svg");
	const number = (s) => Number(s.replace(/,/g, "").replace("−", "-"));
	const f = log ? Math.log : (v) => v, back = log ? Math.exp : (v) => v;
	const ys = [], xs = [];
	for (const t of svg.querySelectorAll("text.tick")) {
		const v = number(t.textContent);
		if (Number.isNaN(v)) continue;
		const x = Number(t.getAttribute("x")), y = Number(t.getAttribute("y"));
		if (t.getAttribute("text-anchor") === "end") ys.push([v, y - 4]);
		else if (t.getAttribute("text-anchor") === "middle" && x < 413) xs.push([v, x]);
	}
	const ruler = (list, f) => {
		list.sort((a, b) => a[0] - b[0]);
		const [a, z] = [list[0], list[list.length - 1]];
		return (at) => f(a[0]) + (at - a[1]) / (z[1] - a[1]) * (f(z[0]) - f(a[0]));
	};
	const rx = ruler(xs, (v) => v), ry = ruler(ys, f);
	const dots = (c) => [...svg.querySelectorAll("circle." + c)].map((e) => [rx(Number(e.getAttribute("cx"))), back(ry(Number(e.getAttribute("cy"))))]);
	return { On: dots("on"), Off: dots("off"), Ticks: xs.length + ys.length };
}`

func extremes(points [][2]float64) (low, high [2]float64) {
	low, high = [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, p := range points {
		for i := range p {
			low[i], high[i] = math.Min(low[i], p[i]), math.Max(high[i], p[i])
		}
	}
	return low, high
}

// TestChartsShowTheExtremes: what is drawn, read off the axes, is what the proof holds,
// from its lowest to its highest value, within what a tenth of a unit on paper is.
func TestChartsShowTheExtremes(t *testing.T) {
	ctx := browser(t)
	page := tab(t, ctx, pages(t)["report-swept"], 1280, 900, "light")
	run[int](t, page, unfold)
	b := &example(t, "swept").Targets[0].Bench[0]
	rates := func(of func(*proof.CurveRate) *proof.Estimate) map[string][][2]float64 {
		out := map[string][][2]float64{}
		for _, c := range b.Sweep.Curves {
			for i := range c.Rates {
				if e := of(&c.Rates[i]); e != nil {
					out[c.Variant] = append(out[c.Variant], [2]float64{c.Rates[i].RateHz, e.Value})
				}
			}
		}
		return out
	}
	windows := map[string][][2]float64{}
	for _, x := range chart.Tracks(b) {
		for _, s := range x.Spots {
			windows[x.Variant] = append(windows[x.Variant], [2]float64{s.At.Minutes(), s.Value})
		}
	}
	for _, tc := range []struct {
		id   string
		log  bool
		want map[string][][2]float64
	}{
		{"load-p50-1", true, rates(func(r *proof.CurveRate) *proof.Estimate { return r.P50 })},
		{"load-p99-1", true, rates(func(r *proof.CurveRate) *proof.Estimate { return r.P99 })},
		{"load-core-1", false, rates(func(r *proof.CurveRate) *proof.Estimate { return r.CoreCPU })},
		{"track-1", false, windows},
	} {
		t.Run(tc.id, func(t *testing.T) {
			got := run[plotted](t, page, fmt.Sprintf("(%s)(%q, %v)", readBack, tc.id, tc.log))
			if got.Ticks < 6 {
				t.Fatalf("only %d ticks", got.Ticks)
			}
			for variant, dots := range map[string][][2]float64{"on": got.On, "off": got.Off} {
				if len(dots) != len(tc.want[variant]) || len(dots) < 8 {
					t.Errorf("flag %s: %d dots, the proof has %d", variant, len(dots), len(tc.want[variant]))
				}
				low, high := extremes(dots)
				wantLow, wantHigh := extremes(tc.want[variant])
				for i, axis := range []string{"x", "y"} {
					span := wantHigh[i] - wantLow[i]
					for _, p := range [][2]float64{{low[i], wantLow[i]}, {high[i], wantHigh[i]}} {
						if math.Abs(p[0]-p[1]) > math.Max(0.01*span, 0.01*p[1]) {
							t.Errorf("flag %s, %s: drawn %g, the proof has %g", variant, axis, p[0], p[1])
						}
					}
				}
			}
		})
	}
}

// TestKeyboard reaches everything by tabulator, in order, and shows where it is.
func TestKeyboard(t *testing.T) {
	ctx := browser(t)
	all := pages(t)
	for _, name := range []string{"report-failing", "plan", "trend"} {
		t.Run(name, func(t *testing.T) {
			page := tab(t, ctx, all[name], 1280, 900, "light")
			want := run[int](t, page, `(() => {
				window.reached = new Set();
				window.order = [];
				const all = [...document.querySelectorAll("a[href],input,select,summary,[tabindex='0']")].filter((e) => e.checkVisibility({contentVisibilityAuto: true}) && !e.closest("details:not([open]) > :not(summary)"));
				window.all = all;
				return all.length;
			})()`)
			unseen := 0
			for range want + 1 {
				if err := chromedp.Do(page, chromedp.KeyEvent(kb.Tab)); err != nil {
					t.Fatal(err)
				}
				unseen += run[int](t, page, `(() => {
					const e = document.activeElement, s = getComputedStyle(e);
					if (e === document.body) return 0;
					reached.add(e);
					order.push(all.indexOf(e));
					return s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 1 ? 1 : 0;
				})()`)
			}
			if n := run[int](t, page, `all.filter((e) => reached.has(e)).length`); n != want || want < 4 {
				t.Errorf("the tabulator reaches %d of %d: not %q", n, want, run[[]string](t, page, `all.filter((e) => !reached.has(e)).map((e) => e.outerHTML.slice(0, 90))`))
			}
			if unseen > 0 {
				t.Errorf("%d times the page does not show where the keyboard is", unseen)
			}
			if !run[bool](t, page, `order.slice(0, all.length).every((v, i, a) => i === 0 || v > a[i - 1])`) {
				t.Error("the order of the keyboard is not that of the page")
			}
		})
	}
}
