package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/coreproof/coreproof/internal/machine"
	"github.com/coreproof/coreproof/internal/prove"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// Saved holds two saved proofs against each other. Nothing is measured: CPU per call
// of two runs is not comparable, so only counts, profiles and on/off ratios are.
func Saved(o prove.Options, refs Refs, limits []proof.Limit, strict bool) (*proof.Proof, error) {
	base, err := loadWhole(refs.Base)
	if err != nil {
		return nil, err
	}
	head, err := loadWhole(refs.Head)
	if err != nil {
		return nil, err
	}
	for _, f := range []Ref{refs.Base, refs.Head} {
		if holds(o.Out, f) {
			return nil, fmt.Errorf("%w: --out %s holds the proof of %s %s, which the gate's would replace: name another folder, e.g. --out %s-gate", prove.ErrUnusable, o.Out, f.Flag, f.Text, filepath.Clean(o.Out))
		}
	}
	g := &proof.Gate{Saved: true, Strict: strict, Limits: limits, Conform: o.Stages.Conform, Statements: true,
		Base: proof.GateSide{Ref: refs.Base.Text, Kind: KindProof, Targets: []string{}, Machine: &base.Machine},
		Head: proof.GateSide{Ref: refs.Head.Text, Kind: KindProof, Targets: []string{}, Machine: &head.Machine}}
	p := &proof.Proof{Tool: o.Tool, Command: o.Command, Seed: o.Seed, Started: time.Now().UTC(), Machine: machine.Describe(), Require: o.Require, Gate: g, Targets: []proof.Target{}}
	for _, h := range head.Targets {
		i := slices.IndexFunc(base.Targets, func(b proof.Target) bool { return b.Name == h.Name })
		if i < 0 {
			p.Notes = append(p.Notes, fmt.Sprintf("%s is in head's proof alone, and is held against nothing", h.Name))
			continue
		}
		b := base.Targets[i]
		b.Name, h.Name = "base/"+b.Name, "head/"+h.Name
		p.Targets = append(p.Targets, elsewhere(b), elsewhere(h))
		g.Base.Targets, g.Head.Targets = append(g.Base.Targets, b.Name), append(g.Head.Targets, h.Name)
	}
	for _, b := range base.Targets {
		if name := "base/" + b.Name; len(g.Head.Targets) > 0 && !slices.Contains(g.Base.Targets, name) {
			b.Name = name
			p.Targets, g.Base.Targets = append(p.Targets, elsewhere(b)), append(g.Base.Targets, name)
		}
	}
	if len(g.Head.Targets) == 0 {
		return nil, fmt.Errorf("%w: --base %s and --head %s have no target in common", prove.ErrUnusable, refs.Base.Text, refs.Head.Text)
	}
	if !slices.ContainsFunc(p.Targets, func(t proof.Target) bool { return t.Conformance != nil }) {
		g.Conform = false // bench alone made them
	}
	if err := prove.Clear(o.Out); err != nil {
		return nil, err
	}
	p.Finished, p.Machine.LoadEnd = time.Now().UTC(), machine.Load()
	verdict.Derive(p)
	if err := proof.Save(o.Out, p); err != nil {
		return nil, err
	}
	return proof.Load(o.Out)
}

// elsewhere is a target whose histories stay with the proof it came from.
func elsewhere(t proof.Target) proof.Target {
	if t.Conformance != nil {
		for j := range t.Conformance.Histories {
			t.Conformance.Histories[j].File, t.Conformance.Histories[j].SHA256 = "", ""
		}
	}
	return t
}

// file of a saved proof, which may be named by its folder.
func (f Ref) file() string {
	if st, err := os.Stat(f.Text); err == nil && st.IsDir() {
		return filepath.Join(f.Text, proof.FileName)
	}
	return f.Text
}

// holds says whether a saved proof is the one that a folder is about to lose.
func holds(out string, f Ref) bool {
	ours, err := os.Stat(filepath.Join(out, proof.FileName))
	if err != nil {
		return false // nothing is lost
	}
	theirs, err := os.Stat(f.file())
	return err == nil && os.SameFile(ours, theirs)
}

// loadWhole reads a proof that was not changed since it was made.
func loadWhole(f Ref) (*proof.Proof, error) {
	p, err := proof.Load(f.file())
	if err != nil {
		return nil, fmt.Errorf("%w: %s %w", prove.ErrUnusable, f.Flag, err)
	}
	want, err := proof.DigestOf(p)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s %s: %w", prove.ErrUnusable, f.Flag, f.Text, err)
	case want != p.Digest:
		return nil, fmt.Errorf("%w: %s %s was changed after it was made: its digest does not fit; coreproof report --verify names what differs", prove.ErrUnusable, f.Flag, f.Text)
	case p.Interrupted != "":
		return nil, fmt.Errorf("%w: %s %s is of a run that ended early (%s), so what it left out is not known to hold; run it again", prove.ErrUnusable, f.Flag, f.Text, p.Interrupted)
	case p.Gate != nil:
		return nil, fmt.Errorf("%w: %s %s is the proof of a gate itself; give one of run, conform or bench", prove.ErrUnusable, f.Flag, f.Text)
	}
	return p, nil
}
