package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/reports/plan"
	"github.com/coreproof/coreproof/reports/plan/page"
	"github.com/coreproof/coreproof/reports/plan/show"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// planning is a plan's command line.
type planning struct {
	s                    streams
	ask                  plan.Ask
	from, flag, headroom string
	format               string
	validate             bool
	html                 string
}

func cmdPlan(s streams) *cobra.Command {
	p := &planning{s: s}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "plan capacity from a proof: instances, CPUs, connections, memory, price",
		Long: `plan is a function of a saved proof and asks no live system. Every figure has its
interval, its formula and the range that was measured; what lies outside of that is
refused, or marked with --extrapolate. Make the proof with coreproof bench --sweep;
see docs/plan.md.

Exit status: 0 planned, or all predictions held; 1 --validate found one beyond the bar;
2 the proof or the input cannot be used.`,
		Example: `  coreproof plan --from proof/ --rps 3000
  coreproof plan --from proof.json --rps 20000 --p99 10ms --instances-fail 1 --extrapolate
  coreproof plan --from proof/ --rps 3000 --vcpu-price 0.04 --sessions 1000000 --format markdown
  coreproof plan --from proof/ --html plan.html
  coreproof plan --from proof/ --validate`,
		RunE: p.run,
	}
	g := newGroup("Load")
	g.StringVar(&p.from, "from", "", "proof.json, or the folder of a run")
	g.Float64Var(&p.ask.RPS, "rps", 0, "calls per second, all instances together")
	g.Float64Var(&p.ask.VerifyShare, "verify-share", 0, "share of the calls that are verifies; others are planned for where they were measured with them (default as measured)")
	g.DurationVar(&p.ask.P99, "p99", 0, "latency that 99 of 100 calls must keep, e.g. 10ms")
	g.StringVar(&p.headroom, "headroom", "40%", "share of the capacity that stays free")
	g.StringVar(&p.flag, "flag", "both", "plan with the flag on, off, or both")
	g.IntVar(&p.ask.InstancesFail, "instances-fail", 0, "instances that may be down while the others carry the load")
	g.Int64Var(&p.ask.Sessions, "sessions", 0, "sessions that are stored, for their space")
	g.Float64Var(&p.ask.VCPUPrice, "vcpu-price", 0, "what a vCPU costs an hour, e.g. 0.04")
	h := newGroup("Proof and result")
	h.StringVar(&p.ask.TargetName, "target", "", "only this target of the proof, e.g. postgres")
	h.StringVar(&p.ask.ProtocolName, "cdi", "", "only this version, e.g. 5.4")
	h.BoolVar(&p.ask.Extrapolate, "extrapolate", false, "plan beyond what was measured too, and mark it")
	h.BoolVar(&p.validate, "validate", false, "hold rates of the load curve out, predict them, and compare")
	h.StringVar(&p.html, "html", "", "write a page with sliders to this file; the load is where they start, --rps may be left out")
	h.StringVar(&p.format, "format", "terminal", strings.Join(planFormats(), ", "))
	h.String(configFlag, "", "settings file (default coreproof.yaml, when it is there)")
	attach(cmd, g, h)
	return cmd
}

func planFormats() (names []string) {
	for _, f := range show.Formats {
		names = append(names, f.Name)
	}
	return names
}

func (p *planning) run(cmd *cobra.Command, args []string) error {
	if err := settle(cmd, os.LookupEnv); err != nil {
		return err
	}
	f, ok := show.Find(p.format)
	switch {
	case len(args) > 0:
		return fmt.Errorf("unexpected argument %q", args[0])
	case !ok:
		return fmt.Errorf("--format %s: choose from %s", p.format, strings.Join(planFormats(), ", "))
	case p.from == "":
		return errors.New("--from PROOF is needed: a proof.json, or the folder of a run")
	}
	if err := p.flags(); err != nil {
		return err
	}
	if cmd.Flags().Changed("verify-share") && !(p.ask.VerifyShare > 0) {
		return fmt.Errorf("--verify-share %g: above 0, at most 1", p.ask.VerifyShare)
	}
	if p.html != "" {
		for _, name := range []string{"flag", "format"} {
			if cmd.Flags().Changed(name) {
				return fmt.Errorf("--html shows the flag on and off, as a page: leave out --%s", name)
			}
		}
	}
	if p.html != "" && p.validate {
		return errors.New("--html plans and --validate does not: leave out one of them")
	}
	if !p.validate {
		ask := p.ask
		if p.html != "" && ask.RPS == 0 {
			ask.RPS = 1 // the page chooses one
		}
		if err := ask.Check(); err != nil {
			return err
		}
	}
	path := p.from
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, proof.FileName)
	}
	doc, err := proof.Load(path)
	if err != nil {
		return err
	}
	if err := untouched(doc); err != nil {
		return fmt.Errorf("%s: %w; see coreproof report --verify", path, err)
	}
	if p.validate {
		v, err := plan.Validate(doc, p.ask)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := f.Validation(p.s.out, v); err != nil {
			return err
		}
		if !v.Held {
			return status(exitFailed)
		}
		return nil
	}
	if p.html != "" {
		var made bytes.Buffer
		if err := page.Write(&made, doc, p.ask); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return writeFile(p.html, func(w io.Writer) error {
			_, err := made.WriteTo(w)
			return err
		})
	}
	made, err := plan.Make(doc, p.ask)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Plan(p.s.out, made)
}

// untouched refuses a proof that is not what was saved, or does not follow from its
// evidence. Saved histories, which a plan does not rest on, need not be there.
func untouched(p *proof.Proof) error {
	if want, err := proof.DigestOf(p); err != nil || want != p.Digest {
		return errors.New("the proof was edited: its digest does not fit")
	}
	if d := verdict.Compare(p); len(d) > 0 {
		return fmt.Errorf("the proof does not follow from its evidence: %s", d[0])
	}
	return nil
}

// flags reads what is no number.
func (p *planning) flags() error {
	switch p.flag {
	case "both":
		p.ask.Flags = []string{plan.Off, plan.On}
	case plan.On, plan.Off:
		p.ask.Flags = []string{p.flag}
	default:
		return fmt.Errorf("--flag %s: on, off or both", p.flag)
	}
	text, percent := strings.CutSuffix(p.headroom, "%")
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("--headroom %s: want a share, e.g. 40%% or 0.4", p.headroom)
	}
	if percent {
		x /= 100
	}
	p.ask.Headroom = x
	return nil
}
