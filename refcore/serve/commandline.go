package serve

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/coreproof/coreproof/refcore/config"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store/kinds"
)

type options struct {
	name          string
	port          string
	host          string
	config        string
	mounted       string // read when config is ""
	metrics       string
	clockOffset   time.Duration
	cleanupEvery  time.Duration
	exitWithStdin bool
	// notInMemory refuses to start without a database.
	notInMemory bool
	// without are flags of the real core's command that have no effect here.
	without []string
}

func parse(name string, args []string, stdout, stderr io.Writer) (o options, code int, done bool) {
	o.name, o.mounted = name, mountedConfig
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.port, "port", "", "port to listen on; 0 picks a free one (default 3567)")
	f.StringVar(&o.host, "host", "", "address to listen on (default localhost)")
	f.StringVar(&o.config, "config", "", "path of config.yaml")
	f.StringVar(&o.config, "with-config", "", "the same as --config")
	f.StringVar(&o.metrics, "metrics", "", "loopback address for /metrics and /debug/pprof/, e.g. 127.0.0.1:9567 (default off)")
	f.DurationVar(&o.clockOffset, "clock-offset", 0, "shift the core's clock, for tests")
	f.DurationVar(&o.cleanupEvery, "cleanup-every", 0, "how often expired sessions are deleted, for tests (default 12h)")
	f.BoolVar(&o.exitWithStdin, "exit-with-stdin", false, "stop when standard input ends")
	f.BoolVar(&o.notInMemory, "no-in-mem-db", false, "do not start without a database")
	realCoreFlags(f, &o)
	err := f.Parse(realCoreWords(args))
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		versions := httpapi.Versions()
		fmt.Fprintf(stdout, `A session core that speaks SuperTokens' Core Driver Interface (%[2]s to %[3]s).

Usage: %[1]s [flags]
       %[1]s health     ask the running core whether it is well (same flags and settings)
       %[1]s version

Settings come from config.yaml and the environment, under the names of the
SuperTokens documentation; without a database connection sessions live in
memory and vanish with the process.

  ACCESS_TOKEN_BLACKLISTING=true %[1]s
%[4]s
Flags:
`, name, versions[0], versions[len(versions)-1], connectionExamples(name))
		printFlags(f, stdout)
		return o, exitOK, true
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v; try %s --help\n", name, err, name)
		return o, exitUsage, true
	}
	return o, 0, false
}

// realCoreWords takes away the words before the flags with which the images of the
// real core are started: supertokens start, and of old production or dev.
func realCoreWords(args []string) []string {
	for _, word := range []string{"supertokens", "start", "production", "dev"} {
		if len(args) > 0 && args[0] == word {
			args = args[1:]
		}
	}
	return args
}

// realCore says in the usage of a flag that it is of the real core's command and
// has no effect here.
const realCore = "the real core's; without effect"

// realCoreFlags are those of supertokens start, and what stands in documented lines
// after the image's name.
func realCoreFlags(f *flag.FlagSet, o *options) {
	f.Bool("foreground", false, realCore) // where this core always is: nothing to say
	passed := func(name string) func(string) error {
		return func(string) error {
			o.without = append(o.without, "--"+name)
			return nil
		}
	}
	for _, name := range []string{"javaagent", "jmx", "read-only"} {
		f.BoolFunc(name, realCore, passed(name))
	}
	for _, name := range []string{"with-space", "with-temp-dir", "jmx-port", "jmx-authenticate", "jmx-ssl"} {
		f.Func(name, realCore, passed(name))
	}
}

// printFlags prints those that have an effect.
func printFlags(f *flag.FlagSet, w io.Writer) {
	shown := flag.NewFlagSet(f.Name(), flag.ContinueOnError)
	shown.SetOutput(w)
	f.VisitAll(func(one *flag.Flag) {
		if one.Usage != realCore {
			shown.Var(one.Value, one.Name, one.Usage)
		}
	})
	shown.PrintDefaults()
}

// connectionExamples is a command line for each kind of store.
func connectionExamples(name string) string {
	var b strings.Builder
	for _, k := range kinds.All() {
		for _, s := range k.Settings {
			if s.Key == k.Connection {
				fmt.Fprintf(&b, "  %s=%s %s\n", s.Env, s.Example, name)
			}
		}
	}
	return b.String()
}

// mountedConfig is where the images of the real core have their config.yaml,
// and where one of one's own is mounted.
const mountedConfig = "/usr/lib/supertokens/config.yaml"

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func load(o options, environ []string) (*config.Config, error) {
	if o.config == "" && isFile(o.mounted) {
		o.config = o.mounted
	}
	cfg, err := config.Load(config.Source{File: o.config, Environ: environ, Kinds: kinds.All(), Versions: httpapi.Versions()})
	if err != nil {
		return nil, err
	}
	if o.port != "" {
		if cfg.Port, err = strconv.Atoi(o.port); err != nil || cfg.Port < 0 || cfg.Port > 65535 {
			return nil, fmt.Errorf("--port must be a number between 0 and 65535, not %q", o.port)
		}
	}
	if o.host != "" {
		cfg.Host = strings.Trim(o.host, "[]") // JoinHostPort puts them
	}
	if o.notInMemory && cfg.Kind.Local && cfg.Store.URI == "" {
		return nil, errors.New("--no-in-mem-db: no connection to a database is set, so sessions would be in memory")
	}
	if len(o.without) > 0 {
		cfg.Warnings = append(cfg.Warnings, "flags without effect in this core: "+strings.Join(o.without, ", "))
	}
	if o.cleanupEvery > 0 {
		cfg.Engine.CleanupEvery = o.cleanupEvery
	}
	return cfg, nil
}
