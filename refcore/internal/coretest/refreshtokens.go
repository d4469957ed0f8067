package coretest

import (
	"encoding/base64"
	"strings"
)

// HostileRefreshTokens are made from a good one; none may be accepted.
func HostileRefreshTokens(good string) []string {
	p := strings.Split(good, ".")
	nonce := p[1]
	sealed, _ := base64.StdEncoding.DecodeString(p[0])
	changed := func(i int) string {
		b := append([]byte(nil), sealed...)
		b[i] ^= 1
		return base64.StdEncoding.EncodeToString(b) + "." + nonce + ".V2"
	}
	return []string{
		"", ".", "..", "...", "V2", ".V2", "..V2", "a.b.V2", "\x00", "\x00.\x00.V2",
		p[0], p[0] + "." + nonce, p[0] + ".V2", p[0] + "..V2", nonce + ".V2", "." + nonce + ".V2",
		p[0] + "." + nonce + ".V3", p[0] + "." + nonce + ".V22", p[0] + "." + nonce + ".Ⅴ2", p[0] + "." + nonce + ".",
		p[0] + "." + strings.ToUpper(nonce) + ".V2", p[0] + "." + nonce[1:] + ".V2", p[0] + "." + nonce + "x.V2", p[0] + "." + nonce + "\x00.V2",
		p[0] + "." + nonce + "." + nonce + ".V2", "x." + good, good + ".x", good + ".V2", " " + good, good + " ", good + "\n",
		p[0][:8] + "." + nonce + ".V2", p[0][:16] + "." + nonce + ".V2", p[0][:len(p[0])/2] + "." + nonce + ".V2", p[0][4:] + "." + nonce + ".V2", p[0] + "AAAA." + nonce + ".V2",
		p[0] + "====." + nonce + ".V2", strings.NewReplacer("+", "-", "/", "_").Replace("+/"+p[0]) + "." + nonce + ".V2",
		p[0][:10] + "\n" + p[0][10:] + "." + nonce + ".V2", p[0][:10] + "\r\n" + p[0][10:] + "." + nonce + ".V2", p[0][:10] + " " + p[0][10:] + "." + nonce + ".V2",
		changed(0), changed(11), changed(12), changed(len(sealed) / 2), changed(len(sealed) - 1),
		base64.StdEncoding.EncodeToString(sealed[:12]) + "." + nonce + ".V2", base64.StdEncoding.EncodeToString(sealed[:len(sealed)-1]) + "." + nonce + ".V2",
		base64.StdEncoding.EncodeToString(make([]byte, 12)) + "." + nonce + ".V2", "\xff\xfe." + nonce + ".V2",
		strings.Repeat("A", 1<<18) + "." + nonce + ".V2", strings.Repeat(".", 1<<18), strings.Repeat("a.", 1<<17) + "V2",
	}
}
