package refcore_test

import (
	"slices"
	"testing"

	"github.com/coreproof/coreproof/refcore/internal/coretest"
)

var engineRules = slices.Concat(
	engineTokens, engineForged, engineVerify, engineRefresh, engineRotation, engineData, engineRaces, engineCores, engineCost,
)

// TestEngineRules has a test for each rule of section 9 of the engine's specification.
func TestEngineRules(t *testing.T) {
	t.Parallel()
	coretest.RunRules(t, engineRules)
}
