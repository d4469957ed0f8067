package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/bench/attack"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/reports/words"
)

// attacking is one shard of a load.
type attacking struct {
	s                   streams
	url                 launch.ExternalOptions
	key                 keyFlags
	shard, startAt, cdi string
	rps                 float64
	duration            time.Duration
	check, quiet        bool
	tokens, conns       int
	seed                uint64
	out                 string
}

func cmdAttack(s streams) *cobra.Command {
	a := &attacking{s: s}
	cmd := &cobra.Command{
		Use:   "attack",
		Short: "send a share of a load that takes several machines",
		Long: `Each shard sends its share of one schedule of verifies (Poisson, from --seed) and writes
what came of it; coreproof merge adds them up exactly. Shards count from 0. They begin
together at --start-at, so their machines need one clock. deploy/kubernetes-load runs
them as an Indexed Job.`,
		Example: `  coreproof attack --url http://127.0.0.1:3567 --rps 2000 --duration 30s -o all.json
  coreproof attack --url URL --rps 20000 --shard 0/4 --seed 7 --start-at 2026-11-27T12:00:00Z -o shard-0.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.options(cmd, args)
			if err != nil {
				return err
			}
			return exit(a.run(cmd.Context(), o))
		},
	}
	g := newGroup("Flags")
	g.StringSliceVar(&a.url.On, "url", nil, "base URLs of the cores, called in turn")
	g.Float64Var(&a.rps, "rps", 0, "calls per second of all shards together")
	g.DurationVar(&a.duration, "duration", 30*time.Second, "how long to send")
	g.StringVar(&a.shard, "shard", "0/1", "which share, of how many")
	g.StringVar(&a.startAt, "start-at", "", "when all shards begin: RFC 3339, or a time from now as +20s (default at once)")
	g.BoolVar(&a.check, "check-database", true, "ask for the check, where the request decides (CDI 2.21 and later)")
	g.StringVar(&a.cdi, "cdi", "", "CDI version to speak (default the newest that the cores and coreproof speak)")
	g.IntVar(&a.tokens, "tokens", 1000, "sessions that this shard makes and draws from")
	g.IntVar(&a.conns, "connections", 64, "calls of this shard under way at once")
	g.Uint64Var(&a.seed, "seed", 0, "of the schedule; the same for all shards (required for more than one)")
	a.key.add(g)
	g.StringVar(&a.url.CAFile, "ca-file", "", "trust the authorities in this PEM file")
	g.BoolVar(&a.url.AllowRemote, "allow-remote", false, "permit hosts that are not this machine")
	g.Float64Var(&a.url.RateCap, "rate-cap", launch.DefaultRateCap, "calls per second of this shard to remote hosts at most")
	g.StringVarP(&a.out, "output", "o", "-", "file for the result; - is standard output")
	g.BoolVar(&a.quiet, "quiet", false, "print nothing but the result and errors")
	g.String(configFlag, "", "settings file (default coreproof.yaml, when it is there)")
	attach(cmd, g)
	return cmd
}

func (a *attacking) options(cmd *cobra.Command, args []string) (o attack.Options, err error) {
	if err := settle(cmd, os.LookupEnv); err != nil {
		return o, err
	}
	if len(args) > 0 {
		return o, fmt.Errorf("unexpected argument %q", args[0])
	}
	if len(a.url.On) == 0 {
		return o, errors.New("--url is missing: the base URL of a core")
	}
	part, of, ok := strings.Cut(a.shard, "/")
	o.Shard, err = strconv.Atoi(part)
	if err == nil && ok {
		o.Of, err = strconv.Atoi(of)
	}
	if err != nil || !ok {
		return o, fmt.Errorf("--shard %s: want which of how many, e.g. 0/4", a.shard)
	}
	if a.startAt != "" {
		if after, relative := strings.CutPrefix(a.startAt, "+"); relative {
			d, err := time.ParseDuration(after)
			if err != nil || d <= 0 {
				return o, fmt.Errorf("--start-at %s: want a time from now, e.g. +20s", a.startAt)
			}
			o.At = time.Now().Add(d)
		} else if o.At, err = time.Parse(time.RFC3339, a.startAt); err != nil {
			return o, fmt.Errorf("--start-at %s: want RFC 3339, e.g. %s, or +20s", a.startAt, time.Now().UTC().Format(time.RFC3339))
		}
	}
	if a.seed == 0 && o.Of > 1 {
		return o, errors.New("--seed is missing: shards of one load share the seed of its schedule")
	}
	if a.seed == 0 {
		a.seed = rand.Uint64()>>11 + 1
	}
	if a.url.APIKey, err = a.key.read(); err != nil {
		return o, err
	}
	o.Seed, o.RateHz, o.Duration, o.CheckDatabase, o.Tokens, o.Connections = a.seed, a.rps, a.duration, a.check, a.tokens, a.conns
	return o, o.Check()
}

func (a *attacking) run(ctx context.Context, o attack.Options) int {
	fail := func(err error) int {
		fmt.Fprintf(a.s.err, "coreproof attack: %s\n", words.OneLine(strings.ReplaceAll(err.Error(), "--url-on", "--url")))
		return exitUntried
	}
	t, err := launch.NewExternal(ctx, a.url)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = t.Close(context.WithoutCancel(ctx)) }()
	versions, err := t.Versions(ctx)
	if err != nil {
		return fail(err)
	}
	o.Target, o.Protocol, o.Version = t, t.Protocol().Name(), versions[len(versions)-1]
	if a.cdi != "" {
		if !slices.Contains(versions, a.cdi) {
			return fail(fmt.Errorf("--cdi %s: the cores speak %s", a.cdi, strings.Join(versions, ", ")))
		}
		o.Version = a.cdi
	}
	got, err := attack.Run(ctx, o)
	if got == nil {
		return fail(err)
	}
	if err != nil {
		fmt.Fprintf(a.s.err, "coreproof attack: %s\n", words.OneLine(err.Error())) // only tidying up failed
	}
	if err := writeShard(a.s, a.out, got); err != nil {
		return fail(err)
	}
	if !a.quiet {
		fmt.Fprintf(a.s.err, "shard %d of %d: %s calls, %s wrong\n", o.Shard, o.Of, words.Count(int(got.Calls)), words.Count(int(got.Wrong)))
	}
	if got.Wrong > 0 {
		fmt.Fprintf(a.s.err, "coreproof attack: e.g. %s\n", words.OneLine(got.Example))
		return exitFailed
	}
	if o.Of > 1 {
		return exitHeld // merge judges the whole
	}
	for _, d := range got.Doubts() {
		fmt.Fprintf(a.s.err, "coreproof attack: %s\n", d)
	}
	if len(got.Doubts()) > 0 || got.Calls == 0 {
		return exitUntried
	}
	return exitHeld
}

func writeShard(s streams, path string, got *attack.Shard) error {
	data, err := json.Marshal(got)
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	data = append(data, '\n')
	if path == "-" {
		_, err = s.out.Write(data)
	} else {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

func cmdMerge(s streams) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "merge FILE…",
		Short: "add up what the shards of a load wrote",
		Long: `A FILE is what coreproof attack wrote, or several of them one after the other; - is
standard input. Shards of different loads, and one that comes twice, are refused. Exit
status: 0 all was sent and answered well, 1 some calls were answered wrongly, 2 shards
are missing, began apart, have clocks that differ, or could not keep up, so that the figures are not those of
the load.`,
		Example: `  coreproof merge shard-*.json
  kubectl logs -l app=coreproof-load --tail=-1 | coreproof merge -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("want what coreproof attack wrote: files, or - for standard input")
			}
			return exit(merge(s, args, out))
		},
	}
	g := newGroup("Flags")
	g.StringVarP(&out, "output", "o", "", "write the sum to this file too")
	attach(cmd, g)
	return cmd
}

func merge(s streams, paths []string, out string) int {
	fail := func(err error) int {
		fmt.Fprintf(s.err, "coreproof merge: %s\n", words.OneLine(err.Error()))
		return exitUntried
	}
	var list []*attack.Shard
	for _, path := range paths {
		got, err := readShards(s.in, path)
		if err != nil {
			return fail(err)
		}
		list = append(list, got...)
	}
	sum, err := attack.Merge(list)
	if err != nil {
		return fail(err)
	}
	if out != "" {
		if err := writeShard(s, out, sum); err != nil {
			return fail(err)
		}
	}
	ms := func(q float64) string {
		d, known := sum.Quantile(q)
		if !known {
			return "not known"
		}
		return strconv.FormatFloat(float64(d)/1e6, 'f', 3, 64)
	}
	fmt.Fprintf(s.out, "load       %g calls/s for %s, %s %s, check %t\n", sum.RateHz, sum.Duration, sum.Protocol, sum.Version, sum.CheckDatabase)
	fmt.Fprintf(s.out, "shards     %d of %d, begun within %s\n", len(sum.Shards), sum.Of, sum.Skew().Round(10*time.Microsecond))
	if sum.Of > 1 {
		clocks := "not known to agree: the cores sent no Date, or a shard did not ask"
		if _, most, known := sum.Apart(); known {
			clocks = fmt.Sprintf("%s apart at most, by the cores' Date", most.Round(time.Millisecond))
		}
		fmt.Fprintf(s.out, "clocks     %s\n", clocks)
	}
	fmt.Fprintf(s.out, "calls      %s of %s due, %s sent in time, %s wrong\n", words.Count(int(sum.Calls)), words.Count(int(sum.Due)), words.Count(int(sum.InTime)), words.Count(int(sum.Wrong)))
	fmt.Fprintf(s.out, "latency    ms, from when a call was due: median %s, 90 %% %s, 99 %% %s, 99.9 %% %s, max %s\n", ms(50), ms(90), ms(99), ms(99.9), ms(100))
	for _, d := range sum.Doubts() {
		fmt.Fprintf(s.err, "coreproof merge: %s\n", d)
	}
	switch {
	case sum.Wrong > 0:
		fmt.Fprintf(s.err, "coreproof merge: %s were answered wrongly (%d of them turned away, 429 or 503), e.g. %s\n", words.Plural(sum.Wrong, "call"), sum.Shed, words.OneLine(sum.Example))
		return exitFailed
	case len(sum.Doubts()) > 0 || sum.Calls == 0:
		return exitUntried
	}
	return exitHeld
}

func readShards(in io.Reader, path string) ([]*attack.Shard, error) {
	if path == "-" {
		return attack.Read(in, "standard input")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return attack.Read(f, path)
}
