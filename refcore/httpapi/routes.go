package httpapi

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/coreproof/coreproof/refcore"
)

// unknownPath is the route of every path that is not listed. No request has it
// as its path.
const unknownPath = "?"

// routeTable is the list of endpoints.
func (s *Server) routeTable() map[string]*route {
	get, post, put, del := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	all := func(h handler) map[string]handler {
		return map[string]handler{get: h, post: h, put: h, del: h}
	}
	return map[string]*route{
		"":                        {methods: all(hello), open: true},
		"/":                       {methods: all(hello), open: true},
		"/hello":                  {methods: all(hello), open: true, versionless: true},
		unknownPath:               {methods: all(func(*Server, *call) error { return errNotFound }), open: true},
		"/apiversion":             {methods: map[string]handler{get: apiVersion}, versionless: true},
		"/.well-known/jwks.json":  {methods: map[string]handler{get: jwksPublic}, open: true, versionless: true},
		"/recipe/jwt/jwks":        {methods: map[string]handler{get: jwks}},
		"/recipe/jwt":             {methods: map[string]handler{post: jwtSign}},
		"/recipe/handshake":       {methods: map[string]handler{post: handshake}},
		"/recipe/session":         {methods: map[string]handler{post: create, get: getSession}},
		"/recipe/session/verify":  {methods: map[string]handler{post: verify}},
		"/recipe/session/refresh": {methods: map[string]handler{post: refresh}},
		"/recipe/session/remove":  {methods: map[string]handler{post: remove}},
		"/recipe/session/regenerate": {methods: map[string]handler{
			post: regenerate,
		}},
		"/recipe/session/user": {methods: map[string]handler{get: listUser}},
		"/recipe/session/data": {methods: map[string]handler{get: getData, put: putData}},
		"/recipe/jwt/data":     {methods: map[string]handler{get: getPayload, put: putPayload}},
	}
}

// app refuses an app that does not exist. This core has one app.
func (c *call) app() error {
	if c.place.app != "public" {
		return refcore.UnknownTenant(c.place.app, c.place.tenant)
	}
	return nil
}

// tenant refuses a tenant that does not exist. This core has one tenant.
func (c *call) tenant() error {
	if c.place.app != "public" || c.place.tenant != "public" {
		return refcore.UnknownTenant(c.place.app, c.place.tenant)
	}
	return nil
}

// publicOnly refuses an app-wide call on another tenant's path.
func (c *call) publicOnly() error {
	if err := c.app(); err != nil {
		return err
	}
	if c.version.appOnly && c.place.tenant != "public" {
		return errPublicOnly
	}
	return nil
}

// handleTenant refuses a handle that names a tenant that does not exist: the
// text after the first "_", up to the next.
func handleTenant(handle string) error {
	_, rest, ok := strings.Cut(handle, "_")
	if !ok {
		return nil
	}
	tenant, _, _ := strings.Cut(rest, "_")
	if tenant = strings.ToLower(tenant); tenant != "" && tenant != "public" {
		return refcore.UnknownTenant("public", tenant)
	}
	return nil
}

// param gives the first value of a query parameter; an empty one counts as given.
func (c *call) param(name string) (string, bool) {
	if c.query == nil {
		c.query, _ = url.ParseQuery(c.http.URL.RawQuery) // what is malformed counts as absent
	}
	if v, ok := c.query[name]; ok && len(v) > 0 {
		return v[0], true
	}
	return "", false
}

func (c *call) mustParam(name string) (string, error) {
	v, ok := c.param(name)
	if !ok {
		return "", refcore.BadInput("Field name '" + name + "' is missing in GET request")
	}
	if !utf8.ValidString(v) { // replaced by U+FFFD, different texts would become one
		return "", refcore.BadInput("Field name '" + name + "' is invalid in GET request")
	}
	return v, nil
}
