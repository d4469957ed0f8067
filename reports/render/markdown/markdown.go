// Package markdown shows a proof on at most 15 lines, for a pull request.
package markdown

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

const (
	// mostFindings is how many lines the list of findings may take; with the rest,
	// a report on one target stays within 15 lines.
	mostFindings = 5
	// mostText bounds one of them.
	mostText = 500
)

// Render writes a report that fits a pull-request comment, in GitHub's dialect.
func Render(w io.Writer, given *proof.Proof) error {
	s := summary.Of(given)
	p := s.Proof
	var b strings.Builder
	fmt.Fprintf(&b, "### %s %s: %s\n", map[summary.Tone]string{summary.Good: "✅", summary.Bad: "❌", summary.Unsure: "⚠️"}[s.Tone], s.Word, text(words.Clip(s.Subject, 200)))
	fmt.Fprintf(&b, "%s\n", text(s.Headline))
	if p.Gate != nil {
		gate(&b, p)
	} else if len(p.Targets) > 0 {
		b.WriteString("\n| target | accepted after logout | at most (95 %) | core CPU, µs | database CPU, µs | core CPU on/off, noise floor | with database | median, ms | statements off / on | space | checks |\n")
		b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
		for i := range p.Targets {
			rows(&b, s, &p.Targets[i])
		}
	}
	if lines := findings(s); len(lines) > 0 {
		b.WriteString("\n")
		for _, l := range lines {
			fmt.Fprintf(&b, "- %s\n", l)
		}
	}
	fmt.Fprintf(&b, "\n<sub>%s</sub>\n", foot(p))
	_, err := io.WriteString(w, b.String())
	return err
}

func rows(b *strings.Builder, s *summary.Summary, t *proof.Target) {
	accepted, bound, checks := "not tried", summary.Missing, summary.Missing
	c := t.Conformance
	switch {
	case c == nil && t.Error != "":
		accepted, checks = summary.Missing, "could not be tried"
	case c != nil:
		if m := c.Immediacy; m.Revokes > 0 {
			accepted = words.Count(m.Broken) + " of " + words.Count(m.Revokes)
			if m.Broken > 0 || m.Accepted > 0 {
				accepted = "**" + accepted + "**, up to " + words.Duration(m.AcceptanceWindow)
			}
			bound = words.Percent(m.UpperBound)
		}
		checks = s.Tally(c).String()
	}
	list := summary.CostRows(&proof.Proof{Targets: []proof.Target{*t}})
	for i, r := range list {
		name := text(r.Target)
		if len(list) > 1 && r.Protocol != "" {
			name += ", " + text(r.Protocol)
		}
		if i > 0 { // said in the row above
			accepted, bound, checks = "", "", ""
		}
		cells := []string{name, accepted, bound, plain(r.CoreExtra, summary.ClearOf), plain(r.Database, summary.ClearOf), ratio(r), plain(r.TotalRatio, summary.ClearOf),
			plain(r.Cost, r.CostStands), bold(r.Statements.Off+" / "+r.Statements.On, r.Statements.Tone), bold(r.Space.Short, r.Space.Tone), checks}
		if !r.Database.Present && r.DatabaseNote != "" {
			cells[4] = r.DatabaseNote
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

func plain(m summary.Measured, s summary.Standing) string {
	if !m.Present {
		return summary.Missing
	}
	if s.Mark() != "" {
		return m.String() + ", " + s.Mark()
	}
	return m.String()
}

// ratio stands beside its floor.
func ratio(r summary.CostRow) string {
	if !r.Ratio.Present {
		return summary.Missing
	}
	out := r.Ratio.String()
	if r.Floor.Interval {
		out += ", floor " + r.Floor.Bounds()
	}
	if r.RatioStands.Mark() != "" {
		out += ", " + r.RatioStands.Mark()
	}
	return out
}

func bold(s string, n summary.Tone) string {
	if n == summary.Bad {
		return "**" + s + "**"
	}
	return s
}

func findings(s *summary.Summary) []string {
	var lines []string
	add := func(mark string, list []string) {
		for _, l := range list {
			lines = append(lines, mark+text(words.Clip(words.OneLine(l), mostText)))
		}
	}
	if s.Edited != "" {
		lines = append(lines, "⚠️ "+text(s.Edited))
	}
	if s.Proof.Gate == nil { // else the table says so
		add("❌ ", s.Failures)
	}
	add("⚠️ ", s.Untried)
	add("", s.ToKnow)
	most := mostFindings
	if s.Proof.Gate != nil {
		most = mostBesideGate
	}
	if shown, left := words.First(lines, most-1); left > 1 {
		return append(shown[:len(shown):len(shown)], fmt.Sprintf("and %d more, see report.html", left))
	}
	return lines
}

func foot(p *proof.Proof) string {
	parts := []string{strings.TrimSpace(p.Tool.Name + " " + p.Tool.Version), words.Moment(p.Started), words.Plural(p.Machine.CPUs, "CPU"),
		fmt.Sprintf("load %s to %s", words.Number(p.Machine.LoadStart, 2), words.Number(p.Machine.LoadEnd, 2)), "seed " + fmt.Sprint(p.Seed),
		"intervals are 95 %; CPU and median are on − off per verify; floor: both sides alike"}
	foot := text(strings.Join(parts, " · "))
	notes, left := words.First(p.Notes, 3)
	for _, n := range notes {
		foot += " · **" + text(words.Clip(words.OneLine(n), 200)) + "**"
	}
	if left > 0 {
		foot += " · and " + words.Plural(left, "note") + " more"
	}
	return foot
}

// What GitHub would take for markup or a reference to an issue. Parentheses are
// harmless without brackets before them.
var markup = regexp.MustCompile("[\\\\`*_{}\\[\\]<>#|~!&]")

// A blank of no width keeps "@team" from calling a team and an address from
// becoming a link.
var links = strings.NewReplacer("@", "@\u200b", "://", ":\u200b//", "www.", "www\u200b.")

// text makes s stand in GitHub markdown as it is: no markup, no table
// borders, no mentions, no links.
func text(s string) string {
	s = markup.ReplaceAllStringFunc(words.OneLine(s), func(c string) string {
		switch c {
		case "<":
			return "&lt;"
		case ">":
			return "&gt;"
		case "&":
			return "&amp;"
		default:
			return `\` + c
		}
	})
	return links.Replace(s)
}
