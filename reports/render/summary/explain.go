package summary

import (
	"fmt"
	"sort"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// Pair is a name with its value.
type Pair struct{ Name, Value string }

// First is the violation that a check is shown by; nil when it has none.
func First(k *proof.Check) *proof.Violation {
	if len(k.Violations) == 0 {
		return nil
	}
	return &k.Violations[0]
}

// Broken says in how many trials a rule was broken; "" where that says nothing.
func Broken(k *proof.Check) string {
	switch {
	case len(k.Violations) > 0 && k.Trials > 1:
		return fmt.Sprintf("%s of %s trials", words.Count(len(k.Violations)), words.Count(k.Trials))
	default:
		return ""
	}
}

// mostText bounds what a core said, in characters: it may be of any length.
const mostText = 2000

// Why is a check's result in one line: want and got, or the reason.
func Why(k *proof.Check) string {
	v := First(k)
	if v == nil {
		return words.OneLine(words.Clip(k.Reason, mostText))
	}
	s := "want " + words.Clip(v.Expected, mostText) + ", got " + words.Clip(v.Got, mostText)
	if n := Broken(k); n != "" {
		s += " (in " + n + ")"
	}
	return words.OneLine(s)
}

// Commands are what a maintainer runs to see a failure again. A request can only
// be repeated where the core still runs: one that the harness started is gone.
func Commands(t *proof.Target, k *proof.Check) []Pair {
	var out []Pair
	v := First(k)
	alive := t.Kind == "url"
	if v != nil && v.Replay != "" && alive {
		out = append(out, Pair{"repeat the decisive request", words.OneLine(v.Replay)})
	}
	if k.Rerun != "" {
		name := "run this check again"
		if v != nil && v.Replay != "" && !alive {
			name = "run this check again on a new core (the one of this run is gone)"
		}
		out = append(out, Pair{name, words.OneLine(k.Rerun)})
	}
	return out
}

// Explain is what a maintainer needs to understand and repeat a result.
func Explain(t *proof.Target, k *proof.Check) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, words.Clean(words.Clip(value, mostText)))
		}
	}
	line("requirement", k.Requirement)
	line("source", k.Source)
	line("flag mode", ModeWord(k.FlagMode))
	if v := First(k); v != nil {
		line("want", v.Expected)
		line("got", v.Got)
	}
	line("reason", k.Reason)
	line("broken", Broken(k))
	for _, o := range Observations(k.Observations) {
		line(o.Name, o.Value)
	}
	for _, c := range Commands(t, k) {
		line(c.Name, c.Value)
	}
	return b.String()
}

// Observations sorts what a check noted, so that reports do not depend on the
// order of a map.
func Observations(m map[string]string) []Pair {
	out := make([]Pair, 0, len(m))
	for k, v := range m {
		out = append(out, Pair{words.OneLine(words.Clip(k, 1000)), words.OneLine(words.Clip(v, 1000))})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Sent is the first line of a request, and what was unusual in how it was sent.
func Sent(x proof.Exchange) string {
	line := words.OneLine(x.Method) + " " + words.OneLine(x.URL)
	var manner []string
	if x.Proto != "" {
		manner = append(manner, words.OneLine(x.Proto))
	}
	if x.Host != "" {
		manner = append(manner, "Host: "+words.OneLine(x.Host))
	}
	if x.Chunked {
		manner = append(manner, "body in chunks")
	}
	if x.Tag != "" {
		manner = append(manner, "X-Coreproof-Check: "+words.OneLine(x.Tag))
	}
	if len(manner) > 0 {
		line += "  (" + strings.Join(manner, ", ") + ")"
	}
	return line
}

// Exchanges writes requests and responses as a log does.
func Exchanges(list []proof.Exchange) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "> %s\n", Sent(x))
		if x.RequestBody != "" {
			fmt.Fprintf(&b, "> %s\n", words.Clean(words.Clip(x.RequestBody, 4000)))
		}
		if x.Error != "" {
			fmt.Fprintf(&b, "< no response: %s (%s)\n", words.OneLine(x.Error), words.Duration(x.Took))
			continue
		}
		fmt.Fprintf(&b, "< HTTP %d (%s)\n", x.Status, words.Duration(x.Took))
		if x.ResponseBody != "" {
			fmt.Fprintf(&b, "< %s\n", words.Clean(words.Clip(x.ResponseBody, 4000)))
		}
	}
	return b.String()
}
