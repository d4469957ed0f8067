package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/config"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store/kinds"
)

func loadText(t *testing.T, text string, environ ...string) (*config.Config, error) {
	t.Helper()
	return config.Load(config.Source{File: yamlFile(t, text), Environ: environ, Kinds: kinds.All(), Versions: httpapi.Versions()})
}

// TestT2BlankKeysFailClosed: whoever sets keys wants the API shut.
func TestT2BlankKeysFailClosed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ file, env string }{
		{env: "API_KEYS=,"}, {env: "API_KEYS= , "}, {env: `API_KEYS=""`}, {env: `API_KEYS=" "`}, {env: "API_KEYS= "}, {env: "API_KEYS=,a-key-of-20-characters"},
		{file: `api_keys: ""`}, {file: `api_keys: " "`}, {file: "api_keys: ','"}, {file: "api_keys: 'a-key-of-20-characters,,a-key-of-21-characters-'"},
		{file: "api_keys: a-key-of-20-characters\nsupertokens_saas_secret: ''"},
		{file: "api_keys: a-key-of-20-characters", env: `SUPERTOKENS_SAAS_SECRET=" "`},
	} {
		c, err := loadText(t, tc.file, tc.env)
		if err == nil || !strings.Contains(err.Error(), "too short") || strings.Contains(err.Error(), "\n") {
			t.Errorf("file %q, environment %q: keys %q, error %v, want one line: too short", tc.file, tc.env, c.APIKeys, err)
		}
	}
	for _, tc := range []struct{ file, env string }{{file: ""}, {file: "api_keys:"}, {file: "api_keys: null"}, {env: "API_KEYS="}} {
		if c, err := loadText(t, tc.file, tc.env); err != nil || len(c.APIKeys) != 0 {
			t.Errorf("not set by file %q, environment %q: %v", tc.file, tc.env, err)
		}
	}
	if c, err := loadText(t, "api_keys: 'a-key-of-20-characters, '"); err != nil || len(c.APIKeys) != 1 {
		t.Errorf("a comma at the end: %v", err)
	}
	if _, err := loadText(t, "ip_allow_regex: ' '"); err == nil {
		t.Error("an address filter of blanks is accepted")
	}
	empty := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadText(t, "postgresql_user: x", "POSTGRESQL_PASSWORD_FILE="+empty); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty secret: %v", err)
	}
}

// TestT4ByteOrderMark: it does not stick to the first key.
func TestT4ByteOrderMark(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"\ufeffaccess_token_blacklisting: true\n",
		"\ufeffaccess_token_blacklisting: true\r\nport: 4000\r\n",
		"\ufeff# a comment\naccess_token_blacklisting: 'true'\n",
		"\ufeff---\naccess_token_blacklisting: \"true\"\n",
	} {
		c, err := loadText(t, text)
		if err != nil || !c.Engine.Blacklisting || len(c.Warnings) != 0 {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

// TestTextKeepsItsSpelling: a text setting is what stands in the file, also where
// YAML sees a number or a boolean.
func TestTextKeepsItsSpelling(t *testing.T) {
	t.Parallel()
	for _, spelling := range []string{"0123", "1e5", "0x1F", "007.50", "True", "yes", "1_000", ".5", "-0", `"012"`, "'a: b'"} {
		c, err := loadText(t, "base_path: "+spelling+"\n")
		if strings.Contains(spelling, " ") {
			continue // refused as a path, and no less a text
		}
		if want := "/" + strings.Trim(spelling, `'"`); err != nil || c.BasePath != want {
			t.Errorf("%s: base path %+v, %v, want %s", spelling, c, err, want)
		}
	}
	if c, err := loadText(t, `supertokens_max_cdi_version: 2.20`); err != nil || c.MaxCDI != "2.20" {
		t.Errorf("a version without quotes: %+v, %v", c, err)
	}
	for _, text := range []string{"host: [a]", "host: {a: b}", "access_token_blacklisting: [true]"} {
		if _, err := loadText(t, text); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line", text, err)
		}
	}
}

// TestOldNames mean the same as the new ones, in the file and in the environment.
func TestOldNames(t *testing.T) {
	t.Parallel()
	c, err := loadText(t, "supertokens_default_cdi_version: '4.0'", "ACCESS_TOKEN_SIGNING_KEY_UPDATE_INTERVAL=2")
	if err != nil || c.MaxCDI != "4.0" || c.Engine.KeyInterval != 2*time.Hour {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestServiceLink: Kubernetes sets SUPERTOKENS_PORT for a service of that name.
func TestServiceLink(t *testing.T) {
	t.Parallel()
	_, err := loadText(t, "", "SUPERTOKENS_PORT=tcp://10.0.0.1:3567")
	if err == nil || !strings.Contains(err.Error(), "enableServiceLinks") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v: want a line that names the cause", err)
	}
}

// FuzzFile: no file makes the core panic, and each error is one line.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{"", "\ufeffport: 1", "a: &x 1\nb: *x", "port: [1]", "? a\n: b", "host: |\n x\n", "port: !!str 5", "a: 1\na: 2", "- a", "<<: {port: 1}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := loadText(t, text); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %v", err)
		}
	})
}

// TestOpenApiIsSaid: a key that does not get through is not lost in silence.
func TestOpenApiIsSaid(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]string{
		"API_KEYS=":                                "callers need no key",
		"API_KEY=a-key-of-20-characters":           "did you mean API_KEYS",
		"APIKEYS=a-key-of-20-characters":           "did you mean API_KEYS",
		"SUPERTOKENS_API_KEYS=x":                   "did you mean API_KEYS",
		"api_keys=a-key-of-20-characters":          "did you mean API_KEYS",
		"ACCESS_TOKEN_BLACKLIST=true":              "did you mean ACCESS_TOKEN_BLACKLISTING",
		"HOST=x":                                   "",
		"PORT=4000":                                "",
		"OPENAI_API_KEY=sk-something":              "",
		"ACCESS_TOKEN=eyJhbGciOiJSUzI1NiIsInR5cCI": "",
	} {
		c, err := loadText(t, "", env)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Warnings, "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: warnings %q, want %q", env, got, want)
		}
	}
}

// TestBlanksAroundAreNoPart: a blank or a CR at the end of a rule about addresses
// would let it match none, without a word; and in a name it would make tables of
// another name than the real core's.
func TestBlanksAroundAreNoPart(t *testing.T) {
	t.Parallel()
	for _, around := range []string{"", " ", "\t", "\r", "\r\n", " \u0001"} {
		for _, env := range []string{"IP_DENY_REGEX", "IP_ALLOW_REGEX"} {
			c, err := loadText(t, "", env+"="+around+`192\.0\.2\.1`+around)
			if err != nil {
				t.Errorf("%s with %q around: %v", env, around, err)
				continue
			}
			for _, re := range []*regexp.Regexp{c.IPDeny, c.IPAllow} {
				if re != nil && !re.MatchString("192.0.2.1") {
					t.Errorf("%s with %q around matches no address: %s", env, around, re)
				}
			}
			if around != "" {
				if _, err := loadText(t, "", env+"="+around); err == nil {
					t.Errorf("%s of %q alone is accepted", env, around)
				}
			}
		}
		for _, tc := range []struct{ login, prefix, schema, database string }{
			{"POSTGRESQL_USER=u", "POSTGRESQL_TABLE_NAMES_PREFIX", "POSTGRESQL_TABLE_SCHEMA", "POSTGRESQL_DATABASE_NAME"},
			{"MYSQL_USER=u", "MYSQL_TABLE_NAMES_PREFIX", "", "MYSQL_DATABASE_NAME"},
			{"MONGODB_CONNECTION_URI=mongodb://h", "MONGODB_COLLECTION_NAMES_PREFIX", "", "MONGODB_DATABASE_NAME"},
		} {
			environ := []string{tc.login, tc.prefix + "=" + around + "p" + around, tc.database + "=" + around + "d" + around}
			if tc.schema != "" {
				environ = append(environ, tc.schema+"="+around+"s"+around)
			}
			c, err := loadText(t, "", environ...)
			if err != nil {
				t.Errorf("%q: %v", environ, err)
				continue
			}
			database := c.Store.Database
			if database == "" {
				_, database, _ = strings.Cut(strings.SplitN(c.Store.URI, "://", 2)[1], "/")
			}
			if c.Store.Prefix != "p" || tc.schema != "" && c.Store.Schema != "s" || !strings.HasPrefix(database, "d") || strings.ContainsAny(database, " %") {
				t.Errorf("%q: %+v", environ, c.Store)
			}
		}
	}
}
