package show_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/plan"
	"github.com/coreproof/coreproof/reports/plan/show"
)

func num(x float64) *float64 { return &x }

var example = &plan.Plan{
	Ask: plan.Ask{RPS: 1000, VerifyShare: 1, Headroom: 0.4, Flags: []string{plan.Off, plan.On}},
	Cases: []plan.Case{{
		Target: "post|gres", Protocol: "CDI 5.4", Core: "<b>core</b>",
		Sides: []plan.Side{
			{Flag: plan.Off, Figures: []plan.Figure{{Key: "core-cpu", Name: "core CPU a call", Unit: "µs", Value: num(150), Low: num(140), High: num(160), Formula: "f"}, {Key: "disk", Name: "disk", Unit: "bytes", Value: num(2048), Formula: "f"}}},
			{Flag: plan.On, Figures: []plan.Figure{{Key: "core-cpu", Name: "core CPU a call", Unit: "µs", Value: num(200), Extrapolated: true, Tested: "1 to 2", Formula: "f"}, {Key: "disk", Name: "disk", Missing: "nobody looked"}}},
		},
		Flag:  []plan.Figure{{Key: "core-cpu", Name: "core CPU a call", Value: num(50), Formula: "on − off"}},
		Notes: []string{"a note"},
	}},
}

func TestPlan(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"terminal": {"150 [140, 160]", "200 extrapolated", "+50", "2 KiB", "missing: disk (flag on): nobody looked", "extrapolated: core CPU a call: measured were 1 to 2", "a note"},
		"markdown": {"| core CPU a call, µs | 150 [140, 160] | 200 extrapolated | +50 |", `post\|gres`, "&lt;b>core", "| --- | --- | --- | --- |", "- a note"},
	} {
		f, ok := show.Find(name)
		if !ok {
			t.Fatalf("no format %s", name)
		}
		var b bytes.Buffer
		if err := f.Plan(&b, example); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s lacks %q:\n%s", name, w, b.String())
			}
		}
	}
	f, _ := show.Find("json")
	var b bytes.Buffer
	if err := f.Plan(&b, example); err != nil {
		t.Fatal(err)
	}
	var back plan.Plan
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || !reflect.DeepEqual(&back, example) {
		t.Errorf("%v: %+v", err, back)
	}
}

// TestHeading: calls are not taken for verifies, nor verifies for calls.
func TestHeading(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]string{1: ": 1,000 calls/s, headroom", 0.5: ": 1,000 calls/s, 500 of them verifies, headroom"} {
		p := *example
		p.Ask.VerifyShare = share
		f, _ := show.Find("terminal")
		var b bytes.Buffer
		if err := f.Plan(&b, &p); err != nil {
			t.Fatal(err)
		}
		if line, _, _ := strings.Cut(b.String(), "\n"); !strings.Contains(line, want) {
			t.Errorf("a share of %g: %q lacks %q", share, line, want)
		}
	}
}

func TestValidation(t *testing.T) {
	t.Parallel()
	v := &plan.Validation{Trials: []plan.Trial{{Target: "x", Protocol: "CDI 5.4", Flag: "on", Figure: "core CPU", HeldOut: 1000, Measured: 100, Predicted: 120, Error: 0.2, Bar: 0.1}}, Notes: []string{"a note"}}
	for _, f := range show.Formats {
		var b bytes.Buffer
		if err := f.Validation(&b, v); err != nil {
			t.Fatal(err)
		}
		if s := b.String(); !strings.Contains(s, "a note") || f.Name != "json" && (!strings.Contains(s, "10 beyond") || !strings.Contains(s, "beyond the bar")) {
			t.Errorf("%s:\n%s", f.Name, s)
		}
	}
}
