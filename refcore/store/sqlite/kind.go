package sqlite

import (
	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
)

// Kind of store: a file, or memory when no path is set.
func Kind() store.Kind {
	const path = "sqlite_database_path"
	return store.Kind{
		Name: "sqlite", Connection: path, Picks: []string{path}, Local: true, Open: Open,
		Settings: []setting.Setting{{
			Key: path, Env: "SQLITE_DATABASE_PATH", Example: "/data/sessions.db",
			Doc: "file for the sessions; without any connection they are in memory and end with the process",
		}},
		Configure: func(v *setting.Values) (store.Config, []string, error) {
			return store.Config{URI: v.Text(path)}, nil, nil
		},
	}
}
