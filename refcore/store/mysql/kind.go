package mysql

import (
	"net/url"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/internal/place"
	"github.com/coreproof/coreproof/refcore/store/internal/sqlsettings"
)

const kindName = "mysql"

// Kind of store: MySQL or MariaDB.
func Kind() store.Kind {
	return store.Kind{
		Name: kindName, Connection: "mysql_connection_uri",
		Picks:    []string{"mysql_connection_uri", "mysql_user", "mysql_password"},
		Settings: sqlsettings.Rows(kindName), Configure: configure, Open: Open,
	}
}

func configure(v *setting.Values) (cfg store.Config, warnings []string, err error) {
	if cfg, err = sqlsettings.Read(v, kindName); err != nil {
		return cfg, nil, err
	}
	if strings.Contains(v.Text(kindName+"_host"), "/") {
		return cfg, nil, setting.Error("mysql_host is a path, and MySQL is spoken to over TCP here: name a host, e.g. 127.0.0.1")
	}
	if cfg.URI, err = sqlsettings.Connection(v, kindName, 3306, "root"); err != nil {
		return cfg, nil, err
	}
	u, err := url.Parse(cfg.URI)
	if err != nil {
		return cfg, nil, setting.Error("mysql_connection_uri cannot be parsed; is its password escaped?")
	}
	if _, _, err := security(u.Query(), u.Hostname()); err != nil {
		return cfg, nil, setting.Errorf("mysql_connection_uri: %v", err)
	}
	var ignored []string
	for key := range u.Query() {
		if !place.AboutTLS(key) {
			ignored = append(ignored, key)
		}
	}
	if slices.Sort(ignored); len(ignored) > 0 {
		warnings = []string{"mysql_connection_uri: options that this core does not know are ignored: " + strings.Join(ignored, ", ")}
	}
	return cfg, warnings, nil
}
