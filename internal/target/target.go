// Package target brings cores up: as child processes on an embedded database,
// in containers, or not at all (cores that somebody else started). It is the
// only package that knows containers.
package target

import (
	"context"
	"errors"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/meter"
)

// ErrUnsupported says that this kind of target cannot do what was asked.
var ErrUnsupported = errors.New("not possible on this target")

// Settings of a core, in the harness's words; zero values leave the default.
type Settings struct {
	Flag                bool          // access token blacklisting
	AccessTokenValidity time.Duration // whole seconds
	Jitter              *float64      // access_token_validity_jitter
	Extra               map[string]string
	// CPUs pins the core's process to these CPUs; nil leaves it free.
	CPUs []int
	// GOMAXPROCS for cores written in Go; 0 is their default.
	GOMAXPROCS int
}

// Protocol is what a client speaks to a core, e.g. "2.20" or "5.4".
type Protocol string

// Deployment is one or more running cores on one database.
type Deployment interface {
	// Clients gives one client per instance that speaks p.
	Clients(p Protocol) []adapter.Core
	// Processes are the CPU clocks of the cores; empty when they cannot be read.
	Processes() []meter.Process
	// Settings are those that the deployment was started with.
	Settings() Settings
	// Kill ends instance i at once (SIGKILL); ErrUnsupported.
	Kill(ctx context.Context, i int) error
	// Restart starts instance i again after Kill; ErrUnsupported.
	Restart(ctx context.Context, i int) error
	// Stop ends the cores; the database stays. Safe to call twice.
	Stop(ctx context.Context) error
}

// Target is a way to bring cores up on one database.
type Target interface {
	// Name is unique within a proof, e.g. "sqlite", "postgres".
	Name() string
	// Kind is "embedded", "container" or "url".
	Kind() string
	// Start brings up n cores with the given settings on the target's database
	// and returns when all answer. Deployments of one target share its database
	// unless Isolated was asked for.
	Start(ctx context.Context, n int, s Settings) (Deployment, error)
	// Isolated gives a new, empty database of the same kind on the same
	// server; closing it drops it. ErrUnsupported for url.
	Isolated(ctx context.Context, name string) (Target, error)
	// Database reads the database's books; nil when it cannot be reached.
	Database() meter.Database
	// Fixed is true when the cores' settings cannot be chosen (url): Start
	// then ignores all settings but Flag, which selects the URL.
	Fixed() bool
	// Describe fills in products and versions after the first Start.
	Describe(ctx context.Context) (Description, error)
	// Close ends everything that was started. Safe to call twice.
	Close(ctx context.Context) error
}

// Description is what took part.
type Description struct {
	CoreProduct, CoreVersion, CoreImage     string
	DatabaseProduct, DatabaseVersion, Image string
	DatabaseSettings                        map[string]string
	TLS                                     string // "yes", "no", "unknown", "none"
	Notes                                   []string
}

// GeneratorHost is a target that can run the load generator where it belongs:
// in a process of its own that can be pinned, or on the cores' network.
type GeneratorHost interface {
	// Generator starts one, pinned to cpus if any are named, and gives the URL
	// of its control port and what stops it.
	Generator(ctx context.Context, cpus []int) (url string, stop func() error, err error)
}

// Inner is a deployment whose cores have other addresses for a generator of
// the same target than for the harness.
type Inner interface {
	// InnerURLs are the base URLs of the instances as the generator sees them.
	InnerURLs() []string
}
