package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/coreproof/coreproof/refcore/store/internal/place"
)

// target is a PostgreSQL URI taken apart. net/url does not serve: it knows one
// host only.
type target struct {
	user, password       string
	hasUser, hasPassword bool
	hosts                []hostPort // one at least has a host or is ""
	database             string
	params               url.Values
}

type hostPort struct{ host, port string }

var errForm = errors.New("the URI is not of the form postgresql://[user[:password]]@host[:port][,host…][/name][?options]; is its password escaped?")

func parseTarget(uri string) (target, error) {
	rest, ok := strings.CutPrefix(uri, "postgresql://")
	if !ok {
		if rest, ok = strings.CutPrefix(uri, "postgres://"); !ok {
			return target{}, errForm
		}
	}
	if strings.ContainsAny(rest, "#\x00") {
		return target{}, errForm
	}
	var t target
	rest, query, _ := strings.Cut(rest, "?")
	authority, database, _ := strings.Cut(rest, "/")
	var err error
	if t.database, err = url.PathUnescape(database); err != nil {
		return target{}, errForm
	}
	if t.params, err = url.ParseQuery(query); err != nil {
		return target{}, errForm
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, password, hasPassword := strings.Cut(authority[:at], ":")
		authority, t.hasPassword, t.hasUser = authority[at+1:], hasPassword, user != ""
		if t.user, err = url.PathUnescape(user); err != nil {
			return target{}, errForm
		}
		if t.password, err = url.PathUnescape(password); err != nil {
			return target{}, errForm
		}
	}
	for _, h := range strings.Split(authority, ",") {
		one := hostPort{host: h}
		if strings.HasPrefix(h, "[") {
			end := strings.IndexByte(h, ']')
			if end < 0 || h[end+1:] != "" && h[end+1] != ':' {
				return target{}, errForm
			}
			one.host, one.port = h[1:end], strings.TrimPrefix(h[end+1:], ":")
		} else if host, port, ok := strings.Cut(h, ":"); ok {
			one.host, one.port = host, port
		}
		if one.host, err = url.PathUnescape(one.host); err != nil || strings.Trim(one.port, "0123456789") != "" {
			return target{}, errForm
		}
		t.hosts = append(t.hosts, one)
	}
	return t, nil
}

// where is the address and database of a URI, for messages.
func where(uri string) string {
	t, err := parseTarget(uri)
	if err != nil {
		return place.Of("")
	}
	t.user, t.password, t.hasUser, t.hasPassword, t.params = "", "", false, false, nil
	return t.String()
}

// String is the URI again.
func (t target) String() string {
	var b strings.Builder
	b.WriteString("postgresql://")
	if t.hasUser || t.hasPassword {
		b.WriteString(escape(t.user))
		if t.hasPassword {
			b.WriteString(":" + escape(t.password))
		}
		b.WriteByte('@')
	}
	for i, h := range t.hosts {
		if i > 0 {
			b.WriteByte(',')
		}
		if strings.Contains(h.host, ":") {
			b.WriteString("[" + h.host + "]")
		} else {
			b.WriteString(escape(h.host))
		}
		if h.port != "" {
			b.WriteString(":" + h.port)
		}
	}
	b.WriteString("/" + escape(t.database))
	if len(t.params) > 0 {
		b.WriteString("?" + t.params.Encode())
	}
	return b.String()
}

// escape is PathEscape for every place of the URI: no : or @ or , is left.
func escape(s string) string {
	return strings.NewReplacer(":", "%3A", "@", "%40", ",", "%2C", "&", "%26", "=", "%3D").Replace(url.PathEscape(s))
}

// dsn is the same as keywords and values, all hosts for the driver to try.
func (t target) dsn() string {
	var b strings.Builder
	put := func(key, value string) {
		fmt.Fprintf(&b, "%s='%s' ", key, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value))
	}
	var hosts, ports []string
	for _, h := range t.hosts {
		hosts, ports = append(hosts, h.host), append(ports, h.port)
		if h.port == "" {
			ports[len(ports)-1] = "5432"
		}
	}
	if t.params.Get("host") == "" && strings.Join(hosts, "") != "" {
		put("host", strings.Join(hosts, ","))
	}
	if t.params.Get("port") == "" {
		put("port", strings.Join(ports, ","))
	}
	if t.hasUser {
		put("user", t.user)
	}
	if t.hasPassword {
		put("password", t.password)
	}
	if t.database != "" {
		put("dbname", t.database)
	}
	for key, values := range t.params {
		put(key, values[len(values)-1])
	}
	return b.String()
}
