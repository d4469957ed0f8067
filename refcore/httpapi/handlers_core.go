package httpapi

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/token"
)

// text is an answer of HTTP 200 in plain text.
func text(s string) error { return &status{200, s} }

func hello(s *Server, c *call) error {
	if err := c.app(); err != nil {
		return err
	}
	if err := s.pings.ping(c.ctx); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	return text("Hello")
}

func apiVersion(s *Server, c *call) error {
	if err := c.publicOnly(); err != nil {
		return err
	}
	var names []string
	for _, name := range Versions() {
		if s.versions[name] != nil {
			names = append(names, name)
		}
	}
	c.out = append(appendStrings(append(c.out, `{"versions":`...), names), '}')
	return nil
}

func (s *Server) appendJWKS(c *call) {
	s.engine.Keys().Refresh(c.ctx)
	dynamic, static := s.engine.Keys().Verifying()
	c.out = append(c.out, `"keys":[`...)
	first := true
	for _, list := range [][]*token.KeyPair{dynamic, static} {
		for _, k := range list {
			if !first {
				c.out = append(c.out, ',')
			}
			first = false
			c.out = append(c.out, k.JWK...)
		}
	}
	c.out = append(c.out, ']')
}

func jwksPublic(s *Server, c *call) error {
	if err := c.app(); err != nil {
		return err
	}
	c.out = append(c.out, '{')
	s.appendJWKS(c)
	c.out = append(c.out, '}')
	seconds := int64(s.engine.Keys().NextKeyIn() / time.Second)
	c.header.Set("Cache-Control", "max-age="+strconv.FormatInt(seconds, 10)+", must-revalidate")
	return nil
}

func jwks(s *Server, c *call) error {
	if err := c.publicOnly(); err != nil {
		return err
	}
	c.out = append(c.out, `{"status":"OK",`...)
	s.appendJWKS(c)
	c.out = append(c.out, '}')
	return nil
}

// jwtSign is the JWT recipe: a token with the caller's claims.
func jwtSign(s *Server, c *call) error {
	f := &c.fields
	algorithm := f.string("algorithm")
	domain := f.string("jwksDomain")
	payload := f.jsonObject("payload", required)
	validity := f.optLong("validity", required)
	useStatic := f.boolPtr("useStaticSigningKey", atLeast(c.version.requestDecides, optional))
	if f.err != nil {
		return f.err
	}
	if *validity <= 0 {
		return refcore.BadInput("validity must be greater than or equal to 0")
	}
	if *validity > longestValidity {
		return refcore.BadInput("validity must be less than 100,000 years")
	}
	if err := c.publicOnly(); err != nil {
		return err
	}
	if !strings.EqualFold(algorithm, "RS256") {
		c.out = append(c.out, `{"status":"UNSUPPORTED_ALGORITHM_ERROR"}`...)
		return nil
	}
	jwt, err := s.engine.SignJWT(c.ctx, domain, payload, *validity, useStatic == nil || *useStatic)
	if err != nil {
		return err
	}
	c.out = append(c.out, `{"status":"OK","jwt":`...)
	c.out = append(rawjson.AppendString(c.out, jwt), '}')
	return nil
}

// longestValidity keeps an expiry in seconds from overflowing.
const longestValidity = 100_000 * 365 * 24 * 3600

// atLeast is n when a version has the feature, else ignored.
func atLeast(has bool, n need) need {
	if has {
		return n
	}
	return ignored
}

func handshake(s *Server, c *call) error {
	if !c.version.handshake {
		return errNotFound
	}
	if err := c.app(); err != nil {
		return err
	}
	set := s.engine.Settings()
	b, err := s.appendKeys(c, append(c.out, `{"status":"OK"`...))
	if err != nil {
		return err
	}
	c.out = fmt.Appendf(b, `,"accessTokenBlacklistingEnabled":%t,"accessTokenValidity":%d,"refreshTokenValidity":%d}`,
		set.Blacklisting, set.AccessValidity.Milliseconds(), set.RefreshValidity.Milliseconds())
	return nil
}
