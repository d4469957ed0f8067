package calls

import (
	"fmt"
	"strings"
)

// pick gives the sed expression that finds what an answer gives, in an answer without
// blanks.
var pickSed = map[string]string{
	Handle:  `s/.*"session":{[^}]*"handle":"\([^"]*\)".*/\1/p`,
	Access:  `s/.*"accessToken":{[^}]*"token":"\([^"]*\)".*/\1/p`,
	Refresh: `s/.*"refreshToken":{[^}]*"token":"\([^"]*\)".*/\1/p`,
	CSRF:    `s/.*"antiCsrfToken":"\([^"]*\)".*/\1/p`,
}

// Script writes a sequence as a shell script that plays it with curl on the cores whose
// URLs it is given, and prints each status and answer. It holds no credential: tokens
// are those that it obtains itself, an API key is taken from API_KEY.
func Script(list []Call, comment ...string) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, line := range comment {
		b.WriteString("# " + line + "\n")
	}
	b.WriteString(`# Usage: sh FILE URL [URL]    (API_KEY in the environment, if the cores ask for one)
set -u
[ $# -ge 1 ] || { echo "usage: sh $0 URL [URL]" >&2; exit 2; }
value() { printf %s "$answer" | tr -d ' \n\r\t' | sed -n "$1"; }
send() { # METHOD VERSION PATH [curl's arguments]
  method=$1 version=$2 path=$3; shift 3
  answer=$(curl -sS -X "$method" --path-as-is -H "cdi-version: $version" -H 'rid: session' ${API_KEY:+-H "api-key: $API_KEY"} -w '\n%{http_code}' "$@" "$base$path")
  status=$(printf '%s\n' "$answer" | tail -n 1) answer=$(printf '%s\n' "$answer" | sed '$d')
  printf 'HTTP %s %s\n' "$status" "$answer"
}
json() { method=$1 version=$2 path=$3; shift 3; send "$method" "$version" "$path" -H 'content-type: application/json; charset=utf-8' --data-binary "$@"; }

`)
	uses := map[string]bool{} // "3.access"
	for i := range list {
		for _, t := range list[i].texts() {
			for _, m := range reference.FindAllStringSubmatch(t, -1) {
				uses[m[1]] = true
			}
		}
	}
	b.WriteString("play() {\nbase=${1%/} run=script-$$-$2-\n")
	for i := range list {
		c := &list[i]
		fmt.Fprintf(&b, "\necho %s\n", shellQuote(c.String()))
		body, has := c.body()
		verb := "send"
		if has {
			verb = "json"
		}
		fmt.Fprintf(&b, "%s %s %s %s", verb, c.Method, shellQuote(c.Version), shellQuote(c.Path))
		if has {
			b.WriteString(" " + shellFill(body))
		}
		if c.Method == "OPTIONS" {
			b.WriteString(" --max-time 10")
		}
		if len(c.Query) > 0 {
			b.WriteString(" -G")
		}
		for _, f := range c.Query {
			b.WriteString(" --data-urlencode " + shellFill(f.Name+"="+f.Text))
		}
		b.WriteByte('\n')
		for _, what := range []string{Handle, Access, Refresh, CSRF} {
			if uses[fmt.Sprintf("%d.%s", c.ID, what)] {
				fmt.Fprintf(&b, "%s=$(value %s)\n", variable(c.ID, what), shellQuote(pickSed[what]))
			}
		}
	}
	b.WriteString(`}

n=0
for url in "$@"; do
  n=$((n + 1))
  echo "== $url"
  play "$url" "$n"
done
`)
	return b.String()
}

func variable(id any, what string) string { return fmt.Sprintf("v%v_%s", id, what) }

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// shellFill writes a template as a shell word.
func shellFill(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range reference.FindAllStringSubmatchIndex(s, -1) {
		if m[0] > at {
			b.WriteString(shellQuote(s[at:m[0]]))
		}
		at = m[1]
		name, change := s[m[2]:m[3]], ""
		if m[4] >= 0 {
			change = s[m[4]:m[5]]
		}
		switch {
		case name == "run":
			b.WriteString(`"$run"`)
		default:
			id, what, _ := strings.Cut(name, ".")
			v := "${" + variable(id, what) + ":-not-given-" + name + "}"
			if c, ok := changes[change]; ok {
				fmt.Fprintf(&b, `"$(printf '%%s\n' "%s" | sed -e %s)"`, v, shellQuote(strings.ReplaceAll(c.sed, ";t;", "\nt\n")))
			} else {
				b.WriteString(`"` + v + `"`)
			}
		}
	}
	if at < len(s) || s == "" {
		b.WriteString(shellQuote(s[at:]))
	}
	return b.String()
}
