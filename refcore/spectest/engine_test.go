package spectest

import (
	"slices"
	"testing"
)

var engineRules = slices.Concat(
	engineTokens, engineForged, engineVerify, engineRefresh, engineRotation, engineData, engineRaces, engineCores, engineCost,
)

// TestEngineRules has a test for each rule of section 9 of the engine's specification.
func TestEngineRules(t *testing.T) {
	t.Parallel()
	runRules(t, engineRules)
}

func TestEveryEngineRuleIsTestedOrExcused(t *testing.T) {
	t.Parallel()
	checkNumbers(t, engineRules, 98)
}
