package token

import (
	"encoding/base64"
	"strings"
)

// decodeBase64 decodes with the laxness of the real core: padding is optional
// but must be right where it is given, spare bits are not checked. Unlike Go's
// decoder it refuses line breaks.
func decodeBase64(enc *base64.Encoding, s string) ([]byte, bool) {
	if strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0 {
		return nil, false
	}
	if n := len(s); n > 0 && s[n-1] == '=' {
		if n%4 != 0 {
			return nil, false
		}
		s = s[:n-1]
		if s[len(s)-1] == '=' {
			s = s[:len(s)-1]
		}
	}
	b, err := enc.DecodeString(s)
	return b, err == nil
}

// split cuts a token at its dots; trailing empty parts do not count.
func split(s string) []string {
	s = strings.TrimRight(s, ".")
	if s == "" || strings.Count(s, ".") > 7 {
		return nil
	}
	return strings.Split(s, ".")
}
