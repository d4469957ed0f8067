package httpapi

import (
	"cmp"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore/token"
)

// need says whether a request field is ignored, optional or required.
type need int

const (
	ignored need = iota
	optional
	required
)

// keysShape says which legacy key fields an answer carries.
type keysShape int

const (
	noKeys keysShape = iota
	oneKey
	keyList
)

// version is what one CDI version means for sessions. Adding a version is
// adding a row to versionTable.
type version struct {
	name  string
	token token.Version
	// keys in the answers of create, verify and handshake.
	keys         keysShape
	idRefresh    bool // idRefreshToken in create and refresh
	handshake    bool // POST /recipe/handshake is served
	checkPayload bool // protected names are refused
	// requestDecides: checkDatabase of the request, not the core's setting.
	requestDecides bool
	createKeyKind  need // useDynamicSigningKey at create
	refreshKeyKind need // … at refresh
	tenants        bool // tenants in paths; below, any but public is not found
	appOnly        bool // app-wide calls on another tenant's path are 403
	tenantID       bool // SESSION has tenantId
	recipeUserID   bool // SESSION has recipeUserId
	rotate         bool // rotation inside refresh, stateless verify, accessTokenValidity
}

var versionTable = func() []version {
	v27 := version{token: 2, keys: oneKey, idRefresh: true, handshake: true}
	v29 := v27
	v29.keys = keyList
	v221 := version{token: 3, checkPayload: true, requestDecides: true, createKeyKind: optional}
	v30 := v221
	v30.token, v30.refreshKeyKind, v30.tenants, v30.tenantID = 4, optional, true, true
	v40 := v30
	v40.token, v40.recipeUserID = 5, true
	v50 := v40
	v50.refreshKeyKind, v50.appOnly = required, true
	v56 := v50
	v56.rotate = true

	var table []version
	for _, row := range []struct {
		names string
		shape version
	}{
		{"2.7 2.8", v27},
		{"2.9 2.10 2.11 2.12 2.13 2.14 2.15 2.16 2.17 2.18 2.19 2.20", v29},
		{"2.21", v221},
		{"3.0 3.1", v30},
		{"4.0", v40},
		{"5.0 5.1 5.2 5.3 5.4 5.5", v50},
		{"5.6", v56},
	} {
		for _, name := range strings.Fields(row.names) {
			v := row.shape
			v.name = name
			table = append(table, v)
		}
	}
	return table
}()

// Versions lists the CDI versions that the core speaks, oldest first.
func Versions() []string {
	names := make([]string, len(versionTable))
	for i := range versionTable {
		names[i] = versionTable[i].name
	}
	return names
}

// ValidVersion says whether s is digits joined by dots.
func ValidVersion(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// CompareVersions orders two valid versions, number by number: 2.9 < 2.10.
func CompareVersions(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	return slices.CompareFunc(x, y, func(p, q string) int {
		p, q = strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0")
		return cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q))
	})
}
