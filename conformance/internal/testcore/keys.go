package testcore

import (
	"context"
	"errors"
	"sync"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
)

// keys are signing keys for all targets of a test binary: making new ones costs
// more than many a test.
var keys = sync.OnceValues(func() (made struct{ dynamic, static []store.Key }, err error) {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, store.Config{})
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	engine, err := refcore.New(ctx, refcore.Options{Store: db, Settings: refcore.DefaultSettings()})
	if err != nil {
		return made, err
	}
	defer engine.Close()
	if made.dynamic, err = db.DynamicKeys(ctx); err != nil {
		return made, err
	}
	made.static, err = db.StaticKeys(ctx)
	return made, err
})

// putKeys gives an empty database the common keys.
func putKeys(ctx context.Context, db store.Store) error {
	made, err := keys()
	if err != nil {
		return err
	}
	for _, k := range made.static {
		if _, err := db.AddStaticKey(ctx, k); err != nil {
			return err
		}
	}
	for _, k := range made.dynamic {
		if _, err := db.AddDynamicKey(ctx, 0, k); err != nil {
			return err
		}
	}
	return nil
}
