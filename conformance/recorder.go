package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/replay"
	"github.com/coreproof/coreproof/reports/proof"
)

const (
	// keptExchanges of a trial are kept: enough to tell its story.
	keptExchanges = 12
	// keptViolations of a check are kept with their exchanges.
	keptViolations = 3
	// keptBody bounds a body in evidence.
	keptBody = 2 << 10
	// tagHeader carries protocol.Tag.
	tagHeader = "X-Coreproof-Check"
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

// Evidence shortens exchanges for the proof, oldest first.
func evidence(all []protocol.Exchange) []proof.Exchange {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b protocol.Exchange) int { return a.Sent.Compare(b.Sent) })
	out := make([]proof.Exchange, 0, len(all))
	for _, e := range all {
		out = append(out, proof.Exchange{
			Method: e.Method, URL: proof.ShortenTokens(e.URL),
			RequestBody: shortBody(e.RequestBody), Status: e.Status, ResponseBody: shortBody(e.ResponseBody),
			Error: proof.ShortenTokens(e.Error), Tag: e.RequestHeader.Get(tagHeader), Took: e.Took,
		})
	}
	return out
}

// shortBody shortens tokens first, so that none is cut in half and missed.
func shortBody(s string) string {
	s = strings.TrimSpace(proof.ShortenTokens(s))
	if len(s) > keptBody {
		return strings.ToValidUTF8(s[:keptBody], "") + fmt.Sprintf("… (%d bytes in all)", len(s))
	}
	return s
}

// curl is a command line that repeats an exchange.
func (r *recorder) curl(e protocol.Exchange) string { return replay.Line(e, r.known()) }
