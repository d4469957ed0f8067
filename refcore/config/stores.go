package config

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// stores picks the store: the one whose connection is set, SQLite in memory
// when none is. Two at once are an error, since one would be ignored silently.
func (v *values) stores(c *Config, _ string) error {
	var chosen []string
	if v.passwordFile != "" && v.text("postgresql_password") == "" {
		secret, err := os.ReadFile(v.passwordFile)
		if err != nil {
			return Error(fmt.Sprintf("POSTGRESQL_PASSWORD_FILE: %v", err))
		}
		v.byKey["postgresql_password"] = strings.TrimRight(string(secret), "\r\n")
	}
	if v.anySet("postgresql_connection_uri", "postgresql_user", "postgresql_password") {
		chosen = append(chosen, "postgresql")
	}
	if v.anySet("mysql_connection_uri", "mysql_user", "mysql_password") {
		chosen = append(chosen, "mysql")
	}
	if v.anySet("mongodb_connection_uri") {
		chosen = append(chosen, "mongodb")
	}
	if v.anySet("sqlite_database_path") {
		chosen = append(chosen, "sqlite")
	}
	if len(chosen) > 1 {
		return Error(fmt.Sprintf("connections of several databases are set (%s): set one", strings.Join(chosen, ", ")))
	}
	if len(chosen) == 0 {
		chosen = []string{"sqlite"}
	}
	switch chosen[0] {
	case "postgresql":
		c.StoreKind = Postgres
		return v.sql(c, "postgresql", 5432, "")
	case "mysql":
		c.StoreKind = MySQL
		return v.sql(c, "mysql", 3306, "root")
	case "mongodb":
		c.StoreKind = MongoDB
		return v.mongo(c)
	}
	c.StoreKind = SQLite
	c.Store = store.Config{URI: v.text("sqlite_database_path")}
	return nil
}

func (v *values) anySet(keys ...string) bool {
	for _, k := range keys {
		if v.text(k) != "" {
			return true
		}
	}
	return false
}

// sql reads the settings that Postgres and MySQL share but for their prefix.
func (v *values) sql(c *Config, name string, port int, user string) error {
	get := func(part string) string { return v.text(name + "_" + part) }
	if get("connection_uri") == "" && get("user") == "" && user == "" {
		return Error(fmt.Sprintf("'%s_user' and '%s_connection_uri' are not set. Please set at least one of these values", name, name))
	}
	uri, err := v.connection(name, port, user)
	if err != nil {
		return err
	}
	pool := v.long(name + "_connection_pool_size")
	if pool <= 0 {
		return Error(fmt.Sprintf("'%s_connection_pool_size' in the config.yaml file must be > 0", name))
	}
	idle := int64(-1)
	if get("minimum_idle_connections") != "" {
		idle = v.long(name + "_minimum_idle_connections")
		if idle < 0 {
			if name == "mysql" {
				return Error("'mysql_minimum_idle_connections' must be a >= 0")
			}
			return Error(fmt.Sprintf("'%s_minimum_idle_connections' must be >= 0", name))
		}
		if idle > pool {
			return Error(fmt.Sprintf("'%s_minimum_idle_connections' must be less than or equal to '%s_connection_pool_size'", name, name))
		}
	}
	c.Store = store.Config{
		URI: uri, Prefix: get("table_names_prefix"), Schema: get("table_schema"),
		SessionTable: get("session_info_table_name"), KeyValueTable: get("key_value_table_name"),
		PoolSize: int(pool), MinIdle: int(idle), IdleTimeout: time.Duration(v.long(name+"_idle_connection_timeout")) * time.Millisecond,
	}
	return nil
}

// connection makes one URI from the given URI and the parts that override it.
func (v *values) connection(name string, port int, user string) (string, error) {
	get := func(part string) string { return v.text(name + "_" + part) }
	malformed := Error(fmt.Sprintf("The provided %s connection URI has an incorrect format. Please use a format like %s://[user[:[password]]@]host[:port][/dbname][?attr1=val1&attr2=val2...", name, name))
	u := &url.URL{Scheme: name, Host: "localhost", Path: "/supertokens"}
	if s := get("connection_uri"); s != "" {
		parsed, err := url.Parse(s)
		if err != nil || !strings.HasPrefix(parsed.Scheme, strings.TrimSuffix(name, "ql")) || parsed.Hostname() == "" {
			return "", malformed
		}
		u = parsed
		if u.Path == "" || u.Path == "/" {
			u.Path = "/supertokens"
		}
	}
	host, p := u.Hostname(), u.Port()
	if s := get("host"); s != "" {
		host = s
	}
	if s := get("port"); s != "" {
		p = s
	}
	if p == "" {
		p = strconv.Itoa(port)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	u.Host = host + ":" + p
	if s := get("database_name"); s != "" {
		u.Path = "/" + s
	}
	login := u.User.Username()
	password, hasPassword := u.User.Password()
	if s := get("user"); s != "" {
		login = s
	}
	if s := get("password"); s != "" {
		password, hasPassword = s, true
	}
	if login == "" {
		login = user
	}
	switch {
	case hasPassword:
		u.User = url.UserPassword(login, password)
	case login != "":
		u.User = url.User(login)
	}
	return u.String(), nil
}

func (v *values) mongo(c *Config) error {
	uri := v.text("mongodb_connection_uri")
	if !strings.HasPrefix(uri, "mongodb://") && !strings.HasPrefix(uri, "mongodb+srv://") {
		return Error("'mongodb_connection_uri' must begin with mongodb:// or mongodb+srv://")
	}
	c.Store = store.Config{
		URI: uri, Database: v.text("mongodb_database_name"), Prefix: v.text("mongodb_collection_names_prefix"),
		SessionTable: v.text("mongodb_session_info_collection_name"), KeyValueTable: v.text("mongodb_key_value_collection_name"),
	}
	return nil
}
