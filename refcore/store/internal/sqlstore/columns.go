package sqlstore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore/store"
)

// Columns are those that the statements name.
type Columns struct {
	Table string
	Names []string
}

// Needed are the columns of each table. The real core has tables of these names
// too, without all of these columns.
func Needed(n store.Names) []Columns {
	session := []string{"session_handle"}
	for _, c := range sessionColumns {
		session = append(session, c.Name)
	}
	return []Columns{
		{n.Session, session},
		{n.DynamicKey, []string{"created_at_time", "value", "predecessor"}},
		{n.StaticKey, []string{"key_id", "key_string", "algorithm", "created_at"}},
		{n.KeyValue, []string{"name", "value", "created_at_time"}},
	}
}

// Complete says whether all tables are there, given the columns of those that
// are. A table without a needed column is an error: another program has made it.
// prefix is the setting that gives this core tables of its own.
func Complete(n store.Names, have map[string][]string, prefix string) (bool, error) {
	complete := true
	for _, want := range Needed(n) {
		columns, there := have[want.Table]
		if !there { // some servers keep names in small letters
			for name, of := range have {
				if strings.EqualFold(name, want.Table) {
					columns, there = of, true
				}
			}
		}
		if !there {
			complete = false
			continue
		}
		for _, c := range want.Names {
			if !slices.ContainsFunc(columns, func(have string) bool { return strings.EqualFold(have, c) }) {
				return false, fmt.Errorf("table %s has no column %s: another program made it, as the real core does; give this core a database of its own, or tables by %s", want.Table, c, prefix)
			}
		}
	}
	return complete, nil
}
