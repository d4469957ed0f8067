package httpapi

import (
	"strconv"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/token"
)

func create(s *Server, c *call) error {
	f := &c.fields
	v := c.version
	in := refcore.CreateInput{TokenVersion: v.token}
	in.UserID = f.string("userId")
	in.EnableAntiCSRF = f.bool("enableAntiCsrf")
	in.Payload = f.payload(required)
	in.Data = f.jsonObject("userDataInDatabase", required)
	in.AccessValidity = f.optLong("accessTokenValidity", atLeast(v.rotate, optional))
	if f.err != nil {
		return f.err
	}
	if err := c.tenant(); err != nil {
		return err
	}
	in.StaticKey = !s.engine.Settings().DynamicKeys
	if v.createKeyKind != ignored {
		dynamic := f.boolPtr("useDynamicSigningKey", v.createKeyKind)
		if f.err != nil {
			return f.err
		}
		in.StaticKey = dynamic != nil && !*dynamic
	}
	g, err := s.engine.Create(c.ctx, in)
	if err != nil {
		return err
	}
	b := s.appendGranted(c, g)
	if b, err = s.appendKeys(c, b); err != nil {
		return err
	}
	c.out = append(b, '}')
	return nil
}

// appendGranted appends the answer of create and refresh without its last brace.
func (s *Server) appendGranted(c *call, g refcore.Granted) []byte {
	b := append(c.out, `{"status":"OK"`...)
	b = appendSession(b, c.version, &g.Session)
	b = appendIssued(b, "accessToken", g.Access)
	b = appendIssued(b, "refreshToken", g.Refresh)
	if c.version.idRefresh {
		id := g.Refresh
		id.Token = token.NewUUID() // nothing ever asks for it again
		b = appendIssued(b, "idRefreshToken", id)
	}
	if g.AntiCSRF != "" {
		b = append(b, `,"antiCsrfToken":`...)
		b = rawjson.AppendString(b, g.AntiCSRF)
	}
	return b
}

func verify(s *Server, c *call) error {
	f := &c.fields
	v := c.version
	in := refcore.VerifyInput{Stateless: v.rotate}
	in.AccessToken = f.string("accessToken")
	in.AntiCSRF = f.optString("antiCsrfToken")
	do := f.bool("doAntiCsrfCheck")
	enable := f.bool("enableAntiCsrf")
	in.CheckAntiCSRF = do && enable
	if f.err != nil {
		return f.err
	}
	if err := c.app(); err != nil {
		return err
	}
	if v.rotate {
		if err := c.publicOnly(); err != nil {
			return err
		}
	}
	in.CheckDatabase = s.engine.Settings().Blacklisting
	if v.requestDecides {
		in.CheckDatabase = f.bool("checkDatabase")
		if f.err != nil {
			return f.err
		}
	}
	got, err := s.engine.Verify(c.ctx, in)
	if err != nil {
		return err
	}
	b := append(c.out, `{"status":"OK"`...)
	b = appendSession(b, v, &got.Session)
	if got.Access.Token != "" {
		b = appendIssued(b, "accessToken", got.Access)
	}
	if v.rotate && in.CheckDatabase {
		b = append(b, `,"payloadUpdateAvailable":`...)
		b = strconv.AppendBool(b, got.PayloadUpdateAvailable)
	}
	if b, err = s.appendKeys(c, b); err != nil {
		return err
	}
	c.out = append(b, '}')
	return nil
}

func refresh(s *Server, c *call) error {
	f := &c.fields
	v := c.version
	in := refcore.RefreshInput{TokenVersion: v.token, Rotate: v.rotate}
	in.RefreshToken = f.string("refreshToken")
	in.AntiCSRF = f.optString("antiCsrfToken")
	in.EnableAntiCSRF = f.bool("enableAntiCsrf")
	if dynamic := f.boolPtr("useDynamicSigningKey", v.refreshKeyKind); dynamic != nil {
		static := !*dynamic
		in.StaticKey = &static
	}
	in.AccessValidity = f.optLong("accessTokenValidity", atLeast(v.rotate, optional))
	if f.err != nil {
		return f.err
	}
	if err := c.tenant(); err != nil {
		return err
	}
	g, err := s.engine.Refresh(c.ctx, in)
	if err != nil {
		return err
	}
	c.out = append(s.appendGranted(c, g), '}')
	return nil
}

func remove(s *Server, c *call) error {
	f := &c.fields
	user := f.optString("userId")
	handles, byHandle := f.strings("sessionHandles")
	if f.err != nil {
		return f.err
	}
	if (user != nil) == byHandle {
		return refcore.BadInput("Invalid JSON input - use one of userId or sessionHandles array")
	}
	across := true
	for _, name := range []string{"revokeAcrossAllTenants", "revokeSessionsForLinkedAccounts"} {
		b := f.boolPtr(name, optional)
		if f.err != nil {
			return f.err
		}
		if b != nil && byHandle {
			return refcore.BadInput("Invalid JSON input - " + name + " can only be set if userId is set")
		}
		if b != nil && name == "revokeAcrossAllTenants" {
			across = *b
		}
	}
	var gone []string
	var err error
	if byHandle {
		if err = c.app(); err != nil {
			return err
		}
		for _, h := range handles {
			if err := handleTenant(h); err != nil {
				return err
			}
		}
		gone, err = s.engine.Revoke(c.ctx, handles)
	} else {
		if err = c.scope(across); err != nil {
			return err
		}
		gone, err = s.engine.RevokeUser(c.ctx, *user)
	}
	if err != nil {
		return err
	}
	c.out = append(appendStrings(append(c.out, `{"status":"OK","sessionHandlesRevoked":`...), gone), '}')
	return nil
}

// scope checks the tenant of a call about a user: of the path's tenant only, or
// across all tenants.
func (c *call) scope(across bool) error {
	if across {
		return c.publicOnly()
	}
	return c.tenant()
}

func regenerate(s *Server, c *call) error {
	f := &c.fields
	accessToken := f.string("accessToken")
	payload := f.payload(optional)
	if f.err != nil {
		return f.err
	}
	if err := c.app(); err != nil {
		return err
	}
	g, err := s.engine.Regenerate(c.ctx, accessToken, payload, c.version.checkPayload)
	if err != nil {
		return err
	}
	b := append(c.out, `{"status":"OK"`...)
	b = appendSession(b, c.version, &g.Session)
	if g.Access.Token != "" {
		b = appendIssued(b, "accessToken", g.Access)
	}
	c.out = append(b, '}')
	return nil
}

func listUser(s *Server, c *call) error {
	user, err := c.mustParam("userId")
	if err != nil {
		return err
	}
	across := true
	if v, ok := c.param("fetchAcrossAllTenants"); ok {
		across = isTrue(v)
	}
	if err := c.scope(across); err != nil {
		return err
	}
	handles, err := s.engine.List(c.ctx, user)
	if err != nil {
		return err
	}
	c.out = append(appendStrings(append(c.out, `{"status":"OK","sessionHandles":`...), handles), '}')
	return nil
}

// row reads the session that the query names.
func (s *Server) row(c *call) (store.Session, error) {
	handle, err := c.mustParam("sessionHandle")
	if err != nil {
		return store.Session{}, err
	}
	if err := c.app(); err != nil {
		return store.Session{}, err
	}
	if err := handleTenant(handle); err != nil {
		return store.Session{}, err
	}
	return s.engine.Get(c.ctx, handle)
}

func getSession(s *Server, c *call) error {
	row, err := s.row(c)
	if err != nil {
		return err
	}
	b := append(c.out, `{"status":"OK","sessionHandle":`...)
	b = rawjson.AppendString(b, row.Handle)
	b = append(b, `,"userId":`...)
	b = rawjson.AppendString(b, row.UserID)
	b = append(b, `,"userDataInDatabase":`...)
	b = append(b, row.Data...)
	b = append(b, `,"userDataInJWT":`...)
	b = append(b, row.Payload...)
	b = append(b, `,"expiry":`...)
	b = strconv.AppendInt(b, row.ExpiresAt, 10)
	b = append(b, `,"timeCreated":`...)
	b = strconv.AppendInt(b, row.CreatedAt, 10)
	if c.version.tenantID {
		b = append(b, `,"tenantId":"public"`...)
	}
	if c.version.recipeUserID {
		b = append(b, `,"recipeUserId":`...)
		b = rawjson.AppendString(b, row.UserID)
	}
	c.out = append(b, '}')
	return nil
}

func getData(s *Server, c *call) error {
	row, err := s.row(c)
	if err != nil {
		return err
	}
	c.out = append(append(append(c.out, `{"status":"OK","userDataInDatabase":`...), row.Data...), '}')
	return nil
}

func getPayload(s *Server, c *call) error {
	row, err := s.row(c)
	if err != nil {
		return err
	}
	c.out = append(append(append(c.out, `{"status":"OK","userDataInJWT":`...), row.Payload...), '}')
	return nil
}

func putData(s *Server, c *call) error {
	handle := c.fields.string("sessionHandle")
	data := c.fields.jsonObject("userDataInDatabase", required)
	if err := c.updatable(handle); err != nil {
		return err
	}
	if err := s.engine.SetData(c.ctx, handle, data); err != nil {
		return err
	}
	c.out = append(c.out, `{"status":"OK"}`...)
	return nil
}

func putPayload(s *Server, c *call) error {
	handle := c.fields.string("sessionHandle")
	payload := c.fields.payload(required)
	if c.fields.err == nil && c.version.checkPayload {
		c.fields.err = token.CheckPayload(c.version.token, payload)
	}
	if err := c.updatable(handle); err != nil {
		return err
	}
	if err := s.engine.SetPayload(c.ctx, handle, payload); err != nil {
		return err
	}
	c.out = append(c.out, `{"status":"OK"}`...)
	return nil
}

// updatable checks what both updates check after their fields.
func (c *call) updatable(handle string) error {
	if c.fields.err != nil {
		return c.fields.err
	}
	if err := c.app(); err != nil {
		return err
	}
	return handleTenant(handle)
}
