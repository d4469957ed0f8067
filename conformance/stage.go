package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/adapter/cdi"
	"github.com/coreproof/coreproof/internal/target"
)

// stage is one protocol version in which checks are tried.
type stage struct {
	protocol target.Protocol
	era      adapter.Era
	// smoke: only smoke checks are tried here.
	smoke   bool
	on, off []Instance
	// absent says why the version cannot be tried; "" when it can.
	absent string
	// What became of the flag-off control; see run.control.
	controlled bool
	control    error
}

func (s *stage) name() string { return "CDI " + string(s.protocol) }

// fits says whether a check exists in this version.
func (s *stage) fits(c *Check) bool {
	n := c.Needs
	v := string(s.protocol)
	return (n.Era == "" || n.Era == s.era) &&
		(n.From == "" || cdi.Compare(v, n.From) >= 0) &&
		(n.Below == "" || cdi.Compare(v, n.Below) < 0) &&
		(!s.smoke || c.Smoke)
}

// preferred versions are tried whole when nothing else was asked for, and
// touched ones only with the smoke checks: 2.20 and 5.4 are the newest that
// behave like the bulk of their era; 2.18 and 3.1 are what most SDKs in use
// speak; 5.6 changed how refresh and verify work.
var (
	preferred = []target.Protocol{"2.20", "5.4"}
	touched   = []target.Protocol{"2.18", "3.1", "5.6"}
)

// stages decides which versions are tried and how.
func (r *run) stages(ctx context.Context) ([]*stage, error) {
	spoken, err := r.spoken(ctx)
	if err != nil {
		return nil, err
	}
	r.spokenVersions = spoken
	var out []*stage
	if len(r.options.Protocols) > 0 {
		for _, p := range r.options.Protocols {
			if !cdi.Known(string(p)) {
				return nil, fmt.Errorf("protocol %q is not a CDI version that coreproof speaks", p)
			}
			out = append(out, r.stage(p, spoken, false))
		}
		return out, nil
	}
	for _, p := range preferred {
		out = append(out, r.stage(nearest(p, spoken), spoken, false))
	}
	for _, p := range touched {
		known := slices.ContainsFunc(out, func(s *stage) bool { return s.protocol == p })
		if s := r.stage(p, spoken, true); s.absent == "" && !known {
			out = append(out, s)
		}
	}
	return out, nil
}

// nearest is p if the core speaks it, else the newest version of the same era
// that it speaks, else p.
func nearest(p target.Protocol, spoken []string) target.Protocol {
	if spoken == nil || slices.Contains(spoken, string(p)) {
		return p
	}
	best := p
	for _, v := range spoken { // oldest first
		if cdi.EraOf(v) == cdi.EraOf(string(p)) {
			best = target.Protocol(v)
		}
	}
	return best
}

func (r *run) stage(p target.Protocol, spoken []string, smoke bool) *stage {
	s := &stage{protocol: p, era: cdi.EraOf(string(p)), smoke: smoke}
	if spoken != nil && !slices.Contains(spoken, string(p)) {
		s.absent = fmt.Sprintf("the core does not speak %s (it speaks %s)", s.name(), strings.Join(spoken, " "))
		return s
	}
	on := r.options.On.Clients(p)
	if len(on) == 0 {
		s.absent = "the target gives no client for " + s.name()
		return s
	}
	s.on = side(on, true)
	switch {
	case s.era == adapter.EraRequest:
		// The request decides, so the same cores are the other side too, their
		// own setting notwithstanding.
		s.off = side(on, false)
	case r.options.Off != nil:
		s.off = side(r.options.Off.Clients(p), false)
	}
	return s
}

// spoken are the versions that all cores speak and coreproof too, oldest first;
// nil when they do not tell.
func (r *run) spoken(ctx context.Context) ([]string, error) {
	var common []string
	for _, d := range []target.Deployment{r.options.On, r.options.Off} {
		if d == nil {
			continue
		}
		for _, c := range d.Clients(preferred[1]) {
			asker, ok := c.(interface {
				Versions(ctx context.Context) ([]string, error)
			})
			if !ok {
				continue
			}
			v, err := asker.Versions(ctx)
			if err != nil {
				return nil, fmt.Errorf("ask %s which versions it speaks: %w", c.Name(), err)
			}
			if common == nil {
				common = v
				continue
			}
			common = slices.DeleteFunc(common, func(x string) bool { return !slices.Contains(v, x) })
		}
	}
	return common, nil
}
