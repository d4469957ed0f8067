package gate

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/prove"
	"github.com/coreproof/coreproof/reports/examples"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestKinds: what a caller names is told apart, and what cannot be is refused with a
// mend.
func TestKinds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	program, plain, saved := file("core", 0o755), file("notes.txt", 0o644), file("proof.json", 0o644)
	for _, c := range []struct{ text, build, want string }{
		{program, "", KindProgram},
		{program + " core --quiet", "", KindProgram},
		{saved, "", KindProof},
		{dir, "", KindProof},
		{"http://127.0.0.1:1,http://127.0.0.1:2", "", KindURL},
		{"acme/core:1.4", "", KindImage},
		{"localhost:5000/a/core@sha256:12ab", "", KindImage},
		{"ghcr.io/Acme/core", "", "no image is called so"},
		{"OLD", "", "a git revision needs --build"},
		{"no-such-revision~1", "", "a git revision needs --build"},
		{"main", "make OUT={out}", KindRevision},
		{"", "", "missing"},
		{plain, "", "no program and no proof"},
		{"./nowhere", "", "no such file"},
		{t.TempDir(), "", "a folder without proof.json"},
	} {
		got, err := Refs{Build: c.build}.kind(Ref{Flag: "--base", Text: c.text})
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
	if _, err := (Refs{Base: Ref{"--base", program, nil}, Head: Ref{"--head", "acme/core", nil}}).Saved(); err == nil || !strings.Contains(err.Error(), "an image: what") || !strings.Contains(err.Error(), "one kind") {
		t.Errorf("a program against an image: %v", err)
	}
	one := Refs{Base: Ref{"--base", "http://127.0.0.1:1", []int{4, 5}}, Head: Ref{"--head", "http://127.0.0.1:2", []int{5}}}
	if _, err := one.Saved(); err == nil || !strings.Contains(err.Error(), "both name 5") {
		t.Errorf("one process on both sides: %v", err)
	}
}

// TestRevisions are built in worktrees that are gone afterwards.
func TestRevisions(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.org"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Skipf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet")
	for i := range 2 {
		if err := os.WriteFile("core.sh", fmt.Appendf(nil, "#!/bin/sh\necho %d\n", i), 0o755); err != nil {
			t.Fatal(err)
		}
		git("add", "core.sh")
		git("commit", "--quiet", "-m", "x")
		if _, err := (Refs{}).kind(Ref{Flag: "--head", Text: "HEAD"}); err == nil || !strings.Contains(err.Error(), "say how its core is built, --build") {
			t.Errorf("a revision and no build: %v", err)
		}
	}
	refs := Refs{Base: Ref{Flag: "--base", Text: "HEAD~1"}, Head: Ref{Flag: "--head", Text: "HEAD"}, Build: "cp core.sh {out}"}
	pair, clean, err := refs.Pair(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if pair.Base.Side.Commit != git("rev-parse", "HEAD~1") || pair.Head.Side.Commit != git("rev-parse", "HEAD") {
		t.Errorf("commits %s and %s", pair.Base.Side.Commit, pair.Head.Side.Commit)
	}
	if err := clean(); err != nil {
		t.Error(err)
	}
	for build, want := range map[string]string{"false": "--build failed", "true {out}": "made no program"} {
		refs.Build = build
		if _, _, err := refs.Pair(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", build, err, want)
		}
	}
	refs.Build, refs.Head.Text = "cp core.sh {out}", "nowhere"
	if _, _, err := refs.Pair(t.Context()); err == nil || !strings.Contains(err.Error(), "no git revision") {
		t.Errorf("a revision that is not there: %v", err)
	}
	if left := git("worktree", "list"); strings.Count(left, "\n") != 0 {
		t.Errorf("worktrees are left:\n%s", left)
	}
	if err := CheckBuild("make"); err == nil {
		t.Error("a build command without {out} was taken")
	}
}

// TestPlan mixes floor rounds in, ends when all is decided, and stops in time.
func TestPlan(t *testing.T) {
	t.Parallel()
	limits, err := verdict.ParseGateLimits(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	g := &proof.Gate{Limits: limits, MinRounds: MinRounds, MaxRounds: MaxRounds, Protocols: 1}
	start := time.Now()
	for _, c := range []struct {
		name        string
		duet        examples.GateDuet
		each        time.Duration // of a round
		cost, floor int
		saturated   int
	}{
		{"decided early", examples.GateDuet{Rounds: 200, Sigma: 0.005}, time.Second, 6, 3, 4},
		{"never decided", examples.GateDuet{Rounds: 200, Sigma: 0.5}, time.Second, 75, 3, 0},
		{"out of time", examples.GateDuet{Rounds: 200, Sigma: 0.5}, 20 * time.Second, 7, 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bench := c.duet.Bench()
			var supply []proof.Round
			for _, r := range bench.Rounds {
				if r.Kind == proof.KindCost {
					supply = append(supply, r)
				}
			}
			now := start
			p := &plan{gate: g, design: bench.Design, cost: []int{0, 1, 2, 3}, floor: []int{0, 0, 2, 2}, floors: floorRounds, saturated: c.saturated, until: start.Add(3 * time.Minute), now: func() time.Time { return now }}
			var rounds []proof.Round
			made := map[string]int{}
			for {
				step, more := p.Next(rounds, nil)
				if !more {
					break
				}
				made[step.Kind]++
				now = now.Add(c.each)
				if step.Kind == proof.KindCost {
					rounds = append(rounds, supply[made[step.Kind]-1])
				} else {
					rounds = append(rounds, proof.Round{Kind: step.Kind})
				}
			}
			if made[proof.KindCost] != c.cost || made[proof.KindFloor] != c.floor || made[proof.KindSaturated] != c.saturated {
				t.Errorf("rounds = %v, want %d cost, %d floor, %d saturated", made, c.cost, c.floor, c.saturated)
			}
		})
	}
}

// TestSaved holds example proofs against each other, and refuses what it cannot use.
func TestSaved(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "testdata", "proofs")
	at := func(name string) string { return filepath.Join(folder, name+".json") }
	edited := filepath.Join(t.TempDir(), "edited.json")
	b, err := os.ReadFile(at("good"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(edited, []byte(strings.Replace(string(b), `"seed": 4242`, `"seed": 4243`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		base, head string
		want       proof.Outcome
		err        string
	}{
		{at("good"), at("good"), proof.Pass, ""},
		{at("good"), at("databases"), proof.Pass, ""},
		{at("databases"), at("good"), proof.Error, ""},
		{at("good"), at("incomplete"), "", "no target in common"},
		{at("good"), edited, "", "was changed after it was made"},
		{at("good"), at("interrupted"), "", "ended early"},
		{at("interrupted"), at("good"), "", "ended early"},
		{at("good"), at("gate"), "", "the proof of a gate"},
		{at("nowhere"), at("good"), "", "nowhere"},
	} {
		out := t.TempDir()
		p, err := Saved(prove.Options{Out: out, Stages: prove.Stages{Conform: true}}, Refs{Base: Ref{Flag: "--base", Text: c.base}, Head: Ref{Flag: "--head", Text: c.head}}, []proof.Limit{{Name: verdict.GateOnOff, Value: 0.1}}, false)
		switch {
		case err != nil:
			if c.err == "" || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s against %s: %v, want %q", c.head, c.base, err, c.err)
			}
		case c.err != "":
			t.Errorf("%s against %s: no error, want %q", c.head, c.base, c.err)
		default:
			if p.Verdict.Outcome != c.want {
				t.Errorf("%s against %s: %s: %s", c.head, c.base, p.Verdict.Outcome, p.Verdict.Headline)
			}
			for _, d := range verdict.Verify(p, os.DirFS(out)) {
				t.Errorf("%s against %s: %s", c.head, c.base, d)
			}
		}
	}
}
