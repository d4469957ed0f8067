// Package serve runs the reference core as a program: settings, store, engine,
// HTTP server, logs, shutdown.
package serve

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreproof/coreproof/internal/version"
	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/config"
	"github.com/coreproof/coreproof/refcore/httpapi"
)

const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2

	// drainFor bounds how long calls in flight may take after SIGTERM.
	drainFor = 20 * time.Second
)

// ReadyPrefix begins the line on standard output that says where the core
// listens, e.g. "core ready: http://127.0.0.1:3567".
const ReadyPrefix = "core ready: "

type options struct {
	name          string
	port          string
	host          string
	config        string
	metrics       string
	clockOffset   time.Duration
	cleanupEvery  time.Duration
	exitWithStdin bool
}

// Main runs the program named name with its arguments until ctx ends or a
// signal arrives, and gives its exit code: 0 after a clean stop, 2 for input
// that cannot be used, 1 for everything else.
func Main(ctx context.Context, name string, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "health":
			return health(ctx, args[1:], environ, stderr)
		case "version":
			fmt.Fprintln(stdout, "refcore", version.String(), version.Commit())
			return exitOK
		}
	}
	o, code, done := parse(name, args, stdout, stderr)
	if done {
		return code
	}
	cfg, err := load(o, environ)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitUsage
	}
	log, closeLogs, err := newLogger(cfg, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitUsage
	}
	defer closeLogs()
	for _, w := range cfg.Warnings {
		log.Warn(w)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.exitWithStdin {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // ends when whoever started us is gone
			cancel()
		}()
	}
	if err := run(ctx, o, cfg, log, stdout); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitError
	}
	return exitOK
}

func parse(name string, args []string, stdout, stderr io.Writer) (o options, code int, done bool) {
	o.name = name
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
	err := f.Parse(args)
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stdout, `A session core that speaks SuperTokens' Core Driver Interface (2.7 to 5.6).

Usage: %[1]s [flags]
       %[1]s health     ask the running core whether it is well
       %[1]s version

Settings come from config.yaml and the environment, under the names of the
SuperTokens documentation; without a database connection sessions live in
memory and vanish with the process.

  ACCESS_TOKEN_BLACKLISTING=true %[1]s
  POSTGRESQL_CONNECTION_URI=postgresql://user:pw@localhost/db %[1]s --host 0.0.0.0

Flags:
`, name)
		f.SetOutput(stdout)
		f.PrintDefaults()
		return o, exitOK, true
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v; try %s --help\n", name, err, name)
		return o, exitUsage, true
	}
	return o, 0, false
}

func load(o options, environ []string) (*config.Config, error) {
	cfg, err := config.Load(config.Source{File: o.config, Environ: environ})
	if err != nil {
		return nil, err
	}
	if o.port != "" {
		if cfg.Port, err = strconv.Atoi(o.port); err != nil || cfg.Port < 0 || cfg.Port > 65535 {
			return nil, fmt.Errorf("--port must be a number between 0 and 65535, not %q", o.port)
		}
	}
	if o.host != "" {
		cfg.Host = o.host
	}
	if o.cleanupEvery > 0 {
		cfg.Engine.CleanupEvery = o.cleanupEvery
	}
	return cfg, nil
}

func run(ctx context.Context, o options, cfg *config.Config, log *slog.Logger, stdout io.Writer) (err error) {
	st, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	engine, err := refcore.New(ctx, refcore.Options{Store: st, Settings: cfg.Engine, Log: log, Now: func() time.Time {
		return time.Now().Add(o.clockOffset)
	}})
	if err != nil {
		return err
	}
	defer engine.Close()
	api, err := httpapi.New(httpapi.Options{
		Engine: engine, Log: log, APIKeys: cfg.APIKeys, BasePath: cfg.BasePath,
		MaxVersion: cfg.MaxCDI, MinVersion: cfg.MinCDI, IPAllow: cfg.IPAllow, IPDeny: cfg.IPDeny,
	})
	if err != nil {
		return err
	}
	if o.metrics != "" {
		closeMetrics, err := serveMetrics(o.metrics, st, log, stdout)
		if err != nil {
			return err
		}
		defer closeMetrics()
	}
	l, err := net.Listen("tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	if err != nil {
		return fmt.Errorf("listen on %s port %d: %w", cfg.Host, cfg.Port, err)
	}
	fmt.Fprintf(stdout, "%shttp://%s%s\n", ReadyPrefix, l.Addr(), cfg.BasePath)
	log.Info("core started", "address", l.Addr().String(), "store", string(cfg.StoreKind), "access_token_blacklisting", cfg.Engine.Blacklisting)
	return serveUntil(ctx, l, api, log)
}

// serveUntil answers calls until ctx ends, then lets those in flight finish.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	log.Info("core stops: calls in flight may finish")
	drain, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		return errors.Join(fmt.Errorf("drain: %w", err), srv.Close())
	}
	return nil
}

// health asks a core on this machine for /hello, for a container's HEALTHCHECK.
func health(ctx context.Context, args, environ []string, stderr io.Writer) int {
	port, base := "3567", ""
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, "SUPERTOKENS_PORT="); ok && v != "" {
			port = strings.Trim(v, `"`)
		}
		if v, ok := strings.CutPrefix(e, "BASE_PATH="); ok {
			base = strings.Trim(v, `"/`)
		}
	}
	url := "http://127.0.0.1:" + port + "/"
	if base != "" {
		url += base + "/"
	}
	if len(args) > 0 {
		url = strings.TrimRight(args[0], "/") + "/"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"hello", nil)
	if err != nil {
		fmt.Fprintf(stderr, "health: %v\n", err)
		return exitUsage
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Fprintf(stderr, "health: %v\n", err)
		return exitError
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		fmt.Fprintf(stderr, "health: the core answers HTTP %d\n", resp.StatusCode)
		return exitError
	}
	return exitOK
}
