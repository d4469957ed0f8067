package conformance

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/reports/proof"
)

const (
	// keptExchanges of a trial are kept: enough to tell its story.
	keptExchanges = 12
	// keptBody bounds a body in evidence.
	keptBody = 2 << 10
	// tagHeader carries adapter.Tag.
	tagHeader = "X-Coreproof-Check"
)

// tape keeps the last exchanges of a trial, in the order in which they ended.
type tape struct {
	mu   sync.Mutex
	last []adapter.Exchange
}

func (t *tape) record(e adapter.Exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.last) == keptExchanges {
		t.last = slices.Delete(t.last, 0, 1)
	}
	t.last = append(t.last, e)
}

func (t *tape) exchanges() []adapter.Exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.last)
}

// evidence shortens exchanges for the proof, oldest first.
func evidence(all []adapter.Exchange) []proof.Exchange {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b adapter.Exchange) int { return a.Sent.Compare(b.Sent) })
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

// curl is a command line that repeats an exchange. It holds the token whole, for
// it would repeat nothing otherwise: one of a session that the harness made
// itself. The API key stays out.
func curl(e adapter.Exchange) string {
	var b strings.Builder
	b.WriteString("curl -sS -X " + e.Method)
	names := make([]string, 0, len(e.RequestHeader))
	for name := range e.RequestHeader {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch strings.ToLower(name) {
		case "user-agent":
		case "api-key":
			b.WriteString(` -H "api-key: $API_KEY"`)
		default:
			b.WriteString(" -H " + quote(strings.ToLower(name)+": "+e.RequestHeader.Get(name)))
		}
	}
	if e.RequestBody != "" {
		b.WriteString(" --data-binary " + quote(e.RequestBody))
	}
	b.WriteString(" " + quote(e.URL))
	return b.String()
}

// quote makes s one word of a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
