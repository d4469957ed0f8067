package serve

import (
	"context"
	"fmt"

	"github.com/coreproof/coreproof/refcore/config"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/mongo"
	"github.com/coreproof/coreproof/refcore/store/mysql"
	"github.com/coreproof/coreproof/refcore/store/postgres"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
)

// openStore opens the configured store. A new store is a line here.
func openStore(ctx context.Context, cfg *config.Config) (store.Store, error) {
	switch cfg.StoreKind {
	case config.SQLite:
		return sqlite.Open(ctx, cfg.Store)
	case config.Postgres:
		return postgres.Open(ctx, cfg.Store)
	case config.MySQL:
		return mysql.Open(ctx, cfg.Store)
	case config.MongoDB:
		return mongo.Open(ctx, cfg.Store)
	}
	return nil, fmt.Errorf("this build has no %s store", cfg.StoreKind)
}
