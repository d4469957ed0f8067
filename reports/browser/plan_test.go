package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/plan"
	planpage "github.com/coreproof/coreproof/reports/plan/page"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// planned is what the script says of one ask.
type planned struct {
	Error        string `json:"error"`
	Extrapolated bool   `json:"extrapolated"`
	Figures      []struct {
		Key          string   `json:"key"`
		Value        *float64 `json:"value"`
		Low          *float64 `json:"low"`
		High         *float64 `json:"high"`
		Missing      string   `json:"missing"`
		Extrapolated bool     `json:"extrapolated"`
	} `json:"figures"`
}

// proofs to plan from: with and without noise, and with each thing that can be missing.
func planProofs(t *testing.T) map[string]*proof.Proof {
	t.Helper()
	out := map[string]*proof.Proof{}
	add := func(name string, edits ...func(*proof.Proof, *proof.Bench)) {
		e, _ := examples.Named("swept")
		for _, edit := range edits {
			edit(e.Proof, &e.Proof.Targets[0].Bench[0])
		}
		verdict.Derive(e.Proof)
		out[name] = e.Proof
	}
	add("as it is")
	add("noisy", func(_ *proof.Proof, b *proof.Bench) {
		b.Sweep = examples.Sweep(3, 0.15, examples.Curve{Variant: "off", Limit: 6000, Delay: 0.12, CPU: 150, PerSecond: 12000},
			examples.Curve{Variant: "on", Limit: 4400, Delay: 0.2, CPU: 205, PerSecond: 15000, DB: 40, DBPerSecond: 22000, Idle: *b.IdleDatabaseCPU})
	})
	add("two blocks", func(_ *proof.Proof, b *proof.Bench) {
		b.Sweep = examples.Sweep(2, 0.02, examples.Curve{Variant: "off", Limit: 6000, Delay: 0.12, CPU: 150}, examples.Curve{Variant: "on", Limit: 4400, Delay: 0.2, CPU: 205, DB: -1})
	})
	add("read between neighbours", func(_ *proof.Proof, b *proof.Bench) {
		for i := range b.Sweep.Points {
			p := &b.Sweep.Points[i]
			p.CPU *= 1 + 0.8/(1+math.Exp((p.RateHz-2000)/300))
		}
	})
	add("without a curve", func(_ *proof.Proof, b *proof.Bench) { b.Sweep = nil })
	add("embedded", func(p *proof.Proof, _ *proof.Bench) { p.Targets[0].Kind = "embedded" })
	add("embedded, by its database", func(p *proof.Proof, b *proof.Bench) {
		p.Targets[0].Kind, p.Targets[0].Database, b.Design.DatabaseAt = "container", nil, proof.DatabaseInside
	})
	add("mixed load", func(_ *proof.Proof, b *proof.Bench) { b.Design.VerifyShare, b.IdleDatabaseCPU = 0.9, nil })
	add("not pinned, three instances", func(_ *proof.Proof, b *proof.Bench) {
		b.Design.Pinned = false
		for i := range b.Variants {
			b.Variants[i].Instances = 3
		}
	})
	add("database not seen", func(p *proof.Proof, b *proof.Bench) { p.Targets[0].Footprint = nil })
	add("memory not read", func(_ *proof.Proof, b *proof.Bench) {
		for i := range b.Rounds {
			for j := range b.Rounds[i].Windows {
				b.Rounds[i].Windows[j].Memory, b.Rounds[i].Windows[j].MemoryReady = 0, 0
			}
		}
	})
	return out
}

// TestPlanAgrees: on a grid of loads and wishes the page's script says what package plan
// says, figure by figure, bounds, marks and refusals included.
func TestPlanAgrees(t *testing.T) {
	ctx := browser(t)
	for name, p := range planProofs(t) {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "plan.html")
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(planpage.Write(f, p, plan.Ask{Headroom: 0.4}), f.Close()); err != nil {
				t.Fatal(err)
			}
			page := tab(t, ctx, file, 1280, 800, "light")
			var asks []plan.Ask
			for _, rps := range []float64{1, 37, 500, 2000, 3500, 5555.5, 20000, 1e6} {
				for _, headroom := range []float64{0, 0.4, 0.77} {
					for _, p99 := range []time.Duration{0, 900 * time.Microsecond, 3 * time.Millisecond, 8 * time.Millisecond} {
						for i, fail := range []int{0, 2} {
							a := plan.Ask{RPS: rps, Headroom: headroom, P99: p99, InstancesFail: fail, VerifyShare: 1, Extrapolate: i == 0}
							if i == 1 {
								a.VerifyShare, a.Sessions, a.VCPUPrice = 0.8, 4000, 0.04
								a.Extrapolate = headroom > 0.3
							}
							asks = append(asks, a)
						}
					}
				}
			}
			got := evaluate(t, page, asks)
			compared, refused, extrapolated := 0, 0, 0
			for i, a := range asks {
				for j, flag := range []string{plan.Off, plan.On} {
					a.Flags = []string{flag}
					want, err := plan.Make(p, a)
					is := got[i][j]
					at := fmt.Sprintf("flag %s, %+v", flag, a)
					switch {
					case (err != nil) != (is.Error != ""):
						t.Fatalf("%s: the script says %q, Go %v", at, is.Error, err)
					case err != nil:
						refused++
						if beyond := strings.Contains(err.Error(), "would be extrapolated"); beyond != is.Extrapolated {
							t.Errorf("%s: the script refuses with %q, Go with %v", at, is.Error, err)
						}
						continue
					}
					figures := want.Cases[0].Sides[0].Figures
					if len(figures) != len(is.Figures) {
						t.Fatalf("%s: %d figures, Go has %d", at, len(is.Figures), len(figures))
					}
					for k, f := range figures {
						g := is.Figures[k]
						if g.Key != f.Key || g.Extrapolated != f.Extrapolated || (g.Missing == "") != (f.Missing == "") || !same(g.Value, f.Value) || !same(g.Low, f.Low) || !same(g.High, f.High) {
							t.Fatalf("%s: %s is %s, in Go %s", at, f.Key, text(g), text(f))
						}
						compared++
						if f.Extrapolated {
							extrapolated++
						}
					}
				}
			}
			if compared < 500 || extrapolated == 0 || refused == 0 && name == "as it is" {
				t.Errorf("only %d figures were compared, %d of them extrapolated; %d plans refused", compared, extrapolated, refused)
			}
			t.Logf("%d figures compared, %d extrapolated; %d plans refused", compared, extrapolated, refused)
		})
	}
}

// evaluate asks the page's own script.
func evaluate(t *testing.T, page context.Context, asks []plan.Ask) (out [][2]planned) {
	t.Helper()
	var list []map[string]any
	for _, a := range asks {
		list = append(list, map[string]any{"rps": a.RPS, "headroom": a.Headroom, "p99Ms": float64(a.P99.Microseconds()) / 1000, "instancesFail": a.InstancesFail, "verifyShare": a.VerifyShare, "sessions": a.Sessions, "vcpuPrice": a.VCPUPrice, "extrapolate": a.Extrapolate})
	}
	data, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	// As text: what is infinite has no JSON, and null would be taken for none.
	answer := run[string](t, page, `(() => {
		const data = JSON.parse(document.getElementById("data").textContent);
		return JSON.stringify(`+string(data)+`.map((a) => data.models[0].sides.map((m) => plan.side(data, m, a))), (k, v) => v === Infinity ? 1e308 : v);
	})()`)
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func same(a, b *float64) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return *a == *b || math.Abs(*a-*b) <= 1e-9*math.Max(math.Abs(*a), math.Abs(*b)) || *a > 1e300 && *b > 1e300
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(b)
}

// invalid are the fields that the page calls so.
func invalid(t *testing.T, page context.Context) string {
	t.Helper()
	return run[string](t, page, `[...document.querySelectorAll("[aria-invalid=true]")].map((e) => e.id).join()`)
}

// noted is what stands below the figures.
func noted(t *testing.T, page context.Context) string {
	t.Helper()
	return run[string](t, page, `document.getElementById("notes").textContent`)
}

// TestPlanPageOfAMixedLoad: figures that hold for one share of verifies are shown for no
// other, but where that is asked for, and then marked.
func TestPlanPageOfAMixedLoad(t *testing.T) {
	ctx := browser(t)
	e, _ := examples.Named("swept")
	e.Proof.Targets[0].Bench[0].Design.VerifyShare = 0.57 // which per cent and back do not give
	verdict.Derive(e.Proof)
	file := filepath.Join(t.TempDir(), "plan.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(planpage.Write(f, e.Proof, plan.Ask{Headroom: 0.4}), f.Close()); err != nil {
		t.Fatal(err)
	}
	page := tab(t, ctx, file, 1280, 800, "light")
	for i, tc := range []struct {
		share       string
		extrapolate bool
		status      string
		invalid     string
		dotted      bool // the whole picture
	}{
		{"", false, "Planned: ", "", false},
		{"57", false, "Planned: ", "", false},
		{"50", false, "Not planned: 57 % of the calls that were measured were verifies", "share", false},
		{"50", true, "Planned: ", "", true},
	} {
		run[string](t, page, fmt.Sprintf(`(() => {
			const e = document.getElementById("share"), x = document.getElementById("extrapolate");
			if (%q) e.value = %q;
			x.checked = %v;
			e.dispatchEvent(new Event("input", {bubbles: true}));
			return "";
		})()`, tc.share, tc.share, tc.extrapolate))
		status := run[string](t, page, `document.getElementById("status").textContent`)
		if !strings.HasPrefix(status, tc.status) || strings.Contains(status, "share of verifies is beyond") != tc.dotted || strings.Contains(noted(t, page), "another share than was measured") != tc.dotted {
			t.Errorf("%d: the page says %q, and %s", i, status, noted(t, page))
		}
		if bad := invalid(t, page); bad != tc.invalid {
			t.Errorf("%d: invalid are %q, want %q", i, bad, tc.invalid)
		}
		if whole := run[bool](t, page, `document.querySelectorAll("#plot path.curve").length > 0 && document.querySelectorAll("#plot path.curve:not(.beyond)").length === 0`); whole != tc.dotted {
			t.Errorf("%d: all of the picture is dotted: %v", i, whole)
		}
	}
}

// TestPlanPage: what is typed and dragged is planned at once; what cannot be is refused
// in words.
func TestPlanPage(t *testing.T) {
	ctx := browser(t)
	page := tab(t, ctx, pages(t)["plan"], 390, 844, "light")
	set := func(id, value string) {
		t.Helper()
		run[string](t, page, fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.value = %q; e.dispatchEvent(new Event("input", {bubbles: true})); return "" })()`, id, value))
	}
	status := func() string { return run[string](t, page, `document.getElementById("status").textContent`) }
	instances := func() string {
		return run[string](t, page, `[...document.querySelectorAll("#figures tbody tr")][0].cells[2].firstChild.data`)
	}
	if s := status(); !strings.HasPrefix(s, "Planned: ") {
		t.Errorf("at first the page says %q", s)
	}
	before := instances()
	set("rps-slider", "12000")
	if after := instances(); after == before || run[string](t, page, `document.getElementById("rps").value`) != "12000" {
		t.Errorf("dragging the load changes nothing: %s instances, then %s", before, after)
	}
	set("rps", "0")
	if bad := invalid(t, page); bad != "rps" {
		t.Errorf("invalid are %q, want the load", bad)
	}
	if s := status(); !strings.Contains(s, "must be above zero") || !run[bool](t, page, `document.getElementById("figures").hidden`) {
		t.Errorf("no load is planned: %q", s)
	}
	set("rps", "3500")
	if bad := invalid(t, page); bad != "" {
		t.Errorf("%q is called invalid", bad)
	}
	const dotted = `[...document.querySelectorAll("#plot path.beyond")].map((e) => e.getAttribute("d")).join()`
	before = run[string](t, page, dotted)
	set("sessions", "100001")
	if after := run[string](t, page, dotted); after != before || !strings.Contains(noted(t, page), "100,001 sessions are many times as many") {
		t.Errorf("with many sessions the picture is dotted along %q instead of %q; notes: %s", after, before, noted(t, page))
	}
	set("sessions", "100000")
	if n := noted(t, page); strings.Contains(n, "sessions are many") {
		t.Errorf("ten times the rows are too many: %s", n)
	}
	set("sessions", "0")
	set("p99", "1.86") // kept by the mean alone
	if n := noted(t, page); !strings.Contains(n, "flag on: at no rate that was measured is the whole interval of p99 within 1.86 ms") || strings.Contains(n, "flag off: at no rate") {
		t.Errorf("notes at a p99 that is not sure: %s", n)
	}
	set("p99", "0")
	set("rps", "1000000")
	if s := status(); !strings.Contains(s, "extrapolated") || !strings.Contains(s, "Measured were") {
		t.Errorf("beyond what was measured the page says %q", s)
	}
	if err := chromedp.Do(page, chromedp.Click(chromedp.ID("extrapolate"))); err != nil {
		t.Fatal(err)
	}
	if n := run[int](t, page, `document.querySelectorAll("#figures td.beyond").length`); n == 0 || !strings.Contains(status(), "marked") {
		t.Errorf("%d figures are marked as extrapolated: %q", n, status())
	}
	if n := run[int](t, page, `document.querySelectorAll("#plot path.beyond").length`); n == 0 {
		t.Error("the picture does not show where it is extrapolated")
	}
	set("p99", "0.001")
	if s := status(); !strings.Contains(s, "p99") || !strings.Contains(s, "Refused") {
		t.Errorf("a p99 that nothing keeps: %q", s)
	}
}
