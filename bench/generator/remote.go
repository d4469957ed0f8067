package generator

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/pause"
)

// The control protocol: PUT /set/<name> with a JSON list of bodies, POST /run
// with a Job, answered with a Result. It is spoken between our own processes.

// secretHeader carries the secret that a control port asks for.
const secretHeader = "X-Coreproof-Secret"

// Handler serves a Local generator to a Remote one that knows the secret; "" asks
// for none.
func Handler(l *Local, secret string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("PUT /set/{name}", func(w http.ResponseWriter, r *http.Request) {
		var bodies [][]byte
		if err := json.NewDecoder(r.Body).Decode(&bodies); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := l.Load(r.Context(), r.PathValue("name"), bodies); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /run", func(w http.ResponseWriter, r *http.Request) {
		var j Job
		if err := json.NewDecoder(r.Body).Decode(&j); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		res, err := l.Run(r.Context(), j)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(res) // a caller that went away needs no answer
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" && subtle.ConstantTimeCompare([]byte(r.Header.Get(secretHeader)), []byte(secret)) != 1 {
			http.Error(w, "the secret is missing or wrong", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Remote is a generator in another process.
type Remote struct {
	base   string
	secret string
	client *http.Client
	stop   func() error
}

var _ Generator = (*Remote)(nil)

// NewRemote speaks to a Handler at base that asks for secret; stop (nil for none)
// ends its process.
func NewRemote(base, secret string, stop func() error) *Remote {
	return &Remote{base: strings.TrimRight(base, "/"), secret: secret, client: &http.Client{Transport: &http.Transport{}}, stop: stop}
}

// Load sends bodies over.
func (r *Remote) Load(ctx context.Context, set string, bodies [][]byte) error {
	return r.call(ctx, http.MethodPut, "/set/"+set, bodies, nil)
}

// Run lets the other process send the load.
func (r *Remote) Run(ctx context.Context, j Job) (Result, error) {
	if err := j.check(); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, j.Duration+2*callTimeout)
	defer cancel()
	var res Result
	err := r.call(ctx, http.MethodPost, "/run", j, &res)
	return res, err
}

// Close ends the other process.
func (r *Remote) Close() error {
	r.client.CloseIdleConnections()
	if r.stop == nil {
		return nil
	}
	return r.stop()
}

// AwaitReady asks until the other process answers, for at most 20 s.
func (r *Remote) AwaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		err := r.call(ctx, http.MethodGet, "/ready", nil, nil)
		if err == nil {
			return nil
		}
		if pause.For(ctx, 20*time.Millisecond) != nil {
			return err
		}
	}
}

func (r *Remote) call(ctx context.Context, method, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("generator: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("generator: %w", err)
	}
	req.Header.Set(secretHeader, r.secret)
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("generator: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
		return errors.New("generator: " + strings.TrimSpace(string(text)))
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("generator: %w", err)
	}
	return nil
}
