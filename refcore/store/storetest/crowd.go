package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// RunCrowded opens a pool of ten as a user whom the server allows five
// connections: calls wait for one of the five, and none fails (T6). While all
// five are others', opening waits too, as long as it may.
func RunCrowded(t *testing.T, b Backend, uri string) {
	f := &fixture{T: t, backend: b, config: store.Config{URI: uri, PoolSize: 10, MinIdle: 10, StatementTimeout: bound}}
	s := ask(b.Open(t.Context(), f.config)).or(f)
	x := f.create(s, session("user"))
	f.several(16, func(int) error {
		for range 40 {
			if err := second(s.Liveness(f.Context(), x.Handle)); err != nil {
				return err
			}
			if err := second(s.SetData(f.Context(), x.Handle, x.Data, now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	one := func(c *store.Config) { c.PoolSize, c.MinIdle = 1, 1 }
	var others []store.Store
	for range 5 {
		cfg := f.config
		one(&cfg)
		others = append(others, ask(b.Open(t.Context(), cfg)).or(f))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	refused, err := b.Open(ctx, f.config)
	if err == nil {
		_ = refused.Close()
	}
	if !errors.Is(err, store.ErrUnavailable) || ctx.Err() == nil {
		t.Errorf("open while others have all connections: %v, want it to wait, and then to say that it is not available", err)
	}
	for _, o := range others {
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f.open(one)
}
