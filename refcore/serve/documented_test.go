package serve

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/config"
)

// line is one documented way to start the core, and what becomes of it.
type line struct {
	from string // where it is documented
	says string // the line, as docs/refcore.md shows it
	// What it hands to the core. $SECRET in environ is a file that holds secret.
	args, environ []string
	file, secret  string
	mounted       bool // the file, where the images have theirs
	outcome       outcome
	// want is the meaning as pairs that meaning shows, or what a warning or the error
	// must hold; also is the meaning beside a warning.
	want, also string
}

// Where lines come from.
const (
	readme    = "READMEs of the images"
	variables = "their lists of variables"
	tests     = "their tests, entry points and command line"
	helm      = "their Helm chart, and Kubernetes"
	file      = "`config.yaml` of core and plugins"
	together  = "several sources at once"
	addresses = "addresses and connections"
)

type outcome int

const (
	same    outcome = iota // starts, and means the same
	without                // starts, and a warning says what has no effect or goes before
	refused                // ends with one line
)

func env(pairs ...string) []string { return pairs }

var update = flag.Bool("update", false, "write the generated part of docs/refcore.md")

// meaning is what a Config says, in words that a line can want.
func meaning(c *config.Config) map[string]string {
	m := map[string]string{
		"port": strconv.Itoa(c.Port), "host": c.Host, "base_path": c.BasePath, "keys": strings.Join(c.APIKeys, ","),
		"kind": c.Kind.Name, "uri": c.Store.URI, "database": c.Store.Database, "schema": c.Store.Schema, "prefix": c.Store.Prefix,
		"sessions": c.Store.SessionTable, "key_values": c.Store.KeyValueTable, "pool": strconv.Itoa(c.Store.PoolSize),
		"min_idle": strconv.Itoa(c.Store.MinIdle), "idle": c.Store.IdleTimeout.String(),
		"flag": strconv.FormatBool(c.Engine.Blacklisting), "dynamic": strconv.FormatBool(c.Engine.DynamicKeys),
		"access": c.Engine.AccessValidity.String(), "refresh": c.Engine.RefreshValidity.String(),
		"key_interval": c.Engine.KeyInterval.String(), "grace": c.Engine.GracePeriod.String(),
		"jitter": fmt.Sprint(c.Engine.Jitter), "reuse_unauthorised": strconv.FormatBool(c.Engine.ReuseUnauthorised),
		"max_cdi": c.MaxCDI, "min_cdi": c.MinCDI, "log": c.LogLevel.String(), "json": strconv.FormatBool(c.JSONLogs),
		"info_log": c.InfoLogPath, "error_log": c.ErrorLogPath, "allow": "", "deny": "",
	}
	if c.Quiet {
		m["log"] = "none"
	}
	if c.IPAllow != nil {
		m["allow"] = c.IPAllow.String()
	}
	if c.IPDeny != nil {
		m["deny"] = c.IPDeny.String()
	}
	return m
}

// TestDocumentedLines: each starts the core with the meaning that it has for the
// real one, or a warning says what has no effect, or one line says why not.
func TestDocumentedLines(t *testing.T) {
	t.Parallel()
	for _, l := range documented {
		t.Run(l.says, func(t *testing.T) {
			t.Parallel()
			environ := make([]string, len(l.environ))
			for i, e := range l.environ {
				environ[i] = e
				if strings.Contains(e, "$SECRET") {
					environ[i] = strings.Replace(e, "$SECRET", write(t, "secret", l.secret), 1)
				}
			}
			args, mounted := l.args, "/nonexistent"
			switch {
			case l.mounted:
				mounted = write(t, "config.yaml", l.file)
			case l.file != "":
				args = append([]string{"--with-config=" + write(t, "config.yaml", l.file)}, args...)
				if len(l.args) > 0 {
					t.Fatal("name the file among the arguments by hand")
				}
			}
			var stderr bytes.Buffer
			o, _, ended := parse("refcore", args, io.Discard, &stderr)
			o.mounted = mounted
			if ended {
				if l.outcome != refused || !strings.Contains(stderr.String(), l.want) {
					t.Errorf("ended with %q, want %q", &stderr, l.want)
				}
				return
			}
			cfg, err := load(o, environ)
			if l.outcome == refused {
				if err == nil || !strings.Contains(err.Error(), l.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %v, want one line with %q", err, l.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := l.want
			if l.outcome == without {
				if len(cfg.Warnings) != 1 || !strings.Contains(cfg.Warnings[0], l.want) {
					t.Errorf("warnings %q, want one with %q", cfg.Warnings, l.want)
				}
				want = l.also
			} else if len(cfg.Warnings) > 0 {
				t.Errorf("warnings %q, want none", cfg.Warnings)
			}
			got := meaning(cfg)
			for _, pair := range strings.Fields(want) {
				name, value, _ := strings.Cut(pair, "=")
				if has, ok := got[name]; !ok || has != value {
					t.Errorf("%s is %q, want %q", name, has, value)
				}
			}
			if cfg.Kind.Local && l.file == "" && cfg.InfoLogPath == "" {
				starts(t, l.args, environ)
			}
		})
	}
}

// starts runs the core as a program, on a port of its own, until it says that it is
// ready.
func starts(t *testing.T, args, environ []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	ready := writer(func(b []byte) {
		if bytes.Contains(b, []byte(ReadyPrefix)) {
			cancel()
		}
	})
	args = append(append([]string{}, args...), "--port=0", "--host=127.0.0.1")
	code := Main(ctx, "refcore", args, environ, strings.NewReader(""), io.MultiWriter(&stdout, ready), &stderr)
	if code != exitOK || !strings.HasPrefix(stdout.String(), ReadyPrefix) {
		t.Errorf("exit %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

// names are all that the images' READMEs and entry points, core and plugins name, of
// today and of old: none is unknown, none keeps the core from starting.
const names = `API_KEYS SUPERTOKENS_HOST SUPERTOKENS_PORT ACCESS_TOKEN_VALIDITY ACCESS_TOKEN_BLACKLISTING
	ACCESS_TOKEN_SIGNING_KEY_DYNAMIC ACCESS_TOKEN_DYNAMIC_SIGNING_KEY_UPDATE_INTERVAL ACCESS_TOKEN_SIGNING_KEY_UPDATE_INTERVAL
	REFRESH_TOKEN_VALIDITY PASSWORD_RESET_TOKEN_LIFETIME EMAIL_VERIFICATION_TOKEN_LIFETIME INFO_LOG_PATH ERROR_LOG_PATH
	MAX_SERVER_POOL_SIZE PASSWORDLESS_MAX_CODE_INPUT_ATTEMPTS PASSWORDLESS_CODE_LIFETIME DISABLE_TELEMETRY BASE_PATH
	PASSWORD_HASHING_ALG ARGON2_ITERATIONS ARGON2_MEMORY_KB ARGON2_PARALLELISM ARGON2_HASHING_POOL_SIZE BCRYPT_LOG_ROUNDS
	LOG_LEVEL FIREBASE_PASSWORD_HASHING_POOL_SIZE FIREBASE_PASSWORD_HASHING_SIGNER_KEY IP_ALLOW_REGEX IP_DENY_REGEX
	TOTP_MAX_ATTEMPTS TOTP_RATE_LIMIT_COOLDOWN_SEC SUPERTOKENS_SAAS_LOAD_ONLY_CUD SUPERTOKENS_SAAS_SECRET
	SUPERTOKENS_MAX_CDI_VERSION SUPERTOKENS_DEFAULT_CDI_VERSION SUPERTOKENS_MIN_CDI_VERSION
	REFRESH_TOKEN_ROTATION_GRACE_PERIOD ACCESS_TOKEN_VALIDITY_JITTER RECENT_TOKEN_REUSE_BEHAVIOUR
	OAUTH_PROVIDER_PUBLIC_SERVICE_URL OAUTH_PROVIDER_ADMIN_SERVICE_URL OAUTH_PROVIDER_CONSENT_LOGIN_BASE_URL
	OAUTH_PROVIDER_URL_CONFIGURED_IN_OAUTH_PROVIDER OAUTH_CLIENT_SECRET_ENCRYPTION_KEY SAML_LEGACY_ACS_URL SAML_SP_ENTITY_ID
	SAML_CLAIMS_VALIDITY SAML_RELAY_STATE_VALIDITY BULK_MIGRATION_PARALLELISM BULK_MIGRATION_BATCH_SIZE
	BULK_MIGRATION_CRON_ENABLED BULK_MIGRATION_SLEEP_BETWEEN_ROUNDS_IN_BATCH_MS WEBAUTHN_RECOVER_ACCOUNT_TOKEN_LIFETIME
	OTEL_COLLECTOR_CONNECTION_URI DEADLOCK_LOGGER_ENABLE SUPERTOKENS_MIGRATION_MODE USE_STRUCTURED_LOGGING
	ENABLE_ANTI_CSRF COOKIE_DOMAIN COOKIE_SECURE COOKIE_SAME_SITE ACCESS_TOKEN_PATH REFRESH_API_PATH
	SESSION_EXPIRED_STATUS_CODE LICENSE_KEY_ID
	POSTGRESQL_CONNECTION_URI POSTGRESQL_USER POSTGRESQL_PASSWORD POSTGRESQL_PASSWORD_FILE POSTGRESQL_CONNECTION_POOL_SIZE
	POSTGRESQL_HOST POSTGRESQL_PORT POSTGRESQL_DATABASE_NAME POSTGRESQL_TABLE_NAMES_PREFIX POSTGRESQL_TABLE_SCHEMA
	POSTGRESQL_IDLE_CONNECTION_TIMEOUT POSTGRESQL_MINIMUM_IDLE_CONNECTIONS POSTGRESQL_CONNECTION_ATTRIBUTES
	POSTGRESQL_CONNECTION_SCHEME POSTGRESQL_KEY_VALUE_TABLE_NAME POSTGRESQL_SESSION_INFO_TABLE_NAME
	POSTGRESQL_PAST_TOKENS_TABLE_NAME POSTGRESQL_EMAILPASSWORD_USERS_TABLE_NAME
	POSTGRESQL_EMAILPASSWORD_PSWD_RESET_TOKENS_TABLE_NAME POSTGRESQL_EMAILPASSWORD_EMAIL_VERIFICATION_TOKENS_TABLE_NAME
	POSTGRESQL_EMAILVERIFICATION_TOKENS_TABLE_NAME POSTGRESQL_EMAILVERIFICATION_VERIFIED_EMAILS_TABLE_NAME
	POSTGRESQL_THIRDPARTY_USERS_TABLE_NAME
	MYSQL_CONNECTION_URI MYSQL_USER MYSQL_PASSWORD MYSQL_CONNECTION_POOL_SIZE MYSQL_HOST MYSQL_PORT MYSQL_DATABASE_NAME
	MYSQL_TABLE_NAMES_PREFIX MYSQL_IDLE_CONNECTION_TIMEOUT MYSQL_MINIMUM_IDLE_CONNECTIONS MYSQL_CONNECTION_ATTRIBUTES
	MYSQL_CONNECTION_SCHEME MYSQL_KEY_VALUE_TABLE_NAME MYSQL_SESSION_INFO_TABLE_NAME MYSQL_PAST_TOKENS_TABLE_NAME
	MYSQL_EMAILPASSWORD_USERS_TABLE_NAME MYSQL_EMAILPASSWORD_PSWD_RESET_TOKENS_TABLE_NAME
	MYSQL_EMAILPASSWORD_EMAIL_VERIFICATION_TOKENS_TABLE_NAME MYSQL_EMAILVERIFICATION_TOKENS_TABLE_NAME
	MYSQL_EMAILVERIFICATION_VERIFIED_EMAILS_TABLE_NAME MYSQL_THIRDPARTY_USERS_TABLE_NAME
	MYSQL_SESSION_ACCESS_TOKEN_SIGNING_KEYS_TABLE_NAME
	MONGODB_CONNECTION_URI MONGODB_DATABASE_NAME MONGODB_COLLECTION_NAMES_PREFIX MONGODB_KEY_VALUE_COLLECTION_NAME
	MONGODB_SESSION_INFO_COLLECTION_NAME MONGODB_PAST_TOKENS_COLLECTION_NAME`

// fits are values for settings of which not every text is one.
var fits = map[string]string{
	"API_KEYS": "a-key-of-20-characters", "SUPERTOKENS_SAAS_SECRET": "a-secret-of-at-least-40-characters-abcdefg",
	"LOG_LEVEL": "INFO", "SUPERTOKENS_MAX_CDI_VERSION": "5.0", "SUPERTOKENS_MIN_CDI_VERSION": "3.0",
	"RECENT_TOKEN_REUSE_BEHAVIOUR": "TOKEN_THEFT", "REFRESH_TOKEN_VALIDITY": "100", "ACCESS_TOKEN_VALIDITY_JITTER": "0.1",
	"ACCESS_TOKEN_BLACKLISTING": "true", "ACCESS_TOKEN_SIGNING_KEY_DYNAMIC": "true", "DISABLE_TELEMETRY": "true",
	"POSTGRESQL_CONNECTION_URI": "postgresql://u:5@h/d", "MYSQL_CONNECTION_URI": "mysql://u:5@h/d", "MONGODB_CONNECTION_URI": "mongodb://h/d",
	"SUPERTOKENS_DEFAULT_CDI_VERSION": "5.0",
}

// TestDocumentedNames: each name of a setting is known, in the environment and, where
// the key has the same name, in the file.
func TestDocumentedNames(t *testing.T) {
	t.Parallel()
	connection := map[string][]string{
		"POSTGRESQL_": {"POSTGRESQL_CONNECTION_URI=postgresql://u:5@h/d"}, "MYSQL_": {"MYSQL_CONNECTION_URI=mysql://u:5@h/d"},
		"MONGODB_": {"MONGODB_CONNECTION_URI=mongodb://h/d"}, "SUPERTOKENS_SAAS_SECRET": {"API_KEYS=a-key-of-20-characters"},
		"ACCESS_TOKEN_VALIDITY": {"REFRESH_TOKEN_VALIDITY=100"},
	}
	for _, name := range strings.Fields(names) {
		value := cmp.Or(fits[name], "5")
		if name == "POSTGRESQL_PASSWORD_FILE" {
			value = write(t, "secret", "5")
		}
		var base []string
		for prefix, pairs := range connection {
			if strings.HasPrefix(name, prefix) {
				base = append(base, pairs...)
			}
		}
		check := func(how string, o options, environ []string) {
			cfg, err := load(o, environ)
			if err != nil {
				t.Errorf("%s %s: %v", how, name, err)
				return
			}
			for _, w := range cfg.Warnings {
				if !strings.HasPrefix(w, "settings without effect in this core: ") && !strings.Contains(w, " is the old name of ") {
					t.Errorf("%s %s: %s", how, name, w)
				}
			}
		}
		check("variable", options{}, append(base, name+"="+value))
		switch name {
		case "SUPERTOKENS_HOST", "SUPERTOKENS_PORT", "USE_STRUCTURED_LOGGING", "POSTGRESQL_PASSWORD_FILE":
			continue // no key, or one of another name
		}
		check("key", options{config: write(t, "config.yaml", strings.ToLower(name)+": "+value+"\n")}, base)
	}
}

// TestDocumentedPage: docs/refcore.md shows the lines.
func TestDocumentedPage(t *testing.T) {
	const path, begin, end = "../../docs/refcore.md", "<!-- lines: generated", "<!-- end of lines -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	head, rest, ok2 := strings.Cut(rest, "\n")
	_, after, ok3 := strings.Cut(rest, end)
	if !ok || !ok2 || !ok3 {
		t.Fatalf("%s has lost its marks", path)
	}
	var b strings.Builder
	for i, l := range documented {
		if i == 0 || l.from != documented[i-1].from {
			fmt.Fprintf(&b, "\nFrom %s:\n\n| line | here |\n| --- | --- |\n", l.from)
		}
		here := map[outcome]string{same: "the same", without: "starts, and warns", refused: "refused"}[l.outcome]
		if l.outcome != same {
			here += ": " + strings.ReplaceAll(l.want, "|", `\|`)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(l.says, "|", `\|`), here)
	}
	b.WriteString("\n")
	want := before + begin + head + "\n" + b.String() + end + after
	if want == string(page) {
		return
	}
	if !*update {
		t.Errorf("%s is not of this code: go test ./refcore/serve -run DocumentedPage -update", path)
		return
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
