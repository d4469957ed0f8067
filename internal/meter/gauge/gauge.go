// Package gauge says what can be read of cores and databases, without any driver: who
// only asks links none.
package gauge

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// CPUClock says whether this machine can read the CPU time of other processes: it takes
// Linux's /proc.
const CPUClock = runtime.GOOS == "linux"

// ErrUnsupported says that this machine or server cannot tell.
var ErrUnsupported = errors.New("cannot be read here")

// Process is something whose CPU time can be read: a process or a container.
type Process interface {
	// Name tells it in reports.
	Name() string
	// CPU is the CPU time spent so far, all threads, user and system.
	CPU() (time.Duration, error)
	// RSS is the resident memory in bytes.
	RSS() (int64, error)
}

// Starter is a Process that may start others, whose work its CPU does not show. Looking
// takes longer than reading a clock, so it is done apart from that.
type Starter interface {
	// Started is the CPU time of those that it started and that ended; an error where some
	// live still.
	Started() (ended time.Duration, err error)
}

// Database reads a database server's books.
type Database interface {
	// Product is the server's own name and version.
	Product(ctx context.Context) (name, version string, err error)
	// TLS tells whether the connections of others to this database are
	// encrypted: "yes", "no", "unknown" or "none".
	TLS(ctx context.Context) (string, error)
	// Settings that weigh on the figures (durability, autovacuum, log_bin, …).
	Settings(ctx context.Context) (map[string]string, error)
	// Statements counts the statements on the session tables since the server
	// started, by the server's own books or the driver's; this reading itself
	// is not counted. Source names the books.
	Statements(ctx context.Context) (uint64, error)
	Source() string
	// SessionRows counts the rows of the session table.
	SessionRows(ctx context.Context) (int64, error)
	// SchemaHash is a hash of table, column and index definitions.
	SchemaHash(ctx context.Context) (string, error)
	// Bytes is the size of the core's tables and indexes; Compact first.
	Bytes(ctx context.Context) (int64, error)
	// Compact gives back the space of deleted rows (VACUUM FULL, OPTIMIZE, …).
	Compact(ctx context.Context) error
	// Fill makes up session rows until there are so many, by copying those that are
	// there under handles and users of their own: nobody's tokens belong to them. It is
	// for databases that nobody else uses. A table without a row cannot be filled.
	Fill(ctx context.Context, rows int64) error
	// Process is the server's CPU clock, nil for an embedded database.
	Process() Process
	Close() error
}
