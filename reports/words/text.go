package words

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text that a core or its database wrote safe to show: control
// characters, which could move a terminal's cursor or end a line of a protocol,
// and marks that turn the direction of writing become visible. Line breaks and
// tabs stay.
func Clean(s string) string {
	if strings.IndexFunc(s, unsafeRune) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case !unsafeRune(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func unsafeRune(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
		return true
	case r == 0xFFFE, r == 0xFFFF:
		return true // no characters of XML
	}
	return false
}

// OneLine is clean with all white space, line breaks too, as single blanks.
func OneLine(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }

// Clip cuts s after n characters and says how many are missing.
func Clip(s string, n int) string {
	if len(s) <= n { // bytes bound characters
		return s
	}
	kept := 0
	for i := range s {
		if kept == n {
			return s[:i] + fmt.Sprintf("… (%d more characters)", utf8.RuneCountInString(s[i:]))
		}
		kept++
	}
	return s
}

// Cut is clip for lines of a fixed width: n characters at most, "…" included.
func Cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:max(0, n-1)]) + "…"
	}
	return s
}

// Wrap breaks s at blanks into lines of at most width characters; a longer word
// has a line of its own.
func Wrap(s string, width int) []string {
	var lines []string
	line, n := "", 0
	for _, word := range strings.Fields(s) {
		k := utf8.RuneCountInString(word)
		switch {
		case n == 0:
			line, n = word, k
		case n+1+k <= width:
			line, n = line+" "+word, n+1+k
		default:
			lines = append(lines, line)
			line, n = word, k
		}
	}
	return append(lines, line)
}

// Pad fills s with blanks to width characters.
func Pad(s string, width int) string {
	if n := utf8.RuneCountInString(s); n < width {
		return s + strings.Repeat(" ", width-n)
	}
	return s
}

// First gives the first n of list and how many are left out.
func First[T any](list []T, n int) (shown []T, left int) {
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}
