package verdict_test

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestStatementsThatShowNothing: a count passes only where it could have failed: both
// sides were counted, by a counter that moves and never went back.
func TestStatementsThatShowNothing(t *testing.T) {
	t.Parallel()
	row := func(operation, flag string, count int64) proof.Statements {
		return proof.Statements{Operation: operation, Protocol: "CDI 5.4", Flag: flag, Calls: 200, Count: count}
	}
	verify := func(flag string, count int64) proof.Statements { return row(proof.OpVerify, flag, count) }
	unpromised := verify("on", 0)
	unpromised.Unpromised = "the protocol promises none"
	for _, tc := range []struct {
		name  string
		count []proof.Statements
		exit  int
		text  string
	}{
		{"both sides", []proof.Statements{verify("off", 0), row("revoke", "off", 200), verify("on", 200)}, 0, ""},
		{"both sides, nothing promised with the flag on", []proof.Statements{verify("off", 0), row("revoke", "off", 200), unpromised}, 0, ""},
		{"one too many", []proof.Statements{verify("off", 0), row("revoke", "off", 200), verify("on", 201)}, 1, "201 for 200 calls"},
		{"none with the flag on", []proof.Statements{verify("off", 0), row("revoke", "off", 200), verify("on", 0), row("revoke", "on", 200)}, 1, "0 for 200 calls"},
		{"it broke off after the flag-off side", []proof.Statements{verify("off", 0), row("revoke", "off", 200)}, 2, "flag on, CDI 5.4 were not counted"},
		{"it broke off after the first verify", []proof.Statements{verify("off", 0)}, 2, "a counter that does not move"},
		{"the flag-off side was not counted", []proof.Statements{verify("on", 200)}, 2, "flag off, CDI 5.4 were not counted"},
		{"a counter that never moves", []proof.Statements{verify("off", 0), row("revoke", "off", 0), verify("on", 0), row("revoke", "on", 0)}, 2, "a counter that does not move"},
		{"the flag-off side's does not move", []proof.Statements{verify("off", 0), row("revoke", "off", 0), verify("on", 200)}, 2, "a counter that does not move"},
		{"a counter that went back", []proof.Statements{verify("off", 0), row("revoke", "off", 200), verify("on", -200)}, 2, "the counter went back"},
		{"it went back where nothing is claimed", []proof.Statements{verify("off", 0), row("refresh", "off", -3), row("revoke", "off", 200), verify("on", 200)}, 2, "refresh, flag off: the counter went back"},
		{"no verify", []proof.Statements{row("revoke", "off", 200)}, 2, "of verify were not counted"},
		{"nothing", nil, 2, "no statements were counted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e, _ := examples.Named("good")
			p := e.Proof
			p.Targets = p.Targets[:1]
			p.Targets[0].Footprint.Statements = tc.count
			verdict.Derive(p)
			text := ""
			for _, f := range p.Verdict.Findings {
				if f.Kind == verdict.KindStatements {
					text += f.Text + "\n"
				}
			}
			if p.Verdict.ExitCode != tc.exit || !strings.Contains(text, tc.text) || tc.exit == 0 && text != "" {
				t.Errorf("exit %d, %q; want %d, %q", p.Verdict.ExitCode, text, tc.exit, tc.text)
			}
		})
	}
}
