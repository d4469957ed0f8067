package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
)

func readsBack(f *fixture) {
	s := f.open()
	ctx := f.Context()
	full := session("user")
	full.PrevRefreshHash2 = hash("zeroth")
	full.RotatedAt = now - 500
	full.UseStaticKey = true
	far := session("far")
	far.CreatedAt, far.ExpiresAt, far.RotatedAt = 1<<62, 1<<62+1, 1<<62-1

	for _, tc := range []struct {
		name string
		want store.Session
	}{
		{"with every field set", full},
		{"without a previous token", session("user")},
		{"with empty objects", func() store.Session {
			x := session("user")
			x.Data, x.Payload = []byte(`{}`), []byte(`{}`)
			return x
		}()},
		{"with times beyond 53 bits", far},
	} {
		f.create(s, tc.want)
		got := ask(s.Session(ctx, tc.want.Handle)).or(f)
		if !reflect.DeepEqual(got, tc.want) {
			f.Errorf("session %s: got %+v, want %+v", tc.name, got, tc.want)
		}
		live, err := s.Liveness(ctx, tc.want.Handle)
		want := store.Liveness{
			RefreshHash2: tc.want.RefreshHash2, PrevRefreshHash2: tc.want.PrevRefreshHash2,
			Payload: tc.want.Payload, UseStaticKey: tc.want.UseStaticKey,
		}
		if err != nil || !reflect.DeepEqual(live, want) {
			f.Errorf("liveness %s: got %+v, %v, want %+v", tc.name, live, err, want)
		}
		other := session("other")
		other.Handle = tc.want.Handle
		if err := s.CreateSession(ctx, other); !errors.Is(err, store.ErrExists) {
			f.Errorf("create %s again: got %v, want ErrExists", tc.name, err)
		}
		if got := ask(s.Session(ctx, tc.want.Handle)).or(f); !reflect.DeepEqual(got, tc.want) {
			f.Errorf("session %s after a second create: got %+v, want it unchanged", tc.name, got)
		}
	}

	missing := handle()
	if _, err := s.Session(ctx, missing); !errors.Is(err, store.ErrNotFound) {
		f.Errorf("read a missing session: got %v, want ErrNotFound", err)
	}
	if _, err := s.Liveness(ctx, missing); !errors.Is(err, store.ErrNotFound) {
		f.Errorf("liveness of a missing session: got %v, want ErrNotFound", err)
	}
	if err := s.Ping(ctx); err != nil {
		f.Errorf("ping: %v", err)
	}
}

func keepsPayloads(f *fixture) {
	s := f.open()
	ctx := f.Context()
	big := func(n int) []byte { return []byte(`{"a":"` + strings.Repeat("ü", (n-8)/2) + `"}`) }
	for _, payload := range [][]byte{
		[]byte(`{"a": 1.0,  "a":1e400 ,"big":123456789012345678901234567890}`),
		[]byte("{\"nul\":\"\\u0000\",\"tab\":\"\\t\",\"é\":\"e\u0301\",\"😀\":\"\\ud83d\"}\n "),
		[]byte(`{"quote":"'\"\\ % _ ? $1 :x"}`),
		big(70_000), // beyond MySQL's TEXT
		big(1 << 20),
	} {
		if !json.Valid(payload) {
			f.Fatalf("not JSON: %.60s", payload)
		}
		x := session("user")
		x.Data, x.Payload = payload, payload
		f.create(s, x)
		y := f.create(s, session("user"))
		if !ask(s.SetData(ctx, y.Handle, payload, now)).or(f) || !ask(s.SetPayload(ctx, y.Handle, payload, now)).or(f) {
			f.Errorf("set %.60s: got false", payload)
		}
		for _, h := range []string{x.Handle, y.Handle} {
			got := ask(s.Session(ctx, h)).or(f)
			if !bytes.Equal(got.Data, payload) || !bytes.Equal(got.Payload, payload) {
				f.Errorf("%.60s: data or payload came back changed", payload)
			}
			if live := ask(s.Liveness(ctx, h)).or(f); !bytes.Equal(live.Payload, payload) {
				f.Errorf("%.60s: liveness gave another payload", payload)
			}
		}
	}
}

// nasty are texts that some collation, trimming, index prefix or quoting takes
// for one another.
func nasty(longest int) []string {
	x := func(n int) string { return strings.Repeat("x", n) }
	texts := []string{
		"alice", "Alice", "ALICE", "alice ", "alice  ", " alice", "alice\t", "alice\n", "alic", "alicee",
		"\u00e4lice", "a\u0308lice", "ａlice", "al\u00adice", "ali\u200dce", "alıce", "alİce",
		"stra\u00dfe", "strasse", "😀", "😁", "\U0001F600\ufe0f", "", " ", "%", "_", "alice%", "a_ice", "*", "$ne", "a.b",
		"a'b", `a"b`, `a\b`, `a\\b`, "a`b", "a?b", "$1", "null", "0", "00", "0x61",
		x(254), x(255), x(256), x(767), x(768), x(longest - 1), x(longest), x(longest-1) + "y", x(longest-1) + "X",
	}
	slices.Sort(texts) // some lengths may be the same
	texts = slices.Compact(texts)
	return slices.DeleteFunc(texts, func(s string) bool { return len(s) > longest })
}

func tellsUsersApart(f *fixture) {
	s := f.open()
	ctx := f.Context()
	ids := append(nasty(store.MaxUserID), "alice\x00", "alice\x00 ", "alice\x00x", "\x00", "\x00\x00")
	handles := make([]string, len(ids))
	f.several(len(ids), func(i int) error {
		x := session(ids[i])
		handles[i] = x.Handle
		return s.CreateSession(ctx, x)
	})
	for i, id := range ids {
		if got := ask(s.Session(ctx, handles[i])).or(f); got.UserID != id {
			f.Errorf("user id %q came back as %q", short(id), short(got.UserID))
		}
		if got := ask(s.Handles(ctx, id, now)).or(f); !slices.Equal(got, handles[i:i+1]) {
			f.Errorf("handles of user %q: got %q, want only %q", short(id), got, handles[i])
		}
	}
	for i, id := range ids {
		if got := ask(s.DeleteByUser(ctx, id, now)).or(f); !slices.Equal(got, handles[i:i+1]) {
			f.Errorf("delete by user %q: got %q, want only %q", short(id), got, handles[i])
		}
		if got := ask(s.Handles(ctx, id, now)).or(f); len(got) != 0 {
			f.Errorf("handles of user %q after deleting them: %q", short(id), got)
		}
	}
}

func tellsHandlesApart(f *fixture) {
	s := f.open()
	ctx := f.Context()
	all := nasty(255)
	for i, h := range all {
		x := session("user " + h)
		x.Handle = h
		if _, err := s.Liveness(ctx, h); !errors.Is(err, store.ErrNotFound) {
			f.Errorf("handle %q before it is created: got %v, want ErrNotFound", short(h), err)
		}
		if i%2 == 0 { // half stays uncreated, as the other half's twins
			f.create(s, x)
		}
	}
	for i, h := range all {
		wantThere := i%2 == 0
		got, err := s.Session(ctx, h)
		if there := err == nil; there != wantThere || (there && (got.Handle != h || got.UserID != "user "+h)) {
			f.Errorf("read %q: got session %q, error %v; want there: %v", short(h), short(got.Handle), err, wantThere)
		}
		if ok := ask(s.SetData(ctx, h, []byte(`{}`), now)).or(f); ok != wantThere {
			f.Errorf("set data of %q: got %v, want %v", short(h), ok, wantThere)
		}
	}
	for i, h := range all {
		want := []string{h}
		if i%2 != 0 {
			want = nil
		}
		if got := ask(s.Delete(ctx, []string{h})).or(f); !slices.Equal(got, want) {
			f.Errorf("delete %q: got %q, want %q", short(h), got, want)
		}
	}
}

func oddHandles(f *fixture) {
	s := f.open()
	ctx := f.Context()
	there := f.create(s, session("user")).Handle
	odd := append([]string{
		"h\x00", "\x00", there + "\x00", "\xff\xfe", there + "\xff", strings.Repeat("x", 5000), strings.Repeat("x", 100_000),
		there + strings.Repeat(" ", 300), strings.ToUpper(there), there + " ", there[:len(there)-1], "",
	}, f.backend.Odd...)
	for _, h := range odd {
		if h == there {
			continue // no letters in it
		}
		if _, err := s.Session(ctx, h); !errors.Is(err, store.ErrNotFound) {
			f.Errorf("read %q: got %v, want ErrNotFound", short(h), err)
		}
		if _, err := s.Liveness(ctx, h); !errors.Is(err, store.ErrNotFound) {
			f.Errorf("liveness of %q: got %v, want ErrNotFound", short(h), err)
		}
		if ok, err := s.Rotate(ctx, h, store.Rotation{Expect: hash("first")}); ok || err != nil {
			f.Errorf("rotate %q: got %v, %v, want false", short(h), ok, err)
		}
		if ok, err := s.SetData(ctx, h, []byte("{}"), 0); ok || err != nil {
			f.Errorf("set data of %q: got %v, %v, want false", short(h), ok, err)
		}
		if ok, err := s.SetPayload(ctx, h, []byte("{}"), 0); ok || err != nil {
			f.Errorf("set payload of %q: got %v, %v, want false", short(h), ok, err)
		}
		if gone, err := s.Delete(ctx, []string{h}); len(gone) != 0 || err != nil {
			f.Errorf("delete %q: got %q, %v, want none", short(h), gone, err)
		}
	}
	want := []string{there}
	if gone, err := s.Delete(ctx, append(slices.Clone(odd), there)); !slices.Equal(gone, want) || err != nil {
		f.Errorf("delete odd handles and a good one: got %q, %v, want %q", gone, err, want)
	}
}

func rotates(f *fixture) {
	s := f.open()
	ctx := f.Context()
	x := f.create(s, session("user"))
	bystander := f.create(s, session("user"))
	r := store.Rotation{
		Expect: hash("first"), RefreshHash2: hash("second"), PrevRefreshHash2: hash("first"),
		RotatedAt: now, ExpiresAt: now + 5, UseStaticKey: true,
	}
	for _, tc := range []struct {
		name string
		h    string
		r    store.Rotation
		want bool
	}{
		{"another hash", x.Handle, store.Rotation{Expect: hash("other"), RefreshHash2: hash("bad")}, false},
		{"the hash in capitals", x.Handle, store.Rotation{Expect: strings.ToUpper(hash("first")), RefreshHash2: hash("bad")}, false},
		{"an empty hash", x.Handle, store.Rotation{RefreshHash2: hash("bad")}, false},
		{"another kind of key", x.Handle, store.Rotation{Expect: hash("first"), ExpectStaticKey: true, RefreshHash2: hash("bad")}, false},
		{"a missing session", handle(), r, false},
		{"what it expects", x.Handle, r, true},
		{"what it no longer holds", x.Handle, r, false},
		{"the hash, but no longer the kind of key", x.Handle, store.Rotation{Expect: hash("second"), RefreshHash2: hash("bad")}, false},
	} {
		if ok := ask(s.Rotate(ctx, tc.h, tc.r)).or(f); ok != tc.want {
			f.Errorf("rotate %s: got %v, want %v", tc.name, ok, tc.want)
		}
	}
	want := x
	want.RefreshHash2, want.PrevRefreshHash2, want.RotatedAt = r.RefreshHash2, r.PrevRefreshHash2, r.RotatedAt
	want.ExpiresAt, want.UseStaticKey = r.ExpiresAt, r.UseStaticKey
	if got := ask(s.Session(ctx, x.Handle)).or(f); !reflect.DeepEqual(got, want) {
		f.Errorf("after rotate: got %+v, want %+v", got, want)
	}

	// All fields are written as given: back to none, and expired is no hindrance.
	same := store.Rotation{Expect: hash("second"), ExpectStaticKey: true, RefreshHash2: hash("second"), ExpiresAt: 1}
	want.PrevRefreshHash2, want.RotatedAt, want.ExpiresAt, want.UseStaticKey = "", 0, 1, false
	for range 2 { // the second changes nothing and is true all the same
		if !ask(s.Rotate(ctx, x.Handle, same)).or(f) {
			f.Error("rotate to the same hash: got false")
		}
		same.ExpectStaticKey = false
		if got := ask(s.Session(ctx, x.Handle)).or(f); !reflect.DeepEqual(got, want) {
			f.Errorf("after rotate to the same hash: got %+v, want %+v", got, want)
		}
	}
	if got := ask(s.Session(ctx, bystander.Handle)).or(f); !reflect.DeepEqual(got, bystander) {
		f.Errorf("the user's other session: got %+v, want it unchanged: %+v", got, bystander)
	}
}

func updates(f *fixture) {
	s := f.open()
	ctx := f.Context()
	x := f.create(s, session("user"))
	bystander := f.create(s, session("user"))
	want := x
	want.Data, want.Payload = []byte(`{"new":"data"}`), []byte(`{"new":"payload"}`)
	for range 2 { // writing the same value again is true
		if !ask(s.SetData(ctx, x.Handle, want.Data, now)).or(f) {
			f.Error("set data: got false")
		}
		if !ask(s.SetPayload(ctx, x.Handle, want.Payload, now)).or(f) {
			f.Error("set payload: got false")
		}
		if got := ask(s.Session(ctx, x.Handle)).or(f); !reflect.DeepEqual(got, want) {
			f.Errorf("after the updates: got %+v, want %+v", got, want)
		}
	}
	for name, set := range map[string]func(h string) (bool, error){
		"data":    func(h string) (bool, error) { return s.SetData(ctx, h, []byte(`{}`), now) },
		"payload": func(h string) (bool, error) { return s.SetPayload(ctx, h, []byte(`{}`), now) },
	} {
		missing := handle()
		if ask(set(missing)).or(f) {
			f.Errorf("set %s of a missing session: got true", name)
		}
		if _, err := s.Session(ctx, missing); !errors.Is(err, store.ErrNotFound) {
			f.Errorf("after setting its %s a missing session is there: %v", name, err)
		}
	}
	if got := ask(s.Session(ctx, bystander.Handle)).or(f); !reflect.DeepEqual(got, bystander) {
		f.Errorf("the user's other session: got %+v, want it unchanged", got)
	}
}

func expires(f *fixture) {
	s := f.open()
	ctx := f.Context()
	for _, tc := range []struct {
		name                     string
		expiresAt                int64
		set, listed, expiredGoes bool
	}{
		{"a millisecond before", now - 1, false, false, true},
		{"this millisecond", now, false, true, true}, // listed and expired at once: the boundaries overlap
		{"a millisecond after", now + 1, true, true, false},
	} {
		f.Run(tc.name, func(t *testing.T) {
			f := &fixture{T: t, backend: f.backend, config: f.config}
			x := session(tc.name)
			x.ExpiresAt = tc.expiresAt
			f.create(s, x)
			if ok := ask(s.SetData(ctx, x.Handle, []byte("{}"), now)).or(f); ok != tc.set {
				f.Errorf("set data: got %v, want %v (expires_at > now)", ok, tc.set)
			}
			if ok := ask(s.SetPayload(ctx, x.Handle, []byte("{}"), now)).or(f); ok != tc.set {
				f.Errorf("set payload: got %v, want %v (expires_at > now)", ok, tc.set)
			}
			if got := ask(s.Handles(ctx, tc.name, now)).or(f); (len(got) == 1) != tc.listed {
				f.Errorf("handles: got %q, want listed: %v (expires_at >= now)", got, tc.listed)
			}
			if _, err := s.Liveness(ctx, x.Handle); err != nil {
				f.Errorf("liveness: got %v, want the row, expired or not", err)
			}
			if n := ask(s.DeleteExpired(ctx, now, 100)).or(f); (n == 1) != tc.expiredGoes {
				f.Errorf("delete expired: got %d rows, want it gone: %v (expires_at <= now)", n, tc.expiredGoes)
			}
			if tc.expiredGoes {
				f.create(s, x)
			}
			if got := ask(s.DeleteByUser(ctx, tc.name, now)).or(f); (len(got) == 1) != tc.listed {
				f.Errorf("delete by user: got %q, want it gone: %v (expires_at >= now)", got, tc.listed)
			}
			if _, err := s.Liveness(ctx, x.Handle); errors.Is(err, store.ErrNotFound) != tc.listed {
				f.Errorf("liveness after delete by user: %v", err)
			}
			ask(s.Delete(ctx, []string{x.Handle})).or(f)
		})
	}
}
