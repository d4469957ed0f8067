package sdktest

import (
	"errors"
	"testing"

	"github.com/coreproof/coreproof/refcore/store/kinds/kindtest"

	"github.com/supertokens/supertokens-golang/recipe/session"
	"github.com/supertokens/supertokens-golang/recipe/session/sessmodels"
	"github.com/supertokens/supertokens-golang/supertokens"
)

const tenant = "public"

// initSDK points the SDK at cores. Its state is the process's, so tests that
// use it do not run in parallel.
func initSDK(t *testing.T, uri string, dynamicKey bool) {
	t.Helper()
	supertokens.ResetForTest()
	t.Cleanup(supertokens.ResetForTest)
	err := supertokens.Init(supertokens.TypeInput{
		Supertokens: &supertokens.ConnectionInfo{ConnectionURI: uri, APIKey: apiKey},
		AppInfo:     supertokens.AppInfo{AppName: "sdktest", APIDomain: "http://api.localhost", WebsiteDomain: "http://localhost"},
		RecipeList: []supertokens.Recipe{session.Init(&sessmodels.TypeInput{
			AntiCsrf: ptr("VIA_TOKEN"), UseDynamicAccessTokenSigningKey: &dynamicKey,
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func login(t *testing.T, user string) sessmodels.SessionContainer {
	t.Helper()
	return must(session.CreateNewSessionWithoutRequestResponse(tenant, user, map[string]any{"role": "admin"}, map[string]any{"cart": "empty"}, nil))(t)
}

func tokens(s sessmodels.SessionContainer) sessmodels.SessionTokens {
	return s.GetAllSessionTokensDangerously()
}

// verify with the session's own anti-CSRF token.
func verify(s sessmodels.SessionContainer, checkDatabase bool) (sessmodels.SessionContainer, error) {
	tk := tokens(s)
	return session.GetSessionWithoutRequestResponse(tk.AccessToken, tk.AntiCsrfToken, &sessmodels.VerifySessionOptions{CheckDatabase: &checkDatabase})
}

// want checks that an error is of the SDK's type E.
func want[E error](t *testing.T, what string, err error) E {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Errorf("%s: %T %v, want %T", what, err, err, e)
	}
	return e
}

func TestSDK(t *testing.T) {
	for _, st := range kindtest.All() {
		t.Run(st.Name, func(t *testing.T) {
			uri, w := startCores(t, st.Fresh(t), st.Kind.Open)
			t.Run("dynamic key", func(t *testing.T) {
				initSDK(t, uri, true)
				for _, tc := range []struct {
					name string
					run  func(*testing.T, *wire)
				}{
					{"verify", testVerify},
					{"anti-csrf", testAntiCSRF},
					{"refresh and theft", testTheft},
					{"session data", testData},
					{"access token payload", testPayload},
					{"revoke", testRevoke},
					{"revoked is seen by all", testRevokedSeenByAll},
				} {
					t.Run(tc.name, func(t *testing.T) { tc.run(t, w) })
				}
			})
			t.Run("static key", func(t *testing.T) {
				initSDK(t, uri, false)
				testStaticKey(t, w)
			})
			if len(w.versions) != 1 || !w.versions["3.1"] {
				t.Errorf("the SDK spoke CDI %v; these tests are about 3.1", w.versions)
			}
		})
	}
}
