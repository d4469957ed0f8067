package config_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/internal/coretest"

	"github.com/coreproof/coreproof/refcore/config"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store/kinds"
)

// inFile stands for the sentence that names the config file.
const inFile = " The config file can be found here: FILE"

// badSettings are lines of config.yaml with the exact error of each.
var badSettings = []struct{ line, env, want string }{
	{"access_token_validity: 0", "", "'access_token_validity' must be between 1 and 86400000 seconds inclusive." + inFile},
	{"access_token_validity: -1", "", "'access_token_validity' must be between 1 and 86400000 seconds inclusive." + inFile},
	{"access_token_validity: 86400001", "ACCESS_TOKEN_VALIDITY", "'access_token_validity' must be between 1 and 86400000 seconds inclusive." + inFile},
	{"refresh_token_validity: 60", "REFRESH_TOKEN_VALIDITY", "'refresh_token_validity' must be strictly greater than 'access_token_validity'." + inFile},
	{"refresh_token_validity: -1", "", "'refresh_token_validity' must be strictly greater than 'access_token_validity'." + inFile},
	{"access_token_dynamic_signing_key_update_interval: 0.5", "ACCESS_TOKEN_DYNAMIC_SIGNING_KEY_UPDATE_INTERVAL", "'access_token_dynamic_signing_key_update_interval' must be greater than, equal to 1 hour." + inFile},
	{"access_token_signing_key_update_interval: 0.99", "", "'access_token_dynamic_signing_key_update_interval' must be greater than, equal to 1 hour." + inFile},
	{"max_server_pool_size: 0", "MAX_SERVER_POOL_SIZE", "'max_server_pool_size' must be >= 1." + inFile},
	{"access_token_validity_jitter: 0.3", "ACCESS_TOKEN_VALIDITY_JITTER", "'access_token_validity_jitter' must be between 0 and 0.25 inclusive." + inFile},
	{"access_token_validity_jitter: -0.1", "", "'access_token_validity_jitter' must be between 0 and 0.25 inclusive." + inFile},
	{"refresh_token_rotation_grace_period: 301", "REFRESH_TOKEN_ROTATION_GRACE_PERIOD", "'refresh_token_rotation_grace_period' must be between 0 and 300 seconds inclusive." + inFile},
	{"refresh_token_rotation_grace_period: -1", "", "'refresh_token_rotation_grace_period' must be between 0 and 300 seconds inclusive." + inFile},
	{"recent_token_reuse_behaviour: MAYBE", "RECENT_TOKEN_REUSE_BEHAVIOUR", "recent_token_reuse_behaviour property is not set correctly. It must be one of [TOKEN_THEFT, UNAUTHORISED]"},
	{"api_keys: 1234567890123456789", "API_KEYS", "One of the API keys is too short. Please use at least 20 characters"},
	{"api_keys: " + coretest.APIKey + ",short", "", "One of the API keys is too short. Please use at least 20 characters"},
	{"api_keys: key_with_underscore_of_20", "API_KEYS", "Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)"},
	{"supertokens_saas_secret: abcdefghijabcdefghijabcdefghijabcdefghij", "", "supertokens_saas_secret can only be used when api_key is also defined"},
	{"supertokens_saas_secret: short\napi_keys: " + coretest.APIKey, "", "supertokens_saas_secret is too short. Please use at least 40 characters"},
	{"supertokens_saas_secret: abcdefghijabcdefghijabcdefghijabcdefghi_\napi_keys: " + coretest.APIKey, "", "Invalid characters in supertokens_saas_secret key. Please only use '=', '-' and alpha-numeric (including capitals)"},
	{`supertokens_max_cdi_version: "2.x"`, "", "supertokens_max_cdi_version is not a valid semantic version"},
	{`supertokens_max_cdi_version: "2.1"`, "SUPERTOKENS_MAX_CDI_VERSION", "supertokens_max_cdi_version is not a supported version"},
	{`supertokens_min_cdi_version: "v3"`, "", "supertokens_min_cdi_version is not a valid semantic version"},
	{`supertokens_min_cdi_version: "3.7"`, "", "supertokens_min_cdi_version is not a supported version"},
	{"supertokens_min_cdi_version: \"5.0\"\nsupertokens_max_cdi_version: \"4.0\"", "", "supertokens_min_cdi_version cannot be greater than supertokens_max_cdi_version"},
	{"log_level: LOUD", "LOG_LEVEL", `'log_level' config must be one of "NONE","DEBUG", "INFO", "WARN" or "ERROR".`},
	{"base_path: /with space", "BASE_PATH", "Invalid characters in base_path config"},
	{"ip_allow_regex: '('", "IP_ALLOW_REGEX", "Provided regular expression is invalid for ip_allow_regex config"},
	{"ip_deny_regex: '*'", "IP_DENY_REGEX", "Provided regular expression is invalid for ip_deny_regex config"},
	{"port: abc", "", "'port' must be of type int"},
	{"port: 5.5", "", "'port' must be of type int"},
	{"access_token_validity: abc", "", "'access_token_validity' must be of type long"},
	{"access_token_validity_jitter: abc", "", "'access_token_validity_jitter' must be of type double"},
	{"access_token_blacklisting: maybe", "", "'access_token_blacklisting' must be of type boolean"},
	{"postgresql_password: x", "", "'postgresql_user' and 'postgresql_connection_uri' are not set. Please set at least one of these values"},
	{"postgresql_user: x\npostgresql_connection_pool_size: 0", "", "'postgresql_connection_pool_size' in the config.yaml file must be > 0"},
	{"postgresql_user: x\npostgresql_minimum_idle_connections: -1", "", "'postgresql_minimum_idle_connections' must be >= 0"},
	{"postgresql_user: x\npostgresql_minimum_idle_connections: 11", "", "'postgresql_minimum_idle_connections' must be less than or equal to 'postgresql_connection_pool_size'"},
	{"mysql_user: x\nmysql_minimum_idle_connections: -1", "", "'mysql_minimum_idle_connections' must be a >= 0"},
	{"postgresql_connection_uri: nonsense", "POSTGRESQL_CONNECTION_URI", "The provided postgresql connection URI has an incorrect format."},
}

func yamlFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, text string, environ ...string) *config.Config {
	t.Helper()
	c, err := config.Load(config.Source{File: yamlFile(t, text), Environ: environ, Kinds: kinds.All(), Versions: httpapi.Versions()})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

// runMain runs the program until it ends by itself or says that it is ready.
func runMain(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	code = serve.Main(ctx, "refcore", append(args, "--port", "0"), environ, strings.NewReader(""), io.MultiWriter(&out, readyStops(cancel)), &errs)
	return code, out.String(), errs.String()
}

type readyStops func()

func (f readyStops) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(serve.ReadyPrefix)) {
		f()
	}
	return len(b), nil
}

var configRules = []coretest.Rule{
	{Cite: "docs/spec/http-api.md 6.120", Name: "settings that cannot be used", Run: func(t *testing.T, _ string) {
		for _, tc := range badSettings {
			path := yamlFile(t, tc.line+"\n")
			_, err := config.Load(config.Source{File: path, Kinds: kinds.All(), Versions: httpapi.Versions()})
			want := strings.ReplaceAll(tc.want, "FILE", path)
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %v, want %s", tc.line, err, want)
				continue
			}
			if strings.HasSuffix(want, path) && err.Error() != want {
				t.Errorf("%s: error %v, want %s", tc.line, err, want)
			}
			code, stdout, stderr := runMain(t, nil, "--config", path)
			if code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, err.Error()) {
				t.Errorf("%s: exit %d, stdout %q, stderr %q", tc.line, code, stdout, stderr)
			}
			if tc.env == "" {
				continue
			}
			_, value, _ := strings.Cut(tc.line, ": ")
			code, _, stderr = runMain(t, []string{tc.env + "=" + strings.Trim(value, `"'`)})
			if want, _, _ := strings.Cut(tc.want, inFile); code != 2 || !strings.Contains(stderr, want) {
				t.Errorf("%s from the environment: exit %d, stderr %q", tc.env, code, stderr)
			}
		}
		if code, _, stderr := runMain(t, []string{"SUPERTOKENS_PORT=abc"}); code != 2 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "SUPERTOKENS_PORT must be of type int") {
			t.Errorf("exit %d, stderr %q", code, stderr)
		}
		if code, _, stderr := runMain(t, nil, "--config", "/nonexistent.yaml"); code != 2 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("no file: exit %d, stderr %q", code, stderr)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.121", Name: "environment over file", Run: func(t *testing.T, _ string) {
		const text = "access_token_validity: 10\naccess_token_blacklisting: false\nbase_path: /file\n"
		c := load(t, text, "ACCESS_TOKEN_VALIDITY=20", "ACCESS_TOKEN_BLACKLISTING=True", `BASE_PATH="/from//env/"`)
		if c.Engine.AccessValidity != 20*time.Second || !c.Engine.Blacklisting || c.BasePath != "/from/env" {
			t.Errorf("%+v", c)
		}
		c = load(t, text, "ACCESS_TOKEN_VALIDITY=", "ACCESS_TOKEN_BLACKLISTING=", "BASE_PATH=")
		if c.Engine.AccessValidity != 10*time.Second || c.Engine.Blacklisting || c.BasePath != "/file" {
			t.Errorf("empty values: %+v", c)
		}
		if c := load(t, "", `INFO_LOG_PATH="/logs/a\"b\\c"`); c.InfoLogPath != `/logs/a"b\c` {
			t.Errorf("quoted value: %s", c.InfoLogPath)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.122", Name: "old name of a key", Run: func(t *testing.T, _ string) {
		if c := load(t, "access_token_signing_key_update_interval: 2\n"); c.Engine.KeyInterval != 2*time.Hour || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "old name of access_token_dynamic_signing_key_update_interval") {
			t.Errorf("%v %v", c.Engine.KeyInterval, c.Warnings)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.123", Name: "unknown keys", Run: func(t *testing.T, _ string) {
		c := load(t, "acess_token_blacklisting: true\npassword_hashing_alg: ARGON2\ncookie_domain: x\n", "SOMETHING=1")
		if len(c.Warnings) != 2 || !strings.Contains(c.Warnings[0], `"acess_token_blacklisting" is ignored; did you mean access_token_blacklisting?`) ||
			!strings.HasSuffix(c.Warnings[1], "'cookie_domain', 'password_hashing_alg'") {
			t.Errorf("warnings %q: want one of the key that is spelled wrongly, one of those without effect", c.Warnings)
		}
		code, stdout, stderr := runMain(t, nil, "--config", yamlFile(t, "access_token_blacklisting: true\nnope: 1\n"))
		if code != 0 || !strings.HasPrefix(stdout, serve.ReadyPrefix) || !strings.Contains(stderr, "nope") || !strings.Contains(stderr, "access_token_blacklisting=true") {
			t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
		}
	}},
	{Cite: "docs/spec/http-api.md 6.124", Name: "address filter", Run: func(t *testing.T, _ string) {
		regex := func(s string) *regexp.Regexp { return load(t, "ip_deny_regex: '"+s+"'\n").IPDeny }
		for _, tc := range []struct {
			allow, deny string
			code        int
		}{{"", `192\.0\.2\.1`, 403}, {"", `192\.0\.2`, 200}, {"", `192.*|::1`, 403}, {`192.*`, "", 200}, {`10.*`, "", 403}, {`192.*`, `.*1`, 403}, {"", "", 200}} {
			c := coretest.Start(t, coretest.WithKeys, coretest.Surface(func(o *httpapi.Options) { o.IPAllow, o.IPDeny = regex(tc.allow), regex(tc.deny) }))
			for _, p := range []string{"/hello", "/", "/nope", coretest.PathJWKS, coretest.PathSession} {
				// httptest calls from 192.0.2.1.
				a := c.Do(http.MethodGet, p, "5.0", nil)
				if (a.Code == 403) != (tc.code == 403) {
					a.Fail("allow %q, deny %q: want %d", tc.allow, tc.deny, tc.code)
				}
			}
		}
	}},
}

// TestOneLineConfig is the file of whoever only wants the flag on.
func TestOneLineConfig(t *testing.T) {
	t.Parallel()
	c := load(t, "access_token_blacklisting: true")
	if !c.Engine.Blacklisting || c.Port != 3567 || c.Kind.Name != "sqlite" || len(c.Warnings) != 0 {
		t.Errorf("%+v", c)
	}
	for _, on := range []string{`"true"`, "TRUE", "true "} {
		if !load(t, "access_token_blacklisting: "+on+"\n").Engine.Blacklisting {
			t.Errorf("%s is not on", on)
		}
	}
	if load(t, "").Engine.Blacklisting || load(t, "access_token_blacklisting:\n").Engine.Blacklisting {
		t.Error("on without being set")
	}
}

// TestConfigRules has a test for each rule about settings.
func TestConfigRules(t *testing.T) {
	t.Parallel()
	coretest.RunRules(t, configRules)
}
