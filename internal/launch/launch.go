// Package launch brings cores up: as child processes on an embedded database, in
// containers, or not at all (cores that somebody else started). It is the only
// package that knows containers. A new kind of launcher is a file.
package launch

import "github.com/coreproof/coreproof/internal/cores"

// ErrUnsupported says that this kind of target cannot do what was asked.
var ErrUnsupported = cores.ErrUnsupported

type (
	// Settings of a core, in the harness's words.
	Settings = cores.Settings
	// Capabilities say what a target can do.
	Capabilities = cores.Capabilities
	// Instance is one running core.
	Instance = cores.Instance
	// Deployment is one or more running cores on one database.
	Deployment = cores.Deployment
	// Target is a way to bring cores up on one database.
	Target = cores.Target
	// Divided is a database that some cores can lose.
	Divided = cores.Divided
	// Description is what took part.
	Description = cores.Description
	// GeneratorHost is a target that can run the load generator where it belongs.
	GeneratorHost = cores.GeneratorHost
	// Warmer is a target whose cores need a time under load before they are measured.
	Warmer = cores.Warmer
)
