// Package coreprooftest tries the conformance checks on a session core from a Go test of
// the core's own: each check in each version is a subtest, what the core lacks is a skip
// that says what, and the profiles that the core claims must hold whole. It links neither
// containers nor load generators nor database drivers.
//
//	func TestConformance(t *testing.T) {
//		on, off := startMyCore(t, true), startMyCore(t, false) // on one database
//		coreprooftest.Run(t, coreprooftest.Deployment{On: []string{on}, Off: []string{off}, Require: []string{"blacklisting"}})
//	}
package coreprooftest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/checks"
	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/machine"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/version"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// Deployment is cores that the test has started, all on one database. Only sessions that
// the checks make are touched; they are removed again.
type Deployment struct {
	// Name of the core in the proof and in failures; "core" when empty. Version is its own.
	Name, Version string
	// On are base URLs of cores whose access token blacklisting is on, Off of those whose
	// is off. Off may be empty for a core that speaks no CDI below 2.21: there each
	// request decides. Hosts must be this machine.
	On, Off []string
	// APIKey is sent with each request.
	APIKey string
	// AlwaysChecks: the core asks its database whatever the flag is.
	AlwaysChecks bool
	// CDI names versions to try whole; nil chooses by rule from those that the core speaks.
	CDI []string
	// Profiles and Checks choose what is tried; both nil is everything.
	Profiles, Checks []string
	// Require names profiles that must pass whole: a skipped check in one fails the test.
	Require []string
	// Seed of the randomness but user ids; 0 draws one, which a failure tells.
	Seed uint64
	// Scale multiplies the number of trials; 0 is 1.
	Scale float64
	// Out is a folder for the proof and its histories; "" keeps none.
	Out string
}

// Run tries the checks. The test fails where a rule is broken, where a check could not be
// tried or could not have failed, where a required profile does not pass whole, and where
// nothing was tried.
func Run(t *testing.T, d Deployment) {
	t.Helper()
	p, err := d.prove(t.Context())
	if err != nil {
		t.Fatalf("coreproof: %v", err)
	}
	report(t, p)
}

// prove tries the checks and gives the proof, judged.
func (d Deployment) prove(ctx context.Context) (*proof.Proof, error) {
	if d.Seed == 0 {
		d.Seed = rand.Uint64N(1_000_000) + 1
	}
	if d.Name == "" {
		d.Name = "core"
	}
	for _, name := range d.Require {
		if !slices.ContainsFunc(checks.All(), func(c conformance.Check) bool { return c.In(conformance.Profile(name)) }) {
			return nil, fmt.Errorf("there is no profile %q to require", name)
		}
	}
	target, err := dial(ctx, d)
	if err != nil {
		return nil, err
	}
	defer target.idle()
	on, err := target.Start(ctx, 0, cores.Settings{Flag: true})
	if err != nil {
		return nil, err
	}
	o := conformance.Options{
		Target: target, On: on, Checks: checks.All(), Seed: d.Seed, Scale: d.Scale,
		Select: conformance.Selection{IDs: d.Checks, Profiles: d.Profiles},
	}
	if len(d.Off) > 0 {
		if o.Off, err = target.Start(ctx, 0, cores.Settings{}); err != nil {
			return nil, err
		}
	}
	for _, v := range d.CDI {
		if !slices.Contains(target.spoken, v) {
			return nil, fmt.Errorf("the cores do not speak CDI %s but %s", v, strings.Join(target.spoken, ", "))
		}
		o.Stages = append(o.Stages, protocol.Stage{Version: v, Whole: true})
	}
	if d.Out != "" {
		o.HistoryPath = "histories/url"
		o.HistoryDir = filepath.Join(d.Out, "histories", "url")
	}
	p := &proof.Proof{
		Tool:    proof.Tool{Name: "coreproof", Version: version.String(), Commit: version.Commit(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH},
		Command: []string{"go", "test"}, Seed: d.Seed, Started: time.Now().UTC(), Machine: machine.Describe(), Require: d.Require,
	}
	row := proof.Target{Name: "url", Kind: "url", Core: proof.Server{Name: d.Name, Version: d.Version, URLsOn: d.On, URLsOff: d.Off}}
	row.Conformance, row.LeftBehind, err = conformance.Run(ctx, o)
	if err != nil && row.Conformance == nil {
		return nil, err
	}
	for _, k := range row.Conformance.Checks {
		if !slices.Contains(row.Core.Protocols, k.Protocol) {
			row.Core.Protocols = append(row.Core.Protocols, k.Protocol)
		}
	}
	if err != nil {
		p.Interrupted = err.Error()
	}
	p.Targets, p.Finished, p.Machine.LoadEnd = []proof.Target{row}, time.Now().UTC(), machine.Load()
	proof.Scrub(p)
	verdict.Derive(p)
	if d.Out != "" {
		if err := proof.Save(filepath.Join(d.Out, proof.FileName), p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// report makes a subtest of each check, then holds the test to what the verdict says.
func report(t *testing.T, p *proof.Proof) {
	t.Helper()
	c := p.Targets[0].Conformance
	tried := 0
	for i := range c.Checks {
		k := &c.Checks[i]
		t.Run(k.ID+"/"+strings.ReplaceAll(k.Protocol, " ", "_"), func(t *testing.T) {
			switch k.Outcome {
			case proof.Pass:
				tried++
			case proof.Skip:
				t.Skipf("%s: %s", k.Title, k.Reason)
			case proof.Fail:
				tried++
				if !verdict.Decides(c, k, p.Require) {
					t.Skipf("%s: broken, in an optional profile that is not required: %s", k.Title, describe(k))
				}
				t.Errorf("%s: %s", k.Title, describe(k))
			default:
				if !verdict.Decides(c, k, p.Require) {
					t.Skipf("%s: %s, in an optional profile that is not required: %s", k.Title, k.Outcome, k.Reason)
				}
				t.Errorf("%s: %s: %s", k.Title, k.Outcome, k.Reason)
			}
		})
	}
	for _, f := range p.Verdict.Findings {
		switch f.Weight {
		case proof.Fails, proof.Untried:
			t.Errorf("%s", f.Text)
		default:
			t.Logf("%s", f.Text)
		}
	}
	for _, x := range c.Profiles {
		t.Logf("profile %s: %s %s", x.Name, x.Outcome, x.Reason)
	}
	if left := p.Targets[0].LeftBehind; left != nil {
		t.Logf("left behind: %d sessions of %s: %s", left.Sessions, strings.Join(left.Users, ", "), left.Reason)
	}
	if p.Verdict.ExitCode != 0 && !t.Failed() {
		t.Errorf("%s", p.Verdict.Headline)
	}
	if tried == 0 && !t.Failed() {
		t.Error("nothing was tried: each check was skipped, or there was none")
	}
	t.Logf("%s (seed %d)", p.Verdict.Headline, p.Seed)
}

// describe tells a broken rule with what shows it.
func describe(k *proof.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)", k.Requirement, k.Source)
	if k.Reason != "" {
		b.WriteString("\n" + k.Reason)
	}
	for i, v := range k.Violations {
		if i == 3 {
			fmt.Fprintf(&b, "\nand %d more", len(k.Violations)-i)
			break
		}
		fmt.Fprintf(&b, "\ntrial %d: want %s, got %s", v.Trial, v.Expected, v.Got)
		if v.Replay != "" {
			b.WriteString("\n  " + v.Replay)
		}
	}
	return b.String()
}
