package html

import (
	"fmt"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

// claimsView is the evidence for "exactly one statement" and "no extra space".
type claimsView struct {
	Statements table
	Spaces     []spaceView
	Notes      lines
}

// spaceView compares the database of one target with the flag on and off.
type spaceView struct {
	Target string
	Word   string
	Tone   summary.Tone
	Reason string
	Table  table
}

func newClaimsView(p *proof.Proof, l limits) claimsView {
	v := claimsView{Statements: table{Caption: "Exactly one statement with the flag on, none with it off: exact counts",
		Head: []string{"Target", "Call", "Protocol", "Flag", "Calls", "Statements", "Per call", "Required", "Held", "Counted by"}}}
	var notes []string
	for _, t := range p.Targets {
		f := t.Footprint
		if f == nil {
			continue
		}
		for _, s := range f.Statements {
			v.Statements.Rows = append(v.Statements.Rows, statementRow(t.Name, f.Source, s, l))
		}
		for _, n := range f.Notes {
			notes = append(notes, t.Name+": "+n)
		}
		if f.Space != nil {
			v.Spaces = append(v.Spaces, newSpaceView(t.Name, f.Space, l))
		}
	}
	v.Statements.Rows, v.Statements.Left = words.First(v.Statements.Rows, l.Rows)
	v.Notes = l.lines(notes)
	return v
}

func statementRow(target, source string, s proof.Statements, l limits) []cell {
	required, held := summary.Missing, text("only reported")
	if s.Expected != nil {
		required = words.Figure(*s.Expected)
	}
	switch s.Outcome {
	case "":
	case proof.Pass:
		held = toned("yes", summary.Good)
	case proof.Fail:
		held = toned("no", summary.Bad)
	default:
		held = toned(l.text(s.Reason), summary.Unsure)
	}
	return []cell{text(l.text(target)), text(l.text(s.Operation)), text(l.text(s.Protocol)), text(l.text(s.Flag)), numeric(words.Count(s.Calls)), numeric(words.Count(s.Count)),
		{Text: summary.PerCall(s), Number: true, Tone: summary.OnlyBad(held.Tone)}, numeric(required), held, text(l.text(source))}
}

func newSpaceView(target string, s *proof.Space, l limits) spaceView {
	v := spaceView{Target: l.text(target), Word: "no extra space", Tone: summary.Good, Reason: l.text(s.Reason)}
	switch s.Outcome {
	case proof.Pass:
	case proof.Fail:
		v.Word, v.Tone = "extra space", summary.Bad
	default:
		v.Word, v.Tone = "not shown", summary.Unsure
	}
	same := func(equal bool) cell {
		if equal {
			return toned("same", summary.Good)
		}
		return toned("differs", summary.Bad)
	}
	sizes := toned(fmt.Sprintf("%s, %s %% allowed", summary.Growth(s), words.Figure(s.Tolerance*100)), summary.Good)
	if !within(s) {
		sizes.Tone = summary.Bad
	}
	v.Table = table{Quiet: true, Caption: "The database after the same work, " + v.Target, Head: []string{"", "Flag off", "Flag on", "Comparison"}, Rows: [][]cell{
		{text("Schema (hash)"), text(l.text(s.SchemaOff)), text(l.text(s.SchemaOn)), same(s.SchemaOff == s.SchemaOn)},
		{text("Session rows"), numeric(words.Count(s.RowsOff)), numeric(words.Count(s.RowsOn)), same(s.RowsOff == s.RowsOn)},
		{text("Rows after revoking a part"), numeric(words.Count(s.RevokedOff)), numeric(words.Count(s.RevokedOn)), same(s.RevokedOff == s.RevokedOn)},
		{text("Tables and indexes, compacted"), numeric(words.Size(s.BytesOff)), numeric(words.Size(s.BytesOn)), sizes},
	}}
	return v
}

// within says whether the sizes differ by no more than the tolerance.
func within(s *proof.Space) bool {
	diff := float64(s.BytesOn - s.BytesOff)
	return diff <= s.Tolerance*float64(s.BytesOff) && -diff <= s.Tolerance*float64(s.BytesOff)
}
