package diff

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/coreproof/coreproof/internal/protocol/cdi/calls"
)

// Show prints a difference: the calls that lead to it, and the answers to the last
// one in two columns.
func (d *Difference) Show(w io.Writer) {
	last := d.Calls[len(d.Calls)-1]
	fmt.Fprintf(w, "DIFFERENT  %s, %s: %s\n", d.Pair.Name, last.Endpoint, d.Path)
	fmt.Fprintf(w, "sequence %d, %d of its %d calls; differed again in %d of %d replays\n\n", d.Sequence, len(d.Calls), d.Was, d.Again, d.Tries)
	for i := range d.Calls {
		fmt.Fprintf(w, "  %s\n", &d.Calls[i])
		if i < len(d.Calls)-1 && i < len(d.LeftAnswers) {
			fmt.Fprintf(w, "       both: %s\n", brief(d.LeftAnswers[i]))
		}
	}
	left, right := flat("", d.LeftAnswers[len(d.LeftAnswers)-1]), flat("", d.RightAnswers[len(d.RightAnswers)-1])
	names := slices.Sorted(maps.Keys(left))
	for n := range right {
		if _, ok := left[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	width := 8
	for _, n := range names {
		width = min(40, max(width, utf8.RuneCountInString(n)))
	}
	row := func(mark, name, l, r string) {
		fmt.Fprintf(w, "%s %s  %s  %s\n", mark, fit(tail(name, width), width), fit(l, column), strings.TrimRight(fit(r, column), " "))
	}
	fmt.Fprintln(w)
	row(" ", "", d.Pair.Left.Name, d.Pair.Right.Name)
	for _, n := range names {
		l, hasL := left[n]
		r, hasR := right[n]
		if !hasL {
			l = "(absent)"
		}
		if !hasR {
			r = "(absent)"
		}
		mark := " "
		// Moments that lie near each other are no difference.
		if l != r && (n == d.Path || strings.HasPrefix(n, d.Path+".") || strings.HasPrefix(n, d.Path+"[")) {
			mark = "≠"
		}
		row(mark, n, l, r)
	}
}

// column is the width of an answer's.
const column = 46

// tail keeps the end of a path: it tells more than the beginning.
func tail(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return "…" + string(r[len(r)-n+1:])
	}
	return s
}

func fit(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	if l := utf8.RuneCountInString(s); l <= n {
		return s + strings.Repeat(" ", n-l)
	}
	return string([]rune(s)[:n-1]) + "…"
}

// brief tells an answer in a few words.
func brief(v any) string {
	m, _ := v.(map[string]any)
	out := fmt.Sprintf("HTTP %v", m["status"])
	if body, ok := m["body"].(map[string]any); ok {
		if s, ok := body["status"].(string); ok {
			out += " " + s
		}
	}
	if t, ok := m["text"].(string); ok {
		out += " " + t
	}
	return out
}

// flat gives an answer as paths and values.
func flat(at string, v any) map[string]string {
	out := map[string]string{}
	switch x := v.(type) {
	case map[string]any:
		if len(x) == 0 {
			out[at] = "{}"
		}
		for k, e := range x {
			here := k
			if at != "" {
				here = at + "." + k
			}
			maps.Copy(out, flat(here, e))
		}
	case []any:
		if len(x) == 0 {
			out[at] = "[]"
		}
		for i, e := range x {
			maps.Copy(out, flat(fmt.Sprintf("%s[%d]", at, i), e))
		}
	default:
		out[at] = fmt.Sprint(x)
	}
	return out
}

// Script is the difference as a shell script for curl.
func (d *Difference) Script() string {
	last := d.Calls[len(d.Calls)-1]
	return calls.Script(d.Calls,
		fmt.Sprintf("Plays the %d calls after which %s and %s answered differently (%s, %s: %s).", len(d.Calls), d.Pair.Left.Name, d.Pair.Right.Name, d.Pair.Name, last.Endpoint, d.Path),
		"Give it the URLs of both cores.")
}
