package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/target"
	"github.com/coreproof/coreproof/reports/render"
)

// options are the flags that run, conform and bench share.
type options struct {
	dbs       list
	url       target.URLOptions
	instances int
	protocols list
	out       string
	formats   list
	quiet     bool
	seed      uint64

	checks, suites, profiles list
	scale                    float64

	rounds, floorRounds, closedRounds int
	measures                          bool // the command has the flags of measuring
	stretch                           time.Duration
	rate                              float64
	tokens                            int
	noPin                             bool
	budgets                           list
}

func (o *options) common(f *flags) {
	f.Var(&o.dbs, "db", "databases to try: sqlite, postgres, mysql, mariadb, mongo; several with commas (default sqlite, which needs nothing)")
	f.StringVar(&o.url.On, "url-on", "", "base URL of a core whose flag is on, instead of --db")
	f.StringVar(&o.url.Off, "url-off", "", "base URL of a core on the same database whose flag is off")
	f.StringVar(&o.url.APIKey, "api-key", "", "API key of the cores")
	f.StringVar(&o.url.CAFile, "ca-file", "", "trust the authorities in this PEM file")
	f.StringVar(&o.url.CertFile, "cert-file", "", "client certificate, PEM")
	f.StringVar(&o.url.KeyFile, "key-file", "", "key of the client certificate, PEM")
	f.BoolVar(&o.url.AllowRemote, "allow-remote", false, "permit hosts that are not this machine")
	f.Float64Var(&o.url.RateCap, "rate-cap", target.DefaultRateCap, "most calls per second to a remote host")
	f.IntVar(&o.url.PIDOn, "pid-on", 0, "process of the flag-on core on this machine, to read its CPU time")
	f.IntVar(&o.url.PIDOff, "pid-off", 0, "process of the flag-off core on this machine")
	f.IntVar(&o.instances, "instances", 0, "cores on each side on one database (default 2 for checks, 1 for bench)")
	f.Var(&o.protocols, "cdi", "CDI versions to speak, e.g. 2.20,5.4 (default one of each era)")
	f.StringVar(&o.out, "out", "proof", "folder for proof.json and the reports")
	f.Var(&o.formats, "format", "reports to make: "+strings.Join(formatNames(), ", ")+" (default all files and the terminal summary)")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing but the verdict and errors")
	f.Uint64Var(&o.seed, "seed", 0, "seed of all randomness (default drawn, and printed in the proof)")
}

func (o *options) selection(f *flags) {
	f.Var(&o.checks, "check", "only these checks, e.g. BL-07,BL-12")
	f.Var(&o.suites, "suite", "only checks of these suites")
	f.Var(&o.profiles, "profile", "only checks of these profiles, e.g. blacklisting")
	f.Float64Var(&o.scale, "scale", 1, "multiply the number of trials")
}

func (o *options) measuring(f *flags, rounds, floor, closed int, stretch time.Duration) {
	o.measures = true
	f.IntVar(&o.rounds, "rounds", rounds, "cost rounds an era")
	f.IntVar(&o.floorRounds, "floor-rounds", floor, "A/A rounds an era: the noise floor")
	f.IntVar(&o.closedRounds, "closed-rounds", closed, "saturated rounds an era")
	f.DurationVar(&o.stretch, "stretch", stretch, "what is measured of a round")
	f.Float64Var(&o.rate, "rate", 0, "calls per second on both sides together (default calibrated)")
	f.IntVar(&o.tokens, "tokens", 10000, "sessions whose tokens are drawn uniformly")
	f.BoolVar(&o.noPin, "no-pin", false, "pin nothing to CPUs")
	f.Var(&o.budgets, "budget", "limits that fail the run: "+strings.Join(budgetNames(), ", ")+"; e.g. core-cpu-us=150")
}

func formatNames() []string {
	var names []string
	for _, f := range render.Formats {
		names = append(names, f.Name)
	}
	return names
}

// check refuses what cannot be used before anything is started.
func (o *options) check(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	known := databases()
	for _, db := range o.dbs {
		if !slices.Contains(known, db) {
			return fmt.Errorf("--db %s: there is no such database; choose from %s", db, strings.Join(known, ", "))
		}
	}
	if o.url.On == "" && o.url.Off != "" {
		return errors.New("--url-off needs --url-on: the same core with the flag on")
	}
	if o.url.On != "" && len(o.dbs) > 0 {
		return errors.New("--url-on and --db exclude each other")
	}
	if o.url.On != "" && o.instances > 1 {
		return errors.New("--instances needs --db: cores by URL are started by somebody else")
	}
	if o.instances < 0 {
		return fmt.Errorf("--instances %d: at least 1", o.instances)
	}
	for _, name := range o.formats {
		if _, ok := render.Find(name); !ok {
			return fmt.Errorf("--format %s: there is no such report; choose from %s", name, strings.Join(formatNames(), ", "))
		}
	}
	for _, p := range o.protocols {
		if !knownProtocol(p) {
			return fmt.Errorf("--cdi %s: not a CDI version from 2.7 to 5.6", p)
		}
	}
	for _, n := range []struct {
		flag string
		n    int
		min  int
	}{{"--rounds", o.rounds, 0}, {"--floor-rounds", o.floorRounds, 0}, {"--closed-rounds", o.closedRounds, 0}, {"--tokens", o.tokens, 0}} {
		if n.n < n.min {
			return fmt.Errorf("%s %d: at least %d", n.flag, n.n, n.min)
		}
	}
	for _, n := range []struct {
		flag string
		v    float64
		ok   bool
	}{{"--scale", o.scale, o.scale >= 0}, {"--rate", o.rate, o.rate >= 0}, {"--rate-cap", o.url.RateCap, o.url.RateCap > 0}} {
		if !n.ok || math.IsInf(n.v, 0) { // no comparison with NaN is true
			return fmt.Errorf("%s %s: must be positive", n.flag, strconv.FormatFloat(n.v, 'g', -1, 64))
		}
	}
	if o.measures && o.stretch <= 0 {
		return fmt.Errorf("--stretch %s: must be positive", o.stretch)
	}
	if _, err := parseBudgets(o.budgets); err != nil {
		return err
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()>>11 + 1 // short enough to be exact in every JSON reader
	}
	return nil
}

// eras gives the protocols to speak to a target, and why an era is left out.
func (o *options) eras(t target.Target) (list []target.Protocol, notes []string, err error) {
	for _, p := range o.protocols {
		list = append(list, target.Protocol(p))
	}
	u, foreign := t.(*target.URL)
	if len(list) == 0 {
		list = []target.Protocol{settingEra, requestEra}
		if foreign {
			list, notes = u.Eras(settingEra, requestEra)
		}
	}
	if foreign && len(list) == 0 {
		return nil, nil, fmt.Errorf("%s speaks no CDI version that this harness knows (it says %s)", o.url.On, strings.Join(u.Versions(), ", "))
	}
	return list, notes, nil
}

// The versions that are tried whole: the last of the era in which the core's
// setting decides, and the last legacy one of the era in which the request does.
const (
	settingEra target.Protocol = "2.20"
	requestEra target.Protocol = "5.4"
)

// open makes the targets, one a database.
func (o *options) open(ctx context.Context, db string) (target.Target, error) {
	if o.url.On != "" {
		return target.NewURL(ctx, o.url)
	}
	if db == "sqlite" {
		core, err := target.Own("core")
		if err != nil {
			return nil, err
		}
		gen, err := target.Own("generator")
		if err != nil {
			return nil, err
		}
		return target.NewEmbedded(target.EmbeddedOptions{Command: core, GeneratorCommand: gen})
	}
	return openContainer(ctx, db)
}
