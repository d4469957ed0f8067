package dbtest

import "testing"

// Product is a database product that a kind of store speaks to.
type Product struct {
	Name string
	// Kind is the Name of the store.Kind.
	Kind string
	// Start gives its server; see Main.
	Start func(testing.TB) *Server
}

// Products lists those that can be started. A new one is a line here.
func Products() []Product {
	return []Product{
		{"postgres", "postgresql", Postgres},
		{"mysql", "mysql", MySQL},
		{"mariadb", "mysql", MariaDB},
		{"mongo", "mongodb", Mongo},
	}
}
