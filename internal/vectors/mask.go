package vectors

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// names are the saved values of one play.
type names struct {
	run    string
	values map[string]string // name to value
	sorted []string
}

func newNames(run string, values map[string]string) *names {
	n := &names{run: run, values: map[string]string{}}
	for k, v := range values {
		n.save(k, v)
	}
	return n
}

func (n *names) save(name, value string) {
	if name == "run" {
		n.run = value
		return
	}
	if _, ok := n.values[name]; !ok {
		n.sorted = append(n.sorted, name)
		slices.Sort(n.sorted)
	}
	n.values[name] = value
}

var (
	uuidPattern  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	javaClass    = regexp.MustCompile(`\b(io|java|javax|com|org)\.[\w.$]+`)
	longNumber   = regexp.MustCompile(`\d{3,}`)
	millisecond  = map[string]bool{"createdTime": true, "expiry": true, "timeCreated": true, "expiryTime": true, "createdAt": true, "jwtSigningPublicKeyExpiryTime": true}
	setOfStrings = map[string]bool{"sessionHandles": true, "sessionHandlesRevoked": true, "keys": true, "jwtSigningPublicKeyList": true}
)

// anyMessage stands for a text that only the real core would use.
const anyMessage = "<any message>"

// mask replaces what must differ from play to play.
func (n *names) mask(key string, v any) any {
	switch x := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, e := range x {
			m[k] = n.mask(k, e)
		}
		return m
	case []any:
		list := make([]any, 0, len(x))
		for _, e := range x {
			list = append(list, n.mask(key, e))
		}
		if setOfStrings[key] {
			return set(list)
		}
		return list
	case json.Number:
		switch {
		case millisecond[key]:
			return "<ms>"
		case key == "exp" || key == "iat":
			return "<s>"
		case strings.HasSuffix(key, "Validity"):
			return "<duration>"
		}
		return number(string(x))
	case string:
		return n.maskString(key, x)
	}
	return v
}

func (n *names) maskString(key, s string) any {
	switch key {
	case "token", "jwt":
		if m, ok := n.maskJWT(s); ok {
			return m
		}
		if uuidPattern.MatchString(s) && len(s) == 36 {
			return "<uuid>"
		}
		return "<token>"
	case "refreshTokenHash1", "parentRefreshTokenHash1":
		if len(s) == 64 {
			return "<" + key + ">"
		}
	case "kid":
		return "<id>"
	case "n":
		if len(s) > 300 {
			return "<n>"
		}
	case "jwtSigningPublicKey", "publicKey":
		return fmt.Sprintf("<opaque:%d>", strings.Count(s, ".")+1)
	case "message":
		if javaClass.MatchString(s) {
			return anyMessage
		}
	}
	for _, name := range n.sorted {
		if n.values[name] == s && s != "" {
			return "<" + name + ">"
		}
	}
	if n.run != "" {
		s = strings.ReplaceAll(s, n.run, "<run>")
	}
	return uuidPattern.ReplaceAllString(s, "<uuid>")
}

// maskJWT gives the decoded header and claims of a JWT, masked.
func (n *names) maskJWT(s string) (any, bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return nil, false
	}
	m := map[string]any{}
	for i, name := range []string{"header", "claims"} {
		b, ok := decodePart(parts[i])
		if !ok {
			return nil, false
		}
		v, err := decode(b)
		// A refresh token has three parts too, and its first bytes may by chance be those
		// of a number.
		if _, object := v.(map[string]any); err != nil || !object {
			return nil, false
		}
		m[name] = n.mask(name, v)
	}
	return m, true
}

// decodePart takes either base64 alphabet, padded or not.
func decodePart(s string) ([]byte, bool) {
	s = strings.TrimRight(s, "=")
	s = strings.NewReplacer("+", "-", "/", "_").Replace(s)
	b, err := base64.RawURLEncoding.DecodeString(s)
	return b, err == nil
}

func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// number compares by value: as an exact integer where it is one, else as the
// float64 that the recording kept.
func number(s string) any {
	if i, ok := new(big.Int).SetString(s, 10); ok {
		return "number " + i.String()
	}
	f, _, err := big.ParseFloat(s, 10, 53, big.ToNearestEven)
	if err != nil {
		return "number " + s
	}
	if f.IsInt() {
		i, _ := f.Int(nil)
		return "number " + i.String()
	}
	return "number " + f.Text('g', 17)
}

func set(list []any) []any {
	byText := map[string]any{}
	for _, e := range list {
		b, _ := json.Marshal(e) // masked values always encode
		byText[string(b)] = e
	}
	keys := make([]string, 0, len(byText))
	for k := range byText {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([]any, 0, len(keys))
	for _, k := range keys {
		out = append(out, byText[k])
	}
	return out
}

// differ says how two answers differ; "" when they agree.
func differ(want, got *Answer, wantNames, gotNames *names, masked bool) string {
	if want.Status >= 500 {
		return refused(got)
	}
	if want.Status != got.Status {
		return fmt.Sprintf("HTTP %d, want %d; body %.300s", got.Status, want.Status, got.Text+string(got.Body))
	}
	if strings.HasPrefix(want.Text, "<!doctype html>") {
		return ""
	}
	if w, g := mediaType(want.ContentType), mediaType(got.ContentType); w != g {
		return fmt.Sprintf("content type %q, want %q", g, w)
	}
	for k, w := range want.Headers {
		if strings.EqualFold(k, "Allow") {
			continue
		}
		w, g := longNumber.ReplaceAllString(w, "<n>"), longNumber.ReplaceAllString(got.Headers[strings.ToLower(k)], "<n>")
		if w != g {
			return fmt.Sprintf("header %s is %q, want %q", k, g, w)
		}
	}
	if len(want.Body) == 0 {
		w, g := wantNames.maskString("", want.Text), gotNames.maskString("", got.Text)
		if masked {
			w = want.Text
		}
		if w == g {
			return ""
		}
		return fmt.Sprintf("text %q, want %q", g, w)
	}
	w, err := decode(want.Body)
	if err != nil {
		return "the recording is not JSON: " + err.Error()
	}
	g, err := decode(got.Body)
	if err != nil {
		return fmt.Sprintf("body is not JSON: %.300s", got.Text)
	}
	if supersetOfVersions(w, g) {
		return ""
	}
	if masked {
		w = newNames("", nil).maskAgain("", w)
	} else {
		w = wantNames.mask("", w)
	}
	return compare("", w, gotNames.mask("", g))
}

// maskAgain brings a masked recording into this package's form: sets sorted,
// numbers by value, foreign messages open.
func (n *names) maskAgain(key string, v any) any {
	switch x := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, e := range x {
			m[k] = n.maskAgain(k, e)
		}
		return m
	case []any:
		list := make([]any, 0, len(x))
		for _, e := range x {
			list = append(list, n.maskAgain(key, e))
		}
		if setOfStrings[key] {
			return set(list)
		}
		return list
	case json.Number:
		return number(string(x))
	case string:
		if key == "message" && javaClass.MatchString(x) {
			return anyMessage
		}
	}
	return v
}

func compare(at string, want, got any) string {
	if want == anyMessage {
		if s, ok := got.(string); ok && s != "" {
			return ""
		}
		return at + ": a message is missing"
	}
	w, ok1 := want.(map[string]any)
	g, ok2 := got.(map[string]any)
	if !ok1 || !ok2 {
		if reflect.DeepEqual(want, got) {
			return ""
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		return fmt.Sprintf("%s is %.400s, want %.400s", at, a, b)
	}
	for k := range w {
		if _, ok := g[k]; !ok {
			return fmt.Sprintf("%s.%s is missing", at, k)
		}
		if d := compare(at+"."+k, w[k], g[k]); d != "" {
			return d
		}
	}
	for k := range g {
		if _, ok := w[k]; !ok {
			return fmt.Sprintf("%s.%s is too much", at, k)
		}
	}
	return ""
}

// refused: where the real core slips with a 5xx any clean refusal agrees.
func refused(got *Answer) string {
	if got.Status >= 400 && got.Status < 500 {
		return ""
	}
	var b struct{ Status string }
	if got.Status == 200 && json.Unmarshal(got.Body, &b) == nil && (b.Status == "TRY_REFRESH_TOKEN" || b.Status == "UNAUTHORISED") {
		return ""
	}
	return fmt.Sprintf("HTTP %d %.200s, want a clean refusal", got.Status, got.Text+string(got.Body))
}

func mediaType(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, " ", ""))
}

// supersetOfVersions: /apiversion may list more than was recorded.
func supersetOfVersions(want, got any) bool {
	w, ok1 := want.(map[string]any)
	g, ok2 := got.(map[string]any)
	if !ok1 || !ok2 || len(w) != 1 || len(g) != 1 {
		return false
	}
	wl, ok1 := w["versions"].([]any)
	gl, ok2 := g["versions"].([]any)
	if !ok1 || !ok2 {
		return false
	}
	for _, v := range wl {
		if !slices.Contains(gl, v) {
			return false
		}
	}
	return true
}
