package checks

import (
	"context"
	"strings"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// formOf tells forms of tokens apart, as far as a token's header does.
func formOf(token string) string {
	if p := partsOf(token); p != nil {
		return p.text("version")
	}
	return ""
}

// spellings of a token: other texts that say the same to a lenient reader, by what is
// different. What a signature covers is left as it is.
func spellings(token string) map[string]string {
	all := map[string]string{
		"a dot at the end": token + ".", "dots at the end": token + "...",
		"a blank at the end": token + " ", "a blank before it": " " + token, "a line break at the end": token + "\n",
	}
	at := strings.LastIndex(token, ".") + 1
	rest, last := token[:at], token[at:]
	bare := strings.TrimRight(last, "=")
	if padding := (4 - len(bare)%4) % 4; padding != 3 && padding > 0 {
		if bare == last {
			all["padding"] = token + strings.Repeat("=", padding)
		} else {
			all["no padding"] = rest + bare
		}
		// The last character stands for fewer bits than it has.
		if c, ok := otherSpareBits(bare[len(bare)-1]); ok {
			all["other spare bits"] = rest + bare[:len(bare)-1] + string(c) + last[len(bare):]
		}
	}
	for what, signs := range map[string]*strings.Replacer{
		"base64 for + and /": strings.NewReplacer("-", "+", "_", "/"), "base64 for - and _": strings.NewReplacer("+", "-", "/", "_"),
	} {
		if other := signs.Replace(last); other != last {
			all[what] = rest + other
		}
	}
	return all
}

// otherSpareBits is a base64 character that differs in its lowest bit.
func otherSpareBits(c byte) (byte, bool) {
	for _, alphabet := range []string{
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	} {
		if i := strings.IndexByte(alphabet, c); i >= 0 {
			return alphabet[i^1], true
		}
	}
	return 0, false
}

// spellingsRefused offers a revoked session's token in other spellings. Whether they are
// tokens at all is the core's own matter: anything but OK will do.
func spellingsRefused(ctx context.Context, t *Trial, at Instance, token string) error {
	for what, other := range spellings(token) {
		v, err := at.Ask(protocol.WithEveryAnswer(ctx), other)
		if err != nil {
			return conformance.HarnessError("verify a revoked session's token with "+what+" at "+at.Name(), err)
		}
		if v.Status == protocol.OK {
			return conformance.Violated(v.Reply, "no OK for a revoked session's token, with "+what+" either", "OK at "+at.Name())
		}
	}
	return nil
}
