// Package place says where a database is without saying how to get in.
package place

import (
	"net/url"
	"strings"
)

// Of is the scheme, hosts and database of a URI, for messages. It never quotes a
// URI that cannot be parsed: the usual cause is a password that is not escaped.
func Of(uri string) string {
	u, err := url.Parse(uri)
	torn := err == nil && (u.Fragment != "" || u.User == nil && strings.Contains(uri, "@"))
	if err != nil || torn || u.Scheme == "" || u.Host == "" {
		return "a database whose URI is not of the form scheme://user:password@host:port/name"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// OneLine is err with its text on one line, for logs.
func OneLine(err error) error {
	if err == nil || !strings.ContainsAny(err.Error(), "\r\n\t") {
		return err
	}
	return oneLine{err}
}

type oneLine struct{ error }

func (e oneLine) Error() string { return strings.Join(strings.Fields(e.error.Error()), " ") }

func (e oneLine) Unwrap() error { return e.error }
