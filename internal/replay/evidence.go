package replay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// KeptBody bounds a body in evidence, in bytes.
const KeptBody = 2 << 10

// Evidence shortens exchanges for the proof, oldest first.
func Evidence(all []protocol.Exchange) []proof.Exchange {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b protocol.Exchange) int { return a.Sent.Compare(b.Sent) })
	out := make([]proof.Exchange, 0, len(all))
	for _, e := range all {
		out = append(out, proof.Exchange{
			Method: e.Method, URL: proof.ShortenTokens(e.URL),
			Host: e.Host, Chunked: e.Chunked, Proto: e.Proto,
			RequestBody: shortBody(e.RequestBody), Status: e.Status, ResponseBody: shortBody(e.ResponseBody),
			Error: proof.ShortenTokens(e.Error), Tag: e.RequestHeader.Get(protocol.TagHeader), Took: e.Took,
		})
	}
	return out
}

// shortBody shortens tokens first, so that none is cut in half and missed.
func shortBody(s string) string {
	s = strings.TrimSpace(proof.ShortenTokens(s))
	if len(s) > KeptBody {
		return strings.ToValidUTF8(s[:KeptBody], "") + fmt.Sprintf("… (%d bytes in all)", len(s))
	}
	return s
}
