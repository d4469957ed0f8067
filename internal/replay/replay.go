// Package replay writes exchanges as command lines that repeat them.
package replay

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// Shell variables that stand for credentials.
const (
	Access   = "ACCESS_TOKEN"
	Refresh  = "REFRESH_TOKEN"
	AntiCSRF = "ANTI_CSRF_TOKEN"
)

// Secret is a credential and the variable that stands for it.
type Secret struct{ Value, Variable string }

// Line is a command line that repeats an exchange. Credentials are shell variables in
// it, and it says how to come by them.
func Line(e protocol.Exchange, known []Secret) string {
	secrets := slices.Clone(known)
	// The longest first: one may be a part of another.
	slices.SortStableFunc(secrets, func(a, b Secret) int { return len(b.Value) - len(a.Value) })
	var used []string
	word := func(s string) string {
		for _, k := range secrets {
			mark := "\x00" + k.Variable + "\x00"
			if t := strings.ReplaceAll(s, k.Value, mark); t != s {
				s = t
				if !slices.Contains(used, k.Variable) {
					used = append(used, k.Variable)
				}
			}
		}
		return quote(proof.ShortenTokens(s))
	}
	var b strings.Builder
	switch e.Method {
	case protocol.Local:
		return "# no request was sent: the token was verified with the keys at " + e.URL
	case protocol.Piped:
		b.WriteString("printf '%s\\n' " + word(e.RequestBody) + " | " + e.URL)
	default:
		b.WriteString(httpCall(e, word))
	}
	if len(used) > 0 {
		slices.Sort(used)
		for i, u := range used {
			used[i] = "$" + u
		}
		b.WriteString("  # set " + strings.Join(used, " and ") + " from the answers to the exchanges above, made anew in their order")
	}
	return b.String()
}

// httpCall is an exchange over HTTP as a command line: all that went over the wire, and
// nothing that curl would add of its own accord.
func httpCall(e protocol.Exchange, word func(string) string) string {
	var b strings.Builder
	b.WriteString("curl -sS -X " + e.Method)
	switch {
	case e.Proto == "HTTP/1.0":
		b.WriteString(" --http1.0")
	case strings.HasPrefix(e.URL, "https:"): // where curl would offer HTTP/2
		b.WriteString(" --http1.1")
	}
	if e.Host != "" {
		b.WriteString(" -H " + word("Host: "+e.Host))
	}
	if e.Chunked {
		b.WriteString(" -H 'Transfer-Encoding: chunked'")
	}
	names := make([]string, 0, len(e.RequestHeader))
	for name := range e.RequestHeader {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch strings.ToLower(name) {
		case "user-agent":
			b.WriteString(" -A " + word(e.RequestHeader.Get(name)))
		case "api-key", "authorization":
			switch scheme, _, _ := strings.Cut(e.RequestHeader.Get(name), " "); scheme {
			case "Basic": // RFC 7617
				b.WriteString(` -u "$CLIENT_ID:$CLIENT_SECRET"`)
			case "Bearer": // RFC 6750
				b.WriteString(` -H "authorization: Bearer $API_KEY"`)
			default:
				b.WriteString(` -H "` + strings.ToLower(name) + `: $API_KEY"`)
			}
		default:
			b.WriteString(" -H " + word(strings.ToLower(name)+": "+e.RequestHeader.Get(name)))
		}
	}
	if e.RequestHeader.Get("Accept") == "" {
		b.WriteString(" -H 'accept:'")
	}
	if e.RequestBody != "" {
		b.WriteString(" --data-binary " + word(e.RequestBody))
	}
	b.WriteString(" " + word(e.URL))
	return b.String()
}

// blanks are so many in a row that a line would be too long to be read.
var blanks = regexp.MustCompile(" {256,}")

// quote makes s one word of a POSIX shell; marked variables are expanded, and what is
// long for its length alone is made by the shell.
func quote(s string) string {
	s = "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	for _, v := range []string{Access, Refresh, AntiCSRF} {
		s = strings.ReplaceAll(s, "\x00"+v+"\x00", `'"$`+v+`"'`)
	}
	return blanks.ReplaceAllStringFunc(s, func(b string) string { return fmt.Sprintf(`'"$(printf '%%%ds' '')"'`, len(b)) })
}
