package main

import (
	"context"

	"github.com/coreproof/coreproof/internal/adapter/cdi"
	"github.com/coreproof/coreproof/internal/target"
)

// databases that --db takes.
func databases() []string { return append([]string{"sqlite"}, target.ContainerDatabases()...) }

func knownProtocol(p string) bool { return cdi.Known(p) }

// openContainer brings a database and cores up in containers.
func openContainer(ctx context.Context, db string) (target.Target, error) {
	return target.NewContainer(ctx, db)
}
