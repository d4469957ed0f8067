// Package refcore is the reference core: what a SuperTokens-style session core
// does, without the wire. refcore/httpapi speaks CDI in front of it and
// refcore/store keeps its sessions.
package refcore

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/token"
)

// Engine runs sessions on one database. Engines on the same database are one
// core. It is safe for concurrent use and keeps nothing about the liveness of
// a session between calls.
type Engine struct {
	store    store.Store
	ring     *token.Ring
	master   string // the secret behind refresh tokens
	settings Settings
	now      func() int64 // ms
	log      *slog.Logger
	turns    turns // of calls that change one session at once

	stop context.CancelFunc
	work sync.WaitGroup
}

// Options of an Engine. Store is required and stays the caller's to close.
type Options struct {
	Store    store.Store
	Settings Settings
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// New starts an engine: it makes or loads the keys that all cores on the
// database share, and starts the clean-up job.
func New(ctx context.Context, o Options) (*Engine, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{store: o.Store, settings: o.Settings, log: o.Log, now: func() int64 { return o.Now().UnixMilli() }}
	candidate, err := token.NewMasterKey()
	if err != nil {
		return nil, err
	}
	if e.master, err = o.Store.ValueOrInsert(ctx, "refresh_token_key", candidate, e.now()); err != nil {
		return nil, fmt.Errorf("share the refresh token key: %w", err)
	}
	e.ring, err = token.NewRing(ctx, token.RingOptions{
		Keys: o.Store, Now: e.now, Interval: o.Settings.KeyInterval, Validity: o.Settings.AccessValidity, Log: o.Log,
	})
	if err != nil {
		return nil, err
	}
	jobs, stop := context.WithCancel(context.Background())
	e.stop = stop
	if every := o.Settings.CleanupEvery; every > 0 {
		e.work.Go(func() { e.cleanUp(jobs, every) })
	}
	return e, nil
}

// Close ends the work in the background; the store stays open.
func (e *Engine) Close() {
	e.stop()
	e.work.Wait()
	e.ring.Close()
}

// Settings are those that the engine runs with.
func (e *Engine) Settings() Settings { return e.settings }

// Keys are the signing keys.
func (e *Engine) Keys() *token.Ring { return e.ring }

// Ping asks the database a question.
func (e *Engine) Ping(ctx context.Context) error { return e.store.Ping(ctx) }

// Statements is how many statements the store has sent.
func (e *Engine) Statements() uint64 { return e.store.Statements() }

// lifetime of an access token from create or refresh, ms. asked is the caller's
// own wish (nil for none), which replaces validity and jitter.
func (e *Engine) lifetime(asked *int64) (int64, error) {
	most := e.settings.AccessValidity.Milliseconds()
	if asked != nil {
		if *asked <= 0 || *asked > most {
			return 0, badValidity(most)
		}
		return *asked, nil
	}
	if j := e.settings.Jitter; j > 0 {
		return int64(float64(most) * (1 - rand.Float64()*j)), nil
	}
	return most, nil
}
