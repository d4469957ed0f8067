package postgres

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// configured reads settings given as key, value, ….
func configured(t *testing.T, settings ...string) (store.Config, []string, error) {
	t.Helper()
	rows := Kind().Settings
	v := setting.NewValues(rows)
	for i := 0; i < len(settings); i += 2 {
		for _, r := range rows {
			if r.Key == kindName+"_"+settings[i] {
				if err := v.Set(r, settings[i+1], r.Key); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return configure(v)
}

// TestT8SeveralHosts: hosts are tried until one is the primary.
func TestT8SeveralHosts(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(dbtest.Postgres(t).Fresh(t))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := l.Addr().String()
	_ = l.Close()
	for _, hosts := range []string{dead + "," + u.Host, u.Host + "," + dead, dead + "," + dead + "," + u.Host} {
		uri := "postgresql://" + u.User.String() + "@" + hosts + u.Path + "?sslmode=disable&target_session_attrs=read-write"
		cfg, _, err := configured(t, "connection_uri", uri)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Errorf("%s: %v", hosts, err)
			continue
		}
		_ = s.Close()
	}
	_, err = Open(t.Context(), store.Config{URI: "postgresql://u:s3cret@" + dead + "," + dead + "/db?sslmode=disable"})
	if err == nil || !strings.Contains(err.Error(), dead+","+dead) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("no host answers: %v", err)
	}
}

// TestT9ForeignParameters: what other drivers' URIs carry keeps its meaning or is
// named in a warning; about TLS nothing is guessed.
func TestT9ForeignParameters(t *testing.T) {
	t.Parallel()
	ca := dbtest.NewAuthority(t).File
	for _, tc := range []struct{ query, want, schema, warns string }{
		{"pgbouncer=true&connection_limit=30", "", "", "connection_limit, pgbouncer"},
		{"schema=x&prepareThreshold=0&socketTimeout=5", "", "", "prepareThreshold, schema, socketTimeout"},
		{"currentSchema=auth,public", "", "auth", ""},
		{"ApplicationName=x", "application_name=x", "", ""},
		{"ssl=false", "", "", ""}, {"ssl=true", "sslmode=verify-full", "", ""}, {"ssl", "sslmode=verify-full", "", ""},
		{"ssl=true&sslmode=require", "sslmode=require", "", ""}, {"sslmode=verify-ca&sslrootcert=" + ca, "sslmode=verify-ca&sslrootcert=" + url.QueryEscape(ca), "", ""},
		{"ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", "sslmode=require", "", ""},
		{"targetServerType=primary", "", "", ""}, {"target_session_attrs=read-write", "target_session_attrs=read-write", "", ""},
	} {
		cfg, warnings, err := configured(t, "connection_uri", "postgresql://u:p@h/db?"+tc.query)
		if err != nil {
			t.Errorf("%s: %v", tc.query, err)
			continue
		}
		_, got, _ := strings.Cut(cfg.URI, "?")
		if got != tc.want || cfg.Schema != tc.schema || strings.Contains(strings.Join(warnings, ""), "p@h") || len(warnings) > 1 || (tc.warns != "") != (len(warnings) == 1) || tc.warns != "" && !strings.HasSuffix(warnings[0], tc.warns) {
			t.Errorf("%s: options %q, schema %q, warnings %q", tc.query, got, cfg.Schema, warnings)
		}
	}
	for _, query := range []string{"ssl=maybe", "sslmode=on", "ssl=true&sslmode=disable", "ssl=false&sslmode=verify-full", "sslMode=require", "targetServerType=secondary",
		"sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "sslmode=require&sslcert=/nowhere/c.pem", "sslcrl=/nowhere/crl.pem", "sslkey=/x.pk8"} {
		if cfg, _, err := configured(t, "connection_uri", "postgresql://u:p@h/db?"+query); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %s, %v, want an error of one line", query, cfg.URI, err)
		}
	}
}

// TestT12Precedence: what the URI names wins over the parts, which speak where it
// is silent.
func TestT12Precedence(t *testing.T) {
	t.Parallel()
	parts := []string{"host", "ph", "port", "1", "user", "pu", "password", "p:@/,w", "database_name", "pd"}
	for _, tc := range []struct {
		uri, want string
		parts     bool
	}{
		{"postgresql://u:p@h:2/d", "postgresql://u:p@h:2/d", true},
		{"postgresql://h", "postgresql://pu:p%3A%40%2F%2Cw@h:1/pd", true},
		{"postgresql://u@h/", "postgresql://u:p%3A%40%2F%2Cw@h:1/pd", true},
		{"", "postgresql://pu:p%3A%40%2F%2Cw@ph:1/pd", true},
		{"postgresql://u:@h/d", "postgresql://u:@h/d", false},
		{"postgres://h", "postgresql://h/supertokens", false},
		{"postgresql://[::1]:5,h:6,[fe80::1]/d", "postgresql://[::1]:5,h:6,[fe80::1]/d", false},
		{"postgresql://u:p@%2Fvar%2Frun/d", "postgresql://u:p@%2Fvar%2Frun/d", false},
		{"postgresql://u:p@/d?host=/var/run", "postgresql://u:p@/d?host=%2Fvar%2Frun", false},
	} {
		given := []string{"connection_uri", tc.uri}
		if tc.parts {
			given = append(given, parts...)
		}
		cfg, _, err := configured(t, given...)
		if err != nil || cfg.URI != tc.want {
			t.Errorf("%s: %s, %v, want %s", tc.uri, cfg.URI, err, tc.want)
		}
	}
	for _, uri := range []string{"nonsense", "mysql://h/d", "postgresql://u:pa/ss@h/d", "postgresql://u:p#w@h/d", "postgresql://h:x/d", "postgresql://[::1/d", "postgresql://u:%zz@h/d"} {
		if cfg, _, err := configured(t, "connection_uri", uri); err == nil {
			t.Errorf("%s: %s", uri, cfg.URI)
		}
	}
}

// TestNoPasswordInErrors: whatever is wrong with a connection, its password is not
// shown, be there an apostrophe or a backslash in it.
func TestNoPasswordInErrors(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"it's a secret", `it\'s a secret`, "a secret", "' secret", "x' y='a secret"} {
		for _, given := range [][]string{
			{"connection_uri", "postgresql://u:" + url.PathEscape(password) + "@h/db?sslmode=verify-full&sslrootcert=/nowhere/ca.pem"},
			{"connection_uri", "postgresql://u@h/db?sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "password", password},
			{"connection_uri", "postgresql://u@h/db?sslmode=verify-full&sslrootcert=/nowhere/ca.pem&password=" + url.QueryEscape(password)},
		} {
			_, _, err := configured(t, given...)
			if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "/nowhere/ca.pem: no such file") {
				t.Errorf("%q: %v, want the file's name and nothing of the password", given, err)
			}
			_, err = Open(t.Context(), store.Config{URI: given[1]})
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("open with %q: %v", given, err)
			}
		}
	}
}

// FuzzTarget: a URI that is understood means the same when it is written again.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"postgresql://u:p@h:2/d?a=b", "postgresql://a:1,[::1]:2/%2F", "postgres://:@/", "postgresql://u%40:%3A@h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		a, err := parseTarget(uri)
		if err != nil {
			return
		}
		b, err := parseTarget(a.String())
		if err != nil || b.dsn() == "" && a.dsn() != "" || b.user != a.user || b.password != a.password || b.database != a.database || len(b.hosts) != len(a.hosts) {
			t.Errorf("%q: %+v, written again %q: %+v, %v", uri, a, a.String(), b, err)
		}
	})
}
