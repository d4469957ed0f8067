package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/coreproof/coreproof/refcore/config"
)

// newLogger logs to standard error or to the configured files, errors apart
// from the rest. Call the returned function at the end.
func newLogger(cfg *config.Config, stderr io.Writer) (*slog.Logger, func(), error) {
	if cfg.Quiet {
		return slog.New(slog.DiscardHandler), func() {}, nil
	}
	var files []*os.File
	closeAll := func() {
		for _, f := range files {
			_ = f.Close() // logs are written through; nothing is lost
		}
	}
	writer := func(key, path string) (io.Writer, error) {
		if path == "" {
			return stderr, nil
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			var pe *os.PathError
			if errors.As(err, &pe) {
				err = pe.Err
			}
			return nil, fmt.Errorf("%s %s: %w", key, path, err)
		}
		files = append(files, f)
		return f, nil
	}
	info, err := writer("info_log_path", cfg.InfoLogPath)
	if err != nil {
		return nil, nil, err
	}
	failures, err := writer("error_log_path", cfg.ErrorLogPath)
	if err != nil {
		closeAll()
		return nil, nil, err
	}
	handler := func(w io.Writer) slog.Handler {
		o := &slog.HandlerOptions{Level: cfg.LogLevel}
		if cfg.JSONLogs {
			return slog.NewJSONHandler(w, o)
		}
		return slog.NewTextHandler(w, o)
	}
	return slog.New(&byLevel{info: handler(info), failures: handler(failures)}), closeAll, nil
}

// byLevel sends errors one way and everything else another.
type byLevel struct{ info, failures slog.Handler }

func (h *byLevel) pick(l slog.Level) slog.Handler {
	if l >= slog.LevelError {
		return h.failures
	}
	return h.info
}

func (h *byLevel) Enabled(ctx context.Context, l slog.Level) bool { return h.pick(l).Enabled(ctx, l) }

func (h *byLevel) Handle(ctx context.Context, r slog.Record) error {
	return h.pick(r.Level).Handle(ctx, r)
}

func (h *byLevel) WithAttrs(a []slog.Attr) slog.Handler {
	return &byLevel{h.info.WithAttrs(a), h.failures.WithAttrs(a)}
}

func (h *byLevel) WithGroup(name string) slog.Handler {
	return &byLevel{h.info.WithGroup(name), h.failures.WithGroup(name)}
}
