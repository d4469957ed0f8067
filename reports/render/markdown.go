package render

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// Lines of the list of findings; with the rest, a report on one target stays
// within 15 lines.
const markdownFindings = 5

// Markdown writes a report that fits a pull-request comment, in GitHub's dialect.
func Markdown(w io.Writer, p *proof.Proof) error {
	s := summarise(p)
	var b strings.Builder
	fmt.Fprintf(&b, "### %s %s: %s\n", map[tone]string{good: "✅", bad: "❌", unsure: "⚠️"}[s.Tone], s.Word, markdownText(clip(s.Subject, 200)))
	fmt.Fprintf(&b, "%s\n", markdownText(s.Sentence))
	if len(p.Targets) > 0 {
		b.WriteString("\n| target | let in after logout | at most (95 %) | cost per call, ms | core CPU, µs | database CPU, µs | CPU on/off (floor) | statements off / on | space | checks |\n")
		b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
		for i := range p.Targets {
			markdownRows(&b, &p.Targets[i])
		}
	}
	if lines := markdownFindingLines(&s); len(lines) > 0 {
		b.WriteString("\n")
		for _, l := range lines {
			fmt.Fprintf(&b, "- %s\n", l)
		}
	}
	fmt.Fprintf(&b, "\n<sub>%s</sub>\n", markdownFoot(p))
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownRows(b *strings.Builder, t *proof.Target) {
	stale, bound, checks := "not tried", "–", "–"
	c := t.Conformance
	switch {
	case c == nil && t.Error != "":
		stale, checks = "–", "could not be tried"
	case c != nil:
		if c.Immediacy.Trials > 0 {
			stale = count(c.Immediacy.Accepted) + " of " + count(c.Immediacy.Trials)
			if c.Immediacy.Accepted > 0 {
				stale = "**" + stale + "**, up to " + duration(c.Immediacy.AcceptanceWindow)
			}
			bound = percent(c.Immediacy.UpperBound)
		}
		checks = tallyChecks(c).String()
	}
	rows := costRows(&proof.Proof{Targets: []proof.Target{*t}})
	for i, r := range rows {
		name := markdownText(r.Target)
		if len(rows) > 1 && r.Protocol != "" {
			name += ", " + markdownText(r.Protocol)
		}
		if i > 0 { // said in the row above
			stale, bound, checks = "", "", ""
		}
		cost, database, ratio := r.Cost.String(), r.Database.String(), "–"
		if r.Cost.Present && r.CostStands == noise {
			cost += ", noise"
		}
		if !r.Database.Present {
			database = "–"
			if r.DatabaseNote != "" {
				database = r.DatabaseNote
			}
		}
		if r.Ratio.Present {
			ratio = r.Ratio.Value
			if r.Floor.Interval {
				ratio += " (" + r.Floor.Low + " to " + r.Floor.High + ")"
			}
			if r.RatioStands == noise {
				ratio += ", noise"
			}
		}
		statements := r.Statements.Off + " / " + r.Statements.On
		if r.Statements.Tone == bad {
			statements = "**" + statements + "**"
		}
		space := r.Space.Short
		if r.Space.Tone == bad {
			space = "**" + space + "**"
		}
		cells := []string{name, stale, bound, cost, r.CoreExtra.String(), database, ratio, statements, space, checks}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

func markdownFindingLines(s *summary) []string {
	var lines []string
	if s.Edited != "" {
		lines = append(lines, "⚠️ "+markdownText(s.Edited))
	}
	for _, f := range s.Failures {
		lines = append(lines, "❌ "+markdownFinding(f))
	}
	for _, u := range s.Untried {
		lines = append(lines, "⚠️ "+markdownFinding(u))
	}
	for _, g := range s.Gaps {
		lines = append(lines, markdownFinding(g))
	}
	if shown, left := first(lines, markdownFindings-1); left > 1 {
		return append(shown[:len(shown):len(shown)], fmt.Sprintf("and %d more, see report.html", left))
	}
	return lines
}

func markdownFinding(s string) string { return markdownText(clip(oneLine(s), 240)) }

func markdownFoot(p *proof.Proof) string {
	parts := []string{strings.TrimSpace(p.Tool.Name + " " + p.Tool.Version), moment(p.Started), plural(p.Machine.CPUs, "CPU"),
		fmt.Sprintf("load %s to %s", number(p.Machine.LoadStart, 2), number(p.Machine.LoadEnd, 2)), "seed " + fmt.Sprint(p.Seed),
		"intervals are 95 %; core CPU is on − off per call; floor: both sides alike"}
	foot := markdownText(strings.Join(parts, " · "))
	notes, left := first(p.Notes, 3)
	for _, n := range notes {
		foot += " · **" + markdownText(clip(oneLine(n), 200)) + "**"
	}
	if left > 0 {
		foot += " · and " + plural(left, "note") + " more"
	}
	return foot
}

// What GitHub would take for markup or a reference to an issue. Parentheses are
// harmless without brackets before them.
var markdownMarkup = regexp.MustCompile("[\\\\`*_{}\\[\\]<>#|~!&]")

// A blank of no width keeps "@team" from calling a team and an address from
// becoming a link.
var markdownLinks = strings.NewReplacer("@", "@\u200b", "://", ":\u200b//", "www.", "www\u200b.")

// markdownText makes s stand in GitHub markdown as it is: no markup, no table
// borders, no mentions, no links.
func markdownText(s string) string {
	s = markdownMarkup.ReplaceAllStringFunc(oneLine(s), func(c string) string {
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
	return markdownLinks.Replace(s)
}
