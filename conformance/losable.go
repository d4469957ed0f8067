package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/cores/started"
	"github.com/coreproof/coreproof/internal/protocol"
)

// Losable are cores on one database of their own that some of them can lose.
type Losable struct {
	// On asks the database and loses it.
	On Instance
	// Off does not ask it and loses it; nil where there is none.
	Off *Instance
	// Whole is like On and keeps it; nil where none can.
	Whole *Instance
	// Peer is another core like On: Whole where there is one, else one that loses the
	// database too; nil where there is no other core.
	Peer *Instance
	*started.Outages
}

const noOutage = "needs a database that coreproof can take from the cores for a moment: one that it started for them"

// Losable gives the run's cores whose database can be taken away.
func (t *T) Losable(ctx context.Context) (*Losable, error) {
	d, err := t.run.started.Divided(ctx, t.run.options.Target)
	switch _, why, _ := strings.Cut(fmt.Sprint(err), cores.ErrUnsupported.Error()); {
	case errors.Is(err, cores.ErrUnsupported) && t.run.options.Target.Capabilities().Apart:
		return nil, Lackf("not-claimed", "the core is described as one without a database that it could lose")
	case errors.Is(err, cores.ErrUnsupported):
		return nil, Lackf("outage", "%s%s", noOutage, why)
	case err != nil:
		return nil, err
	}
	one := func(d cores.Deployment, check bool) *Instance {
		if d == nil || err != nil {
			return nil
		}
		var list []protocol.Core
		if list, err = d.Cores(t.Version()); err == nil && len(list) == 0 {
			err = errors.New("there is none")
		}
		if err != nil {
			err = fmt.Errorf("speak %s to a core that can lose its database: %w", t.Label(), err)
			return nil
		}
		return &Instance{Core: list[0], check: check, made: &t.run.made}
	}
	l := &Losable{Outages: d.Outages, Whole: one(d.Whole, true), Peer: one(d.Peer, true)}
	on, off := one(d.On, true), d.Off
	if t.FlagMode() == protocol.ByRequest {
		off = d.On
	}
	l.Off = one(off, false)
	if err == nil {
		l.On = *on
	}
	return l, err
}
