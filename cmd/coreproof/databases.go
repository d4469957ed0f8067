package main

import (
	"context"
	"fmt"

	"github.com/coreproof/coreproof/internal/adapter/cdi"
	"github.com/coreproof/coreproof/internal/target"
)

// databases that --db takes.
func databases() []string { return []string{"sqlite", "postgres", "mysql", "mariadb", "mongo"} }

func knownProtocol(p string) bool { return cdi.Known(p) }

// openContainer brings a database and cores up in containers.
func openContainer(_ context.Context, db string) (target.Target, error) {
	return nil, fmt.Errorf("--db %s: not built yet", db)
}
