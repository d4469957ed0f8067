package calls

import (
	"net/http"

	"github.com/coreproof/coreproof/internal/protocol/cdi"
)

// kind of a field's value.
type kind int

const (
	text kind = iota
	flag
	object
	long
	texts
)

// wrong are values that are certainly not of a kind; what the real core takes by
// accident (numbers for booleans, lists of one text) is in none of them.
var wrong = map[kind][]string{
	text:   {"5", "true", "{}", `["a","b"]`, "null"},
	flag:   {`"true"`, "{}", "null"},
	object: {"[]", `"x"`, "5", "true", "null"},
	long:   {"true", `"x"`, "{}", "null"},
	texts:  {`"x"`, "{}", `["a",5]`, "null"},
}

// field of a body.
type field struct {
	name string
	kind kind
	// from is the version that begins to read it; required the one that begins to
	// insist on it, "" for never.
	from, required string
}

func (f field) read(version string) bool { return cdi.Compare(version, f.from) >= 0 }
func (f field) must(version string) bool {
	return f.required != "" && cdi.Compare(version, f.required) >= 0
}

// outcome is one kind of answer that an endpoint gives in From ≤ version < Below.
type outcome struct{ label, from, below string }

// endpoint is one path with a method.
type endpoint struct {
	name, method, path string
	body               []field // nil for none
	query              string  // the required parameter
	// weight is how often it is called.
	weight   int
	outcomes []outcome
}

const (
	v27, v28, v221, v30, v50, v56 = "2.7", "2.8", "2.21", "3.0", "5.0", "5.6"

	faultField     = "bad field"
	faultBody      = "bad body"
	faultMethod    = "method not offered"
	faultApp       = "unknown app"
	faultTenant    = "unknown tenant"
	faultPath      = "unknown path"
	faultVersion   = "bad version"
	faultParam     = "missing parameter"
	faultProtected = "protected field"
	faultValidity  = "validity out of range"
	faultOneOf     = "one of two fields"
	faultHandle    = "handle of an unknown tenant"

	extraField = "fieldThatNobodyKnows"
)

// always are outcomes that every endpoint has. Which of them apply is in universe.
func always(e *endpoint) []outcome {
	out := []outcome{{"405 " + faultMethod, v27, ""}}
	if e.body != nil {
		out = append(out, outcome{"400 " + faultField, v27, ""}, outcome{"400 " + faultBody, v27, ""})
	}
	if e.query != "" {
		out = append(out, outcome{"400 " + faultParam, v27, ""})
	}
	if len(e.outcomes) > 0 && e.body != nil {
		out = append(out, outcome{"400 " + faultApp, v27, ""})
	}
	return append(out, e.outcomes...)
}

// endpoints of the session recipe. A new one is a row.
var endpoints = []endpoint{
	{
		name: "create", method: http.MethodPost, path: "/recipe/session", weight: 12,
		body: []field{
			{"userId", text, v27, v27}, {"enableAntiCsrf", flag, v27, v27}, {"userDataInJWT", object, v27, v27}, {"userDataInDatabase", object, v27, v27},
			{"accessTokenValidity", long, v56, ""}, {"useDynamicSigningKey", flag, v221, ""},
		},
		outcomes: []outcome{
			{"OK", v27, ""}, {"OK, anti-csrf", v27, ""}, {"400 " + faultProtected, v221, ""}, {"400 " + faultValidity, v56, ""},
			{"404 " + faultTenant, v27, v30}, {"400 " + faultTenant, v30, ""},
		},
	},
	{
		name: "verify", method: http.MethodPost, path: "/recipe/session/verify", weight: 28,
		body: []field{
			{"accessToken", text, v27, v27}, {"antiCsrfToken", text, v27, ""}, {"doAntiCsrfCheck", flag, v27, v27}, {"enableAntiCsrf", flag, v27, v27},
			{"checkDatabase", flag, v221, v221},
		},
		outcomes: []outcome{
			{"OK", v27, ""}, {"OK, new token", v27, v56}, {"UNAUTHORISED", v27, ""}, {"TRY_REFRESH_TOKEN", v27, ""},
			{"OK, payload changed", v56, ""}, {"OK, payload unchanged", v56, ""}, {"403 " + faultTenant, v56, ""},
		},
	},
	{
		name: "refresh", method: http.MethodPost, path: "/recipe/session/refresh", weight: 18,
		body: []field{
			{"refreshToken", text, v27, v27}, {"antiCsrfToken", text, v27, ""}, {"enableAntiCsrf", flag, v27, v27},
			{"useDynamicSigningKey", flag, v30, v50}, {"accessTokenValidity", long, v56, ""},
		},
		outcomes: []outcome{
			{"OK", v27, ""}, {"OK, anti-csrf", v27, ""}, {"UNAUTHORISED", v27, ""}, {"TOKEN_THEFT_DETECTED", v27, v56},
			{"TOKEN_THEFT_DETECTED, STALE_LINEAGE", v56, ""}, {"400 " + faultValidity, v56, ""},
		},
	},
	{
		name: "regenerate", method: http.MethodPost, path: "/recipe/session/regenerate", weight: 9,
		body:     []field{{"accessToken", text, v27, v27}, {"userDataInJWT", object, v27, ""}},
		outcomes: []outcome{{"OK, new token", v27, ""}, {"UNAUTHORISED", v27, ""}, {"400 " + faultProtected, v221, ""}},
	},
	{
		name: "remove", method: http.MethodPost, path: "/recipe/session/remove", weight: 10,
		body: []field{
			{"userId", text, v27, ""}, {"sessionHandles", texts, v27, ""},
			{"revokeAcrossAllTenants", flag, v27, ""}, {"revokeSessionsForLinkedAccounts", flag, v27, ""},
		},
		outcomes: []outcome{{"OK", v27, ""}, {"OK, none", v27, ""}, {"400 " + faultOneOf, v27, ""}, {"400 " + faultHandle, v27, ""}},
	},
	{
		name: "get", method: http.MethodGet, path: "/recipe/session", query: "sessionHandle", weight: 6,
		outcomes: []outcome{{"OK", v27, ""}, {"UNAUTHORISED", v27, ""}, {"400 " + faultHandle, v27, ""}},
	},
	{
		name: "list", method: http.MethodGet, path: "/recipe/session/user", query: "userId", weight: 6,
		outcomes: []outcome{{"OK", v27, ""}, {"OK, none", v27, ""}},
	},
	{
		name: "get data", method: http.MethodGet, path: "/recipe/session/data", query: "sessionHandle", weight: 4,
		outcomes: []outcome{{"OK", v27, ""}, {"UNAUTHORISED", v27, ""}},
	},
	{
		name: "put data", method: http.MethodPut, path: "/recipe/session/data", weight: 5,
		body:     []field{{"sessionHandle", text, v27, v27}, {"userDataInDatabase", object, v27, v27}},
		outcomes: []outcome{{"OK", v27, ""}, {"UNAUTHORISED", v27, ""}},
	},
	{
		name: "get payload", method: http.MethodGet, path: "/recipe/jwt/data", query: "sessionHandle", weight: 4,
		outcomes: []outcome{{"OK", v27, ""}, {"UNAUTHORISED", v27, ""}},
	},
	{
		name: "put payload", method: http.MethodPut, path: "/recipe/jwt/data", weight: 6,
		body:     []field{{"sessionHandle", text, v27, v27}, {"userDataInJWT", object, v27, v27}},
		outcomes: []outcome{{"OK", v27, ""}, {"UNAUTHORISED", v27, ""}, {"400 " + faultProtected, v221, ""}},
	},
	{
		name: "handshake", method: http.MethodPost, path: "/recipe/handshake", weight: 2,
		outcomes: []outcome{{"OK", v27, v221}, {"404", v221, ""}},
	},
	{name: "key set", method: http.MethodGet, path: "/.well-known/jwks.json", weight: 1, outcomes: []outcome{{"200", v27, ""}}},
	{name: "key set of the recipe", method: http.MethodGet, path: "/recipe/jwt/jwks", weight: 1, outcomes: []outcome{{"OK", v27, ""}}},
	{name: "versions", method: http.MethodGet, path: "/apiversion", weight: 1, outcomes: []outcome{{"200", v27, ""}}},
	{name: "hello", method: http.MethodGet, path: "/hello", weight: 1, outcomes: []outcome{{"200", v27, ""}}},
}

func endpointOf(name string) *endpoint {
	for i := range endpoints {
		if endpoints[i].name == name {
			return &endpoints[i]
		}
	}
	return nil
}

// Cell is one kind of answer of one endpoint in one version.
type Cell struct{ Endpoint, Version, Outcome string }

// Universe lists the cells that sequences in these versions can reach.
func Universe(versions []string) []Cell {
	var out []Cell
	for i := range endpoints {
		e := &endpoints[i]
		for _, o := range always(e) {
			for _, v := range versions {
				if cdi.Compare(v, o.from) >= 0 && (o.below == "" || cdi.Compare(v, o.below) < 0) {
					out = append(out, Cell{e.name, v, o.label})
				}
			}
		}
	}
	for _, v := range versions {
		out = append(out, Cell{faultPath, v, "404 " + faultPath}, Cell{"any", v, "400 " + faultVersion})
	}
	return out
}

// NotTried says in words what no sequence reaches.
func NotTried() []string {
	return []string{
		"expired tokens and sessions", "reuse of a refresh token after its grace period", "API keys", "calls at the same time",
		"key rotation", "a database that fails", "request bodies beyond a few kB", "texts of 5xx answers",
	}
}
