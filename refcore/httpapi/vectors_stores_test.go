package httpapi_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/mongo"
	"github.com/coreproof/coreproof/refcore/store/mysql"
	"github.com/coreproof/coreproof/refcore/store/postgres"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// TestVectorsOnEveryStore: the answers do not depend on the database.
func TestVectorsOnEveryStore(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		uri  func(*testing.T) string
		open func(context.Context, store.Config) (store.Store, error)
	}{
		{"sqlite file", func(t *testing.T) string { return filepath.Join(t.TempDir(), "sessions.db") }, sqlite.Open},
		{"postgres", func(t *testing.T) string { return dbtest.Postgres(t).Fresh(t) }, postgres.Open},
		{"mysql", func(t *testing.T) string { return dbtest.MySQL(t).Fresh(t) }, mysql.Open},
		{"mariadb", func(t *testing.T) string { return dbtest.MariaDB(t).Fresh(t) }, mysql.Open},
		{"mongo", func(t *testing.T) string { return dbtest.Mongo(t).Fresh(t) }, mongo.Open},
	} {
		t.Run(tc.name, func(t *testing.T) {
			playVectors(t, func(t *testing.T) store.Store {
				s, err := tc.open(t.Context(), store.Config{URI: tc.uri(t)})
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}
