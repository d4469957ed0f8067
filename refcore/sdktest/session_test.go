package sdktest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/supertokens/supertokens-golang/recipe/session"
	sdkerrors "github.com/supertokens/supertokens-golang/recipe/session/errors"
	"github.com/supertokens/supertokens-golang/recipe/session/sessmodels"
)

func testVerify(t *testing.T, w *wire) {
	s := login(t, "verify")
	before := w.count(verifyCall)
	local := must(verify(s, false))(t)
	if n := w.count(verifyCall) - before; n != 0 {
		t.Errorf("verify without the database called the core %d times", n)
	}
	if w.count("GET /.well-known/jwks.json") == 0 {
		t.Error("verify without the database fetched no keys")
	}
	checked := must(verify(s, true))(t)
	if n := w.count(verifyCall) - before; n != 1 {
		t.Errorf("verify with the database called the core %d times, want 1", n)
	}
	for _, got := range []sessmodels.SessionContainer{local, checked} {
		if got.GetHandle() != s.GetHandle() || got.GetUserID() != "verify" || got.GetTenantId() != tenant || got.GetAccessTokenPayload()["role"] != "admin" {
			t.Errorf("verify: handle %s, user %s, tenant %s, payload %v", got.GetHandle(), got.GetUserID(), got.GetTenantId(), got.GetAccessTokenPayload())
		}
	}
	header, rest, _ := strings.Cut(tokens(s).AccessToken, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	swapped := header + "." + payload + "." + signature[100:] + signature[:100]
	_, err := session.GetSessionWithoutRequestResponse(swapped, tokens(s).AntiCsrfToken, nil)
	want[sdkerrors.TryRefreshTokenError](t, "a wrong signature", err)
}

func testAntiCSRF(t *testing.T, _ *wire) {
	s := login(t, "csrf")
	tk := tokens(s)
	if tk.AntiCsrfToken == nil || *tk.AntiCsrfToken == "" {
		t.Fatal("no anti-CSRF token")
	}
	for _, check := range []bool{false, true} {
		o := &sessmodels.VerifySessionOptions{CheckDatabase: &check}
		_, err := session.GetSessionWithoutRequestResponse(tk.AccessToken, nil, o)
		want[sdkerrors.TryRefreshTokenError](t, fmt.Sprintf("no anti-CSRF token, CheckDatabase %v", check), err)
		_, err = session.GetSessionWithoutRequestResponse(tk.AccessToken, ptr("wrong"), o)
		want[sdkerrors.TryRefreshTokenError](t, fmt.Sprintf("a wrong anti-CSRF token, CheckDatabase %v", check), err)
		o.AntiCsrfCheck = ptr(false)
		must(session.GetSessionWithoutRequestResponse(tk.AccessToken, nil, o))(t)
	}
	_, err := session.RefreshSessionWithoutRequestResponse(*tk.RefreshToken, nil, ptr("wrong"))
	want[sdkerrors.UnauthorizedError](t, "refresh with a wrong anti-CSRF token", err)
	must(session.RefreshSessionWithoutRequestResponse(*tk.RefreshToken, nil, tk.AntiCsrfToken))(t)

	plain := must(session.CreateNewSessionWithoutRequestResponse(tenant, "csrf", nil, nil, ptr(true)))(t)
	if got := tokens(plain).AntiCsrfToken; got != nil {
		t.Errorf("anti-CSRF token %q although it was disabled", *got)
	}
}

// testTheft: a refresh token that was exchanged may be used again until its
// successor has been seen; after that it is theft.
func testTheft(t *testing.T, w *wire) {
	first := login(t, "theft")
	old := tokens(first)
	refresh := func() (sessmodels.SessionContainer, error) {
		return session.RefreshSessionWithoutRequestResponse(*old.RefreshToken, nil, old.AntiCsrfToken)
	}
	must(refresh())(t)
	second := must(refresh())(t) // the first answer may have been lost
	if second.GetHandle() != first.GetHandle() || tokens(second).AccessToken == old.AccessToken {
		t.Error("refresh: another session, or no new token")
	}
	before := w.count(verifyCall)
	promoted := must(verify(second, false))(t)
	if n := w.count(verifyCall) - before; n != 1 {
		t.Errorf("the first verify after refresh called the core %d times, want 1", n)
	}
	if !tokens(promoted).AccessAndFrontendTokenUpdated || tokens(promoted).AccessToken == tokens(second).AccessToken {
		t.Error("the first verify after refresh gave no new access token")
	}
	again := w.count(verifyCall)
	must(verify(promoted, false))(t)
	if n := w.count(verifyCall) - again; n != 0 {
		t.Errorf("a later verify called the core %d times", n)
	}
	_, err := refresh()
	if e := want[sdkerrors.TokenTheftDetectedError](t, "the old refresh token after promotion", err); e.Payload.SessionHandle != first.GetHandle() || e.Payload.UserID != "theft" {
		t.Errorf("theft of %+v, want %s of theft", e.Payload, first.GetHandle())
	}
	_, err = session.RefreshSessionWithoutRequestResponse("nonsense", nil, nil)
	want[sdkerrors.UnauthorizedError](t, "a refresh token that is none", err)
}

func testData(t *testing.T, _ *wire) {
	s := login(t, "data")
	if got := must(s.GetSessionDataInDatabase())(t); !reflect.DeepEqual(got, map[string]any{"cart": "empty"}) {
		t.Errorf("data = %v", got)
	}
	full := map[string]any{"cart": map[string]any{"näme": []any{1.0, "2", nil}}}
	if !must(session.UpdateSessionDataInDatabase(s.GetHandle(), full))(t) {
		t.Error("update of a living session's data was refused")
	}
	info := must(session.GetSessionInformation(s.GetHandle()))(t)
	if info == nil || info.UserId != "data" || info.SessionHandle != s.GetHandle() || info.TenantId != tenant || info.TimeCreated == 0 || info.Expiry <= info.TimeCreated {
		t.Fatalf("information = %+v", info)
	}
	if !reflect.DeepEqual(info.SessionDataInDatabase, full) {
		t.Errorf("data after the update = %v", info.SessionDataInDatabase)
	}
	if must(session.UpdateSessionDataInDatabase("no-such-session", full))(t) {
		t.Error("update of no session's data was taken")
	}
	if got := must(session.GetSessionInformation("no-such-session"))(t); got != nil {
		t.Errorf("information on no session = %+v", got)
	}
}

// testPayload: merging through a session regenerates its access token; merging
// by handle shows in the next refresh.
func testPayload(t *testing.T, _ *wire) {
	s := login(t, "payload")
	old := tokens(s).AccessToken
	if err := s.MergeIntoAccessTokenPayload(map[string]any{"plan": "gold", "role": nil}); err != nil {
		t.Fatal(err)
	}
	if tokens(s).AccessToken == old {
		t.Error("no new access token")
	}
	for _, check := range []bool{false, true} {
		got := must(verify(s, check))(t).GetAccessTokenPayload()
		if _, there := got["role"]; there || got["plan"] != "gold" {
			t.Errorf("payload, CheckDatabase %v: %v", check, got)
		}
	}
	if !must(session.MergeIntoAccessTokenPayload(s.GetHandle(), map[string]any{"plan": "silver"}))(t) {
		t.Error("merge by handle was refused")
	}
	info := must(session.GetSessionInformation(s.GetHandle()))(t)
	if info == nil || info.CustomClaimsInAccessTokenPayload["plan"] != "silver" {
		t.Errorf("stored payload = %+v", info)
	}
	tk := tokens(s)
	fresh := must(session.RefreshSessionWithoutRequestResponse(*tk.RefreshToken, nil, tk.AntiCsrfToken))(t)
	if got := must(verify(fresh, true))(t).GetAccessTokenPayload()["plan"]; got != "silver" {
		t.Errorf("plan after refresh = %v", got)
	}
}

// testRevoke lists and revokes one session, several, and all of a user.
func testRevoke(t *testing.T, _ *wire) {
	const user = "revoke"
	handles := make([]string, 5)
	for i := range handles {
		handles[i] = login(t, user).GetHandle()
	}
	bystander := login(t, user+"r")
	list := func() []string { return sorted(must(session.GetAllSessionHandlesForUser(user, nil))(t)) }
	if got := list(); !slices.Equal(got, sorted(handles)) {
		t.Errorf("listed %v, want %v", got, handles)
	}
	if !must(session.RevokeSession(handles[0]))(t) || must(session.RevokeSession(handles[0]))(t) {
		t.Error("revoke of one: want true, then false")
	}
	if got := sorted(must(session.RevokeMultipleSessions([]string{handles[0], handles[1], "none", handles[2]}))(t)); !slices.Equal(got, sorted(handles[1:3])) {
		t.Errorf("revoke of several said %v, want %v", got, handles[1:3])
	}
	if got := list(); !slices.Equal(got, sorted(handles[3:])) {
		t.Errorf("listed %v, want %v", got, handles[3:])
	}
	if got := sorted(must(session.RevokeAllSessionsForUser(user, nil))(t)); !slices.Equal(got, sorted(handles[3:])) {
		t.Errorf("revoke of all said %v, want %v", got, handles[3:])
	}
	if got := list(); len(got) != 0 {
		t.Errorf("listed %v after all were revoked", got)
	}
	must(verify(bystander, true))(t)
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// testRevokedSeenByAll: a revoked session is refused at once where the
// application asks for the check, on both cores, and lives on where it does not:
// in this era the core's setting, which is on, is ignored.
func testRevokedSeenByAll(t *testing.T, _ *wire) {
	for i, revoke := range []func(sessmodels.SessionContainer) error{
		func(s sessmodels.SessionContainer) error { return s.RevokeSession() },
		func(s sessmodels.SessionContainer) error { _, err := session.RevokeSession(s.GetHandle()); return err },
		func(s sessmodels.SessionContainer) error {
			_, err := session.RevokeMultipleSessions([]string{s.GetHandle()})
			return err
		},
		func(s sessmodels.SessionContainer) error {
			_, err := session.RevokeAllSessionsForUser(s.GetUserID(), nil)
			return err
		},
	} {
		s := login(t, fmt.Sprintf("revoked-%d", i))
		must(verify(s, true))(t)
		if err := revoke(s); err != nil {
			t.Fatal(err)
		}
		for range 4 { // two at each core
			_, err := verify(s, true)
			want[sdkerrors.UnauthorizedError](t, fmt.Sprintf("way %d: verify with the database", i), err)
			must(verify(s, false))(t)
		}
		if got := must(session.GetSessionInformation(s.GetHandle()))(t); got != nil {
			t.Errorf("way %d: information = %+v", i, got)
		}
		tk := tokens(s)
		_, err := session.RefreshSessionWithoutRequestResponse(*tk.RefreshToken, nil, tk.AntiCsrfToken)
		want[sdkerrors.UnauthorizedError](t, fmt.Sprintf("way %d: refresh", i), err)
		if must(session.UpdateSessionDataInDatabase(s.GetHandle(), map[string]any{}))(t) {
			t.Errorf("way %d: data of a revoked session was updated", i)
		}
	}
}

func testStaticKey(t *testing.T, w *wire) {
	s := login(t, "static")
	parsed := must(session.ParseJWTWithoutSignatureVerification(tokens(s).AccessToken))(t)
	if parsed.KID == nil || !strings.HasPrefix(*parsed.KID, "s-") {
		t.Errorf("key %v, want a static one", parsed.KID)
	}
	before := w.count(verifyCall)
	must(verify(s, false))(t)
	if n := w.count(verifyCall) - before; n != 0 {
		t.Errorf("verify without the database called the core %d times", n)
	}
	must(verify(s, true))(t)
	tk := tokens(s)
	fresh := must(session.RefreshSessionWithoutRequestResponse(*tk.RefreshToken, nil, tk.AntiCsrfToken))(t)
	fresh = must(verify(fresh, false))(t)
	if !must(session.RevokeSession(s.GetHandle()))(t) {
		t.Error("nothing was revoked")
	}
	_, err := verify(fresh, true)
	want[sdkerrors.UnauthorizedError](t, "verify with the database", err)
	must(verify(fresh, false))(t)
}
