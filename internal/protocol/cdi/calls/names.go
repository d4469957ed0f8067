package calls

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// names renames one core's ids and tokens in the order in which they first appear,
// so that two cores that mean the same say the same.
type names struct {
	run   string
	known map[string]string
	count map[string]int
}

func newNames(run string) *names {
	return &names{run: run, known: map[string]string{}, count: map[string]int{}}
}

// name of a value of a kind, e.g. <handle 2>.
func (n *names) name(kind, value string) string {
	if have, ok := n.known[value]; ok {
		return have
	}
	n.count[kind]++
	n.known[value] = fmt.Sprintf("<%s %d>", kind, n.count[kind])
	return n.known[value]
}

// Moment is a time as its distance from the moment at which the call was sent.
type Moment time.Duration

func (m Moment) String() string { return fmt.Sprintf("<sent %+.0f s>", time.Duration(m).Seconds()) }

// MarshalText is for printing.
func (m Moment) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

var (
	uuid        = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	javaClass   = regexp.MustCompile(`\b(io|java|javax|com|org)\.[\w.$]+`)
	versionForm = regexp.MustCompile(`^\d+\.\d+$`)
	digits      = regexp.MustCompile(`\d+`)
	// times by the fields' units.
	millis  = []string{"createdTime", "expiry", "timeCreated", "expiryTime"}
	seconds = []string{"exp", "iat"}
	// sets have no order, and a handle that was named twice may stand there twice.
	sets = []string{"sessionHandles", "sessionHandlesRevoked", "keys", "jwtSigningPublicKeyList", "versions"}
	// userData are the fields that hold what the caller gave: nothing in them is renamed.
	userData = []string{"userDataInJWT", "userDataInDatabase", "userData"}
)

// AnyMessage stands for a text that names classes of one implementation.
const AnyMessage = "<a message>"

// Meaning is an answer in a form in which answers of two cores can be compared: status,
// media type, and the body with ids, tokens and times renamed. Tokens become their
// claims.
func (p *Play) Meaning(a *Answer) map[string]any {
	m := map[string]any{"status": fmt.Sprint(a.Status)}
	if a.Status >= 500 {
		return m // what a core says then is its own
	}
	m["type"] = strings.ToLower(strings.ReplaceAll(a.Type, " ", ""))
	if a.Cache != "" {
		m["cache"] = digits.ReplaceAllString(a.Cache, "<n>")
	}
	v, err := decode(a.Body)
	if err != nil || !strings.HasPrefix(a.Type, "application/json") {
		m["text"] = p.names.text("message", strings.TrimRight(string(a.Body), "\n"))
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(string(a.Body))), "<!doctype html") {
			m["text"] = "<a page>" // the container's own
		}
		return m
	}
	m["body"] = p.names.walk("", "", v, a.Sent)
	return m
}

func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the value")
	}
	return v, nil
}

func (n *names) walk(parent, key string, v any, sent time.Time) any {
	if slices.Contains(userData, key) {
		return plain(v)
	}
	switch x := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		// Names are given in one order on both sides.
		for _, k := range slices.Sorted(maps.Keys(x)) {
			m[k] = n.walk(key, k, x[k], sent)
		}
		return m
	case []any:
		list := make([]any, 0, len(x))
		for _, e := range x {
			list = append(list, n.walk(parent, key, e, sent))
		}
		if slices.Contains(sets, key) {
			return set(list)
		}
		return list
	case json.Number:
		return n.number(parent, key, x, sent)
	case string:
		return n.string(parent, key, x, sent)
	}
	return v
}

func (n *names) number(parent, key string, x json.Number, sent time.Time) any {
	if i, err := x.Int64(); err == nil {
		switch {
		case parent == "jwtSigningPublicKeyList", key == "jwtSigningPublicKeyExpiryTime":
			return "<a time of the key>" // keys are as old as their database
		case slices.Contains(millis, key):
			return Moment(time.UnixMilli(i).Sub(sent))
		case slices.Contains(seconds, key):
			return Moment(time.Unix(i, 0).Sub(sent))
		}
	}
	return value(string(x))
}

func (n *names) string(parent, key, s string, sent time.Time) any {
	switch {
	case key == "token" && parent == "refreshToken":
		name := n.name("refresh token", s)
		sum := sha256.Sum256([]byte(s))
		n.known[hex.EncodeToString(sum[:])] = "<hash of " + strings.Trim(name, "<>") + ">"
		return name
	case key == "token" && parent == "accessToken":
		if claims, ok := n.claims(s, sent); ok {
			return claims
		}
		return "<a token that is no JWT>"
	case key == "token":
		return "<a token>"
	case key == "handle", key == "sessionHandle", key == "sessionHandles", key == "sessionHandlesRevoked":
		if uuid.MatchString(s) {
			return n.name("handle", s)
		}
	case key == "refreshTokenHash1", key == "parentRefreshTokenHash1":
		return n.name("hash", s)
	case key == "antiCsrfToken":
		return n.name("anti-csrf", s)
	case key == "versions" && versionForm.MatchString(s):
		return "<version>" // those that both speak are compared; of others there is nothing to say
	case key == "kid":
		kind, _, _ := strings.Cut(s, "-")
		return kind + "-<id>"
	case key == "n", key == "jwtSigningPublicKey", key == "publicKey":
		return fmt.Sprintf("<a key of %d letters>", len(s))
	}
	return n.text(key, s)
}

// text renames what is known in a text.
func (n *names) text(key, s string) string {
	if key == "message" && javaClass.MatchString(s) {
		return AnyMessage
	}
	if name, ok := n.known[s]; ok {
		return name
	}
	if n.run != "" {
		s = strings.ReplaceAll(s, n.run, "<run>")
	}
	return s
}

// claims gives header and claims of a JWT.
func (n *names) claims(s string, sent time.Time) (any, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return nil, false
	}
	out := map[string]any{}
	for i, what := range []string{"header", "claims"} {
		b, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(parts[i], "=")))
		if err != nil {
			return nil, false
		}
		v, err := decode(b)
		if _, object := v.(map[string]any); err != nil || !object {
			return nil, false
		}
		out[what] = n.walk("", what, v, sent)
	}
	return out, true
}

// plain keeps a caller's value, numbers by value.
func plain(v any) any {
	switch x := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, e := range x {
			m[k] = plain(e)
		}
		return m
	case []any:
		list := make([]any, len(x))
		for i, e := range x {
			list[i] = plain(e)
		}
		return list
	case json.Number:
		return value(string(x))
	}
	return v
}

// value of a number: 1.0 is 1.
func value(s string) any {
	if len(s) < 40 {
		if r, ok := new(big.Rat).SetString(s); ok {
			return "number " + r.RatString()
		}
	}
	return "number " + s
}

func set(list []any) []any {
	byText := map[string]any{}
	for _, e := range list {
		b, _ := json.Marshal(e) // renamed values always encode
		byText[string(b)] = e
	}
	out := make([]any, 0, len(byText))
	for _, k := range slices.Sorted(maps.Keys(byText)) {
		out = append(out, byText[k])
	}
	return out
}
