package launch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/launch/outage"
)

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
	n := &Container{kind: c.kind, database: c.database, root: root, coreImage: c.coreImage, running: map[*deployment]bool{}, cut: outage.Lost{Borrows: true}}
	root.mu.Lock()
	root.nested = slices.Insert(root.nested, 0, n) // closed before the database goes
	root.mu.Unlock()
	if !inside {
		var err error
		n.cut.Here, err = outage.NewHere(root.outer())
		return n, n.cut.Here, err
	}
	alias := "way-to-" + c.database
	box, err := root.relay(ctx, alias)
	n.cut.End = func() error { return testcontainers.TerminateContainer(box, testcontainers.StopTimeout(2*time.Second)) }
	n.cut.Inner = alias + ":" + strings.TrimSuffix(c.kind.Port, "/tcp")
	return n, outage.NewBox(box), err
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
		return onFile(whole, whole.file())
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
	return onFile(t, t.(*Embedded).file)
}

// onFile is a target whose cores lose their database by the locks of its file.
func onFile(t Target, file string) (*Divided, error) {
	way, err := outage.NewFile(file)
	if err != nil {
		return nil, err
	}
	return &Divided{Cut: t, Way: way}, nil
}
