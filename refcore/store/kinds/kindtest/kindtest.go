// Package kindtest gives tests a database for each kind of store. Nothing but
// tests imports it: it links Docker's client.
package kindtest

import (
	"path/filepath"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/kinds"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// Database is one that a core can keep sessions in.
type Database struct {
	// Name of the product, e.g. "mariadb".
	Name string
	Kind store.Kind
	// Server is nil for a Local kind.
	Server func(testing.TB) *dbtest.Server
}

// All lists a database for each Local kind, and each product of the others.
func All() []Database {
	var all []Database
	for _, k := range kinds.All() {
		if k.Local {
			all = append(all, Database{Name: k.Name, Kind: k})
		}
		for _, p := range dbtest.Products() {
			if p.Kind == k.Name {
				all = append(all, Database{Name: p.Name, Kind: k, Server: p.Start})
			}
		}
	}
	return all
}

// Servers lists those of All that are servers.
func Servers() []Database {
	var servers []Database
	for _, d := range All() {
		if d.Server != nil {
			servers = append(servers, d)
		}
	}
	return servers
}

// Fresh is the URI or path of an empty database, removed when the test ends.
func (d Database) Fresh(t testing.TB) string {
	t.Helper()
	if d.Server == nil {
		return filepath.Join(t.TempDir(), "sessions.db")
	}
	return d.Server(t).Fresh(t)
}

// Environ is uri as an environment variable of the core.
func (d Database) Environ(uri string) string {
	for _, s := range d.Kind.Settings {
		if s.Key == d.Kind.Connection {
			return s.Env + "=" + uri
		}
	}
	return ""
}

// Open opens a store on a database, closed when the test ends.
func (d Database) Open(t testing.TB, cfg store.Config) store.Store {
	t.Helper()
	s, err := d.Kind.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}
