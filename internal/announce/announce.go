// Package announce holds what programs of this project say to whoever started
// them: one line on standard output each.
package announce

const (
	// CoreReady begins the line that gives a core's URL.
	CoreReady = "core ready: "
	// CoreMetrics begins the line that gives the URL of a core's metrics.
	CoreMetrics = "core metrics: "
	// GeneratorReady begins the line that gives the URL of a load generator's control
	// port.
	GeneratorReady = "generator ready: "

	// GeneratorSecretEnv hands a load generator the secret that its control port asks
	// for, so that nobody else on the network can set it to work.
	GeneratorSecretEnv = "COREPROOF_GENERATOR_SECRET"

	// StatementsMetric is the counter of statements in a core's metrics.
	StatementsMetric = "coreproof_store_statements_total"
)
