package token

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// sharedKeys keeps keys, counts the reads, and can be down.
type sharedKeys struct {
	store.Keys // nil: what is not below is not called
	mu         sync.Mutex
	dynamic    []store.Key
	static     []store.Key
	reads      atomic.Int64
	added      atomic.Int64 // keys that somebody wanted to store
	down       atomic.Bool
	hold       chan struct{}             // nil, or what reads wait for
	deadline   atomic.Pointer[time.Time] // of the last read
}

var errDown = errors.New("the database is down")

func (m *sharedKeys) list(ctx context.Context, keys *[]store.Key) ([]store.Key, error) {
	m.reads.Add(1)
	if d, ok := ctx.Deadline(); ok {
		m.deadline.Store(&d)
	}
	if m.down.Load() {
		return nil, errDown
	}
	if m.hold != nil {
		select {
		case <-m.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]store.Key(nil), *keys...), nil
}

func (m *sharedKeys) DynamicKeys(ctx context.Context) ([]store.Key, error) {
	return m.list(ctx, &m.dynamic)
}
func (m *sharedKeys) StaticKeys(ctx context.Context) ([]store.Key, error) {
	return m.list(ctx, &m.static)
}

func (m *sharedKeys) AddDynamicKey(_ context.Context, _ int64, k store.Key) (bool, error) {
	m.added.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dynamic = append([]store.Key{k}, m.dynamic...)
	return true, nil
}

func (m *sharedKeys) AddStaticKey(_ context.Context, k store.Key) (bool, error) {
	m.added.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.static = append(m.static, k)
	return true, nil
}

const keysNow = int64(1_790_000_000_000)

func ringOn(t *testing.T, m *sharedKeys) *Ring {
	t.Helper()
	return ringAt(t, m, func() int64 { return keysNow })
}

func ringAt(t *testing.T, m *sharedKeys, now func() int64) *Ring {
	t.Helper()
	r, err := NewRing(t.Context(), RingOptions{
		Keys: m, Now: now, Interval: time.Hour, Validity: time.Hour, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// signedWith is a token of the ring's newest key whose header names kid.
func signedWith(t *testing.T, r *Ring, kid string) string {
	t.Helper()
	k := *r.snap.Load().dynamic[0]
	k.ID = kid
	s, err := sign(k.encodeHeader(`,"version":"5"`), []byte(`{"sub":"u"}`), base64.RawURLEncoding, &k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// unknownTokens are of keys that nobody made: old ones, ones that could be, and
// static ones; and long forgeries of version 2, which name no key.
func unknownTokens(t *testing.T, r *Ring) map[string]func(i int) string {
	return map[string]func(i int) string{
		"d-1":            func(int) string { return signedWith(t, r, "d-1") },
		"older dynamic":  func(i int) string { return signedWith(t, r, "d-"+strconv.FormatInt(keysNow-1000-int64(i), 10)) },
		"newer dynamic":  func(i int) string { return signedWith(t, r, "d-"+strconv.FormatInt(keysNow+1+int64(i), 10)) },
		"far dynamic":    func(i int) string { return signedWith(t, r, "d-"+strconv.FormatInt(keysNow*2+int64(i), 10)) },
		"static":         func(int) string { return signedWith(t, r, "s-"+NewUUID()) },
		"long version 2": func(i int) string { return legacyForgery(i) },
	}
}

func legacyForgery(i int) string {
	header := headerV2
	return header + "." + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"n":%d}`, i)) + "." + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 256)))
}

// TestF11UnknownKeysCostFewReads: a hundred tokens of unknown keys cost a few
// reads and are refused. When there is no database at all those whose key may be
// new fail: whether it is one of the core's own nobody knows.
func TestF11UnknownKeysCostFewReads(t *testing.T) {
	t.Parallel()
	for _, down := range []bool{false, true} {

		for name := range unknownTokens(t, nil) {
			t.Run(fmt.Sprintf("%s, down %v", name, down), func(t *testing.T) {
				t.Parallel()
				m := &sharedKeys{}
				r := ringOn(t, m)
				tokens := make([]string, 100)
				for i := range tokens {
					tokens[i] = unknownTokens(t, r)[name](i)
				}
				m.down.Store(down)
				before, began := m.reads.Load(), time.Now()
				for _, s := range tokens {
					if down && name == "newer dynamic" {
						if _, err := r.Verify(t.Context(), s); !errors.Is(err, errDown) {
							t.Fatalf("verify: %v, want that the database is down", err)
						}
						continue
					}
					var invalid Invalid
					if _, err := r.Verify(t.Context(), s); !errors.As(err, &invalid) {
						t.Fatalf("verify: %v, want an Invalid", err)
					}
				}
				// Two statements a read; the reserve grows while the test runs.
				most := int64(2 * (likelyBurst + 1 + int(time.Since(began)/likelyEvery)))
				if got := m.reads.Load() - before; got > most {
					t.Errorf("%d statements, want at most %d", got, most)
				}
			})
		}
	}
}

// TestF11NewKeyIsFoundAtOnce: a hundred calls at once with a token of a key that
// another core has just made all find it, by one read.
func TestF11NewKeyIsFoundAtOnce(t *testing.T) {
	t.Parallel()
	m := &sharedKeys{}
	r, other := ringOn(t, m), &sharedKeys{}
	value := ringOn(t, other).snap.Load().dynamic // a key of its own
	if len(value) != 1 {
		t.Fatal("no key")
	}
	k := other.dynamic[0]
	k.CreatedAt = keysNow + 5
	if _, err := m.AddDynamicKey(t.Context(), keysNow, k); err != nil {
		t.Fatal(err)
	}
	m.hold = make(chan struct{})
	before := m.reads.Load()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if k, err := r.Lookup(t.Context(), "d-"+strconv.FormatInt(k.CreatedAt, 10)); k == nil {
				t.Errorf("a key that is stored was not found: %v", err)
			}
		})
	}
	close(m.hold)
	wg.Wait()
	if got := m.reads.Load() - before; got != 2 {
		t.Errorf("%d statements, want 2", got)
	}
}

// TestF11FrozenDatabase: an unknown key waits for a frozen database for a second
// or so, not for as long as a statement may take, and all waiters share that. What
// may be a new key of the core's own is no refusal then, and what is hardly one is.
func TestF11FrozenDatabase(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kid    string
		likely bool
	}{{"d-" + strconv.FormatInt(keysNow+1, 10), true}, {"d-" + strconv.FormatInt(keysNow-1, 10), false}, {"s-" + NewUUID(), false}} {
		m := &sharedKeys{}
		r := ringOn(t, m)
		s := signedWith(t, r, tc.kid)
		m.hold = make(chan struct{})
		before := m.reads.Load()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				var invalid Invalid
				if _, err := r.Verify(t.Context(), s); err == nil || errors.As(err, &invalid) == tc.likely {
					t.Errorf("%s: %v, want an Invalid: %v", tc.kid, err, !tc.likely)
				}
			})
		}
		wg.Wait()
		if got := m.reads.Load() - before; got > likelyBurst {
			t.Errorf("%s: %d statements by 50 calls at once", tc.kid, got)
		}
	}
}

// TestLegacyTokenOfADueKey: a token that names no key is refused while no new key
// is due, and fails once one is, for then another core has probably made it.
func TestLegacyTokenOfADueKey(t *testing.T) {
	t.Parallel()
	for _, due := range []bool{false, true} {
		m := &sharedKeys{}
		now := atomic.Int64{}
		now.Store(keysNow)
		r := ringAt(t, m, now.Load)
		m.down.Store(true)
		if due {
			now.Add(time.Hour.Milliseconds())
		}
		var invalid Invalid
		if _, err := r.Verify(t.Context(), legacyForgery(1)); errors.Is(err, errDown) != due || errors.As(err, &invalid) == due {
			t.Errorf("due %v: %v", due, err)
		}
	}
}

// TestKeysThatComeMeanwhile: a key of another core's is seen also where the keys are
// read while a token is held against those known before, and where whoever reads
// them keeps the others waiting for longer than they wait.
func TestKeysThatComeMeanwhile(t *testing.T) {
	t.Parallel()
	for _, version := range []int{2, 5} {
		m := &sharedKeys{}
		var meanwhile atomic.Pointer[func()] // what happens when the clock is next looked at
		r := ringAt(t, m, func() int64 {
			if f := meanwhile.Swap(nil); f != nil {
				(*f)()
			}
			return keysNow
		})
		other := ringAt(t, &sharedKeys{}, func() int64 { return keysNow + 1 })
		k := other.snap.Load().dynamic[0]
		s := signedWith(t, other, k.ID)
		if version == 2 {
			var err error
			if s, err = sign(headerV2, []byte(`{"sessionHandle":"h"}`), base64.StdEncoding, k); err != nil {
				t.Fatal(err)
			}
		}
		read := func() {
			m.mu.Lock()
			m.dynamic = append([]store.Key{other.keys.(*sharedKeys).dynamic[0]}, m.dynamic...)
			m.mu.Unlock()
			if err := r.reload(t.Context(), r.tickets.Add(1)); err != nil {
				t.Error(err)
			}
			r.loading <- struct{}{} // a read that never ends
		}
		meanwhile.Store(&read)
		u, err := parse(s, r.headers.parse)
		if err != nil || (version == 2) != (u.Version == 2) {
			t.Fatalf("version %d: %v, %v", version, u.Version, err)
		}
		switch version {
		case 2:
			err = r.signedLegacy(t.Context(), &u)
		default:
			var k *KeyPair
			if k, err = r.Lookup(t.Context(), u.KeyID); err == nil && k == nil {
				err = Invalid("Key not found")
			}
		}
		if err != nil {
			t.Errorf("a token of version %d whose key was stored by another core: %v", version, err)
		}
		<-r.loading
	}
}

// TestPublishingObeysTheDatabase: whoever publishes the keys sees one that another
// core has stored before; of those that wait for a frozen database each gives up
// with the first, and none asks it again.
func TestPublishingObeysTheDatabase(t *testing.T) {
	t.Parallel()
	m := &sharedKeys{}
	r := ringOn(t, m)
	other := &sharedKeys{}
	ringOn(t, other)
	k := other.dynamic[0]
	for i := range int64(3) {
		k.CreatedAt = keysNow + 5 + i
		if _, err := m.AddDynamicKey(t.Context(), keysNow, k); err != nil {
			t.Fatal(err)
		}
		r.Refresh(t.Context())
		if got, _ := r.Verifying(); len(got) != 2+int(i) || got[0].CreatedAt != k.CreatedAt {
			t.Errorf("%d keys are published, want the new one first", len(got))
		}
	}
	m.hold = make(chan struct{})
	before := m.reads.Load()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			r.Refresh(t.Context())
			if got, _ := r.Verifying(); len(got) != 4 {
				t.Errorf("%d keys are published from memory, want 4", len(got))
			}
		})
	}
	wg.Wait()
	if got := m.reads.Load() - before; got > 5 {
		t.Errorf("%d reads by 50 calls at once", got)
	}
	close(m.hold)
}

// TestAbandonedRead: a caller that goes away in the middle of a read leaves those
// that wait with a read of their own, not with its failure.
func TestAbandonedRead(t *testing.T) {
	t.Parallel()
	m := &sharedKeys{}
	r := ringOn(t, m)
	m.hold = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	before := m.reads.Load()
	var wg sync.WaitGroup
	wg.Go(func() { r.Refresh(ctx) })
	wait(t, "the first reads", func() bool { return m.reads.Load() > before })
	tickets := r.tickets.Load()
	k := m.dynamic[0]
	k.CreatedAt = keysNow + 5
	if _, err := m.AddDynamicKey(t.Context(), keysNow, k); err != nil {
		t.Fatal(err)
	}
	wg.Go(func() {
		if k, err := r.Lookup(t.Context(), "d-"+strconv.FormatInt(keysNow+5, 10)); k == nil {
			t.Errorf("a key that is stored was not found: %v", err)
		}
	})
	wait(t, "the second waits", func() bool { return r.tickets.Load() > tickets })
	cancel()
	close(m.hold)
	wg.Wait()
}

// TestReadHasATimeOfItsOwn: what came of a read concerns others, so that its caller waited
// for another must not leave it less time.
func TestReadHasATimeOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*Ring){
		"publish": func(r *Ring) { r.Refresh(t.Context()) },
		"look up": func(r *Ring) { _, _ = r.Lookup(t.Context(), "d-"+strconv.FormatInt(keysNow+5, 10)) },
	} {
		m := &sharedKeys{}
		r := ringOn(t, m)
		r.loading <- struct{}{}
		tickets := r.tickets.Load()
		var wg sync.WaitGroup
		wg.Go(func() { call(r) })
		wait(t, "it waits", func() bool { return r.tickets.Load() > tickets })
		waited := time.Now()
		<-r.loading
		wg.Wait()
		if d := m.deadline.Load(); d == nil || d.Before(waited.Add(lookupTimeout)) {
			t.Errorf("%s: the read had until %v, want %v from %v on", name, d, lookupTimeout, waited)
		}
	}
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
