// Package spectest holds the reference core against each numbered rule of the
// specification: what goes over the wire (http_*), what happens behind it
// (engine_*), hostile input (safety_*, fuzz).
package spectest

import (
	"slices"
	"testing"
)

var httpRules = slices.Concat(
	httpTransport, httpKeys, httpCreate, httpData, httpVerify, httpBlacklist, httpRefresh, httpRemove, httpRegenerate, configRules,
)

// TestHTTPRules has a test for each rule of section 6 of the HTTP specification.
func TestHTTPRules(t *testing.T) {
	t.Parallel()
	runRules(t, httpRules)
}

func TestEveryHTTPRuleIsTestedOrExcused(t *testing.T) {
	t.Parallel()
	checkNumbers(t, httpRules, 124)
}
