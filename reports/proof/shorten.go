package proof

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Lengths, in characters, that decide what counts as a secret.
const (
	minJWT    = 24 // "eyJ" and at least so much in all
	minOpaque = 32 // letters and digits without a break; a UUID is let through
	minMixed  = 40 // base64 with slashes, which might be a path
	minNamed  = 9  // behind a name that says it is a secret; more than shorten leaves
	minBearer = 20 // behind "bearer" alone, which may also be prose, without a digit
)

var (
	// named finds values behind a name that says what they are, in headers, curl
	// lines, JSON and queries: API keys may be too short to be told by their looks.
	named = regexp.MustCompile(`(?i)((?:api[-_]?keys?|authorization)\\?["']?\s*[:=]\s*\\?["']?(?:bearer\s+)?|(bearer)\s+)` +
		`((?:[^\s"'\\;&<>{}]|\\/|\\u00[0-9a-f]{2})+)`)
	refresh = regexp.MustCompile(`[0-9A-Za-z+/_=-]{8,}\.[0-9A-Fa-f]{16,}\.V[0-9]`)
	// A session handle is a UUID, with the tenant's id behind it for all but the first tenant.
	uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(_[0-9a-z-]{1,64})?$`)
)

// ShortenTokens gives s with each secret in it cut to "head…tail": access
// tokens (JWTs, with either base64 alphabet), refresh tokens
// (base64.hex.V2), API keys and other long opaque values. It knows them also
// where JSON or a URL has escaped their '+', '/' and '='. Session handles and
// other UUIDs stay, since a reader needs them to find a session in a log.
//
// What it cuts, it cuts for good: shortening again changes nothing.
func ShortenTokens(s string) string {
	s = named.ReplaceAllStringFunc(s, shortenNamed)
	var b strings.Builder
	for i := 0; i < len(s); {
		end, plain := run(s, i)
		if end == i {
			b.WriteByte(s[i])
			i++
			continue
		}
		if secret(plain) {
			b.WriteString(shorten(plain))
		} else {
			b.WriteString(s[i:end])
		}
		i = end
	}
	return b.String()
}

const ellipsis = "…"

// shortenNamed gets a match of named.
func shortenNamed(m string) string {
	part := named.FindStringSubmatch(m)
	prefix, bearer, value := part[1], part[2], part[3]
	if bearer != "" && len(value) < minBearer && !strings.ContainsAny(value, "0123456789") {
		return m
	}
	pieces := strings.Split(value, ellipsis) // of a value shortened before
	for i, p := range pieces {
		if utf8.RuneCountInString(p) >= minNamed {
			pieces[i] = shorten(p)
		}
	}
	return prefix + strings.Join(pieces, ellipsis)
}

// shorten keeps an eighth of t at each end, at most 8 characters.
func shorten(t string) string {
	r := []rune(t)
	n := min(8, len(r)/8)
	return string(r[:n]) + ellipsis + string(r[len(r)-n:])
}

// run finds the longest stretch of token characters of s that starts at i: its
// end in s, and its text with escapes undone.
func run(s string, i int) (end int, plain string) {
	start, escaped := i, false
	var b strings.Builder
	for i < len(s) {
		c, n := unit(s[i:])
		if n == 0 {
			break
		}
		escaped = escaped || n > 1
		b.WriteByte(c)
		i += n
	}
	if !escaped {
		return i, s[start:i]
	}
	return i, b.String()
}

// unit reads one token character from the front of s and says how many bytes
// it took there; 0 when s does not start with one.
func unit(s string) (c byte, n int) {
	switch c := s[0]; {
	case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z',
		c == '+', c == '/', c == '=', c == '-', c == '_', c == '.':
		return c, 1
	case c == '\\':
		if strings.HasPrefix(s, `\/`) {
			return '/', 2
		}
		if len(s) >= 6 && strings.EqualFold(s[:4], `\u00`) {
			return special(s[4:6]), 6 * present(s[4:6])
		}
	case c == '%' && len(s) >= 3:
		return special(s[1:3]), 3 * present(s[1:3])
	}
	return 0, 0
}

// special is the token character with the hexadecimal code hex that JSON and
// URLs escape; 0 for any other.
func special(hex string) byte {
	switch strings.ToLower(hex) {
	case "2b":
		return '+'
	case "2f":
		return '/'
	case "3d":
		return '='
	case "2e":
		return '.'
	}
	return 0
}

func present(hex string) int {
	if special(hex) == 0 {
		return 0
	}
	return 1
}

// secret says whether a stretch of token characters looks like a token.
func secret(t string) bool {
	if len(t) < minJWT {
		return false
	}
	if i := strings.Index(t, "eyJ"); i >= 0 && len(t)-i >= minJWT {
		return true // "eyJ" is `{"` in base64: a JWT, or a part of one
	}
	if refresh.MatchString(t) {
		return true
	}
	for _, part := range strings.Split(t, ".") {
		if len(part) >= minMixed && mixed(part) {
			for _, seg := range strings.Split(part, "/") {
				if len(seg) >= minMixed/2 && mixed(seg) && !uuid.MatchString(seg) {
					return true
				}
			}
		}
		for _, seg := range strings.Split(part, "/") {
			if len(seg) >= minOpaque && lettersAndDigits(seg) && !uuid.MatchString(strings.TrimRight(seg, "=")) {
				return true
			}
		}
	}
	return false
}

func lettersAndDigits(s string) bool {
	return strings.ContainsAny(s, "0123456789") && strings.IndexFunc(s, letter) >= 0
}

// mixed says whether s has digits, capitals and small letters, as base64 of
// that length has and paths seldom do.
func mixed(s string) bool {
	return strings.ContainsAny(s, "0123456789") &&
		strings.IndexFunc(s, func(r rune) bool { return r >= 'A' && r <= 'Z' }) >= 0 &&
		strings.IndexFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' }) >= 0
}

func letter(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }
