package httpapi_test

import (
	"slices"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

var httpRules = slices.Concat(
	httpTransport, httpKeys, httpCreate, httpData, httpVerify, httpBlacklist, httpRefresh, httpRemove, httpRegenerate,
)

// TestHTTPRules has a test for each rule of section 6 of the HTTP specification.
func TestHTTPRules(t *testing.T) {
	t.Parallel()
	coretest.RunRules(t, httpRules)
}
