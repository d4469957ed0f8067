package diff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/internal/protocol/cdi/calls"
)

// Subject is one of the two targets that are compared.
type Subject struct {
	// Name as the caller gave it.
	Name   string
	Target launch.Target
	APIKey string
}

// Flags that can be asked for.
const (
	FlagOn   = "on"
	FlagOff  = "off"
	FlagBoth = "both"
)

// Lives of access tokens are up to this share shorter than the setting where a core
// could not be told to leave the chance out (the most that a core may be set to).
const drawnLives = 0.25

// Start brings up both with the flag on, off, or on and off, and gives what to compare:
// pairs, versions, and what the two may differ in. A core that somebody else started is
// taken as it is: "both" is then on for the other one.
func Start(ctx context.Context, left, right Subject, flag string, instances int) (pairs []Pair, versions []string, t calls.Tolerance, err error) {
	subjects := [2]Subject{left, right}
	able := 0
	for _, s := range subjects {
		if s.Target.Protocol().Name() != (cdi.CDI{}).Name() {
			return nil, nil, t, fmt.Errorf("%s speaks %s: only cores that speak CDI can be compared", s.Name, s.Target.Protocol().Name())
		}
		if can := s.Target.Capabilities(); can.Settings && can.Off {
			able++
		}
	}
	states := []bool{true, false}
	switch {
	case able == 0 && flag != FlagBoth:
		return nil, nil, t, fmt.Errorf("--flag %s: neither core can be started with the flag as asked; leave it out to compare them as they are", flag)
	case flag == FlagOff:
		states = states[1:]
	case able < 2 || flag == FlagOn:
		states = states[:1] // one state is all that the other core has
	}
	zero := 0.0
	for _, on := range states {
		p := Pair{Name: map[bool]string{true: "flag on", false: "flag off"}[on]}
		switch able {
		case 0:
			p.Name = "as they are"
		case 1:
			p.Name += " where it can be set"
		}
		for i, s := range subjects {
			d, err := s.Target.Start(ctx, instances, launch.Settings{Flag: on, Jitter: &zero})
			if errors.Is(err, launch.ErrUnsupported) {
				t.Lives = drawnLives
				d, err = s.Target.Start(ctx, instances, launch.Settings{Flag: on})
			}
			if err != nil {
				return nil, nil, t, fmt.Errorf("%s: %w", s.Name, err)
			}
			can := s.Target.Capabilities()
			if !can.Settings {
				t.Lives = drawnLives
			}
			core := &calls.Core{Client: cdi.NewHTTPClient(can.TLS), APIKey: s.APIKey, Throttle: can.Throttle}
			core.Client.Timeout = cdi.DefaultTimeout
			for _, x := range d.Instances() {
				core.URLs = append(core.URLs, strings.TrimRight(x.URL, "/"))
			}
			side := Side{Name: s.Name, Core: core}
			if i == 0 {
				p.Left = side
			} else {
				p.Right = side
			}
		}
		pairs = append(pairs, p)
	}
	for i, s := range subjects {
		spoken, err := s.Target.Versions(ctx)
		if err != nil {
			return nil, nil, t, fmt.Errorf("%s: %w", s.Name, err)
		}
		if i == 0 {
			versions = spoken
			continue
		}
		versions = slices.DeleteFunc(slices.Clone(versions), func(v string) bool { return !slices.Contains(spoken, v) })
	}
	if len(versions) == 0 {
		return nil, nil, t, fmt.Errorf("%s and %s have no CDI version in common", left.Name, right.Name)
	}
	return pairs, versions, t, nil
}
