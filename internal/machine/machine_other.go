//go:build !linux

package machine

import "github.com/coreproof/coreproof/reports/proof"

func read(*proof.Machine) {}

// Load is the one-minute load average; 0 where there is none.
func Load() float64 { return 0 }
