// Package kinds lists the kinds of database that this build keeps sessions in.
package kinds

import (
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/mongo"
	"github.com/coreproof/coreproof/refcore/store/mysql"
	"github.com/coreproof/coreproof/refcore/store/postgres"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
)

// All lists them; the first is used when no connection is set. A new kind is a
// package and a line here.
func All() []store.Kind {
	return []store.Kind{
		sqlite.Kind(),
		postgres.Kind(),
		mysql.Kind(),
		mongo.Kind(),
	}
}
