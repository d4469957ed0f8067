package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/coreproof/coreproof/internal/gate"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/dbserver"
	"github.com/coreproof/coreproof/internal/prove"
	"github.com/coreproof/coreproof/internal/version"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
	"github.com/coreproof/coreproof/reports/verdict"
)

// gating is a gate's command line.
type gating struct {
	proving
	refs            gate.Refs
	budgets         []string
	maxTime         time.Duration
	strict, keep    bool
	skipConformance bool
	self            selfTestFlags
}

func cmdGate(s streams) *cobra.Command {
	g := &gating{proving: proving{s: s, stages: prove.Stages{Conform: true, Footprint: true}}}
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "hold a new build of a core against an old one: CPU, statements, rules",
		Long: `Both builds are brought up at once and called in turn, call by call; measuring goes
on until every budget is decided or --max-time is over. A build is a program (with
arguments, if it needs any), a git revision with --build, an image, a URL (several
with commas), a descriptor (FILE.yaml), or a saved proof; --target says how programs,
revisions and images of your own are started. CPU per verify is compared, never held against an
absolute figure.

Exit status: 0 held, or undecided without --strict; 1 head is worse; 2 not decided:
could not be tried, --strict and undecided, or bad input. The last line names the
reason in one word (reason=…), which is gate.reason in proof.json; see docs/gate.md.`,
		Example: `  coreproof gate --base ./core-main --head ./core-new
  coreproof gate --base main --head HEAD --build 'go build -trimpath -o {out} ./cmd/refcore'
  coreproof gate --base acme/core:1.4 --head acme/core:1.5 --db postgres --skip-conformance
  coreproof gate --target core.yaml --base main --head HEAD --build 'make core OUT={out}'
  coreproof gate --base http://127.0.0.1:3567 --head http://127.0.0.1:3568 --base-pid 11 --head-pid 12
  coreproof gate --base main/proof.json --head proof.json
  coreproof gate --self-test --runs aa=20,cpu+5=20`,
		RunE: g.run,
	}
	target, measure := g.target.group(), g.measure.group(0, 0, 0, 2*time.Second, 2000)
	attach(cmd, g.group(), pick(target, "api-key", "api-key-file", "ca-file", "cert-file", "key-file", "allow-remote", "rate-cap", "instances", "cdi"),
		g.choose.group(), pick(measure, "window", "rate", "tokens", "no-pin"), g.self.group(), g.output.group())
	return cmd
}

func (g *gating) group() group {
	f := newGroup("What to hold against what")
	f.StringVar(&g.refs.Base.Text, "base", "", "the old build")
	f.StringVar(&g.refs.Head.Text, "head", "", "the new build")
	f.StringVar(&g.refs.Build, "build", "", "how to build a revision's core, with {out} for its path")
	f.IntSliceVar(&g.refs.Base.PIDs, "base-pid", nil, "processes of base's cores by URL, to read their CPU time")
	f.IntSliceVar(&g.refs.Head.PIDs, "head-pid", nil, "processes of head's cores by URL")
	f.StringVar(&g.target.target, "target", "", "a descriptor that says how base and head are started: {{.Build}} in its command or image stands for the one or the other")
	f.StringVar(&g.refs.Database, "db", "", "database of cores in images, "+strings.Join(dbserver.Names(), ", ")+" (default "+gate.DefaultServer+"), or one of a descriptor's (default its first)")
	var names []string
	for _, k := range verdict.GateLimits() {
		names = append(names, k.Name)
	}
	f.StringSliceVar(&g.budgets, "budget", nil, "how much more head may take, e.g. cpu=2%, memory=off, p99-ms=20; names: cpu, "+strings.Join(names, ", "))
	f.DurationVar(&g.maxTime, "max-time", 3*time.Minute, "how long to measure at most; what is open then is undecided")
	f.BoolVar(&g.strict, "strict", false, "exit 2 when a budget stays undecided")
	f.BoolVar(&g.skipConformance, "skip-conformance", false, "do not try the checks; --profile, --suite and --check choose some")
	f.BoolVar(&g.keep, "keep", false, "keep the cores for all rounds: for those that need long to warm up")
	return f
}

// pick makes a group of some flags of another.
func pick(from group, names ...string) group {
	g := newGroup(from.title)
	from.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(names, f.Name) {
			g.AddFlag(f)
		}
	})
	return g
}

func (g *gating) run(cmd *cobra.Command, args []string) error {
	saved, err := g.checkGate(cmd, args)
	if err != nil {
		return err // --out may hold what was to be compared: nothing is cleared
	}
	if g.self.on {
		return g.selfTest(cmd)
	}
	progress := newProgress(g.s.err, g.output.quiet)
	made, err := g.make(cmd, saved, progress)
	progress.clear()
	if err == nil {
		err = g.render(made)
	}
	if err == nil {
		err = stepSummary(os.Getenv("GITHUB_STEP_SUMMARY"), made)
	}
	if err != nil {
		err = standing(cmd, err)
		fmt.Fprintf(g.s.err, "coreproof gate: %s (reason=%s)\n", strings.Join(strings.Fields(err.Error()), " "), reasonOf(err))
		return status(exitUntried)
	}
	fmt.Fprintf(g.s.out, "gate: verdict=%s reason=%s exit=%d\n", made.Verdict.Outcome, made.Gate.Reason, made.Verdict.ExitCode)
	return exit(made.Verdict.ExitCode)
}

// reasonOf an error: what cannot be used is the caller's, the rest the harness's.
func reasonOf(err error) string {
	if errors.Is(err, prove.ErrUnusable) {
		return "usage"
	}
	return "error"
}

func (g *gating) checkGate(cmd *cobra.Command, args []string) (saved bool, err error) {
	g.target.url.RateCap = launch.DefaultRateCap
	if err := settled(cmd, args); err != nil {
		return false, err
	}
	if err := g.check(); err != nil {
		return false, err
	}
	if g.self.on {
		return false, g.self.check()
	}
	g.refs.Base.Flag, g.refs.Head.Flag, g.refs.Target = "--base", "--head", g.target.described
	if saved, err = g.refs.Saved(); err != nil {
		return false, err
	}
	g.stages.Conform = !g.skipConformance
	switch {
	case g.maxTime <= 0:
		return false, fmt.Errorf("--max-time %s: must be positive", g.maxTime)
	case g.measure.window <= 0:
		return false, fmt.Errorf("--window %s: must be positive", g.measure.window)
	case g.measure.tokens < 1:
		return false, fmt.Errorf("--tokens %d: at least 1", g.measure.tokens)
	case !(g.measure.rate >= 0):
		return false, fmt.Errorf("--rate %g: must be positive", g.measure.rate)
	}
	return saved, gate.CheckBuild(g.refs.Build)
}

// options of the proof that the gate is part of.
func (g *gating) options(cmd *cobra.Command, watch prove.Watcher) prove.Options {
	o := prove.Options{
		Tool:    proof.Tool{Name: "coreproof", Version: version.String(), Commit: version.Commit(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH},
		Command: append([]string{"coreproof", cmd.Name()}, settings(cmd)...),
		Seed:    g.output.seed, Out: g.output.out, Stages: g.stages, Versions: g.target.versions, Instances: g.target.instances,
		Require: g.output.require, Conformance: g.choose.options(), Bench: g.measure.options(), Watch: watch,
		Rerun: func(_, check, version string) string { return "" },
		Log:   slog.New(slog.NewTextHandler(g.s.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	o.Bench.WarmUp = 250 * time.Millisecond
	return o
}

func (g *gating) make(cmd *cobra.Command, saved bool, watch prove.Watcher) (_ *proof.Proof, err error) {
	limits, err := verdict.ParseGateLimits(g.budgets, saved)
	if err != nil {
		return nil, fmt.Errorf("%w: --budget %w", prove.ErrUnusable, err)
	}
	o := g.options(cmd, watch)
	if saved {
		return gate.Saved(o, g.refs, limits, g.strict)
	}
	g.refs.External = g.target.url
	g.refs.Say = func(line string) { watch.Note("%s", line) }
	if g.refs.Generator, err = launch.Own("generator"); err != nil {
		return nil, err
	}
	ctx := cmd.Context()
	pair, clean, err := g.refs.Pair(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", prove.ErrUnusable, err)
	}
	defer func() { err = errors.Join(err, clean()) }()
	return gate.Run(ctx, gate.Options{Prove: o, Pair: pair, Limits: limits, Strict: g.strict, MaxTime: g.maxTime, Keep: g.keep})
}

// stepSummary adds the short report to the summary of a GitHub step.
func stepSummary(path string, p *proof.Proof) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write the step's summary: %w", err)
	}
	markdown, _ := render.Find("markdown")
	if err := errors.Join(markdown.Render(f, p), f.Close()); err != nil {
		return fmt.Errorf("write the step's summary: %w", err)
	}
	return nil
}
