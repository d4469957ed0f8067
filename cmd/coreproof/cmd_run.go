package main

import (
	"context"
	"fmt"
	"time"
)

func cmdRun(ctx context.Context, args []string, s streams) int {
	o := &options{}
	f := newFlags("run", "coreproof run [flags]", `  coreproof run
  coreproof run --db postgres,mysql,mariadb,mongo --out proof/
  coreproof run --url-on http://127.0.0.1:3567 --url-off http://127.0.0.1:3568 --api-key KEY
  coreproof run --budget core-cpu-us=200 --format markdown
`)
	o.common(f)
	o.selection(f)
	o.measuring(f, 6, 5, 3, time.Second)
	return start(ctx, "run", f, o, args, stages{conform: true, footprint: true, bench: true}, s)
}

func cmdConform(ctx context.Context, args []string, s streams) int {
	o := &options{}
	f := newFlags("conform", "coreproof conform [flags]", `  coreproof conform
  coreproof conform --db postgres --profile blacklisting
  coreproof conform --check BL-07 --scale 10 --seed 42
  coreproof conform --url-on http://127.0.0.1:3567 --url-off http://127.0.0.1:3568
`)
	o.common(f)
	o.selection(f)
	return start(ctx, "conform", f, o, args, stages{conform: true}, s)
}

func cmdBench(ctx context.Context, args []string, s streams) int {
	o := &options{}
	f := newFlags("bench", "coreproof bench [flags]", `  coreproof bench
  coreproof bench --db postgres --rounds 20 --cdi 5.4
  coreproof bench --url-on URL --url-off URL --pid-on 4711 --pid-off 4712
`)
	o.common(f)
	o.measuring(f, 10, 6, 4, 1500*time.Millisecond)
	return start(ctx, "bench", f, o, args, stages{footprint: true, bench: true}, s)
}

func start(ctx context.Context, name string, f *flags, o *options, args []string, st stages, s streams) int {
	if code, done := f.parse(args, s); done {
		return code
	}
	if err := o.check(f.Args()); err != nil {
		fmt.Fprintf(s.err, "coreproof %s: %v; try coreproof %s --help\n", name, err, name)
		return exitUntried
	}
	return execute(ctx, name, args, o, st, s)
}
