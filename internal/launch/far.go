package launch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/coreproof/coreproof/internal/docker"
	"github.com/coreproof/coreproof/internal/link"
)

// far is how a database server is put at a distance: a relay that cores reach instead,
// beside them in a container, or within this process for cores that are processes.
type far struct {
	delay time.Duration // of each round trip; 0 for none
	box   testcontainers.Container
	near  string // host:port of the relay within this process; "" for none
	stop  func() error
}

// inner is the server's host:port as containers on the network reach it.
func (c *Container) inner() string {
	switch {
	case c.cut.Inner != "":
		return c.cut.Inner
	case c.root != nil:
		return c.root.inner()
	}
	host := dbAlias
	if c.far.box != nil {
		host = farAlias
	}
	return host + ":" + strings.TrimSuffix(c.kind.Port, "/tcp")
}

// outer is the same as processes of this machine reach it.
func (c *Container) outer() string {
	switch {
	case c.cut.Here != nil:
		return c.cut.Here.At()
	case c.root != nil:
		return c.root.outer()
	}
	if c.far.near != "" {
		return c.far.near
	}
	return c.at
}

// relay puts a relay of this program's own image on the network, under an alias.
func (c *Container) relay(ctx context.Context, alias string) (testcontainers.Container, error) {
	image, err := docker.SelfImage(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: a relay to the database: %w", ErrUnsupported, err)
	}
	port := strings.TrimSuffix(c.kind.Port, "/tcp")
	box, err := testcontainers.Run(ctx, image,
		testcontainers.WithCmd("relay", "--listen", "0.0.0.0:"+port, "--to", dbAlias+":"+port, "--delay", c.far.delay.String()),
		tcnetwork.WithNetwork([]string{alias}, c.network), testcontainers.WithLabels(c.labels),
		testcontainers.WithWaitStrategy(wait.ForLog(link.Ready).WithStartupTimeout(startWithin)))
	if err != nil {
		return box, fmt.Errorf("start a relay to the database: %w", err)
	}
	return box, nil
}

// relayHere relays within this process.
func (c *Container) relayHere() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the relay to a database far away: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // ends with the target
	done := make(chan error, 1)
	go func() { done <- link.Relay(ctx, l, c.at, c.far.delay) }()
	c.far.near = l.Addr().String()
	c.far.stop = func() error { cancel(); return <-done }
	return nil
}

func (f *far) close() error {
	var errs []error
	if f.stop != nil {
		errs = append(errs, f.stop())
	}
	if f.box != nil {
		errs = append(errs, testcontainers.TerminateContainer(f.box, testcontainers.StopTimeout(2*time.Second)))
	}
	return errors.Join(errs...)
}

// words tell the distance, after where the server is.
func (f *far) words() string {
	if f.delay == 0 {
		return ""
	}
	return fmt.Sprintf(", each round trip from the core made %s longer", f.delay)
}
