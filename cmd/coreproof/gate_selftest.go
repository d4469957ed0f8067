package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/internal/gate/selftest"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/reports/proof"
)

// selfTestFlags say how the gate is tried on the reference core.
type selfTestFlags struct {
	on     bool
	runs   []string
	record string

	want map[string]int
}

func (f *selfTestFlags) group() group {
	g := newGroup("Self-test")
	var names []string
	for _, k := range selftest.Kinds() {
		names = append(names, k.Name)
	}
	g.BoolVar(&f.on, "self-test", false, "try the gate on the reference core: identical builds, and builds made slower on purpose")
	g.StringSliceVar(&f.runs, "runs", []string{"aa=1", "cpu+5=1", "statement+1=1"}, "how many runs of each kind the record is to hold: "+strings.Join(names, ", "))
	g.StringVar(&f.record, "record", "gate-selftest.jsonl", "file that runs are appended to, and that is gone on from")
	return g
}

func (f *selfTestFlags) check() error {
	f.want = map[string]int{}
	for _, r := range f.runs {
		name, text, ok := strings.Cut(r, "=")
		n, err := strconv.Atoi(text)
		if !ok || err != nil || n < 0 || !slices.ContainsFunc(selftest.Kinds(), func(k selftest.Kind) bool { return k.Name == name }) {
			return fmt.Errorf("--runs %s: want KIND=NUMBER, e.g. aa=20", r)
		}
		f.want[name] = n
	}
	return nil
}

// selfTest makes runs, prints the record's table, and fails where one of these runs
// was a false alarm or let a regression pass.
func (g *gating) selfTest(cmd *cobra.Command) error {
	core, err := launch.Own("core")
	if err != nil {
		return err
	}
	generator, err := launch.Own("generator")
	if err != nil {
		return err
	}
	progress := newProgress(g.s.err, true)
	made, err := selftest.Run(cmd.Context(), selftest.Options{
		Runs: g.self.want, Record: g.self.record, Core: core, Generator: generator, Prove: g.options(cmd, progress), MaxTime: g.maxTime,
		Told: func(r selftest.Record) {
			fmt.Fprintf(g.s.err, "%s: %s (%s), %d rounds in %s, load %.1f\n", r.Kind, r.Outcome, r.Reason, r.Rounds, r.Measured.Round(1e9), r.Machine.LoadEnd)
		},
	})
	all, readErr := selftest.Read(g.self.record)
	if readErr == nil {
		fmt.Fprint(g.s.out, selftest.Table(all))
	}
	if err == nil {
		err = readErr
	}
	if err != nil {
		fmt.Fprintf(g.s.err, "coreproof gate: %s\n", strings.Join(strings.Fields(err.Error()), " "))
		return status(exitUntried)
	}
	code := exitHeld
	for _, r := range made {
		k := selftest.Kinds()[slices.IndexFunc(selftest.Kinds(), func(k selftest.Kind) bool { return k.Name == r.Kind })]
		switch {
		case r.Kind == "aa" && r.Outcome == proof.Fail, k.MustFail && r.Outcome == proof.Pass:
			return status(exitFailed)
		case k.MustFail && r.Outcome != proof.Fail, r.Kind == "aa" && r.Outcome != proof.Pass:
			code = exitUntried
		}
	}
	return exit(code)
}
