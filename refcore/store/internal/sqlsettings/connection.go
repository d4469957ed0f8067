package sqlsettings

import (
	"cmp"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/refcore/setting"
)

// Connection makes one URI of the given URI and the parts: the URI says host,
// port and database, the part user and password; where one is silent the other
// speaks.
func Connection(v *setting.Values, name string, port int, user string) (string, error) {
	get := func(part string) string { return v.Text(name + "_" + part) }
	u := &url.URL{Scheme: name}
	if s := get("connection_uri"); s != "" {
		parsed, err := url.Parse(s)
		if err != nil || !strings.HasPrefix(parsed.Scheme, strings.TrimSuffix(name, "ql")) || parsed.Hostname() == "" {
			return "", setting.Errorf("The provided %s connection URI has an incorrect format. Please use a format like %s://[user[:[password]]@]host[:port][/dbname][?attr1=val1&attr2=val2...", name, name)
		}
		u = parsed
	}
	host := cmp.Or(u.Hostname(), get("host"), "localhost")
	u.Host = net.JoinHostPort(host, cmp.Or(u.Port(), get("port"), strconv.Itoa(port)))
	if u.Path == "" || u.Path == "/" {
		u.Path = "/" + cmp.Or(v.Trimmed(name+"_database_name"), "supertokens")
	}
	login := cmp.Or(get("user"), u.User.Username(), user)
	password, hasPassword := u.User.Password()
	if s := get("password"); s != "" {
		password, hasPassword = s, true
	}
	if hasPassword {
		u.User = url.UserPassword(login, password)
	} else {
		u.User = url.User(login)
	}
	return u.String(), nil
}
