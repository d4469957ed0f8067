package coretest

import "time"

const (
	PathSession    = "/recipe/session"
	PathVerify     = "/recipe/session/verify"
	PathRefresh    = "/recipe/session/refresh"
	PathRemove     = "/recipe/session/remove"
	PathRegenerate = "/recipe/session/regenerate"
	PathUser       = "/recipe/session/user"
	PathData       = "/recipe/session/data"
	PathPayload    = "/recipe/jwt/data"
	PathHandshake  = "/recipe/handshake"
	PathJWT        = "/recipe/jwt"
	PathJWKS       = "/.well-known/jwks.json"

	MsgGone      = "Either the session has ended or has been blacklisted"
	MsgNone      = "Session does not exist."
	MsgMissing   = "Session missing in db"
	MsgExpired   = "Session missing in db or has expired"
	MsgProtected = "The user payload contains protected field"
	MsgRotated   = "rotated-out token branch; refresh required"
	MsgCSRF      = "anti-csrf check failed"
	MsgCSRFRef   = "Anti CSRF token missing, or not matching"
	MsgPublic    = "Only public tenantId can call this app specific API"
	MsgNoTenant  = "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: "
)

// Session is a client's view of one.
type Session struct {
	Handle, Access, Refresh, Anti string
	Expiry                        int64 // of the access token
	Answer                        Answer
}

func SessionOf(a Answer) Session {
	a.t.Helper()
	s := Session{
		Handle: a.Str("session", "handle"), Access: a.Str("accessToken", "token"), Refresh: a.Str("refreshToken", "token"),
		Expiry: a.Num("accessToken", "expiry"), Answer: a,
	}
	if a.Has("antiCsrfToken") {
		s.Anti = a.Str("antiCsrfToken")
	}
	return s
}

func CreateBody(more ...Obj) Obj {
	return With(Obj{
		"userId": "user", "enableAntiCsrf": false, "userDataInJWT": Obj{"role": "admin"}, "userDataInDatabase": Obj{"k": "v"},
	}, more...)
}

// Create makes a session.
func (c *Core) Create(cdi string, more ...Obj) Session {
	c.T.Helper()
	return SessionOf(c.Post(cdi, PathSession, CreateBody(more...)).OK())
}

func (c *Core) VerifyBody(cdi, accessToken string, more ...Obj) Obj {
	b := Obj{"accessToken": accessToken, "doAntiCsrfCheck": false, "enableAntiCsrf": false}
	if AtLeast(cdi, "2.21") {
		b["checkDatabase"] = c.check
	}
	return With(b, more...)
}

func (c *Core) Verify(cdi, accessToken string, more ...Obj) Answer {
	c.T.Helper()
	return c.Post(cdi, PathVerify, c.VerifyBody(cdi, accessToken, more...))
}

func RefreshBody(cdi, refreshToken string, more ...Obj) Obj {
	b := Obj{"refreshToken": refreshToken, "enableAntiCsrf": false}
	if AtLeast(cdi, "5.0") {
		b["useDynamicSigningKey"] = true
	}
	return With(b, more...)
}

func (c *Core) Refresh(cdi, refreshToken string, more ...Obj) Answer {
	c.T.Helper()
	return c.Post(cdi, PathRefresh, RefreshBody(cdi, refreshToken, more...))
}

// Next refreshes and gives the new pair.
func (c *Core) Next(cdi, refreshToken string, more ...Obj) Session {
	c.T.Helper()
	return SessionOf(c.Refresh(cdi, refreshToken, more...).OK())
}

func (c *Core) Remove(cdi string, handles ...string) Answer {
	c.T.Helper()
	if handles == nil {
		handles = []string{}
	}
	return c.Post(cdi, PathRemove, Obj{"sessionHandles": handles})
}

func (c *Core) RemoveUser(cdi, user string) Answer {
	c.T.Helper()
	return c.Post(cdi, PathRemove, Obj{"userId": user})
}

func (c *Core) SetPayload(cdi, handle string, payload any) Answer {
	c.T.Helper()
	return c.Put(cdi, PathPayload, Obj{"sessionHandle": handle, "userDataInJWT": payload})
}

func (c *Core) SetData(cdi, handle string, data any) Answer {
	c.T.Helper()
	return c.Put(cdi, PathData, Obj{"sessionHandle": handle, "userDataInDatabase": data})
}

func (c *Core) GetSession(cdi, handle string) Answer {
	c.T.Helper()
	return c.Get(cdi, PathSession, "sessionHandle", handle)
}

func (c *Core) Handles(cdi, user string) []string {
	c.T.Helper()
	return c.Get(cdi, PathUser, "userId", user).OK().List("sessionHandles")
}

func (c *Core) Regenerate(cdi, accessToken string, payload any) Answer {
	c.T.Helper()
	b := Obj{"accessToken": accessToken}
	if payload != nil {
		b["userDataInJWT"] = payload
	}
	return c.Post(cdi, PathRegenerate, b)
}

// Replacement is the access token in a verify answer.
func (a Answer) Replacement() string { a.t.Helper(); return a.Str("accessToken", "token") }

func (a Answer) NoToken() Answer {
	a.t.Helper()
	if a.Has("accessToken") {
		a.Fail("want no new access token")
	}
	return a
}

func ReuseUnauthorised(s *Setup) { s.Settings.ReuseUnauthorised = true }

func (c *Core) Gone(handle string) {
	c.T.Helper()
	if _, there := c.Row(handle); there {
		c.T.Fatalf("the row of %s is still there", handle)
	}
}

func RecentPrev(c *Core) (Session, string) {
	s := c.Create("5.6")
	c.Next("5.6", s.Refresh)
	c.Clock.Advance(c.Engine.Settings().GracePeriod + time.Millisecond)
	return s, s.Refresh
}

func OrphanedBranch(c *Core) (Session, string) {
	s := c.Create("5.6")
	displaced := c.Next("5.6", s.Refresh)
	c.Next("5.6", s.Refresh) // within the grace period
	return s, displaced.Refresh
}

func StaleLineage(c *Core) (Session, string) {
	s := c.Create("5.6")
	c.Next("5.6", c.Next("5.6", s.Refresh).Refresh)
	return s, s.Refresh
}
