// Package page is a capacity plan as one self-contained page with sliders. Its script
// reckons as package plan does; a test in a browser holds the two to the same results.
package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"

	"github.com/coreproof/coreproof/reports/plan"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/look"
	"github.com/coreproof/coreproof/reports/words"
)

var (
	//go:embed page.tmpl
	pageSource string
	//go:embed page.css
	pageCSS string
	//go:embed plan.js
	planJS string
	//go:embed page.js
	pageJS string

	// Parsed once and only read after that.
	pageTemplate = template.Must(template.New("plan").Funcs(template.FuncMap{"clean": words.OneLine, "plain": plain}).Parse(pageSource))
)

// Data is what the script knows.
type Data struct {
	Models []plan.Model `json:"models"`
	// Quantiles of Student's t by degrees of freedom, and how many blocks an interval
	// needs.
	Quantiles   []float64       `json:"quantiles"`
	MinBlocks   int             `json:"minBlocks"`
	HoursAMonth float64         `json:"hoursAMonth"`
	Names       map[string]Name `json:"names"`
}

// Name is a figure in words.
type Name struct {
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	Formula string `json:"formula"`
}

// names of all figures of a plan, by key.
var names = map[string]Name{
	"instances":      {"core instances", "", "⌈load / ((1 − headroom) · limit)⌉ + those that may fail; with a p99, at most the highest measured rate that keeps it"},
	"instance-rate":  {"calls/s an instance, where those that may fail are down", "", "load / instances that are left"},
	"core-cpu":       {"core CPU a call", "µs", "read off the load curve at the rate of an instance"},
	"core-vcpu-busy": {"core vCPU, busy", "", "load · CPU a call"},
	"core-vcpu":      {"core vCPU, to provide", "", "instances · vCPU of one as measured; where that is not known, busy / (1 − headroom)"},
	"statements":     {"statements/s", "", "load · statements a verify, an exact count"},
	"database-cpu":   {"database CPU a call", "µs", "read off the load curve at the rate of all instances"},
	"database-vcpu":  {"database vCPU, to provide", "", "load · CPU a call / (1 − headroom)"},
	"connections":    {"database connections busy, on average", "", "load · time held / (1 − headroom), one an instance at least (Little's law)"},
	"p99":            {"p99, where the database is as fast as measured", "ms", "between the two measured rates beside that of an instance"},
	"core-memory":    {"core memory", "bytes", "instances · most that one was seen to hold"},
	"disk":           {"database space of the sessions", "bytes", "sessions · bytes a session, an upper bound"},
	"total-vcpu":     {"vCPU, core and database", "", "core + database, to provide"},
	"price":          {"price a month", "", "vCPU · price of one an hour · 730 hours"},
}

// order of the figures.
var order = []string{"instances", "instance-rate", "core-cpu", "core-vcpu-busy", "core-vcpu", "statements", "database-cpu", "database-vcpu", "connections", "p99", "core-memory", "disk", "total-vcpu", "price"}

// DataOf is what the script needs to plan from p.
func DataOf(p *proof.Proof, a plan.Ask) (*Data, error) {
	models, err := plan.Models(p, a.TargetName, a.ProtocolName)
	if err != nil {
		return nil, err
	}
	return &Data{Models: models, Quantiles: plan.Quantiles(plan.Blocks(models)), MinBlocks: plan.MinBlocks(), HoursAMonth: plan.HoursAMonth, Names: names}, nil
}

// view is what the template shows.
type view struct {
	Look, CSS template.CSS
	Script    template.JS
	Policy    string
	Data      *Data
	Ask       plan.Ask
	Sliders   []slider
	Formulas  []Name // in the order of the table
	Subject   string
	When      string
	Digest    string
	Failed    string
	Several   bool
}

// slider is a number with a range beside it.
type slider struct {
	ID, Label             string
	Min, Max, Step, Value float64
}

// Write writes the page with the sliders set to a, and without --rps to half of the
// smallest limit.
func Write(w io.Writer, p *proof.Proof, a plan.Ask) error {
	d, err := DataOf(p, a)
	if err != nil {
		return err
	}
	limit, slowest := math.Inf(1), 1.0
	for _, m := range d.Models {
		for _, s := range m.Sides {
			if s.Refused != "" {
				continue
			}
			limit = math.Min(limit, s.Limit.Value)
			if s.P99 != nil {
				for _, list := range s.P99.Points {
					for _, x := range list {
						slowest = math.Max(slowest, x[1])
					}
				}
			}
		}
	}
	if a.RPS == 0 {
		a.RPS = round(limit / 2)
	}
	was := d.Models[0].VerifyShare
	if a.VerifyShare == 0 {
		a.VerifyShare = was
	}
	share := slider{"share", "Share of the calls that are verifies, %", 0, 100, 1, math.Round(1e11*a.VerifyShare) / 1e9}
	switch {
	case was < 1 && a.VerifyShare != was:
		return fmt.Errorf("%.3g %% of the calls that were measured were verifies, and the page plans for that share: leave --verify-share out", 100*was)
	case was < 1: // the figures hold for this share alone
		share.Label, share.Min, share.Max = share.Label+", as measured", share.Value, share.Value
	}
	script := planJS + pageJS
	sum := sha256.Sum256([]byte(script))
	v := view{
		Look: template.CSS(look.CSS), CSS: template.CSS(pageCSS), Script: template.JS(script), Data: d, Ask: a,
		Policy: "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		Sliders: []slider{
			{"rps", "Calls per second, all instances", 0, round(math.Max(10*limit, 2*a.RPS)), round(limit / 100), a.RPS},
			{"headroom", "Headroom, % of the capacity that stays free", 0, 95, 1, 100 * a.Headroom},
			{"p99", "p99 that must hold, ms (0: none)", 0, math.Ceil(slowest), 0.1, float64(a.P99.Microseconds()) / 1000},
			share,
		},
		Subject: d.Models[0].Core, When: words.Moment(p.Started), Digest: p.Digest, Several: len(d.Models) > 1,
	}
	for _, key := range order {
		v.Formulas = append(v.Formulas, names[key])
	}
	if p.Verdict.Outcome == proof.Fail {
		v.Failed = p.Verdict.Headline
	}
	if err := pageTemplate.Execute(w, v); err != nil {
		return fmt.Errorf("render the page of a plan: %w", err)
	}
	return nil
}

// plain writes a number as an input field takes it.
func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// round to two digits.
func round(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 0) {
		return 1
	}
	k := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Round(x/k) * k
}
