package store

import (
	"context"

	"github.com/coreproof/coreproof/refcore/setting"
)

// Kind is a kind of database that sessions can be kept in: one package below
// refcore/store and one line in refcore/store/kinds.
type Kind struct {
	// Name is how settings and messages call it, e.g. "postgresql".
	Name string
	// Connection is the key of the setting that names the database by itself: a
	// URI, or a path for a Local kind.
	Connection string
	// Picks are keys of settings; one of them set picks this kind.
	Picks []string
	// Local kinds are in a file of this machine and need no server.
	Local bool
	// Settings are the rows that this kind brings.
	Settings []setting.Setting
	// Configure reads them; a setting.Error names what cannot be used. Warnings
	// are for the log.
	Configure func(v *setting.Values) (cfg Config, warnings []string, err error)
	// Open opens the database and creates the schema if it is missing, race-free
	// when several cores start at once.
	Open func(ctx context.Context, cfg Config) (Store, error)
}
