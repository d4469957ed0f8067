// Package sqlstore is what the SQL stores have in common: their statements, and
// the calls that are one statement each. What differs, as finding out which rows
// a DELETE took, is the stores' own.
package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/coreproof/coreproof/refcore/store"
)

// Base answers most calls of a store.Store by means of functions that the store
// gives it. "what" says in messages what was being done.
type Base[S any] struct {
	Stmts Statements[S]
	// Point reads the one row with a key; store.ErrNotFound.
	Point func(ctx context.Context, what string, stmt S, key any, into ...any) error
	// List lets read read all rows. It may do so again, from the first row on.
	List func(ctx context.Context, what string, stmt S, read func(Rows) error, args ...any) error
	// Exec runs a statement that changes rows and returns how many it matched.
	Exec func(ctx context.Context, what string, stmt S, args ...any) (int64, error)
	// Taken says that a unique key was in an INSERT's way.
	Taken func(error) bool
	// Holds says whether the handle's column can hold a text; nil if it can hold
	// all. What it cannot hold is not in it; asking the server would be an error.
	Holds func(handle string) bool
	// Demoted is called when a read found a server that would not write: its
	// connections are to be closed. Nil if the statements do not ask; see Dialect.
	Demoted func()
	// UserID and JSON make parameters for these columns.
	UserID func(string) any
	JSON   func([]byte) any
}

// Rows are those of database/sql, and of pgx.
type Rows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
}

// Column reads all rows of one column. For a DELETE … RETURNING reading on to
// the end matters: the commit, and its error, come after the last row.
func Column(rows Rows) ([]string, error) {
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

// ReadColumn is a reader for Base.List that leaves the column in to.
func ReadColumn(to *[]string) func(Rows) error {
	return func(rows Rows) (err error) {
		*to, err = Column(rows)
		return err
	}
}

// Blob keeps drivers from making NULL of a nil slice.
func Blob(b []byte) any {
	if b == nil {
		return []byte{}
	}
	return b
}

// ErrReadOnly says that the server answering does not write: it is a replica, or
// no primary any more. What it says about sessions is not to be believed.
var ErrReadOnly = errors.New("the server is read-only, a replica or a primary that was demoted; sessions need the primary")

// guard is what a read says of the server, before what it says of the row.
type guard struct{ readOnly, found bool }

// judge turns an answer into an error when it is none.
func (b *Base[S]) judge(what string, g guard) error {
	switch {
	case g.readOnly:
		b.Demoted()
		return fmt.Errorf("%s: %w", what, ErrReadOnly)
	case !g.found:
		return store.ErrNotFound
	}
	return nil
}

func (b *Base[S]) holds(handle string) bool { return b.Holds == nil || b.Holds(handle) }

var _ store.Keys = (*Base[string])(nil)
