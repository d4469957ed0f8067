package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

func TestParseBudgets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in   string
		want map[string]float64
	}{
		{"", map[string]float64{}},
		{"core-cpu-us=150", map[string]float64{"core-cpu-us": 150}},
		{"core-cpu-us=150 cost-ms=0.5", map[string]float64{"core-cpu-us": 150, "cost-ms": 0.5}},
		{"core-cpu-us=150 core-cpu-us=100", map[string]float64{"core-cpu-us": 100}}, // the last one counts
		{"core-cpu-ratio=1e1", map[string]float64{"core-cpu-ratio": 10}},
		{"core-cpu-us", nil},
		{"core-cpu-us=", nil},
		{"core-cpu-us=fast", nil},
		{"core-cpu-us=150us", nil},
		{"core-cpu-us=NaN", nil},
		{"core-cpu-us=Inf", nil},
		{"=5", nil},
		{"speed=5", nil},
		{"Core-CPU-us=5", nil},
	} {
		got, err := parseBudgets(strings.Fields(tc.in))
		if (err == nil) != (tc.want != nil) || tc.want != nil && !maps.Equal(got, tc.want) {
			t.Errorf("%q: %v, %v, want %v", tc.in, got, err, tc.want)
		}
	}
}

func TestJudgeBudgets(t *testing.T) {
	t.Parallel()
	measured := func(low, value, high float64) []proof.Target {
		return []proof.Target{{Name: "sqlite", Bench: []proof.Bench{{Era: "request", CoreCPUDiff: &proof.Estimate{Value: value, Low: low, High: high}}}}}
	}
	for name, tc := range map[string]struct {
		targets []proof.Target
		budget  string
		want    proof.Outcome
	}{
		"below":                 {measured(80, 90, 99), "core-cpu-us", proof.Pass},
		"just below":            {measured(80, 90, 100), "core-cpu-us", proof.Pass},
		"above":                 {measured(101, 110, 120), "core-cpu-us", proof.Fail},
		"not shown, value low":  {measured(80, 90, 110), "core-cpu-us", proof.Error},
		"not shown, value high": {measured(90, 110, 120), "core-cpu-us", proof.Error},
		"just not shown":        {measured(100, 110, 120), "core-cpu-us", proof.Error},
		"a gain":                {measured(-20, -10, -5), "core-cpu-us", proof.Pass},
		"not to be had":         {measured(80, 90, 99), "database-cpu-us", proof.Error},
		"nothing measured":      {[]proof.Target{{Name: "sqlite"}}, "core-cpu-us", proof.Error},
	} {
		p := &proof.Proof{Targets: tc.targets}
		judgeBudgets(p, map[string]float64{tc.budget: 100})
		if len(p.Budgets) != 1 {
			t.Fatalf("%s: %d rows", name, len(p.Budgets))
		}
		b := p.Budgets[0]
		if b.Outcome != tc.want || b.Name != tc.budget || b.Target != "sqlite" || b.Limit != 100 || b.Unit != "µs" || (b.Reason == "") != (b.Outcome != proof.Error) {
			t.Errorf("%s: %+v, want %s", name, b, tc.want)
		}
	}
	p := &proof.Proof{Targets: append(measured(80, 90, 99), measured(101, 110, 120)...)}
	judgeBudgets(p, map[string]float64{"core-cpu-us": 100, "cost-ms": 1})
	if len(p.Budgets) != 4 {
		t.Errorf("%d rows for two budgets on two targets", len(p.Budgets))
	}
	judgeBudgets(p, nil)
	if len(p.Budgets) != 4 {
		t.Error("no budget made a row")
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"--api-key secret --db sqlite": "--api-key *** --db sqlite",
		"-api-key secret":              "-api-key ***",
		"--api-key=secret":             "--api-key=***",
		"-api-key=sec=ret x":           "-api-key=*** x",
		"--db sqlite":                  "--db sqlite",
		"--api-key":                    "--api-key",
		"--key-file k":                 "--key-file k",
	} {
		if got := strings.Join(redact(strings.Fields(in)), " "); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
