package httpapi

import (
	"path"
	"strings"
)

// place is where a request's path leads.
type place struct {
	app    string // "public" by default
	tenant string // "public" by default
	path   string // without prefixes and trailing slash, lower case
	root   bool   // nothing but prefixes: "/"
}

// notTenants are words that are never taken for a tenant.
var notTenants = map[string]bool{"recipe": true, "config": true, "users": true, "hello": true}

// plain drops parameters and resolves "//", "/./" and "/../".
func plain(p string) string {
	if strings.IndexByte(p, ';') >= 0 {
		p = dropParameters(p)
	}
	if strings.Contains(p, "//") || strings.Contains(p, "/.") {
		p = path.Clean("/" + p)
	}
	return p
}

// resolve takes a decoded path apart. The path has been stripped of the base path.
func resolve(p string) place {
	p = strings.ToLower(plain(p))
	pl := place{app: "public", tenant: "public"}
	p = strings.TrimRight(p, "/")
	if rest, ok := strings.CutPrefix(p, "/appid-"); ok {
		app, after, _ := strings.Cut(rest, "/")
		if isName(app) {
			if app != "" {
				pl.app = app
			}
			p = ""
			if after != "" {
				p = "/" + after
			}
		}
	}
	if first, after, more := strings.Cut(strings.TrimPrefix(p, "/"), "/"); first != "" && isName(first) && !notTenants[first] {
		switch {
		case more:
			pl.tenant, p = first, "/"+after
		case first == "public":
			p = ""
		}
	}
	pl.path, pl.root = p, p == ""
	return pl
}

// dropParameters removes ";x=1" from each segment.
func dropParameters(p string) string {
	segments := strings.Split(p, "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return strings.Join(segments, "/")
}

func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
