package testcore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/refcore/store"
)

// Divided gives a database of its own that some cores lose, and others keep.
func (r *Target) Divided(ctx context.Context, name string) (*launch.Divided, error) {
	whole, err := r.Isolated(ctx, name)
	if err != nil {
		return nil, err
	}
	lost, err := r.Isolated(ctx, name)
	if err != nil {
		return nil, err
	}
	w := &way{}
	cut := lost.(*Target)
	cut.shares, cut.way = whole.(*Target), w
	return &launch.Divided{Cut: cut, Whole: whole, Way: w}, nil
}

// way is that to a database within this process.
type way struct {
	mu      sync.Mutex
	refused bool
	silence chan struct{} // nil: none
}

var errRefused = errors.New("the database cannot be reached")

func (*way) Outages() []cores.Outage { return []cores.Outage{cores.Refused, cores.Silent} }

func (w *way) Break(ctx context.Context, o cores.Outage) error {
	if err := w.Mend(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if o == cores.Silent {
		w.silence = make(chan struct{})
	} else {
		w.refused = true
	}
	return nil
}

func (w *way) Mend(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refused = false; w.silence != nil {
		close(w.silence)
		w.silence = nil
	}
	return nil
}

// statementTimeout is how long a statement waits, as that of the real stores.
const statementTimeout = 5 * time.Second

// pass is what a statement meets on its way.
func (w *way) pass(ctx context.Context) error {
	w.mu.Lock()
	refused, silence := w.refused, w.silence
	w.mu.Unlock()
	if refused {
		return errRefused
	}
	if silence == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	select {
	case <-silence:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// losable is a store at the other end of a way.
type losable struct {
	store.Store
	way *way
}

func (l losable) CreateSession(ctx context.Context, s store.Session) error {
	_, err := by(ctx, l.way, func() (struct{}, error) { return struct{}{}, l.Store.CreateSession(ctx, s) })
	return err
}

func (l losable) Session(ctx context.Context, handle string) (store.Session, error) {
	return by(ctx, l.way, func() (store.Session, error) { return l.Store.Session(ctx, handle) })
}

func (l losable) Liveness(ctx context.Context, handle string) (store.Liveness, error) {
	return by(ctx, l.way, func() (store.Liveness, error) { return l.Store.Liveness(ctx, handle) })
}

func (l losable) Rotate(ctx context.Context, handle string, r store.Rotation) (bool, error) {
	return by(ctx, l.way, func() (bool, error) { return l.Store.Rotate(ctx, handle, r) })
}

func (l losable) SetData(ctx context.Context, handle string, data []byte, aliveAt int64) (bool, error) {
	return by(ctx, l.way, func() (bool, error) { return l.Store.SetData(ctx, handle, data, aliveAt) })
}

func (l losable) SetPayload(ctx context.Context, handle string, payload []byte, aliveAt int64) (bool, error) {
	return by(ctx, l.way, func() (bool, error) { return l.Store.SetPayload(ctx, handle, payload, aliveAt) })
}

func (l losable) Handles(ctx context.Context, userID string, aliveAt int64) ([]string, error) {
	return by(ctx, l.way, func() ([]string, error) { return l.Store.Handles(ctx, userID, aliveAt) })
}

func (l losable) Delete(ctx context.Context, handles []string) ([]string, error) {
	return by(ctx, l.way, func() ([]string, error) { return l.Store.Delete(ctx, handles) })
}

func (l losable) DeleteByUser(ctx context.Context, userID string, aliveAt int64) ([]string, error) {
	return by(ctx, l.way, func() ([]string, error) { return l.Store.DeleteByUser(ctx, userID, aliveAt) })
}

func (l losable) DynamicKeys(ctx context.Context) ([]store.Key, error) {
	return by(ctx, l.way, func() ([]store.Key, error) { return l.Store.DynamicKeys(ctx) })
}

func (l losable) StaticKeys(ctx context.Context) ([]store.Key, error) {
	return by(ctx, l.way, func() ([]store.Key, error) { return l.Store.StaticKeys(ctx) })
}

func (l losable) Ping(ctx context.Context) error {
	_, err := by(ctx, l.way, func() (struct{}, error) { return struct{}{}, l.Store.Ping(ctx) })
	return err
}

// by makes a call that takes a way.
func by[V any](ctx context.Context, w *way, call func() (V, error)) (V, error) {
	if err := w.pass(ctx); err != nil {
		var none V
		return none, err
	}
	return call()
}
