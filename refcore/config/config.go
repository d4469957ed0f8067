// Package config reads the core's settings from config.yaml and the
// environment, under the real core's names and with its limits.
package config

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/store"
)

// Kind of store.
type Kind string

const (
	SQLite   Kind = "sqlite"
	Postgres Kind = "postgres"
	MySQL    Kind = "mysql"
	MongoDB  Kind = "mongodb"
)

// Config is everything that a core is started with.
type Config struct {
	Port     int
	Host     string
	BasePath string
	APIKeys  []string
	MaxCDI   string
	MinCDI   string
	IPAllow  *regexp.Regexp
	IPDeny   *regexp.Regexp
	// LogLevel below which nothing is logged; Quiet logs nothing at all.
	LogLevel slog.Level
	Quiet    bool
	// InfoLogPath and ErrorLogPath are files; "" is standard error.
	InfoLogPath, ErrorLogPath string
	JSONLogs                  bool
	Engine                    refcore.Settings
	StoreKind                 Kind
	Store                     store.Config
	// Warnings are for the log: unknown keys, settings without effect.
	Warnings []string
}

// Error is a setting that cannot be used; its text is one line that names it.
type Error string

func (e Error) Error() string { return string(e) }

// Source is where settings come from.
type Source struct {
	// File is the path of config.yaml; "" reads none.
	File string
	// Environ is "NAME=value" as os.Environ gives it.
	Environ []string
}

// Load reads and validates all settings: defaults, then the file, then the
// environment. The error is an Error when a setting cannot be used.
func Load(src Source) (*Config, error) {
	raw := newValues()
	if src.File != "" {
		text, err := os.ReadFile(src.File)
		if err != nil {
			return nil, Error(fmt.Sprintf("config file %s: %v", src.File, unwrapPath(err)))
		}
		if err := raw.readFile(src.File, text); err != nil {
			return nil, err
		}
	}
	if err := raw.readEnviron(src.Environ); err != nil {
		return nil, err
	}
	return raw.build(src.File)
}

// unwrapPath drops the path that the message names already.
func unwrapPath(err error) error {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err
	}
	return err
}

// build turns values into a Config.
func (v *values) build(file string) (*Config, error) {
	c := &Config{Engine: refcore.DefaultSettings(), Warnings: v.warnings}
	for _, step := range []func(*Config, string) error{v.server, v.sessions, v.versions, v.logs, v.stores} {
		if err := step(c, file); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// inFile is what the real core adds to errors of the base config.
func inFile(text, file string) error {
	if file != "" {
		text += " The config file can be found here: " + file
	}
	return Error(text)
}

func (v *values) server(c *Config, file string) error {
	c.Port = int(v.long("port"))
	if c.Port < 0 || c.Port > 65535 {
		return Error(fmt.Sprintf("'port' must be between 0 and 65535, not %d", c.Port))
	}
	c.Host = v.text("host")
	if v.long("max_server_pool_size") < 1 {
		return inFile("'max_server_pool_size' must be >= 1.", file)
	}
	var err error
	if c.BasePath, err = normalBasePath(v.text("base_path")); err != nil {
		return err
	}
	if c.APIKeys, err = apiKeys(v.text("api_keys")); err != nil {
		return err
	}
	if secret := v.text("supertokens_saas_secret"); secret != "" {
		if len(c.APIKeys) == 0 {
			return Error("supertokens_saas_secret can only be used when api_key is also defined")
		}
		if len(secret) < 40 {
			return Error("supertokens_saas_secret is too short. Please use at least 40 characters")
		}
		if !keyAlphabet(secret) {
			return Error("Invalid characters in supertokens_saas_secret key. Please only use '=', '-' and alpha-numeric (including capitals)")
		}
		c.APIKeys = append(c.APIKeys, secret)
	}
	for _, p := range []struct {
		key string
		to  **regexp.Regexp
	}{{"ip_allow_regex", &c.IPAllow}, {"ip_deny_regex", &c.IPDeny}} {
		if *p.to, err = wholeRegexp(v.text(p.key)); err != nil {
			return Error("Provided regular expression is invalid for " + p.key + " config")
		}
	}
	return nil
}

// wholeRegexp matches the whole text; nil for an empty expression.
func wholeRegexp(s string) (*regexp.Regexp, error) {
	if s == "" {
		return nil, nil
	}
	if _, err := regexp.Compile(s); err != nil {
		return nil, err
	}
	return regexp.Compile(`^(?:` + s + `)$`)
}

func normalBasePath(s string) (string, error) {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, " \t\r\n") {
		return "", Error("Invalid characters in base_path config")
	}
	for strings.Contains(s, "//") {
		s = strings.ReplaceAll(s, "//", "/")
	}
	if s == "" || s == "/" {
		return "", nil
	}
	return "/" + strings.Trim(s, "/"), nil
}

func apiKeys(s string) ([]string, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var keys []string
	for k := range strings.SplitSeq(s, ",") {
		k = strings.TrimSpace(k)
		if k == "" {
			continue
		}
		if len(k) < 20 {
			return nil, Error("One of the API keys is too short. Please use at least 20 characters")
		}
		if !keyAlphabet(k) {
			return nil, Error("Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)")
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func keyAlphabet(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '=' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func (v *values) sessions(c *Config, file string) error {
	e := &c.Engine
	access := v.long("access_token_validity")
	if access < 1 || access > 86400000 {
		return inFile("'access_token_validity' must be between 1 and 86400000 seconds inclusive.", file)
	}
	e.AccessValidity = time.Duration(access) * time.Second
	minutes := v.double("refresh_token_validity")
	if minutes*60 <= float64(access) {
		return inFile("'refresh_token_validity' must be strictly greater than 'access_token_validity'.", file)
	}
	e.RefreshValidity = duration(minutes, time.Minute)
	hours := v.double("access_token_dynamic_signing_key_update_interval")
	if hours < 1 {
		return inFile("'access_token_dynamic_signing_key_update_interval' must be greater than, equal to 1 hour.", file)
	}
	e.KeyInterval = duration(hours, time.Hour)
	grace := v.long("refresh_token_rotation_grace_period")
	if grace < 0 || grace > 300 {
		return inFile("'refresh_token_rotation_grace_period' must be between 0 and 300 seconds inclusive.", file)
	}
	e.GracePeriod = time.Duration(grace) * time.Second
	e.Jitter = v.double("access_token_validity_jitter")
	if e.Jitter < 0 || e.Jitter > 0.25 {
		return inFile("'access_token_validity_jitter' must be between 0 and 0.25 inclusive.", file)
	}
	switch strings.ToUpper(v.text("recent_token_reuse_behaviour")) {
	case "TOKEN_THEFT":
	case "UNAUTHORISED":
		e.ReuseUnauthorised = true
	default:
		return Error("recent_token_reuse_behaviour property is not set correctly. It must be one of [TOKEN_THEFT, UNAUTHORISED]")
	}
	e.Blacklisting = v.bool("access_token_blacklisting")
	e.DynamicKeys = v.bool("access_token_signing_key_dynamic")
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

func (v *values) logs(c *Config, _ string) error {
	levels := map[string]slog.Level{"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARN": slog.LevelWarn, "ERROR": slog.LevelError, "NONE": slog.LevelError + 100}
	name := strings.ToUpper(v.text("log_level"))
	level, ok := levels[name]
	if !ok {
		return Error(`'log_level' config must be one of "NONE","DEBUG", "INFO", "WARN" or "ERROR".`)
	}
	c.LogLevel, c.Quiet = level, name == "NONE"
	path := func(key string) string {
		if p := v.text(key); p != "null" {
			return p
		}
		return ""
	}
	c.InfoLogPath, c.ErrorLogPath = path("info_log_path"), path("error_log_path")
	c.JSONLogs = v.structured
	return nil
}
