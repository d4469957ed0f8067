package verdict

import (
	"fmt"

	"github.com/coreproof/coreproof/reports/proof"
)

// spaceTolerance is how far the sizes of two databases after the same work may
// differ: pages fill differently.
const spaceTolerance = 0.05

func deriveFootprint(f *proof.Footprint) {
	moved := map[string]bool{} // by flag: each side may have a counter of its own
	for _, s := range f.Statements {
		moved[s.Flag] = moved[s.Flag] || s.Count > 0
	}
	for i := range f.Statements {
		s := &f.Statements[i]
		want, claimed := expected(s)
		if claimed {
			s.Expected = &want
		}
		switch {
		case s.Count < 0:
			s.Outcome, s.Reason = proof.Error, "the counter went back: was the server started anew, or its statistics reset?"
		case !claimed:
		case s.Calls <= 0:
			s.Outcome, s.Reason = proof.Vacuous, "no calls were made"
		case s.Count == 0 && !moved[s.Flag]:
			s.Outcome, s.Reason = proof.Vacuous, fmt.Sprintf("with the flag %s not one statement was counted of any call, not even of one that writes: a counter that does not move shows nothing", s.Flag)
		case float64(s.Count) == want*float64(s.Calls):
			s.Outcome = proof.Pass
		default:
			s.Outcome = proof.Fail
		}
	}
	if f.Space != nil {
		f.Space.Tolerance = spaceTolerance
		f.Space.Outcome, f.Space.Reason = space(f.Space)
	}
}

// Uncounted names, in one line each, the verifies whose statements were not counted
// though those of their counterpart were: one side alone shows no difference.
func Uncounted(f *proof.Footprint) (lines []string) {
	if f == nil {
		return nil
	}
	var protocols []string
	counted := map[[2]string]bool{}
	for _, s := range f.Statements {
		if s.Operation == proof.OpVerify {
			protocols = once(protocols, s.Protocol)
			counted[[2]string{s.Protocol, s.Flag}] = true
		}
	}
	if len(f.Statements) == 0 {
		return []string{"no statements were counted"}
	}
	if len(protocols) == 0 {
		return []string{"statements of verify were not counted"}
	}
	for _, p := range protocols {
		for _, flag := range []string{off, on} {
			if !counted[[2]string{p, flag}] {
				lines = append(lines, fmt.Sprintf("statements of verify, flag %s, %s were not counted", flag, p))
			}
		}
	}
	return lines
}

// expected is the claim about statements: a verify asks the database exactly
// once with the flag on and not at all with it off. Everything else is reported.
func expected(s *proof.Statements) (perCall float64, claimed bool) {
	if s.Operation != proof.OpVerify || s.Unpromised != "" {
		return 0, false
	}
	switch s.Flag {
	case "on":
		return 1, true
	case "off":
		return 0, true
	}
	return 0, false
}

// space says whether the flag took no space.
func space(s *proof.Space) (proof.Outcome, string) {
	switch diff := float64(s.BytesOn-s.BytesOff) / float64(max(s.BytesOff, 1)); {
	case s.SchemaOn != s.SchemaOff:
		return proof.Fail, fmt.Sprintf("the schema differs: %s with the flag on, %s with it off", s.SchemaOn, s.SchemaOff)
	case s.RowsOn != s.RowsOff:
		return proof.Fail, fmt.Sprintf("%d session rows with the flag on, %d with it off", s.RowsOn, s.RowsOff)
	case s.RevokedOn != s.RevokedOff:
		return proof.Fail, fmt.Sprintf("after the same revokes %d session rows with the flag on, %d with it off", s.RevokedOn, s.RevokedOff)
	case diff > spaceTolerance || diff < -spaceTolerance:
		return proof.Fail, fmt.Sprintf("%d bytes with the flag on, %d with it off: %+.1f %%", s.BytesOn, s.BytesOff, 100*diff)
	case s.SchemaOff == "":
		return proof.Vacuous, "no schema was seen: the comparison could not have failed"
	case s.RowsOff <= 0 || s.BytesOff <= 0:
		return proof.Vacuous, "no session row was seen: the comparison could not have failed"
	case s.RevokedOff >= s.RowsOff:
		return proof.Vacuous, "the revokes left every row: the comparison could not have failed"
	}
	return proof.Pass, ""
}
