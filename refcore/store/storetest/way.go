package storetest

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// way is a TCP proxy that leads each new connection to where it points at that
// time; those that are open stay, until they are cut or muted.
type way struct {
	address string

	mu       sync.Mutex
	to       string
	open     map[*connection]bool
	listener net.Listener
}

// connection is one through a way, both of its ends.
type connection struct {
	client, server net.Conn
	muted          chan struct{} // closed: what comes is swallowed
}

// newWay listens at address, "127.0.0.1:0" for any port, until the test ends.
func newWay(t *testing.T, address, to string) *way {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	w := &way{address: l.Addr().String(), to: to, open: map[*connection]bool{}, listener: l}
	t.Cleanup(w.close)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			w.lead(client)
		}
	}()
	return w
}

// through is uri by this way.
func (w *way) through(t *testing.T, uri string) string {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = w.address
	return u.String()
}

func (w *way) point(to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = to
}

func (w *way) lead(client net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// With a resolver of its own: a test changes the process's under its hands.
	server, err := (&net.Dialer{Resolver: &net.Resolver{}}).Dial("tcp", w.to)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &connection{client, server, make(chan struct{})}
	w.open[c] = true
	go c.carry(server, client)
	go c.carry(client, server)
}

// carry passes bytes on until one end closes, which closes the other, unless it
// was muted: then nobody hears of anything.
func (c *connection) carry(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-c.muted:
			if err != nil {
				return
			}
			continue
		default:
		}
		if n > 0 {
			_, werr := to.Write(buffer[:n])
			if err == nil {
				err = werr
			}
		}
		if err != nil {
			_, _ = to.Close(), from.Close()
			return
		}
	}
}

// mute lets the connections that are open carry nothing more, as a middle box
// does that forgets them: no end hears of it.
func (w *way) mute() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		select {
		case <-c.muted:
		default:
			close(c.muted)
		}
	}
}

// cut ends the connections that are open.
func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_, _ = c.client.Close(), c.server.Close()
		delete(w.open, c)
	}
}

// close cuts and leads nobody any more.
func (w *way) close() {
	_ = w.listener.Close()
	w.cut()
}

// host is a URI's host and port.
func host(t *testing.T, uri string) string {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
