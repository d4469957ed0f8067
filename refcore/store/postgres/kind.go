package postgres

import (
	"cmp"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/internal/sqlsettings"
)

const kindName = "postgresql"

// Kind of store: PostgreSQL.
func Kind() store.Kind {
	return store.Kind{
		Name: kindName, Connection: "postgresql_connection_uri",
		Picks: []string{"postgresql_connection_uri", "postgresql_user", "postgresql_password"},
		Settings: append(sqlsettings.Rows(kindName), setting.Setting{
			Key: "postgresql_table_schema", Env: "POSTGRESQL_TABLE_SCHEMA", Example: "auth", Doc: "schema of the tables (public)",
		}),
		Configure: configure, Open: Open,
	}
}

func configure(v *setting.Values) (cfg store.Config, warnings []string, err error) {
	if v.Text("postgresql_connection_uri") == "" && v.Text("postgresql_user") == "" {
		return cfg, nil, setting.Error("'postgresql_user' and 'postgresql_connection_uri' are not set. Please set at least one of these values")
	}
	if cfg, err = sqlsettings.Read(v, kindName); err != nil {
		return cfg, nil, err
	}
	cfg.Schema = v.Trimmed("postgresql_table_schema")
	t, err := connection(v)
	if err != nil {
		return cfg, nil, err
	}
	options, schema, warnings, err := translate(t.params)
	if err != nil {
		return cfg, nil, setting.Errorf("postgresql_connection_uri: %v", err)
	}
	if t.params = options; schema != "" {
		cfg.Schema = schema
	}
	cfg.URI = t.String()
	if _, err := poolConfig(cfg.Filled()); err != nil { // a file that cannot be read, say
		return cfg, nil, setting.Errorf("postgresql_connection_uri: %v", err)
	}
	return cfg, warnings, nil
}

// connection is what the URI names, and the parts for what it does not name.
func connection(v *setting.Values) (target, error) {
	get := func(part string) string { return v.Text(kindName + "_" + part) }
	t := target{hosts: []hostPort{{}}}
	if uri := get("connection_uri"); uri != "" {
		var err error
		if t, err = parseTarget(uri); err != nil {
			return target{}, setting.Error("The provided postgresql connection URI has an incorrect format. Please use a format like postgresql://[user[:[password]]@]host[:port][/dbname][?attr1=val1&attr2=val2...")
		}
	}
	for i := range t.hosts {
		h := &t.hosts[i]
		if h.host == "" && t.params.Get("host") == "" {
			h.host = cmp.Or(get("host"), "localhost")
		}
		if h.port == "" {
			h.port = get("port")
		}
	}
	if t.database == "" {
		t.database = cmp.Or(v.Trimmed(kindName+"_database_name"), "supertokens")
	}
	if user := get("user"); !t.hasUser && user != "" {
		t.user, t.hasUser = user, true
	}
	if password := get("password"); !t.hasPassword && password != "" {
		t.password, t.hasPassword = password, true
	}
	return t, nil
}
