package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/bench"
	"github.com/coreproof/coreproof/internal/prove"
	"github.com/coreproof/coreproof/internal/version"
	"github.com/coreproof/coreproof/reports/proof"
)

// proving is what run, conform and bench have in common.
type proving struct {
	s       streams
	stages  prove.Stages
	target  targetFlags
	output  outputFlags
	choose  selectFlags
	measure measureFlags
}

func cmdRun(s streams) *cobra.Command {
	p := &proving{s: s, stages: prove.Stages{Conform: true, Footprint: true, Bench: true}}
	p.measure.saturatedWindow = 500 * time.Millisecond // a run is short
	cmd := &cobra.Command{
		Use:   "run",
		Short: "prove and price a core: checks, footprint, bench, reports",
		Example: `  coreproof run
  coreproof run --db postgres,mysql,mariadb,mongo --out proof/
  coreproof run --target mycore.yaml
  coreproof run --url-on http://127.0.0.1:3567 --url-off http://127.0.0.1:3568 --api-key-file key.txt
  coreproof run --budget core-cpu-ratio=1.5 --format markdown`,
		RunE: p.run,
	}
	attach(cmd, p.target.group(), p.choose.group(), p.measure.group(7, 6, 4, time.Second, 2000), p.output.group())
	return cmd
}

func cmdConform(s streams) *cobra.Command {
	p := &proving{s: s, stages: prove.Stages{Conform: true}}
	cmd := &cobra.Command{
		Use:   "conform",
		Short: "try the conformance checks",
		Example: `  coreproof conform
  coreproof conform --db postgres --profile blacklisting
  coreproof conform --check BL-07 --scale 10 --seed 42
  coreproof conform --url-on http://127.0.0.1:3567,http://127.0.0.1:3569 --url-off http://127.0.0.1:3568`,
		RunE: p.run,
	}
	attach(cmd, p.target.group(), p.choose.group(), p.output.group())
	return cmd
}

func cmdBench(s streams) *cobra.Command {
	p := &proving{s: s, stages: prove.Stages{Footprint: true, Bench: true}}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "price the flag: verify with blacklisting on against off",
		Example: `  coreproof bench
  coreproof bench --db postgres --rounds 20 --cdi 5.4
  coreproof bench --sweep                        a load curve too, for coreproof plan
  coreproof bench --url-on URL --url-off URL --pid-on 4711 --pid-off 4712`,
		RunE: p.run,
	}
	measure := p.measure.group(10, 7, 4, 1500*time.Millisecond, bench.DefaultTokens)
	p.measure.sweepFlags(measure)
	attach(cmd, p.target.group(), measure, p.output.group())
	return cmd
}

// run makes a proof and its reports; the exit code comes from the saved proof.
func (p *proving) run(cmd *cobra.Command, args []string) error {
	if err := settled(cmd, args); err != nil {
		return err // which folder was meant is not known: none is cleared
	}
	if err := p.check(); err != nil {
		// A mistake must not leave the results of an older run to be taken for this one's.
		return errors.Join(err, prove.Clear(p.output.out))
	}
	progress := newProgress(p.s.err, p.output.quiet)
	made, err := prove.Run(cmd.Context(), prove.Options{
		Tool:    proof.Tool{Name: "coreproof", Version: version.String(), Commit: version.Commit(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH},
		Command: append([]string{"coreproof", cmd.Name()}, settings(cmd)...),
		Seed:    p.output.seed, Out: p.output.out, Sources: p.target.sources(filepath.Join(p.output.out, "logs"), func(line string) { progress.Note("%s", line) }), Stages: p.stages,
		Versions: p.target.versions, Instances: p.target.instances, CoreName: p.target.name,
		Require: p.output.require, Limits: p.measure.limits, Conformance: p.choose.options(), Bench: p.measure.options(),
		Rerun: p.rerun(cmd), Watch: progress,
		Log: slog.New(slog.NewTextHandler(p.s.err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	progress.clear()
	if err != nil {
		fmt.Fprintf(p.s.err, "coreproof: %v\n", err)
		return status(exitUntried)
	}
	if err := p.render(made); err != nil {
		fmt.Fprintf(p.s.err, "coreproof: %v\n", err)
		return status(exitUntried)
	}
	p.tellNext(cmd, made)
	return exit(made.Verdict.ExitCode)
}

// settled has each flag set, of a command that takes no arguments.
func settled(cmd *cobra.Command, args []string) error {
	if err := settle(cmd, os.LookupEnv); err != nil {
		return err
	}
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}

func (p *proving) check() error {
	parts := []func() error{p.target.check, p.output.check}
	if p.stages.Conform {
		parts = append(parts, p.choose.check)
	}
	if p.stages.Bench {
		parts = append(parts, p.measure.check)
	}
	for _, check := range parts {
		if err := check(); err != nil {
			return err
		}
	}
	if p.measure.rows > 0 && len(p.target.url.On) > 0 {
		return errors.New("--rows needs a database of coreproof's own, which cores by URL do not have: --db")
	}
	return nil
}
