package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest"
)

func TestFile(t *testing.T) {
	storetest.Run(t, storetest.Backend{
		Open: Open,
		Fresh: func(t *testing.T) store.Config {
			return store.Config{URI: filepath.Join(t.TempDir(), "sessions # 100%?.db")}
		},
	})
}

func TestMemory(t *testing.T) {
	storetest.Run(t, storetest.Backend{
		Open:    Open,
		Fresh:   func(*testing.T) store.Config { return store.Config{} },
		Private: true,
	})
}
