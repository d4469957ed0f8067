package serve

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/coreproof/coreproof/internal/announce"
	"github.com/coreproof/coreproof/refcore/store"
)

// StatementsMetric counts the statements that the core has sent to its store.
const StatementsMetric = announce.StatementsMetric

// MetricsPrefix begins the line on standard output that says where the metrics are.
const MetricsPrefix = announce.CoreMetrics

// serveMetrics serves /metrics and /debug/pprof/ on a loopback address.
func serveMetrics(address string, st store.Store, log *slog.Logger, stdout io.Writer) (func(), error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--metrics %s: want host:port", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--metrics %s: only a loopback address, e.g. 127.0.0.1:9567", address)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: StatementsMetric, Help: "Statements sent to the database, transaction borders and pings not counted.",
		}, func() float64 { return float64(st.Statements()) }),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics: %w", err)
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("metrics are no longer served", "error", err)
		}
	}()
	fmt.Fprintf(stdout, "%shttp://%s/metrics\n", MetricsPrefix, l.Addr())
	return func() { _ = srv.Close() }, nil
}
