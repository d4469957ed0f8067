// Package calls makes and plays sequences of CDI calls: valid ones, borderline ones
// and malformed ones, in every version. A call names what earlier answers gave
// ("the access token of call 3"), so that one sequence can be played on any core,
// and answers of two cores can be compared after each core's own ids, tokens and
// times have been renamed.
package calls

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Field is one named value of a call. In a body the text is JSON, in a query it is
// plain; in both, {{3.access}} stands for what the answer to call 3 gave, and
// {{3.access|flip}} for that with a change (see changes). {{run}} is a word of the
// play's own.
type Field struct{ Name, Text string }

// Call is one request of a sequence.
type Call struct {
	// ID is what later calls name it by; it stays when other calls are taken out.
	ID int
	// Endpoint is its name in coverage, e.g. "verify".
	Endpoint string
	// Version is the value of cdi-version, Home the version that it is counted for.
	Version, Home string
	Method, Path  string
	Query         []Field
	// Body is sent as an object of these members; nil sends no body. Raw replaces it.
	Body []Field
	Raw  *string
	// Fault says what is wrong with it, "" when nothing is.
	Fault string
	// Instance is which core of a side is called, modulo their number.
	Instance int
}

// Names of what an answer gives to later calls.
const (
	Handle  = "handle"
	Access  = "access"
	Refresh = "refresh"
	CSRF    = "csrf"
)

var reference = regexp.MustCompile(`\{\{([a-z0-9.]+)(?:\|([a-z-]+))?\}\}`)

// ref is the placeholder for what call id gave.
func ref(id int, what string) string { return fmt.Sprintf("{{%d.%s}}", id, what) }

// changed is a placeholder whose value is changed on its way.
func changed(placeholder, change string) string {
	return strings.TrimSuffix(placeholder, "}}") + "|" + change + "}}"
}

// texts are all texts of a call that may hold placeholders.
func (c *Call) texts() []string {
	var out []string
	for _, f := range c.Query {
		out = append(out, f.Text)
	}
	for _, f := range c.Body {
		out = append(out, f.Text)
	}
	if c.Raw != nil {
		out = append(out, *c.Raw)
	}
	return out
}

// Needs are the ids of the calls whose answers this one takes values from.
func (c *Call) Needs() []int {
	var ids []int
	for _, t := range c.texts() {
		for _, m := range reference.FindAllStringSubmatch(t, -1) {
			id, _, dotted := strings.Cut(m[1], ".")
			if n, err := strconv.Atoi(id); dotted && err == nil && !slices.Contains(ids, n) {
				ids = append(ids, n)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// ByChance says whether the text of a refusal hangs on random bytes: a refresh token that
// is given for an access token is no base64, no JSON or no object as it happens. Of such a
// call the text is not compared.
func (c *Call) ByChance() bool {
	return (c.Endpoint == "verify" || c.Endpoint == "regenerate") &&
		slices.ContainsFunc(c.texts(), func(t string) bool { return strings.Contains(t, "."+Refresh+"}}") })
}

// Redirected takes from call to what c takes from call from.
func (c *Call) Redirected(from, to int) Call {
	n := *c
	n.Query, n.Body = slices.Clone(c.Query), slices.Clone(c.Body)
	change := func(s string) string {
		return strings.ReplaceAll(s, fmt.Sprintf("{{%d.", from), fmt.Sprintf("{{%d.", to))
	}
	for i := range n.Query {
		n.Query[i].Text = change(n.Query[i].Text)
	}
	for i := range n.Body {
		n.Body[i].Text = change(n.Body[i].Text)
	}
	return n
}

// body is the template of what is sent, and whether anything is.
func (c *Call) body() (string, bool) {
	if c.Raw != nil {
		return *c.Raw, true
	}
	if c.Body == nil {
		return "", false
	}
	var b strings.Builder
	b.WriteByte('{')
	for i, f := range c.Body {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(f.Name))
		b.WriteByte(':')
		b.WriteString(f.Text)
	}
	b.WriteByte('}')
	return b.String(), true
}

// String tells the call in one line, with names instead of values.
func (c *Call) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d. CDI %s  %s %s", c.ID, c.Version, c.Method, c.Path)
	for i, f := range c.Query {
		sep := "&"
		if i == 0 {
			sep = "?"
		}
		fmt.Fprintf(&b, "%s%s=%s", sep, f.Name, f.Text)
	}
	if body, ok := c.body(); ok {
		b.WriteString("  " + body)
	}
	if c.Fault != "" {
		fmt.Fprintf(&b, "  (%s)", c.Fault)
	}
	return b.String()
}

// Simpler gives calls that say less than c, the simplest first, for shrinking.
// common is the version that other calls of the sequence speak.
func (c *Call) Simpler(common string) []Call {
	var out []Call
	add := func(change func(*Call)) {
		n := *c
		n.Query, n.Body = slices.Clone(c.Query), slices.Clone(c.Body)
		change(&n)
		out = append(out, n)
	}
	if c.Version != common && c.Version == c.Home {
		add(func(n *Call) { n.Version, n.Home = common, common })
	}
	if e := endpointOf(c.Endpoint); e != nil && c.Path != e.path && c.Fault == "" {
		add(func(n *Call) { n.Path = e.path })
	}
	if len(c.Query) > 1 {
		add(func(n *Call) { n.Query = n.Query[:1] })
	}
	if c.Instance != 0 {
		add(func(n *Call) { n.Instance = 0 })
	}
	e := endpointOf(c.Endpoint)
	for i, f := range c.Body {
		if e != nil && (f.Name == extraField || slices.ContainsFunc(e.body, func(x field) bool { return x.name == f.Name && !x.must(c.Version) })) {
			add(func(n *Call) { n.Body = slices.Delete(n.Body, i, i+1) })
		}
		switch {
		case strings.HasPrefix(f.Text, "{") && f.Text != "{}" && !strings.HasPrefix(f.Text, "{{"):
			add(func(n *Call) { n.Body[i].Text = "{}" })
		case f.Text == "true" && f.Name == "enableAntiCsrf", f.Text == "true" && f.Name == "doAntiCsrfCheck":
			add(func(n *Call) { n.Body[i].Text = "false" })
		case strings.HasPrefix(f.Text, "[") && strings.Count(f.Text, ",") > 0:
			first, rest, _ := strings.Cut(f.Text, ",")
			add(func(n *Call) { n.Body[i].Text = first + "]" })
			add(func(n *Call) { n.Body[i].Text = "[" + rest })
		}
	}
	return out
}
