package sqlstore

import (
	"database/sql"
	"iter"
	"strings"
)

// Strings are the texts of one column, of a query through database/sql.
func Strings(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	return Column(rows)
}

// Read lets read read all rows of a query through database/sql.
func Read(rows *sql.Rows, err error, read func(Rows) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	return read(rows)
}

// Affected is how many rows a statement matched.
func Affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Chunk bounds the list of one statement: far below what any database takes,
// and its locks are short.
const Chunk = 1000

// Chunks yields parts of a list that are short enough for one statement.
func Chunks(list []string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for len(list) > 0 {
			n := min(len(list), Chunk)
			if !yield(list[:n]) {
				return
			}
			list = list[n:]
		}
	}
}

// Listed is a statement around a list of parameters, whose length differs.
type Listed struct{ Before, After string }

// Of is the statement for a list that is not empty.
func (l Listed) Of(handles []string, arg func(string) any) (text string, args []any) {
	args = make([]any, len(handles))
	for i, h := range handles {
		args[i] = arg(h)
	}
	return l.Before + strings.Repeat(", ?", len(handles))[2:] + l.After, args
}
