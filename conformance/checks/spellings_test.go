package checks

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestSpellings: each is another text, and what it says with padding and spare bits is
// the same.
func TestSpellings(t *testing.T) {
	t.Parallel()
	signature := make([]byte, 256)
	for i := range signature {
		signature[i] = byte(255 - i)
	}
	for name, tc := range map[string]struct {
		enc    *base64.Encoding
		expect []string
	}{
		"unpadded": {base64.RawURLEncoding, []string{"padding", "other spare bits", "base64 for + and /", "a dot at the end"}},
		"padded":   {base64.StdEncoding, []string{"no padding", "other spare bits", "base64 for - and _", "a line break at the end"}},
	} {
		token := "aaaa.bbbb." + tc.enc.EncodeToString(signature)
		all := spellings(token)
		for _, what := range tc.expect {
			if all[what] == "" {
				t.Errorf("%s: no %s", name, what)
			}
		}
		for what, other := range all {
			if other == token {
				t.Errorf("%s: %s is no other text", name, what)
			}
			if what != "other spare bits" {
				continue
			}
			got, err := tc.enc.DecodeString(other[strings.LastIndex(other, ".")+1:])
			if err != nil || string(got) != string(signature) {
				t.Errorf("%s: %s is another signature (%v)", name, what, err)
			}
		}
	}
	// A part without spare bits has none that could be other.
	if other, ok := spellings("aaaa.bbbb.cccc")["other spare bits"]; ok {
		t.Errorf("no spare bits: %s", other)
	}
}
