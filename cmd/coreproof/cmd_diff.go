package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/conformance/broken"
	"github.com/coreproof/coreproof/internal/diff"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/dbserver"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/internal/protocol/cdi/calls"
)

// diffing is what the flags of diff say.
type diffing struct {
	s           streams
	versions    []string
	sequences   int
	within      time.Duration
	seed        uint64
	flag        string
	instances   int
	workers     int
	differences int
	coverage    float64
	texts       bool
	state       string
	script      string
	key         keyFlags
	caFile      string
	allowRemote bool
	rateCap     float64
	quiet       bool
}

func cmdDiff(s streams) *cobra.Command {
	d := &diffing{s: s}
	cmd := &cobra.Command{
		Use:   "diff TARGET TARGET",
		Short: "play the same calls on two cores and compare what they answer",
		Long: `A TARGET is a database to run the reference core on (` + strings.Join(databases(), ", ") + `), the URL of a
core that runs, a descriptor (its file, or the name of one inside this program), or
broken:NAME for a core with a known defect.

Sequences of valid, borderline and malformed calls are drawn from a seed and played on
both. Statuses, shapes and meanings are compared: ids, times and tokens are renamed, of
tokens the claims count. A difference is made small and printed, with a script for curl
(--script keeps it). Which kinds of answers agreed is said as coverage of (endpoint ×
version × outcome); below --min-coverage nothing is claimed.

Exit status: 0 no difference, 1 a difference, 2 a core cannot be reached, or too little
was compared.`,
		Example: `  coreproof diff sqlite postgres
  coreproof diff http://127.0.0.1:3567 http://127.0.0.1:4567 --cdi 2.20,5.4
  coreproof diff sqlite broken:writes-merge --script replay.sh
  coreproof diff sqlite mysql --sequences 10000 --seed 1 --resume mysql.json`,
		RunE: d.run,
	}
	g := newGroup("Flags")
	g.IntVar(&d.sequences, "sequences", 0, "sequences of calls to play (default as many as --within allows)")
	g.DurationVar(&d.within, "within", 90*time.Second, "begin new sequences for so long; with --sequences, 0 and no bound unless given")
	g.Uint64Var(&d.seed, "seed", 0, "seed of the sequences (default a new one, which is printed)")
	g.StringSliceVar(&d.versions, "cdi", nil, "CDI versions to compare (default all that both speak)")
	g.StringVar(&d.flag, "flag", diff.FlagBoth, "access token blacklisting of the cores that are started: on, off, both (on, beside a core by URL)")
	g.IntVar(&d.instances, "instances", 1, "cores on each database; calls go to them in turn")
	g.IntVar(&d.workers, "workers", diff.DefaultWorkers, "sequences that are played at once")
	g.IntVar(&d.differences, "differences", 1, "end after so many differences of different kinds")
	g.Float64Var(&d.coverage, "min-coverage", 90, "percent of the kinds of answers that must have been seen to agree")
	g.BoolVar(&d.texts, "any-text", false, "do not compare what messages say")
	g.StringVar(&d.state, "resume", "", "file that keeps how far it has come: made, or gone on from")
	g.StringVar(&d.script, "script", "", "write the first difference to this file as a script for curl")
	d.key.add(g)
	g.StringVar(&d.caFile, "ca-file", "", "trust the authorities in this PEM file")
	g.BoolVar(&d.allowRemote, "allow-remote", false, "permit hosts that are not this machine")
	g.Float64Var(&d.rateCap, "rate-cap", launch.DefaultRateCap, "calls per second to remote hosts, on average at most")
	g.BoolVar(&d.quiet, "quiet", false, "no progress")
	g.String(configFlag, "", "settings file (default coreproof.yaml, when it is there)")
	attach(cmd, g)
	return cmd
}

func (d *diffing) check(cmd *cobra.Command, args []string) error {
	if err := settle(cmd, os.LookupEnv); err != nil {
		return err
	}
	if len(args) != 2 {
		return fmt.Errorf("want two targets to compare, got %d", len(args))
	}
	switch {
	case args[0] == args[1] && strings.Contains(args[0], "://"):
		return fmt.Errorf("%s is named twice: a core agrees with itself", args[0])
	case d.sequences < 0:
		return fmt.Errorf("--sequences %d: at least 1", d.sequences)
	case cmd.Flags().Changed("sequences") && d.sequences == 0:
		return errors.New("--sequences 0: nothing would be compared")
	case d.within < 0 || d.within == 0 && d.sequences == 0:
		return fmt.Errorf("--within %s: must be positive, or name --sequences", d.within)
	case !slices.Contains([]string{diff.FlagOn, diff.FlagOff, diff.FlagBoth}, d.flag):
		return fmt.Errorf("--flag %s: choose from on, off, both", d.flag)
	case d.instances < 1:
		return fmt.Errorf("--instances %d: at least 1", d.instances)
	case d.workers < 1:
		return fmt.Errorf("--workers %d: at least 1", d.workers)
	case d.differences < 1:
		return fmt.Errorf("--differences %d: at least 1", d.differences)
	case !(d.coverage >= 0 && d.coverage <= 100): // no comparison with NaN is true
		return fmt.Errorf("--min-coverage %v: a percentage, 0 to 100", d.coverage)
	case !(d.rateCap > 0 && d.rateCap <= 1e9):
		return fmt.Errorf("--rate-cap %v: must be positive", d.rateCap)
	}
	for _, v := range d.versions {
		if !cdi.Known(v) {
			return fmt.Errorf("--cdi %s: not a CDI version from %s to %s", v, cdi.Versions()[0], cdi.Versions()[len(cdi.Versions())-1])
		}
	}
	if !cmd.Flags().Changed("within") && d.sequences > 0 {
		d.within = 0
	}
	if !cmd.Flags().Changed("seed") {
		d.seed = rand.Uint64N(1_000_000) + 1
	}
	return nil
}

// subject opens a target by what the caller called it.
func (d *diffing) subject(name string) (open func(context.Context) (diff.Subject, error), err error) {
	as := func(t launch.Target, key string, err error) (diff.Subject, error) {
		return diff.Subject{Name: name, Target: t, APIKey: key}, err
	}
	defect, isBroken := strings.CutPrefix(name, "broken:")
	switch {
	case isBroken:
		if _, ok := broken.Find(defect); !ok {
			return nil, fmt.Errorf("%s: there is no such defect; coreproof core --broken list names them", name)
		}
		return func(context.Context) (diff.Subject, error) {
			core, err := launch.Own("core")
			if err != nil {
				return diff.Subject{}, err
			}
			t, err := launch.NewEmbedded(launch.EmbeddedOptions{Command: append(core, "--broken", defect)})
			return as(t, "", err)
		}, nil
	case name == "sqlite":
		return func(ctx context.Context) (diff.Subject, error) {
			t, err := openEmbedded(ctx)
			return as(t, "", err)
		}, nil
	case slices.Contains(dbserver.Names(), name):
		return func(ctx context.Context) (diff.Subject, error) {
			t, err := launch.NewContainerOn(ctx, launch.ContainerOptions{Database: name})
			return as(t, "", err)
		}, nil
	case strings.Contains(name, "://"):
		key, err := d.key.read()
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (diff.Subject, error) {
			t, err := launch.NewExternal(ctx, launch.ExternalOptions{On: []string{name}, APIKey: key, CAFile: d.caFile, AllowRemote: d.allowRemote, RateCap: d.rateCap})
			if err != nil {
				return diff.Subject{}, errors.New(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "--url-on: "), "--url-on "))
			}
			return as(t, key, nil)
		}, nil
	}
	x, err := descriptor.Find(name)
	if err != nil {
		return nil, fmt.Errorf("%s is no database (%s), no URL, no broken core and no descriptor: %w", name, strings.Join(databases(), ", "), err)
	}
	key, err := x.Key()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (diff.Subject, error) {
		t, err := launch.NewDescribed(ctx, launch.DescribedOptions{Descriptor: x, Say: func(line string) { fmt.Fprintln(d.s.err, line) }})
		return as(t, key, err)
	}, nil
}

func (d *diffing) run(cmd *cobra.Command, args []string) error {
	if err := d.check(cmd, args); err != nil {
		return err
	}
	var open [2]func(context.Context) (diff.Subject, error)
	for i, name := range args {
		var err error
		if open[i], err = d.subject(name); err != nil {
			return err
		}
	}
	ctx := cmd.Context()
	var subjects [2]diff.Subject
	for i := range open {
		var err error
		if subjects[i], err = open[i](ctx); err != nil {
			return fmt.Errorf("%s: %w", args[i], err)
		}
		target := subjects[i].Target
		defer func() {
			if err := target.Close(context.WithoutCancel(ctx)); err != nil {
				fmt.Fprintf(d.s.err, "coreproof diff: %v\n", err)
			}
		}()
	}
	if args[0] == args[1] {
		subjects[1].Name += " (2)"
	}
	pairs, versions, tolerance, err := diff.Start(ctx, subjects[0], subjects[1], d.flag, d.instances)
	if err != nil {
		return err
	}
	if len(d.versions) > 0 {
		for _, v := range d.versions {
			if !slices.Contains(versions, v) {
				return fmt.Errorf("--cdi %s: not both cores speak it; they have %s in common", v, strings.Join(versions, ", "))
			}
		}
		versions = slices.DeleteFunc(versions, func(v string) bool { return !slices.Contains(d.versions, v) })
	}
	tolerance.Texts = d.texts
	return d.compare(ctx, args, pairs, versions, tolerance, !subjects[0].Target.Capabilities().Throwaway || !subjects[1].Target.Capabilities().Throwaway)
}

func (d *diffing) compare(ctx context.Context, args []string, pairs []diff.Pair, versions []string, tolerance calls.Tolerance, tidy bool) error {
	before := diff.Saved{Left: args[0], Right: args[1], Versions: versions, Seed: d.seed, AnyText: d.texts}
	for _, p := range pairs {
		before.Pairs = append(before.Pairs, p.Name)
	}
	if d.state != "" {
		ok, err := before.Load(d.state)
		if err != nil {
			return err
		}
		if ok && d.sequences > 0 && before.Next >= d.sequences {
			fmt.Fprintf(d.s.err, "coreproof diff: %s has these %d sequences already\n", d.state, d.sequences)
			return d.report(before, versions)
		}
		if found := len(before.Differences); found >= d.differences {
			fmt.Fprintf(d.s.err, "coreproof diff: %s has %d found already: --differences %d goes on\n", d.state, found, found+1)
			return d.report(before, versions)
		}
	}
	progress := newProgress(d.s.err, d.quiet)
	now := before
	save := func(r diff.Result) error {
		now = before
		now.Add(r)
		if d.state == "" {
			return nil
		}
		return now.Save(d.state)
	}
	var failed error
	saved := time.Now()
	result, err := diff.Run(ctx, diff.Options{
		Pairs: pairs, Versions: versions, Seed: d.seed, First: before.Next, Sequences: d.sequences, Within: d.within,
		Workers: d.workers, Differences: d.differences - len(before.Differences), Known: before.Kinds(), Tolerance: tolerance, Tidy: tidy,
		Progress: func(r diff.Result) {
			if time.Since(saved) > 10*time.Second {
				saved = time.Now()
				failed = errors.Join(failed, save(r))
				progress.Note("%d sequences, %d calls, %d differences", now.Sequences, now.Calls, len(now.Differences))
			}
		},
	})
	progress.clear()
	if err := errors.Join(failed, save(result)); err != nil {
		return err
	}
	switch {
	case len(now.Differences) > 0 && err != nil:
		fmt.Fprintf(d.s.err, "coreproof diff: %v\n", err)
	case err != nil:
		return err
	case len(now.Differences) == 0 && ctx.Err() != nil:
		return errors.New("interrupted; nothing is claimed")
	}
	return d.report(now, versions)
}

// tell prints the differences that were found, now and before.
func (d *diffing) tell(found []diff.Found) error {
	for i, x := range found {
		if i > 0 {
			fmt.Fprintln(d.s.out)
		}
		fmt.Fprint(d.s.out, x.Text)
		if i == 0 && d.script != "" {
			if err := os.WriteFile(d.script, []byte(x.Script), 0o755); err != nil {
				return fmt.Errorf("--script: %w", err)
			}
			fmt.Fprintf(d.s.out, "\nthe same with curl: sh %s URL URL\n", d.script)
		} else if d.script == "" {
			fmt.Fprintf(d.s.out, "\nthe same with curl:\n\n%s", x.Script)
		}
	}
	if len(found) > 0 {
		fmt.Fprintln(d.s.out)
	}
	return nil
}

// report says what was compared and gives the exit status.
func (d *diffing) report(s diff.Saved, versions []string) error {
	if err := d.tell(s.Differences); err != nil {
		return err
	}
	c := diff.Cover(s.Seen(), versions)
	fmt.Fprintf(d.s.out, "%s and %s, %s, CDI %s: %d sequences, %d calls to each, in %s; seed %d\n", s.Left, s.Right, strings.Join(s.Pairs, " and "), span(versions), s.Sequences, s.Calls,
		time.Duration(s.Seconds*float64(time.Second)).Round(time.Second), s.Seed)
	fmt.Fprintf(d.s.out, "coverage: %d of %d kinds of answers (endpoint × version × outcome) seen and equal, %.1f %%; %d more that are not on the list\n", c.Reached, c.Cells, 100*c.Share(), c.Beyond)
	for i, m := range c.Missing {
		if i == 8 {
			fmt.Fprintf(d.s.out, "  and %d more\n", len(c.Missing)-i)
			break
		}
		fmt.Fprintf(d.s.out, "  not seen  %s\n", m)
	}
	fmt.Fprintf(d.s.out, "never tried: %s\n", strings.Join(calls.NotTried(), "; "))
	switch {
	case len(s.Differences) > 0:
		fmt.Fprintf(d.s.out, "DIFFERENT: %d found\n", len(s.Differences))
		return exit(exitFailed)
	case s.Sequences == 0:
		return errors.New("no sequence was played: nothing is claimed")
	case 100*c.Share() < d.coverage:
		fmt.Fprintf(d.s.err, "coreproof diff: no difference, but only %.1f %% of the kinds of answers were seen, and --min-coverage asks for %v %%: play more sequences\n", 100*c.Share(), d.coverage)
		return exit(exitUntried)
	}
	fmt.Fprintln(d.s.out, "EQUAL: no difference found")
	return nil
}

func span(versions []string) string {
	if len(versions) < 3 {
		return strings.Join(versions, " and ")
	}
	return fmt.Sprintf("%s to %s (%d versions)", versions[0], versions[len(versions)-1], len(versions))
}
