package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/launch/outage"
)

// cut is the way of a target whose cores can lose their database; the zero value is none.
type cut struct {
	inner   string // host:port on the network of containers; "" for none
	box     testcontainers.Container
	here    *outage.Here // within this process; nil for none
	borrows bool         // the database is another target's
}

func (c *cut) close() (err error) {
	if c.here != nil {
		err = c.here.Close()
	}
	if c.box != nil {
		err = errors.Join(err, testcontainers.TerminateContainer(c.box, testcontainers.StopTimeout(2*time.Second)))
	}
	return err
}

// Divided gives a new database of the server, and a way to it through a relay.
func (c *Container) Divided(ctx context.Context, name string) (*Divided, error) {
	whole, err := c.Isolated(ctx, name)
	if err != nil {
		return nil, err
	}
	lost, way, err := whole.(*Container).losable(ctx, true)
	if err != nil {
		return nil, fmt.Errorf("container target %s: %w", c.kind.Name, err)
	}
	return &Divided{Cut: lost, Whole: whole, Way: way}, nil
}

// losable is a target on the same database whose cores can lose it: inside of containers,
// or outside of them.
func (c *Container) losable(ctx context.Context, inside bool) (*Container, cores.Way, error) {
	root := c.base()
	if root.encrypted {
		return nil, nil, fmt.Errorf("%w: the server's certificate names no relay", ErrUnsupported)
	}
	n := &Container{kind: c.kind, database: c.database, root: root, coreImage: c.coreImage, running: map[*deployment]bool{}, cut: cut{borrows: true}}
	root.mu.Lock()
	root.nested = slices.Insert(root.nested, 0, n) // closed before the database goes
	root.mu.Unlock()
	var err error
	if !inside {
		if n.cut.here, err = outage.NewHere(root.outer()); err != nil {
			return nil, nil, err
		}
		return n, n.cut.here, nil
	}
	alias := "way-to-" + c.database
	if n.cut.box, err = root.relay(ctx, alias); err != nil {
		return nil, nil, err
	}
	n.cut.inner = alias + ":" + strings.TrimSuffix(c.kind.Port, "/tcp")
	return n, outage.NewBox(n.cut.box), nil
}

// Divided gives a new database and a way to it: through a relay to its server, or by the
// locks of its file.
func (x *Described) Divided(ctx context.Context, name string) (*Divided, error) {
	served := x.box != nil && x.box.kind != nil
	if !served && (x.base.Kind != "sqlite" || x.d.Image != "") {
		return nil, fmt.Errorf("%w: %s keeps its sessions to itself", ErrUnsupported, x.d.Name)
	}
	t, err := x.Isolated(ctx, name)
	if err != nil {
		return nil, err
	}
	whole := t.(*Described)
	if !served {
		way, err := outage.NewFile(whole.file())
		if err != nil {
			return nil, err
		}
		return &Divided{Cut: whole, Way: way}, nil
	}
	lost := *whole // on the same database, with all that is noted of it
	var way cores.Way
	if lost.box, way, err = whole.box.losable(ctx, x.d.Image != ""); err != nil {
		return nil, fmt.Errorf("target %s: %w", x.d.Name, err)
	}
	return &Divided{Cut: &lost, Whole: whole, Way: way}, nil
}

// Divided gives a new database file that can be locked.
func (e *Embedded) Divided(ctx context.Context, name string) (*Divided, error) {
	t, err := e.Isolated(ctx, name)
	if err != nil {
		return nil, err
	}
	way, err := outage.NewFile(t.(*Embedded).file)
	if err != nil {
		return nil, err
	}
	return &Divided{Cut: t, Way: way}, nil
}
