// Package cores says what a target and a deployment are, without any way to bring one
// up: who only talks to cores links no container client and no database driver. The
// ways are in launch.
package cores

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"github.com/coreproof/coreproof/internal/meter/gauge"
	"github.com/coreproof/coreproof/internal/protocol"
)

// ErrUnsupported says that this kind of target cannot do what was asked.
var ErrUnsupported = errors.New("not possible on this target")

// Settings of a core, in the harness's words; zero values leave the default.
type Settings struct {
	Flag                bool          // access token blacklisting
	AccessTokenValidity time.Duration // whole seconds
	Jitter              *float64      // access_token_validity_jitter
	// Extra settings by the names of the core's config.yaml, in either case.
	Extra map[string]string
	// CPUs pins the core's process to these CPUs; nil leaves it free.
	CPUs []int
	// GOMAXPROCS for cores written in Go; 0 is their default.
	GOMAXPROCS int
	// Role begins the names of the cores; "" is what the flag is, on or off.
	Role string
	// Patience bounds a call to the cores; 0 is the protocol's default.
	Patience time.Duration
}

// Capabilities say what a target can do, so that nobody has to ask of what kind
// it is.
type Capabilities struct {
	// Settings: cores are started with the settings that are asked for, as fresh
	// processes. Else they are as somebody else started them.
	Settings bool
	// Throwaway: the database goes with the target, so nothing has to be tidied up.
	Throwaway bool
	// Off: a deployment whose flag is off can be had. NamedOff: it is a core that
	// the caller named as one, so a refusal there makes a comparison void.
	Off, NamedOff bool
	// OneProcess: both sides are the same processes, so their CPU time cannot be
	// told apart, and there can be no noise floor of two sides alike.
	OneProcess bool
	// Instances is how many cores a side can have; 0 is any number.
	Instances int
	// Kill and restart of single instances.
	Kill bool
	// Apart: each core keeps its sessions to itself, so another one that is started
	// knows nothing of them.
	Apart bool
	// Throttle bounds the calls to these cores; nil for none.
	Throttle *protocol.Throttle
	// TLS is how a load generator of the harness's own speaks to the cores; nil trusts
	// what the system trusts.
	TLS *tls.Config
	// AlwaysChecks: verify asks the database whatever the flag is, so there is no
	// switch to show.
	AlwaysChecks bool
}

// Instance is one running core.
type Instance struct {
	Name string // e.g. "on-0"
	URL  string // as the harness sees it
	// Inner is the URL as a load generator of the same target sees it; URL when "".
	Inner string
	// Endpoints are further URLs, see protocol.DialOptions.
	Endpoints map[string]string
	// Process is its CPU clock; nil when it cannot be read.
	Process gauge.Process
}

// Deployment is one or more running cores on one database.
type Deployment interface {
	// Instances in the order of their start.
	Instances() []Instance
	// Cores gives one client an instance, speaking version of the target's protocol,
	// over connections of its own.
	Cores(version string) ([]protocol.Core, error)
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
	// Kind is "embedded", "process", "container" or "url".
	Kind() string
	// Protocol that the cores speak.
	Protocol() protocol.Protocol
	// Capabilities say what can be asked of the target.
	Capabilities() Capabilities
	// Versions of the protocol that all its cores speak and the harness too, oldest
	// first; known after the first Start.
	Versions(ctx context.Context) ([]string, error)
	// Start brings up n cores with the given settings on the target's database
	// and returns when all answer. Deployments of one target share its database
	// unless Isolated was asked for. Without Capabilities.Settings all settings
	// but Flag are ignored, and n too.
	Start(ctx context.Context, n int, s Settings) (Deployment, error)
	// Isolated gives a new, empty database of the same kind on the same
	// server; closing it drops it. ErrUnsupported for url.
	Isolated(ctx context.Context, name string) (Target, error)
	// Divided gives a new, empty database as Isolated does whose cores can lose it;
	// ErrUnsupported where no way to a database is in the target's hands.
	Divided(ctx context.Context, name string) (*Divided, error)
	// Database reads the database's books; ErrUnsupported where it cannot be seen.
	Database(ctx context.Context) (gauge.Database, error)
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
	TLSWanted                               bool   // the caller asked for encrypted connections
	// DatabaseAt says where the database runs, e.g. "inside the core's process".
	DatabaseAt string
	Notes      []string
}

// GeneratorHost is a target that can run the load generator where it belongs:
// in a process of its own that can be pinned, or on the cores' network.
type GeneratorHost interface {
	// Generator starts one, pinned to cpus if any are named, and gives the URL
	// of its control port, the secret that it asks for, and what stops it.
	Generator(ctx context.Context, cpus []int) (url, secret string, stop func() error, err error)
}

// Warmer is a target whose cores need a time under load before they are measured.
type Warmer interface {
	// Warm is a view of the target that hands out warm cores.
	Warm() Target
}
