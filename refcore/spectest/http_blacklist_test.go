package spectest

import (
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore"
)

var httpBlacklist = []rule{
	{number: 69, name: "setting on", cdi: upTo("2.20"), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		c.verify(cdi, s.access).ok()
		c.remove(cdi, s.handle).ok()
		c.verify(cdi, s.access).unauth(msgGone)
	}},
	{number: 70, name: "setting off", cdi: upTo("2.20"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.remove(cdi, s.handle).ok()
		c.verify(cdi, s.access).ok()
		c.clock.ms.Store(s.expiry + 1)
		c.verify(cdi, s.access).tryRefresh()
	}},
	{number: 71, name: "setting decides nothing from 2.21", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		c.remove(cdi, s.handle).ok()
		c.verify(cdi, s.access, obj{"checkDatabase": false}).ok()
	}},
	{number: 72, name: "checkDatabase decides from 2.21", cdi: from("2.21"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		on, off := obj{"checkDatabase": true}, obj{"checkDatabase": false}
		c.verify(cdi, s.access, on).ok()
		c.remove(cdi, s.handle).ok()
		c.verify(cdi, s.access, on).unauth(msgGone)
		c.verify(cdi, s.access, off).ok()
		c.verify(cdi, s.access, on).unauth(msgGone)
	}},
	{number: 73, name: "checkDatabase is ignored up to 2.20", cdi: upTo("2.20"), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.remove(cdi, s.handle).ok()
		c.verify(cdi, s.access, obj{"checkDatabase": true}).ok()
	}},
	{number: 74, name: "2.19 and 2.20 are of the setting's era", cdi: []string{"2.19", "2.20"}, run: func(t *testing.T, cdi string) {
		for _, on := range []bool{true, false} {
			c := start(t, settings(func(s *refcore.Settings) { s.Blacklisting = on }))
			s := c.create(cdi)
			c.remove(cdi, s.handle).ok()
			a := c.verify(cdi, s.access, obj{"checkDatabase": !on})
			if on {
				a.unauth(msgGone)
			} else {
				a.ok()
			}
		}
	}},
	{number: 75, name: "handshake tells the setting", cdi: upTo("2.20"), run: func(t *testing.T, cdi string) {
		for _, on := range []bool{true, false} {
			c := start(t, settings(func(s *refcore.Settings) { s.Blacklisting = on }))
			c.post(cdi, pathHandshake, obj{}).ok().equals(on, "accessTokenBlacklistingEnabled")
		}
	}},
	{number: 76, name: "immediately, on every instance", cdi: eras, run: func(t *testing.T, cdi string) {
		cores := deploy(t, 2, checked)
		for i := range 4 {
			a, b := cores[i%2], cores[1-i%2]
			s := a.create(cdi)
			b.verify(cdi, s.access).ok()
			a.verify(cdi, s.access).ok()
			b.remove(cdi, s.handle).ok().equals([]string{s.handle}, "sessionHandlesRevoked")
			a.verify(cdi, s.access).unauth(msgGone)
			b.verify(cdi, s.access).unauth(msgGone)
		}
	}},
	{number: 77, name: "however revoked", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		c.verify(cdi, s.access).ok()
		c.removeUser(cdi, "user").ok().equals([]string{s.handle}, "sessionHandlesRevoked")
		c.verify(cdi, s.access).unauth(msgGone)
		if cdi == "5.6" {
			s = c.create(cdi)
			second := c.next(cdi, s.refresh)
			third := c.next(cdi, second.refresh)
			c.refresh(cdi, s.refresh).is("TOKEN_THEFT_DETECTED")
			c.verify(cdi, third.access).unauth(msgGone)
		}
	}},
	{number: 78, name: "the user's other sessions stay", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		a, b := c.create(cdi), c.create(cdi)
		c.remove(cdi, a.handle).ok()
		c.verify(cdi, a.access).unauth(msgGone)
		c.verify(cdi, b.access).ok()
	}},
	{number: 79, name: "payload changed, check on", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		c.setPayload(cdi, s.handle, obj{"role": "user"}).ok()
		a := c.verify(cdi, s.access).ok().equals(obj{"role": "user"}, "session", "userDataInJWT")
		c.verify(cdi, a.replacement()).ok().noToken().equals(obj{"role": "user"}, "session", "userDataInJWT")
	}},
	{number: 80, name: "payload changed, check off", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t)
		s := c.create(cdi)
		c.setPayload(cdi, s.handle, obj{"role": "user"}).ok()
		c.verify(cdi, s.access).ok().noToken().equals(obj{"role": "admin"}, "session", "userDataInJWT")
	}},
	{number: 81, name: "payloadUpdateAvailable", cdi: []string{"5.6"}, run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		c.verify(cdi, s.access).ok().equals(false, "payloadUpdateAvailable")
		c.setPayload(cdi, s.handle, obj{"role": "user"}).ok()
		c.verify(cdi, s.access).ok().equals(true, "payloadUpdateAvailable").equals(obj{"role": "admin"}, "session", "userDataInJWT")
		c.verify(cdi, s.access, obj{"checkDatabase": false}).ok().only("session")
	}},
	{number: 82, name: "rotated-out token", cdi: []string{"5.6"}, run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		first := c.create(cdi)
		second := c.next(cdi, first.refresh)
		c.verify(cdi, first.access).ok()
		third := c.next(cdi, second.refresh)
		c.verify(cdi, first.access).unauth(msgRotated)
		c.verify(cdi, first.access, obj{"checkDatabase": false}).ok()
		c.verify(cdi, second.access).ok()
		c.clock.advance(10 * time.Minute) // the grace period bounds refresh only
		c.verify(cdi, second.access).ok()
		c.verify(cdi, third.access).ok()
	}},
	{number: 83, name: "database down", cdi: all(), run: func(t *testing.T, cdi string) {
		b := &breakable{}
		c := start(t, b.option(t), checked)
		s := c.create(cdi)
		b.down.Store(true)
		if a := c.verify(cdi, s.access); a.code < 500 {
			a.fail("want 5xx")
		}
		c.engine.Keys() // cached
		if atLeast(cdi, "2.21") {
			c.verify(cdi, s.access, obj{"checkDatabase": false}).ok()
		}
		b.down.Store(false)
		c.verify(cdi, s.access).ok()
		off := &breakable{}
		c = start(t, off.option(t))
		s = c.create(cdi)
		off.down.Store(true)
		c.verify(cdi, s.access).ok()
	}},
	{number: 84, name: "unpromoted token of a revoked session", cdi: upTo("5.5"), run: func(t *testing.T, cdi string) {
		c := start(t)
		n := c.next(cdi, c.create(cdi).refresh)
		c.remove(cdi, n.handle).ok()
		c.verify(cdi, n.access).unauth(msgMissing)
	}},
	{number: 85, name: "bad token of a revoked session", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi)
		c.remove(cdi, s.handle).ok()
		c.verify(cdi, flip(s.access, 2)).tryRefresh()
		c.clock.ms.Store(s.expiry + 1)
		c.verify(cdi, s.access).tryRefresh()
	}},
	{number: 86, name: "anti-csrf of a revoked session", cdi: all(), run: func(t *testing.T, cdi string) {
		c := start(t, checked)
		s := c.create(cdi, obj{"enableAntiCsrf": true})
		c.remove(cdi, s.handle).ok()
		both := obj{"doAntiCsrfCheck": true, "enableAntiCsrf": true}
		c.verify(cdi, s.access, both, obj{"antiCsrfToken": "wrong"}).tryRefresh()
		c.verify(cdi, s.access, both, obj{"antiCsrfToken": s.anti}).unauth(msgGone)
	}},
}
