package render

import (
	"fmt"

	"github.com/coreproof/coreproof/reports/proof"
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
	Tone   tone
	Reason string
	Table  table
}

func newClaimsView(p *proof.Proof, l limits) claimsView {
	v := claimsView{Statements: table{Caption: "Exactly one statement with the check on, none with it off: exact counts",
		Head: []string{"Target", "Call", "Era", "Check", "Calls", "Statements", "Per call", "Required", "Held", "Counted by"}}}
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
			notes = added(notes, t.Name+": "+n)
		}
		if f.Space != nil {
			v.Spaces = append(v.Spaces, newSpaceView(t.Name, f.Space, l))
		}
	}
	v.Statements.Rows, v.Statements.Left = first(v.Statements.Rows, l.Rows)
	v.Notes = l.lines(notes)
	return v
}

func statementRow(target, source string, s proof.Statements, l limits) []cell {
	required, held := missing, text("only reported")
	if s.Expected != nil {
		required = figure(*s.Expected)
		switch {
		case s.Calls <= 0:
			held = toned("no calls were made", unsure)
		case s.Held():
			held = toned("yes", good)
		default:
			held = toned("no", bad)
		}
	}
	return []cell{text(l.text(target)), text(l.text(s.Operation)), text(eraWord(s.Era)), text(l.text(s.Flag)), numeric(count(s.Calls)), numeric(count(s.Count)),
		{Text: perCall(s), Number: true, Tone: onlyBad(held.Tone)}, numeric(required), held, text(l.text(source))}
}

func newSpaceView(target string, s *proof.Space, l limits) spaceView {
	v := spaceView{Target: l.text(target), Word: "no extra space", Tone: good, Reason: l.text(s.Reason)}
	if !s.Held {
		v.Word, v.Tone = "extra space", bad
	}
	same := func(equal bool) cell {
		if equal {
			return toned("same", good)
		}
		return toned("differs", bad)
	}
	sizes := toned(fmt.Sprintf("%s, %s %% allowed", growth(s), figure(s.Tolerance*100)), good)
	if !within(s) {
		sizes.Tone = bad
	}
	v.Table = table{Quiet: true, Caption: "The database after the same work, " + v.Target, Head: []string{"", "Check off", "Check on", "Comparison"}, Rows: [][]cell{
		{text("Schema (hash)"), text(l.text(s.SchemaOff)), text(l.text(s.SchemaOn)), same(s.SchemaOff == s.SchemaOn)},
		{text("Session rows"), numeric(count(s.RowsOff)), numeric(count(s.RowsOn)), same(s.RowsOff == s.RowsOn)},
		{text("Rows after revoking a part"), numeric(count(s.RevokedOff)), numeric(count(s.RevokedOn)), same(s.RevokedOff == s.RevokedOn)},
		{text("Tables and indexes, compacted"), numeric(size(s.BytesOff)), numeric(size(s.BytesOn)), sizes},
	}}
	return v
}

// within says whether the sizes differ by no more than the tolerance.
func within(s *proof.Space) bool {
	diff := float64(s.BytesOn - s.BytesOff)
	return diff <= s.Tolerance*float64(s.BytesOff) && -diff <= s.Tolerance*float64(s.BytesOff)
}
