// Package machine describes where a run takes place.
package machine

import (
	"runtime"

	"github.com/coreproof/coreproof/internal/affinity"
	"github.com/coreproof/coreproof/internal/meter/gauge"
	"github.com/coreproof/coreproof/reports/proof"
)

// Describe reads what this machine is and what it lacks; what cannot be read
// stays empty.
func Describe() proof.Machine {
	m := proof.Machine{CPUs: runtime.NumCPU()}
	if cpus, err := affinity.Allowed(); err == nil {
		m.CPUs = len(cpus)
	}
	read(&m)
	m.LoadStart = Load()
	if !gauge.CPUClock {
		m.Limits = append(m.Limits, "the CPU time of other processes cannot be read on "+runtime.GOOS)
	}
	switch {
	case !affinity.Supported:
		m.Limits = append(m.Limits, "processes cannot be pinned to CPUs on "+runtime.GOOS)
	case m.CPUs < 2:
		m.Limits = append(m.Limits, "one CPU only: nothing is pinned, figures are noisy")
	}
	return m
}
