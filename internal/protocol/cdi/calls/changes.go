package calls

import "strings"

// change is a way to spoil a value. Each is a line of sed too, so that a script
// does the same.
type change struct {
	do  func(string) string
	sed string
}

// Parts of tokens that nobody signed.
const (
	noneHeader  = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"                    // {"alg":"none","typ":"JWT"}
	alienClaims = "eyJzdWIiOiJhbGllbiIsImV4cCI6OTk5OTk5OTk5OSwiaWF0IjoxfQ" // {"sub":"alien","exp":9999999999,"iat":1}
)

var changes = map[string]change{
	"flip":      {flip, `s/A\(.\{19\}\)$/B\1/;t;s/.\(.\{19\}\)$/A\1/`},
	"cut":       {func(s string) string { return s[:max(0, len(s)-5)] }, `s/.\{0,5\}$//`},
	"two-parts": {twoParts, `s/^\([^.]*\.[^.]*\)\..*$/\1/`},
	"none":      {func(s string) string { return noneHeader + s[strings.IndexByte(s+".", '.'):] }, `s/^[^.]*/` + noneHeader + `/`},
	"alien":     {alien, `s/^\([^.]*\)\.[^.]*\./\1.` + alienClaims + `./`},
	"upper":     {strings.ToUpper, `y/abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKLMNOPQRSTUVWXYZ/`},
}

// flip changes one character 20 from the end.
func flip(s string) string {
	if len(s) < 20 {
		return s
	}
	b := []byte(s)
	if i := len(b) - 20; b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

func twoParts(s string) string {
	parts := strings.SplitN(s, ".", 3)
	if len(parts) < 3 {
		return s
	}
	return parts[0] + "." + parts[1]
}

func alien(s string) string {
	parts := strings.SplitN(s, ".", 3)
	if len(parts) < 3 {
		return s
	}
	return parts[0] + "." + alienClaims + "." + parts[2]
}
