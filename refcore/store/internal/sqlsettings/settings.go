// Package sqlsettings are the settings that PostgreSQL and MySQL share but for
// their prefix.
package sqlsettings

import (
	"strings"
	"time"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
)

// Rows are the settings of the database called name, e.g. "mysql".
func Rows(name string) []setting.Setting {
	row := func(part string, t setting.Type, def, example, doc string) setting.Setting {
		key := name + "_" + part
		return setting.Setting{Key: key, Env: strings.ToUpper(key), Type: t, Default: def, Example: example, Doc: doc}
	}
	version := row("config_version", setting.Integer, "0", "1", "marks the file's version")
	version.Env, version.Ignored = "", true
	password := row("password", setting.Text, "", "secret", "password of the user")
	password.FileEnv = password.Env + "_FILE"
	return []setting.Setting{
		version,
		row("connection_uri", setting.Text, "", name+"://user:pw@db/sessions", name+"://user:password@host:port/name?options"),
		row("user", setting.Text, "", "someone", "user that connects"),
		password,
		row("host", setting.Text, "", "db", "host of the server (localhost)"),
		row("port", setting.Integer, "", "1234", "port of the server"),
		row("database_name", setting.Text, "", "sessions", "name of the database (supertokens)"),
		row("table_names_prefix", setting.Text, "", "a", "put before each table's name, with _"),
		row("key_value_table_name", setting.Text, "", "constants", "name of the table key_value"),
		row("session_info_table_name", setting.Text, "", "logins", "name of the table session_info"),
		row("connection_pool_size", setting.Integer, "10", "5", "most connections"),
		row("idle_connection_timeout", setting.Long, "60000", "5000", "ms after which a connection above the least is closed"),
		row("minimum_idle_connections", setting.Integer, "", "3", "least connections kept open (all)"),
	}
}

// Read reads all of them but the connection.
func Read(v *setting.Values, name string) (store.Config, error) {
	pool := v.Long(name + "_connection_pool_size")
	if pool <= 0 {
		return store.Config{}, setting.Errorf("'%s_connection_pool_size' in the config.yaml file must be > 0", name)
	}
	idle := int64(-1)
	if least := name + "_minimum_idle_connections"; v.Text(least) != "" {
		idle = v.Long(least)
		if idle < 0 {
			a := ""
			if name == "mysql" {
				a = "a " // the real core's text
			}
			return store.Config{}, setting.Errorf("'%s' must be %s>= 0", least, a)
		}
		if idle > pool {
			return store.Config{}, setting.Errorf("'%s' must be less than or equal to '%s_connection_pool_size'", least, name)
		}
	}
	return store.Config{
		Prefix: v.Trimmed(name + "_table_names_prefix"), SessionTable: v.Text(name + "_session_info_table_name"),
		KeyValueTable: v.Text(name + "_key_value_table_name"), PoolSize: int(pool), MinIdle: int(idle),
		IdleTimeout: time.Duration(v.Long(name+"_idle_connection_timeout")) * time.Millisecond,
	}, nil
}
