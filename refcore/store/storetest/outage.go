package storetest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// Server is a database server that a test may disturb; dbtest.Server is one.
type Server interface {
	Pause(testing.TB)
	Unpause(testing.TB)
	Restart(testing.TB)
	// Demote makes it read-only under its connections, and back; it skips the test
	// where that cannot be done.
	Demote(t testing.TB, on bool)
	// Account makes a user with all rights and returns what changes its password; it
	// skips the test where there are no accounts.
	Account(t testing.TB, name, password string) (change func(password string))
}

// RunOutages checks what a store does while its server is frozen, gone, or was
// restarted. The tests are not parallel: they share the server.
func RunOutages(t *testing.T, b Backend, s Server) {
	for _, o := range []struct {
		name string
		run  func(*fixture, Server)
	}{
		{"a frozen server is an error, and no more after it", frozen},
		{"a restarted server is found again", restarted},
		{"T1 T5 a demoted server is not believed", demoted},
		{"connections that a middle box forgot", func(f *fixture, _ Server) { forgotten(f) }},
		{"a name that moves", func(f *fixture, _ Server) { moved(f) }},
		{"a password that changes, and back", rotated},
	} {
		t.Run(o.name, func(t *testing.T) { o.run(&fixture{T: t, backend: b, config: b.Fresh(t)}, s) })
	}
}

// impatient has a time-out that is short for a test and long for a statement on
// a loaded machine.
func impatient(c *store.Config) {
	c.PoolSize, c.MinIdle, c.StatementTimeout = 3, 3, 700*time.Millisecond
}

func frozen(f *fixture, server Server) {
	s := f.open(impatient)
	kept := f.create(s, session("kept"))
	victim := f.create(s, session("victim")) // what was sent to a frozen server may yet be done

	server.Pause(f.T)
	thawed := false
	defer func() {
		if !thawed {
			server.Unpause(f.T)
		}
	}()
	// Three of each kind: most have to wait for one of three connections.
	type call struct {
		name string
		do   func(ctx context.Context) error
	}
	var all []call
	for range 3 {
		for name, do := range calls(s, victim) {
			all = append(all, call{name, do})
		}
	}
	all = append(all, call{"open", func(ctx context.Context) error {
		cfg := f.config
		impatient(&cfg)
		opened, err := f.backend.Open(ctx, cfg)
		if err == nil {
			_ = opened.Close()
		}
		return err
	}})
	errs := within(f, func() []error {
		return at(len(all), func(i int) error { return all[i].do(f.Context()) })
	})
	for i, err := range errs {
		if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrExists) {
			f.Errorf("%s with the server frozen: got %v, want an error of its own", all[i].name, err)
		}
	}

	server.Unpause(f.T)
	thawed = true
	f.recovers(s, kept)
}

func restarted(f *fixture, server Server) {
	s := f.open(impatient)
	kept := f.create(s, session("kept"))
	gone := f.create(s, session("gone"))
	ask(s.Delete(f.Context(), []string{gone.Handle})).or(f)
	// All connections have been in use and will be dead.
	f.several(12, func(int) error { return second(s.Liveness(f.Context(), kept.Handle)) })

	server.Restart(f.T)
	f.recovers(s, kept)
	if _, err := s.Liveness(f.Context(), gone.Handle); !errors.Is(err, store.ErrNotFound) {
		f.Errorf("a session deleted before the restart: got %v, want ErrNotFound", err)
	}
}

// recovers waits until thirty rounds of reads and writes in a row succeed, logs
// how long it took to the first of them, and returns that. Until then each may
// fail, but none may say that the session is gone.
func (f *fixture) recovers(s store.Store, x store.Session) (took time.Duration) {
	f.Helper()
	failures := 0
	began := time.Now()
	for good := 0; good < 30; good++ {
		errs := at(3, func(i int) error {
			if i == 0 {
				ok, err := s.SetData(f.Context(), x.Handle, x.Data, now)
				if err == nil && !ok {
					return store.ErrNotFound
				}
				return err
			}
			return second(s.Liveness(f.Context(), x.Handle))
		})
		if slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, store.ErrNotFound) }) {
			f.Fatalf("after the outage the session is said to be gone: %v", errs)
		}
		if err := errors.Join(errs...); err != nil {
			if good = -1; time.Since(began) > bound {
				f.Fatalf("still failing %v after the server is back: %v", bound, err)
			}
			failures++
		} else if good == 0 {
			took = time.Since(began).Round(time.Millisecond)
		}
	}
	f.Logf("the store works again after %v; rounds that failed before: %d", took, failures)
	return took
}

// soon tells a time of recovery, which is to be 5 s at most on a machine that has
// time; on a starved one only bound holds.
func (f *fixture) soon(took time.Duration) {
	f.Helper()
	f.Logf("works again after %v", took.Round(time.Millisecond))
	if took > bound {
		f.Errorf("the store took %v to work again", took)
	}
}

// within fails the test if do takes so long that there can be no bound.
func within[T any](f *fixture, do func() T) T {
	f.Helper()
	done := make(chan T, 1)
	go func() { done <- do() }()
	select {
	case v := <-done:
		return v
	case <-time.After(bound):
		f.Fatalf("no answer after %v", bound)
		panic("unreachable")
	}
}

// RefusesToOpen opens uri at a port where nobody listens: the error says where
// that is, on one line, without the password.
func RefusesToOpen(t *testing.T, open func(context.Context, store.Config) (store.Store, error), uri string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	const secret = "s3cret-%2F-word"
	u.Host, u.User = address, url.UserPassword("someone", secret)
	f := &fixture{T: t}
	f.Run("nobody listens", func(*testing.T) {
		err := within(f, func() error {
			return second(open(t.Context(), store.Config{URI: u.String(), StatementTimeout: 500 * time.Millisecond}))
		})
		clear(f, err, address, secret)
	})
	f.Run("the URI cannot be parsed", func(*testing.T) {
		torn := u.Scheme + "://someone:" + secret + "/%zz@" + address + "/name"
		clear(f, second(open(t.Context(), store.Config{URI: torn})), "", secret)
	})
}

func clear(f *fixture, err error, address, secret string) {
	f.Helper()
	if err == nil {
		f.Fatal("open succeeded")
	}
	text := err.Error()
	if !strings.Contains(text, address) || strings.ContainsAny(text, "\r\n") {
		f.Errorf("got %q, want one line that names %q", text, address)
	}
	if strings.Contains(text, secret) || strings.Contains(text, "s3cret") {
		f.Errorf("the error shows the password: %q", text)
	}
}
