package conformance

import (
	"context"
	"slices"
	"sync"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/replay"
)

const (
	// keptExchanges of a trial are kept: enough to tell its story.
	keptExchanges = 12
	// keptViolations of a check are kept with their exchanges.
	keptViolations = 3
)

// Shell variables that stand for credentials in replay lines.
const (
	accessVariable   = replay.Access
	refreshVariable  = replay.Refresh
	antiCSRFVariable = replay.AntiCSRF
)

// recorder keeps the last exchanges of a trial, in the order in which they ended,
// and the credentials that the trial was given.
type recorder struct {
	mu      sync.Mutex
	last    []protocol.Exchange
	secrets []replay.Secret
}

func (r *recorder) record(e protocol.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) == keptExchanges {
		r.last = slices.Delete(r.last, 0, 1)
	}
	r.last = append(r.last, e)
}

func (r *recorder) exchanges() []protocol.Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.last)
}

// known is the credentials so far.
func (r *recorder) known() []replay.Secret {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.secrets)
}

type recorderKey struct{}

// withRecorder lets r keep what happens under ctx.
func withRecorder(ctx context.Context, r *recorder) context.Context {
	return context.WithValue(protocol.WithRecorder(ctx, r.record), recorderKey{}, r)
}

// Unrecorded keeps calls out of the evidence, but not their credentials out of sight.
func Unrecorded(ctx context.Context) context.Context {
	return protocol.WithRecorder(ctx, func(protocol.Exchange) {})
}

// keepSecret notes a credential that went over the wire.
func keepSecret(ctx context.Context, value, variable string) {
	r, ok := ctx.Value(recorderKey{}).(*recorder)
	if !ok || value == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets, replay.Secret{Value: value, Variable: variable})
}

// curl is a command line that repeats an exchange.
func (r *recorder) curl(e protocol.Exchange) string { return replay.Line(e, r.known()) }
