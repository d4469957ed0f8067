package main

import (
	"context"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/prove"
)

// describedSources are the targets of a descriptor, one a database.
func (t *targetFlags) describedSources(logs string, say func(string)) []prove.Source {
	dbs := t.dbs
	if len(dbs) == 0 {
		dbs = t.described.Kinds()[:1]
	}
	var list []prove.Source
	for _, db := range dbs {
		list = append(list, prove.Source{Name: db, Kind: "described", Open: func(ctx context.Context) (launch.Target, error) {
			x, err := t.open(ctx, db, logs, say)
			if err != nil {
				return nil, err
			}
			return x, nil
		}})
	}
	return list
}

// open brings up what the cores of a descriptor need.
func (t *targetFlags) open(ctx context.Context, db, logs string, say func(string)) (*launch.Described, error) {
	gen, err := launch.Own("generator")
	if err != nil {
		return nil, err
	}
	return launch.NewDescribed(ctx, launch.DescribedOptions{Descriptor: t.described, Database: db, DatabaseDelay: t.delay, GeneratorCommand: gen, LogDir: logs, Say: say})
}
