// Package serve runs the reference core as a program: settings, store, engine,
// HTTP server, logs, shutdown.
package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/coreproof/coreproof/internal/announce"
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
const ReadyPrefix = announce.CoreReady

// Main runs the program named name with its arguments until ctx ends or a
// signal arrives, and gives its exit code: 0 after a clean stop, 2 for input
// that cannot be used, 1 for everything else.
func Main(ctx context.Context, name string, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return MainDecorated(ctx, Decorate{}, name, args, environ, stdin, stdout, stderr)
}

// MainDecorated is Main with parts of the core wrapped by d.
func MainDecorated(ctx context.Context, d Decorate, name string, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "health":
			return health(ctx, name, args[1:], environ, stderr)
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
	if err := run(ctx, d, o, cfg, log, stdout); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitError
	}
	return exitOK
}

func run(ctx context.Context, d Decorate, o options, cfg *config.Config, log *slog.Logger, stdout io.Writer) (err error) {
	st, err := waitForStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	st = apply(d.Store, st)
	defer func() { err = errors.Join(err, st.Close()) }()
	engine, err := refcore.New(ctx, refcore.Options{Store: st, Settings: cfg.Engine, Log: log, Now: func() time.Time {
		return time.Now().Add(o.clockOffset)
	}})
	if err != nil {
		return err
	}
	defer engine.Close()
	api, err := httpapi.New(httpapi.Options{
		Engine: apply(d.Engine, httpapi.Engine(engine)), Log: log, APIKeys: cfg.APIKeys, BasePath: cfg.BasePath,
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
	network := "tcp"
	if a, err := netip.ParseAddr(cfg.Host); err == nil && a.Is4() {
		network = "tcp4" // 0.0.0.0 would open all addresses of version 6 as well
	}
	l, err := net.Listen(network, net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	if err != nil {
		return fmt.Errorf("listen on %s port %d: %w", cfg.Host, cfg.Port, err)
	}
	fmt.Fprintf(stdout, "%shttp://%s%s\n", ReadyPrefix, l.Addr(), cfg.BasePath)
	if cfg.Kind.Local && cfg.Store.URI == "" {
		log.Warn("no connection to a database is set: sessions are in memory and vanish with this process")
	}
	log.Info("core started", "address", l.Addr().String(), "store", cfg.Kind.Name, "config_file", cfg.File, "access_token_blacklisting", cfg.Engine.Blacklisting)
	return serveUntil(ctx, l, apply(d.Handler, http.Handler(api)), log)
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
