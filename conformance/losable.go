package conformance

import (
	"context"
	"errors"
	"fmt"

	"github.com/coreproof/coreproof/conformance/internal/started"
	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/protocol"
)

// Losable are cores on one database of their own that can be taken from some of them.
// Their way is not safe for concurrent use; the runner tries checks that need an outage
// one after the other.
type Losable struct {
	// On asks the database and loses it.
	On Instance
	// Off does not ask it and loses it; nil where there is none.
	Off *Instance
	// Whole is like On and keeps it; nil where none can.
	Whole *Instance
	// Way takes it and gives it back.
	Way *started.Way
}

// noOutage is the lack of a target whose database is not in its hands.
const noOutage = "needs a database that coreproof can take from the cores for a moment: one that it started for them"

// Losable gives the run's cores whose database can be taken away.
func (t *T) Losable(ctx context.Context) (*Losable, error) {
	d, err := t.run.started.Divided(ctx, t.run.options.Target)
	if errors.Is(err, cores.ErrUnsupported) {
		return nil, Lackf("outage", "%s", noOutage)
	}
	if err != nil {
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
	l := &Losable{Way: d.Way, Whole: one(d.Whole, true)}
	on := one(d.On, true)
	if t.FlagMode() == protocol.ByRequest {
		l.Off = one(d.On, false)
	} else {
		l.Off = one(d.Off, false)
	}
	if err != nil {
		return nil, err
	}
	l.On = *on
	return l, nil
}
