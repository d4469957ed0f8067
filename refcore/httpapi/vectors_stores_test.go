package httpapi_test

import (
	"os"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// TestVectorsOnEveryStore: the answers do not depend on the database.
func TestVectorsOnEveryStore(t *testing.T) {
	if testing.Short() {
		t.Skip("replays all recordings on every store; TestVectors replays them on one")
	}
	t.Parallel()
	for _, db := range kindtest.All() {
		t.Run(db.Name, func(t *testing.T) {
			playVectors(t, func(t *testing.T) store.Store {
				s, err := db.Kind.Open(t.Context(), store.Config{URI: db.Fresh(t)})
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}
