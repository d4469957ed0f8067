// Package outage takes databases away from cores and gives them back.
package outage

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/link"
)

// Here is a relay within this process, for cores that are processes of this machine.
type Here struct {
	gate link.Gate
	at   string
	end  context.CancelFunc
	done chan error
}

// NewHere relays to a server's host:port until Close.
func NewHere(to string) (*Here, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("a way to %s that can be broken off: %w", to, err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // ends with Close
	h := &Here{at: l.Addr().String(), end: cancel, done: make(chan error, 1)}
	go func() { h.done <- link.RelayThrough(ctx, l, to, 0, &h.gate) }()
	return h, nil
}

// At is the host:port by which cores reach the server.
func (h *Here) At() string { return h.at }

// Outages of a network.
func (*Here) Outages() []cores.Outage { return []cores.Outage{cores.Refused, cores.Silent} }

// Break the way off.
func (h *Here) Break(_ context.Context, o cores.Outage) error {
	switch o {
	case cores.Refused:
		h.gate.Refuse()
	case cores.Silent:
		h.gate.Silence()
	default:
		return fmt.Errorf("a network has no outage %q", o)
	}
	return nil
}

// Mend it.
func (h *Here) Mend(context.Context) error {
	h.gate.Open()
	return nil
}

// Close ends all connections.
func (h *Here) Close() error {
	h.end()
	return <-h.done
}

// Lost is the way of cores that can lose their database; the zero value is none.
type Lost struct {
	Inner   string       // host:port on the network of containers; "" for none
	End     func() error // ends what relays there; nil for nothing
	Here    *Here        // within this process; nil for none
	Borrows bool         // the database is another target's
}

// Close ends what relays.
func (l *Lost) Close() (err error) {
	if l.Here != nil {
		err = l.Here.Close()
	}
	if l.End != nil {
		err = errors.Join(err, l.End())
	}
	return err
}
