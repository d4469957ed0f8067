package outage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/docker"
	"github.com/coreproof/coreproof/internal/link"
	"github.com/coreproof/coreproof/internal/pause"
)

// Box is a relay in a container, for cores in containers: this program, told by signals.
type Box struct{ box Container }

// Container is one that this package tells what to do.
type Container interface {
	GetContainerID() string
	// Logs are what its program has said so far.
	Logs(ctx context.Context) (io.ReadCloser, error)
}

// NewBox is the way through a container that runs `coreproof relay`.
func NewBox(box Container) *Box { return &Box{box: box} }

// Outages of a network.
func (*Box) Outages() []cores.Outage { return []cores.Outage{cores.Refused, cores.Silent} }

// Break the way off.
func (b *Box) Break(ctx context.Context, o cores.Outage) error {
	switch o {
	case cores.Refused:
		return b.tell(ctx, "SIGUSR1", link.Refuses)
	case cores.Silent:
		return b.tell(ctx, "SIGUSR2", link.Silent)
	}
	return fmt.Errorf("a network has no outage %q", o)
}

// Mend it.
func (b *Box) Mend(ctx context.Context) error { return b.tell(ctx, "SIGHUP", link.Opened) }

// obeysWithin bounds how long a relay may take to do what it is told.
const obeysWithin = 20 * time.Second

// tell sends a signal and waits until the relay says that it has done so.
func (b *Box) tell(ctx context.Context, signal, done string) error {
	ctx, cancel := context.WithTimeout(ctx, obeysWithin)
	defer cancel()
	before, err := b.said(ctx)
	if err != nil {
		return err
	}
	if err := docker.Signal(ctx, b.box.GetContainerID(), signal); err != nil {
		return err
	}
	for {
		said, err := b.said(ctx)
		if err == nil && len(said) > len(before) && slices.Contains(said[len(before):], done) {
			return nil
		}
		if waitErr := pause.For(ctx, 20*time.Millisecond); waitErr != nil {
			return fmt.Errorf("wait for the relay to the database to obey %s: %w", signal, errors.Join(err, waitErr))
		}
	}
}

// said are the relay's answers to signals so far.
func (b *Box) said(ctx context.Context) (list []string, err error) {
	r, err := b.box.Logs(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what the relay says: %w", err)
	}
	defer r.Close()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		for _, answer := range []string{link.Refuses, link.Silent, link.Opened} {
			if strings.HasSuffix(lines.Text(), answer) {
				list = append(list, answer)
			}
		}
	}
	return list, lines.Err()
}
