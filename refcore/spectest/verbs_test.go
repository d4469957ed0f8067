package spectest

const (
	pathSession    = "/recipe/session"
	pathVerify     = "/recipe/session/verify"
	pathRefresh    = "/recipe/session/refresh"
	pathRemove     = "/recipe/session/remove"
	pathRegenerate = "/recipe/session/regenerate"
	pathUser       = "/recipe/session/user"
	pathData       = "/recipe/session/data"
	pathPayload    = "/recipe/jwt/data"
	pathHandshake  = "/recipe/handshake"
	pathJWT        = "/recipe/jwt"
	pathJWKS       = "/.well-known/jwks.json"

	msgGone      = "Either the session has ended or has been blacklisted"
	msgNone      = "Session does not exist."
	msgMissing   = "Session missing in db"
	msgExpired   = "Session missing in db or has expired"
	msgProtected = "The user payload contains protected field"
	msgRotated   = "rotated-out token branch; refresh required"
	msgCSRF      = "anti-csrf check failed"
	msgCSRFRef   = "Anti CSRF token missing, or not matching"
	msgPublic    = "Only public tenantId can call this app specific API"
	msgNoTenant  = "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: "
)

// session is a client's view of one.
type session struct {
	handle, access, refresh, anti string
	expiry                        int64 // of the access token
	answer                        answer
}

func sessionOf(a answer) session {
	a.t.Helper()
	s := session{
		handle: a.str("session", "handle"), access: a.str("accessToken", "token"), refresh: a.str("refreshToken", "token"),
		expiry: a.num("accessToken", "expiry"), answer: a,
	}
	if a.has("antiCsrfToken") {
		s.anti = a.str("antiCsrfToken")
	}
	return s
}

func createBody(more ...obj) obj {
	return with(obj{
		"userId": "user", "enableAntiCsrf": false, "userDataInJWT": obj{"role": "admin"}, "userDataInDatabase": obj{"k": "v"},
	}, more...)
}

// create makes a session.
func (c *core) create(cdi string, more ...obj) session {
	c.t.Helper()
	return sessionOf(c.post(cdi, pathSession, createBody(more...)).ok())
}

func (c *core) verifyBody(cdi, accessToken string, more ...obj) obj {
	b := obj{"accessToken": accessToken, "doAntiCsrfCheck": false, "enableAntiCsrf": false}
	if atLeast(cdi, "2.21") {
		b["checkDatabase"] = c.check
	}
	return with(b, more...)
}

func (c *core) verify(cdi, accessToken string, more ...obj) answer {
	c.t.Helper()
	return c.post(cdi, pathVerify, c.verifyBody(cdi, accessToken, more...))
}

func refreshBody(cdi, refreshToken string, more ...obj) obj {
	b := obj{"refreshToken": refreshToken, "enableAntiCsrf": false}
	if atLeast(cdi, "5.0") {
		b["useDynamicSigningKey"] = true
	}
	return with(b, more...)
}

func (c *core) refresh(cdi, refreshToken string, more ...obj) answer {
	c.t.Helper()
	return c.post(cdi, pathRefresh, refreshBody(cdi, refreshToken, more...))
}

// next refreshes and gives the new pair.
func (c *core) next(cdi, refreshToken string, more ...obj) session {
	c.t.Helper()
	return sessionOf(c.refresh(cdi, refreshToken, more...).ok())
}

func (c *core) remove(cdi string, handles ...string) answer {
	c.t.Helper()
	if handles == nil {
		handles = []string{}
	}
	return c.post(cdi, pathRemove, obj{"sessionHandles": handles})
}

func (c *core) removeUser(cdi, user string) answer {
	c.t.Helper()
	return c.post(cdi, pathRemove, obj{"userId": user})
}

func (c *core) setPayload(cdi, handle string, payload any) answer {
	c.t.Helper()
	return c.put(cdi, pathPayload, obj{"sessionHandle": handle, "userDataInJWT": payload})
}

func (c *core) setData(cdi, handle string, data any) answer {
	c.t.Helper()
	return c.put(cdi, pathData, obj{"sessionHandle": handle, "userDataInDatabase": data})
}

func (c *core) getSession(cdi, handle string) answer {
	c.t.Helper()
	return c.get(cdi, pathSession, "sessionHandle", handle)
}

func (c *core) handles(cdi, user string) []string {
	c.t.Helper()
	return c.get(cdi, pathUser, "userId", user).ok().list("sessionHandles")
}

func (c *core) regenerate(cdi, accessToken string, payload any) answer {
	c.t.Helper()
	b := obj{"accessToken": accessToken}
	if payload != nil {
		b["userDataInJWT"] = payload
	}
	return c.post(cdi, pathRegenerate, b)
}

// replacement is the access token in a verify answer.
func (a answer) replacement() string { a.t.Helper(); return a.str("accessToken", "token") }

func (a answer) noToken() answer {
	a.t.Helper()
	if a.has("accessToken") {
		a.fail("want no new access token")
	}
	return a
}
