package lives_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreproof/coreproof/bench/lives"
	"github.com/coreproof/coreproof/bench/population"
	"github.com/coreproof/coreproof/internal/protocol"
)

// core keeps sessions by handle; each token is good once it is the newest.
type core struct {
	protocol.Core
	mu       *sync.Mutex // shared by cores of one database
	made     int
	live     map[string]string // refresh token by handle
	calls    map[string]int
	checked  int // verifies that asked the database
	refuse   string
	status   int  // of what is refused; 0 is 200
	noHandle bool // a refresh does not name the session again
}

func (c *core) Name() string { return "fake" }

// called counts a call and says whether it is answered well.
func (c *core) called(verb string) protocol.Reply {
	c.calls[verb]++
	if c.refuse == verb {
		return protocol.Reply{Status: protocol.Unauthorised, HTTPStatus: cmp.Or(c.status, 200), Message: "not today"}
	}
	return protocol.Reply{Status: protocol.OK, HTTPStatus: 200}
}

func (c *core) Create(_ context.Context, r protocol.CreateRequest) (protocol.Tokens, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	h := fmt.Sprintf("h%d", c.made)
	t := protocol.Tokens{Reply: c.called("create"), Session: protocol.Session{Handle: h, UserID: r.UserID}, Access: protocol.Token{Value: "a " + h}, Refresh: protocol.Token{Value: "r0 " + h}}
	c.live[h] = t.Refresh.Value
	return t, nil
}

func (c *core) Verify(_ context.Context, r protocol.VerifyRequest) (protocol.Verified, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.CheckDatabase {
		c.checked++
	}
	return protocol.Verified{Reply: c.called("verify")}, nil
}

func (c *core) Revoke(_ context.Context, handles ...string) (protocol.Revoked, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.called("revoke")
	for _, h := range handles {
		if c.live[h] == "" {
			r = protocol.Reply{Status: protocol.Unauthorised, HTTPStatus: 200, Message: "no session " + h}
		}
		delete(c.live, h)
	}
	return protocol.Revoked{Reply: r}, nil
}

// refresher can refresh, and takes the newest token alone.
type refresher struct{ *core }

func (c refresher) Refresh(_ context.Context, r protocol.RefreshRequest) (protocol.Tokens, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, h := 0, ""
	if _, err := fmt.Sscanf(r.RefreshToken, "r%d %s", &n, &h); err != nil || c.live[h] != r.RefreshToken {
		return protocol.Tokens{Reply: protocol.Reply{Status: protocol.TokenTheft, HTTPStatus: 200}}, nil
	}
	c.live[h] = fmt.Sprintf("r%d %s", n+1, h)
	t := protocol.Tokens{Reply: c.called("refresh"), Access: protocol.Token{Value: "a " + h}, Refresh: protocol.Token{Value: c.live[h]}}
	if !c.noHandle {
		t.Session.Handle = h
	}
	return t, nil
}

func fresh() *core {
	return &core{mu: &sync.Mutex{}, live: map[string]string{}, calls: map[string]int{}}
}

func load(t *testing.T, check bool, cores ...protocol.Core) *lives.Load {
	t.Helper()
	l, err := lives.New(t.Context(), cores, population.Population{Prefix: "p", Users: 5}, check)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAFourthBeginsAndAFourthEnds(t *testing.T) {
	t.Parallel()
	for _, noHandle := range []bool{false, true} {
		a, b := fresh(), fresh()
		b.live, b.mu, a.noHandle = a.live, a.mu, noHandle // one database
		b.made = 1000
		l := load(t, true, refresher{a}, refresher{b})
		pool := a.calls["create"] + b.calls["create"]
		for range 3 { // windows go on where the last one ended
			r, err := l.Paced(t.Context(), 40, 20*time.Second/1000, 7)
			if err != nil || r.Wrong != 0 {
				t.Fatalf("%+v, error %v", r, err)
			}
			for r.Calls < 40 { // a busy machine sends fewer in so short a window
				more, err := l.Paced(t.Context(), 40-int(r.Calls), 100*time.Millisecond, 8)
				if err != nil || more.Wrong != 0 {
					t.Fatalf("%+v, error %v", more, err)
				}
				r.Calls += more.Calls
			}
		}
		got := map[string]int{}
		for _, c := range []*core{a, b} {
			for verb, n := range c.calls {
				got[verb] += n
			}
			if c.calls["refresh"] == 0 || c.calls["revoke"] == 0 || c.calls["create"] == 0 {
				t.Errorf("an instance got %v: want some of each", c.calls)
			}
		}
		got["create"] -= pool
		if got["create"] != 30 || got["refresh"] != 60 || got["revoke"] != 30 || got["verify"] != 60 || a.checked+b.checked != 60 || len(a.live) != pool {
			t.Errorf("calls %v, %d of them asked the database, %d sessions left of %d; want 30 create, 60 refresh each with a verify, 30 revoke, and as many left as before", got, a.checked+b.checked, len(a.live), pool)
		}
	}
}

func TestWrongAnswersAreCounted(t *testing.T) {
	t.Parallel()
	for verb, status := range map[string]int{"create": 200, "refresh": 200, "verify": 503, "revoke": 503} {
		c := fresh()
		l := load(t, false, refresher{c})
		c.refuse, c.status = verb, status
		r, err := l.Busy(t.Context(), 20*time.Millisecond)
		if turnedAway := r.Wrong * int64(status/503); r.Shed != turnedAway {
			t.Errorf("%s: %d turned away, want %d", verb, r.Shed, turnedAway)
		}
		if err != nil || r.Wrong == 0 || r.Wrong >= r.Calls && verb != "create" || !strings.Contains(r.Example, "not today") {
			t.Errorf("%s: %+v, error %v", verb, r, err)
		}
		if c.checked != 0 {
			t.Errorf("%s: %d verifies asked the database unasked", verb, c.checked)
		}
	}
}

func TestWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	if _, err := lives.New(t.Context(), []protocol.Core{fresh()}, population.Population{Prefix: "p", Users: 1}, false); err == nil || !strings.Contains(err.Error(), "refresh") {
		t.Errorf("a core that cannot refresh: %v", err)
	}
	c := fresh()
	c.refuse = "create"
	if _, err := lives.New(t.Context(), []protocol.Core{refresher{c}}, population.Population{Prefix: "p", Users: 1}, false); err == nil || !strings.Contains(err.Error(), "not today") {
		t.Errorf("a core that makes no session: %v", err)
	}
	l := load(t, false, refresher{fresh()})
	if r, err := l.Paced(t.Context(), 1_000_000, time.Millisecond, 1); err != nil || r.Achieved >= 0.5 || r.Calls == 0 && r.Achieved != 0 {
		t.Errorf("more than can be sent: %+v, error %v", r, err)
	}
	if r, err := l.Paced(t.Context(), 0, time.Millisecond, 1); err != nil || r.Calls != 0 || r.Achieved != 1 {
		t.Errorf("nothing to send: %+v, error %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Busy(ctx, time.Hour); err == nil {
		t.Error("a cancelled window reports success")
	}
}
