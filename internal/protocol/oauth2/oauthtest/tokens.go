package oauthtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
)

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "refused"}) // see writeJSON
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if !isClient(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		l := s.pending[r.PostFormValue("code")]
		delete(s.pending, r.PostFormValue("code"))
		if l == nil || l.query.Get("code_challenge") != pkce(r.PostFormValue("code_verifier")) || l.query.Get("redirect_uri") != r.PostFormValue("redirect_uri") {
			refuse(w, http.StatusBadRequest, "invalid_grant")
			return
		}
		s.issue(w, &grant{user: l.subject, ext: l.ext}, true)
	case "client_credentials":
		s.issue(w, &grant{user: "app"}, false)
	case "refresh_token":
		s.exchange(w, r.PostFormValue("refresh_token"))
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
	}
}

// exchange is a refresh; s.mu is held.
func (s *Server) exchange(w http.ResponseWriter, token string) {
	t := s.refresh[token]
	if t != nil && t.exchanged && !s.o.ReuseIsHarmless {
		s.end(t.grant)
	}
	if t == nil || t.exchanged {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	if s.o.SlowExchange > 0 {
		s.mu.Unlock()
		time.Sleep(s.o.SlowExchange)
		s.mu.Lock()
		t.grant = &grant{user: t.grant.user, ext: t.grant.ext}
	}
	t.exchanged = !s.o.RefreshKeepsOld
	for at, a := range s.access {
		if a.grant == t.grant && !s.o.AccessOutlives {
			delete(s.access, at)
		}
	}
	s.issue(w, t.grant, true)
}

// issue gives new tokens of a grant; s.mu is held.
func (s *Server) issue(w http.ResponseWriter, g *grant, refreshable bool) {
	s.grants[g] = true
	now := time.Now()
	a := &accessToken{grant: g, issued: now, expiry: now.Add(s.o.Lifetime).Truncate(time.Second)}
	token := secret("at-")
	if s.o.JWT {
		token = s.sign(a)
	}
	s.access[token] = a
	answer := map[string]any{"access_token": token, "token_type": "bearer", "expires_in": int(s.o.Lifetime / time.Second)}
	if refreshable {
		refresh := secret("rt-")
		s.refresh[refresh] = &refreshToken{grant: g}
		answer["refresh_token"] = refresh
	}
	writeJSON(w, answer)
}

func (s *Server) sign(a *accessToken) string {
	encode := func(v any) string {
		b, _ := json.Marshal(v) // maps of plain values
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := encode(map[string]string{"alg": "RS256", "typ": "at+jwt", "kid": "key-1"}) + "." + encode(map[string]any{
		"sub": a.grant.user, "iat": a.issued.Unix(), "exp": a.expiry.Unix(), "ext": a.grant.ext, "jti": secret(""),
	})
	sum := sha256.Sum256([]byte(signed))
	signature, _ := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:]) // the key is good
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// end ends a grant; s.mu is held.
func (s *Server) end(g *grant) {
	for t, a := range s.access {
		if a.grant == g {
			delete(s.access, t)
		}
	}
	for t, r := range s.refresh {
		if r.grant == g {
			delete(s.refresh, t)
		}
	}
	delete(s.grants, g)
}

func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	if id, pass, _ := r.BasicAuth(); id != APIID || pass != APISecret {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	token := r.PostFormValue("token")
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.cache[token]; ok && time.Now().Before(c.until) {
		_, _ = w.Write(c.body) // see writeJSON
		return
	}
	a := s.access[token]
	answer := map[string]any{"active": false}
	if rt := s.refresh[token]; rt != nil && !rt.exchanged {
		answer = map[string]any{"active": true, "token_use": "refresh_token", "sub": rt.grant.user}
	}
	if a != nil && (time.Now().Before(a.expiry) || s.o.NeverExpires) {
		answer = map[string]any{"active": true, "sub": a.grant.user, "exp": a.expiry.Unix(), "ext": a.grant.ext, "token_use": "access_token"}
	}
	body, _ := json.Marshal(answer) // maps of plain values
	if s.o.CachedFor > 0 {
		s.cache[token] = cached{body, time.Now().Add(s.o.CachedFor)}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // see writeJSON
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if !isClient(r) {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if s.o.RevokeDoesNothing {
		return
	}
	token := r.PostFormValue("token")
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.refresh[token]; t != nil {
		switch {
		case s.o.RevokeOneToken:
			delete(s.refresh, token)
		case !t.exchanged || !s.o.LateRevokeForgets:
			s.end(t.grant)
		}
	}
	if a := s.access[token]; a != nil {
		if s.o.RevokeOneToken {
			delete(s.access, token)
		} else {
			s.end(a.grant)
		}
	}
}

func (s *Server) revokeUser(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for g := range s.grants {
		if g.user == r.URL.Query().Get("subject") && !s.o.KeepsUserSessions {
			s.end(g)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}
