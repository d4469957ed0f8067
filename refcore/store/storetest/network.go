package storetest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/coreproof/coreproof/refcore/store"
)

// answered fails the test for each call that says something about the session
// but that it lives.
func (f *fixture) answered(what string, errs []error) (failed int) {
	f.Helper()
	for _, err := range errs {
		if errors.Is(err, store.ErrNotFound) {
			f.Errorf("%s: the session is said to be gone", what)
		}
		if err != nil {
			failed++
		}
	}
	return failed
}

// bounded has three connections and the usual time-out, in which they can be made
// anew on a loaded machine.
func bounded(c *store.Config) { c.PoolSize, c.MinIdle = 3, 3 }

// forgotten: connections that a middle box dropped without a word hold no call
// for ever, and the pool replaces them.
func forgotten(f *fixture) {
	to := newWay(f.T, "127.0.0.1:0", host(f.T, f.config.URI))
	f.config.URI = to.through(f.T, f.config.URI)
	s := f.open(bounded)
	kept := f.create(s, session("kept"))
	f.several(12, func(int) error { return second(s.Liveness(f.Context(), kept.Handle)) })

	to.mute()
	began := time.Now()
	errs := within(f, func() []error {
		return at(6, func(int) error { return second(s.Liveness(f.Context(), kept.Handle)) })
	})
	f.Logf("%d of %d calls failed, the last was answered after %v", f.answered("forgotten", errs), len(errs), time.Since(began).Round(time.Millisecond))
	f.soon(f.recovers(s, kept))
}

// rotated: with another password on the server calls are errors as soon as they
// need a new connection, and no more once it is right again.
func rotated(f *fixture, server Server) {
	const right, wrong = "right-word", "wrong-word"
	name := "u" + handle()[:8]
	change := server.Account(f.T, name, right)
	to := newWay(f.T, "127.0.0.1:0", host(f.T, f.config.URI))
	u, err := url.Parse(to.through(f.T, f.config.URI))
	if err != nil {
		f.Fatal(err)
	}
	u.User = url.UserPassword(name, right)
	f.config.URI = u.String()
	s := f.open(bounded)
	kept := f.create(s, session("kept"))
	f.several(12, func(int) error { return second(s.Liveness(f.Context(), kept.Handle)) })

	change(wrong)
	// Connections that are open go on.
	if err := second(s.Liveness(f.Context(), kept.Handle)); err != nil {
		f.Errorf("on a connection from before the change: %v", err)
	}
	to.cut()
	errs := within(f, func() []error {
		return at(6, func(int) error { return second(s.Liveness(f.Context(), kept.Handle)) })
	})
	if failed := f.answered("another password", errs); failed < len(errs) {
		f.Errorf("with another password on the server %d of %d calls succeeded", len(errs)-failed, len(errs))
	}
	change(right)
	f.soon(f.recovers(s, kept))
}

// moved: a name that leads elsewhere is asked for again by each new connection.
// Not parallel: the resolver is the process's.
func moved(f *fixture) {
	server := host(f.T, f.config.URI)
	before := newWay(f.T, "127.0.0.1:0", server)
	_, port, err := net.SplitHostPort(before.address)
	if err != nil {
		f.Fatal(err)
	}
	if l, err := net.Listen("tcp", "127.0.0.2:"+port); err != nil {
		f.Skipf("this machine has one loopback address only: %v", err)
	} else {
		_ = l.Close()
	}
	newWay(f.T, "127.0.0.2:"+port, server)
	names := newNames(f)
	usual := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", names.at)
	}}
	f.Cleanup(func() { net.DefaultResolver = usual }) // before the store's end, which needs no name

	u, err := url.Parse(f.config.URI)
	if err != nil {
		f.Fatal(err)
	}
	u.Host = net.JoinHostPort("database.moves.test", port)
	f.config.URI = u.String()
	names.address.Store([4]byte{127, 0, 0, 1})
	s := f.open(bounded)
	kept := f.create(s, session("kept"))
	f.several(12, func(int) error { return second(s.Liveness(f.Context(), kept.Handle)) })

	names.address.Store([4]byte{127, 0, 0, 2})
	before.close()
	f.soon(f.recovers(s, kept))
}

// names is a DNS server that knows one address for every name.
type names struct {
	at      string
	address atomic.Value // [4]byte
}

func newNames(f *fixture) *names {
	f.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = c.Close() })
	n := &names{at: c.LocalAddr().String()}
	go func() {
		packet := make([]byte, 1500)
		for {
			size, from, err := c.ReadFrom(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:size]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			answer := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions}
			if q.Type == dnsmessage.TypeA {
				answer.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 3600},
					Body:   &dnsmessage.AResource{A: n.address.Load().([4]byte)},
				}}
			}
			if packed, err := answer.Pack(); err == nil {
				_, _ = c.WriteTo(packed, from)
			}
		}
	}()
	return n
}
