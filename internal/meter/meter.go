// Package meter reads what cores and databases spend: CPU time, memory,
// statements, rows and bytes. It only reads; it starts nothing.
package meter

import "github.com/coreproof/coreproof/internal/meter/gauge"

// CPUClock says whether this machine can read the CPU time of other processes.
const CPUClock = gauge.CPUClock

// ErrUnsupported says that this machine or server cannot tell.
var ErrUnsupported = gauge.ErrUnsupported

type (
	// Process is something whose CPU time can be read: a process or a container.
	Process = gauge.Process
	// Starter is a Process that may start others.
	Starter = gauge.Starter
	// Database reads a database server's books.
	Database = gauge.Database
)
