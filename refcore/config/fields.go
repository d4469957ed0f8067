package config

import (
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/refcore/setting"
)

func textInto(field func(*Config) *string) func(*build, string) error {
	return func(b *build, key string) error {
		*field(&b.Config) = b.v.Text(key)
		return nil
	}
}

func boolInto(field func(*Config) *bool) func(*build, string) error {
	return func(b *build, key string) error {
		*field(&b.Config) = b.v.Bool(key)
		return nil
	}
}

// regexpInto matches the whole text; nil for an empty one. Blanks and a CR at its
// ends are no part of it, as in the real core: with them a rule would match no
// address. One of nothing else is an error, as whoever set it meant something.
func regexpInto(field func(*Config) **regexp.Regexp) func(*build, string) error {
	return func(b *build, key string) error {
		if b.v.Text(key) == "" {
			return nil
		}
		s := b.v.Trimmed(key)
		// By itself first: "a)|(b" would fit into the parentheses.
		_, err := regexp.Compile(s)
		if s == "" {
			err = errBlank
		}
		if err == nil {
			*field(&b.Config), err = regexp.Compile(`^(?:` + s + `)$`)
		}
		if err != nil {
			return setting.Errorf("Provided regular expression is invalid for %s config", key)
		}
		return nil
	}
}

var errBlank = errors.New("blank")

var versionForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*$`)

func versionInto(field func(*Config) *string) func(*build, string) error {
	return func(b *build, key string) error {
		s := b.v.Text(key)
		*field(&b.Config) = s
		if s == "" {
			return nil
		}
		if !versionForm.MatchString(s) {
			return setting.Errorf("%s is not a valid semantic version", key)
		}
		if !slices.Contains(b.src.Versions, s) {
			return setting.Errorf("%s is not a supported version", key)
		}
		at := func(v string) int { return slices.Index(b.src.Versions, v) }
		if b.MinCDI != "" && b.MaxCDI != "" && at(b.MinCDI) > at(b.MaxCDI) {
			return Error("supertokens_min_cdi_version cannot be greater than supertokens_max_cdi_version")
		}
		return nil
	}
}

// logPath: null is the real core's word for standard output and error.
func logPath(field func(*Config) *string) func(*build, string) error {
	return func(b *build, key string) error {
		if p := b.v.Text(key); p != "null" {
			*field(&b.Config) = p
		}
		return nil
	}
}

// defaultHost is for images: they listen on all addresses, unless the file or the
// caller says otherwise.
func defaultHost(b *build, key string) error {
	if !b.v.Given("host") && b.v.Given(key) {
		b.Host = b.v.Text(key)
	}
	return nil
}

func port(b *build, key string) error {
	b.Port = int(b.v.Long(key))
	if b.Port < 0 || b.Port > 65535 {
		return setting.Errorf("'port' must be between 0 and 65535, not %d", b.Port)
	}
	return nil
}

func serverPool(b *build, key string) error {
	if b.v.Long(key) < 1 {
		return b.inFile("'max_server_pool_size' must be >= 1.")
	}
	return nil
}

func basePath(b *build, key string) error {
	s := strings.TrimSpace(b.v.Text(key))
	if strings.ContainsAny(s, " \t\r\n") {
		return Error("Invalid characters in base_path config")
	}
	for strings.Contains(s, "//") {
		s = strings.ReplaceAll(s, "//", "/")
	}
	if s != "" && s != "/" {
		b.BasePath = "/" + strings.Trim(s, "/")
	}
	return nil
}

// apiKeys fails closed: who sets keys wants the API shut, so a value without a
// key is an error. Commas at the end are passed over, as the real core does.
func apiKeys(b *build, key string) error {
	if !b.v.Given(key) {
		return nil
	}
	for k := range strings.SplitSeq(strings.TrimRight(b.v.Text(key), ", \t\r\n"), ",") {
		k = strings.TrimSpace(k)
		if len(k) < 20 {
			return Error("One of the API keys is too short. Please use at least 20 characters")
		}
		if !keyAlphabet(k) {
			return Error("Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)")
		}
		b.APIKeys = append(b.APIKeys, k)
	}
	return nil
}

func saasSecret(b *build, key string) error {
	secret := b.v.Text(key)
	switch {
	case !b.v.Given(key):
		return nil
	case len(b.APIKeys) == 0:
		return Error("supertokens_saas_secret can only be used when api_key is also defined")
	case len(secret) < 40:
		return Error("supertokens_saas_secret is too short. Please use at least 40 characters")
	case !keyAlphabet(secret):
		return Error("Invalid characters in supertokens_saas_secret key. Please only use '=', '-' and alpha-numeric (including capitals)")
	}
	b.APIKeys = append(b.APIKeys, secret)
	return nil
}

func keyAlphabet(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '=' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func accessValidity(b *build, key string) error {
	s := b.v.Long(key)
	if s < 1 || s > 86400000 {
		return b.inFile("'access_token_validity' must be between 1 and 86400000 seconds inclusive.")
	}
	b.Engine.AccessValidity = time.Duration(s) * time.Second
	return nil
}

func refreshValidity(b *build, key string) error {
	minutes := b.v.Double(key)
	if minutes*60 <= b.Engine.AccessValidity.Seconds() {
		return b.inFile("'refresh_token_validity' must be strictly greater than 'access_token_validity'.")
	}
	b.Engine.RefreshValidity = duration(minutes, time.Minute)
	return nil
}

func keyInterval(b *build, key string) error {
	hours := b.v.Double(key)
	if hours < 1 {
		return b.inFile("'access_token_dynamic_signing_key_update_interval' must be greater than, equal to 1 hour.")
	}
	b.Engine.KeyInterval = duration(hours, time.Hour)
	return nil
}

// duration multiplies without overflow: at the longest, about 146 years.
func duration(n float64, unit time.Duration) time.Duration {
	const longest = 1 << 62
	if d := n * float64(unit); d < longest {
		return time.Duration(d)
	}
	return longest
}

func gracePeriod(b *build, key string) error {
	s := b.v.Long(key)
	if s < 0 || s > 300 {
		return b.inFile("'refresh_token_rotation_grace_period' must be between 0 and 300 seconds inclusive.")
	}
	b.Engine.GracePeriod = time.Duration(s) * time.Second
	return nil
}

func jitter(b *build, key string) error {
	b.Engine.Jitter = b.v.Double(key)
	if b.Engine.Jitter < 0 || b.Engine.Jitter > 0.25 {
		return b.inFile("'access_token_validity_jitter' must be between 0 and 0.25 inclusive.")
	}
	return nil
}

func reuse(b *build, key string) error {
	switch strings.ToUpper(b.v.Text(key)) {
	case "TOKEN_THEFT":
	case "UNAUTHORISED":
		b.Engine.ReuseUnauthorised = true
	default:
		return Error("recent_token_reuse_behaviour property is not set correctly. It must be one of [TOKEN_THEFT, UNAUTHORISED]")
	}
	return nil
}

func logLevel(b *build, key string) error {
	levels := map[string]slog.Level{"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARN": slog.LevelWarn, "ERROR": slog.LevelError, "NONE": slog.LevelError + 100}
	name := strings.ToUpper(b.v.Text(key))
	level, ok := levels[name]
	if !ok {
		return Error(`'log_level' config must be one of "NONE","DEBUG", "INFO", "WARN" or "ERROR".`)
	}
	b.LogLevel, b.Quiet = level, name == "NONE"
	return nil
}

func structured(b *build, key string) error {
	b.JSONLogs = strings.EqualFold(b.v.Text(key), "true")
	return nil
}

func databaseWait(b *build, key string) error {
	s := b.v.Long(key)
	if s < 0 || s > 86400 {
		return setting.Errorf("'database_wait_seconds' must be between 0 and 86400, not %d", s)
	}
	b.DatabaseWait = time.Duration(s) * time.Second
	return nil
}
