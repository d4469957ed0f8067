package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// stage is one protocol version in which checks are tried.
type stage struct {
	version  string
	label    string // protocol and version
	protocol protocol.Protocol
	mode     protocol.FlagMode
	// whole: all checks; else only those marked as smoke.
	whole   bool
	on, off []Instance
	// lacks says why the version cannot be tried; nil when it can.
	lacks *proof.Lack
}

// fits says whether a check exists in this version.
func (s *stage) fits(c *Check) bool {
	n := c.Needs
	return (n.Protocol == "" || n.Protocol == s.protocol.Name()) &&
		(n.FlagMode == "" || n.FlagMode == s.mode) &&
		(n.From == "" || s.protocol.Compare(s.version, n.From) >= 0) &&
		(n.Below == "" || s.protocol.Compare(s.version, n.Below) < 0) &&
		(s.whole || c.Smoke)
}

// stages decides which versions are tried and how.
func (r *run) stages(ctx context.Context) ([]*stage, error) {
	o := r.options
	spoken, err := o.Target.Versions(ctx)
	if err != nil {
		return nil, fmt.Errorf("which versions does the target speak: %w", err)
	}
	r.spoken = spoken
	wanted := o.Stages
	if len(wanted) == 0 {
		wanted = protocol.Stages(o.Target.Protocol(), spoken)
	}
	var out []*stage
	for _, w := range wanted {
		s, err := r.stage(w)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (r *run) stage(w protocol.Stage) (*stage, error) {
	o := r.options
	p := o.Target.Protocol()
	if !slices.Contains(p.Versions(), w.Version) {
		return nil, fmt.Errorf("%q is no version of %s that coreproof speaks; choose from %s", w.Version, p.Name(), strings.Join(p.Versions(), " "))
	}
	s := &stage{version: w.Version, label: protocol.Label(p, w.Version), protocol: p, mode: p.FlagMode(w.Version), whole: w.Whole}
	if !slices.Contains(r.spoken, w.Version) {
		s.lacks = &proof.Lack{Kind: "version", Text: fmt.Sprintf("the core does not speak %s (it speaks %s)", s.label, strings.Join(r.spoken, " "))}
		return s, nil
	}
	on, err := o.On.Cores(w.Version)
	if err != nil {
		return nil, fmt.Errorf("speak %s to the flag-on side: %w", s.label, err)
	}
	s.on = r.side(on, true)
	switch {
	case s.mode == protocol.ByRequest:
		// The request decides, so the same cores are the other side too, their own
		// setting notwithstanding.
		s.off = r.side(on, false)
	case o.Off != nil:
		off, err := o.Off.Cores(w.Version)
		if err != nil {
			return nil, fmt.Errorf("speak %s to the flag-off side: %w", s.label, err)
		}
		s.off = r.side(off, false)
	}
	return s, nil
}

func (r *run) side(cores []protocol.Core, check bool) []Instance {
	out := make([]Instance, len(cores))
	for i, c := range cores {
		out[i] = Instance{Core: c, check: check, made: &r.made}
	}
	return out
}
