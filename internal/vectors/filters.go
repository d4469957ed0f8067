package vectors

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

var placeholder = regexp.MustCompile(`\{\{([^}|]+)(?:\|([^}]+))?\}\}`)

// fill puts saved values into a text. A value that was never saved stays
// "<unset:name>".
func (n *names) fill(s string) (string, error) {
	var failed error
	out := placeholder.ReplaceAllStringFunc(s, func(m string) string {
		g := placeholder.FindStringSubmatch(m)
		v, ok := n.values[g[1]]
		switch {
		case g[1] == "run":
			v = n.run
		case !ok:
			return "<unset:" + g[1] + ">"
		}
		if g[2] == "" {
			return v
		}
		changed, err := filter(g[2], v)
		if err != nil {
			failed = err
		}
		return changed
	})
	return out, failed
}

// fillJSON fills every string of a JSON value.
func (n *names) fillJSON(raw json.RawMessage) ([]byte, error) {
	v, err := decode(raw)
	if err != nil {
		return nil, err
	}
	var failed error
	var walk func(any) any
	walk = func(v any) any {
		switch x := v.(type) {
		case map[string]any:
			for k, e := range x {
				x[k] = walk(e)
			}
		case []any:
			for i, e := range x {
				x[i] = walk(e)
			}
		case string:
			s, err := n.fill(x)
			if err != nil {
				failed = err
			}
			return s
		}
		return v
	}
	v = walk(v)
	if failed != nil {
		return nil, failed
	}
	return json.Marshal(v)
}

// filter changes a value on its way.
func filter(name, v string) (string, error) {
	switch name {
	case "upper":
		return strings.ToUpper(v), nil
	case "flip":
		return flip(v), nil
	case "trunc":
		return v[:max(0, len(v)-5)], nil
	case "dup":
		return v + v, nil
	case "spaces":
		return " " + v + " ", nil
	case "urlsafe-pad":
		return v + "==", nil
	case "nul":
		return v[:len(v)/2] + "\x00" + v[len(v)/2:], nil
	}
	parts := strings.Split(v, ".")
	switch name {
	case "two-parts":
		return strings.Join(parts[:min(2, len(parts))], "."), nil
	case "four-parts":
		return v + ".x", nil
	}
	if len(parts) != 3 {
		return v, nil
	}
	switch name {
	case "nosig":
		return parts[0] + "." + parts[1] + ".", nil
	case "none":
		return edit(parts, "", func(h, _ map[string]any) { h["alg"] = "none" }), nil
	case "none-empty":
		return edit(parts, "", func(h, _ map[string]any) { h["alg"] = "none" }), nil
	}
	changes := map[string]func(h, c map[string]any){
		"hs256":        func(h, _ map[string]any) { h["alg"] = "HS256" },
		"kid-unknown":  func(h, _ map[string]any) { h["kid"] = "d-1" },
		"kid-missing":  func(h, _ map[string]any) { delete(h, "kid") },
		"typ-other":    func(h, _ map[string]any) { h["typ"] = "JWS" },
		"ver-9":        func(h, _ map[string]any) { h["version"] = "9" },
		"jwk":          func(h, _ map[string]any) { h["jwk"] = map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"} },
		"sub-other":    func(_, c map[string]any) { c["sub"], c["userId"] = "other", "other" },
		"handle-other": func(_, c map[string]any) { c["sessionHandle"] = "11111111-1111-4111-8111-111111111111" },
		"exp-far":      func(_, c map[string]any) { c["exp"], c["expiryTime"] = 99999999999, 99999999999999 },
	}
	change := changes[name]
	if change == nil {
		return "", fmt.Errorf("vectors: unknown filter %q", name)
	}
	return edit(parts, parts[2], change), nil
}

// flip changes one character 20 from the end.
func flip(v string) string {
	if len(v) < 20 {
		return v
	}
	b := []byte(v)
	if i := len(b) - 20; b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

// edit changes a JWT's header and claims. The header is written anew, in base64url
// without padding; the claims only where they changed.
func edit(parts []string, signature string, change func(header, claims map[string]any)) string {
	var maps [2]map[string]any
	for i := range maps {
		b, ok := decodePart(parts[i])
		if !ok || json.Unmarshal(b, &maps[i]) != nil {
			return strings.Join(parts, ".")
		}
	}
	before, _ := json.Marshal(maps[1])
	change(maps[0], maps[1])
	header, _ := json.Marshal(maps[0])
	claims, _ := json.Marshal(maps[1])
	out := []string{base64.RawURLEncoding.EncodeToString(header), parts[1], signature}
	if string(claims) != string(before) {
		out[1] = base64.RawURLEncoding.EncodeToString(claims)
	}
	return strings.Join(out, ".")
}
