package config

import (
	"regexp"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
)

// row is a setting and how it gets into the Config; into is nil for what is
// ignored. What an ignored one asks for is kept without it: no warning.
type row struct {
	setting.Setting
	into func(b *build, key string) error
	kept bool
}

const (
	text    = setting.Text
	boolean = setting.Boolean
	integer = setting.Integer
	long    = setting.Long
	double  = setting.Double
)

// apiKeysVariable is told about when it is empty: the API is open then.
const apiKeysVariable = "API_KEYS"

// table is the one list of what can be set apart from stores. Rows are read in
// this order, so that one may look at those above it.
var table = []row{
	{setting.Setting{Key: "core_config_version", Type: integer, Default: "0", Example: "1", Doc: "marks the file's version", Ignored: true}, nil, true},
	{setting.Setting{Key: "port", Env: "SUPERTOKENS_PORT", Type: integer, Default: "3567", Example: "4000", Doc: "port to listen on; 0 picks a free one"}, port, false},
	{setting.Setting{Key: "host", Env: "SUPERTOKENS_HOST", Type: text, Default: "localhost", Example: "0.0.0.0", Doc: "address to listen on"}, textInto(func(c *Config) *string { return &c.Host }), false},
	{setting.Setting{Key: "default_host", Env: "SUPERTOKENS_DEFAULT_HOST", OnlyEnv: true, Type: text, Example: "0.0.0.0", Doc: "address to listen on when nothing else names one; the image sets it"}, defaultHost, false},
	{setting.Setting{Key: "max_server_pool_size", Env: "MAX_SERVER_POOL_SIZE", Type: integer, Default: "10", Example: "20", Doc: "at least 1; this core has no such pool", Ignored: true}, serverPool, false},
	{setting.Setting{Key: "base_path", Env: "BASE_PATH", Type: text, Example: "/auth", Doc: "put before every path"}, basePath, false},
	{setting.Setting{Key: "api_keys", Env: apiKeysVariable, FileEnv: "API_KEYS_FILE", Type: text, Example: "abcdefghijklmnopqrst", Doc: "keys of which each call must bring one, with commas between"}, apiKeys, false},
	{setting.Setting{Key: "supertokens_saas_secret", Env: "SUPERTOKENS_SAAS_SECRET", Type: text, Example: "a-secret-of-at-least-40-characters-abcdefg", Doc: "one more API key, of 40 characters at least; needs api_keys"}, saasSecret, false},
	{setting.Setting{Key: "ip_allow_regex", Env: "IP_ALLOW_REGEX", Type: text, Example: `10\..*`, Doc: "addresses that may call, all of the address"}, regexpInto(func(c *Config) **regexp.Regexp { return &c.IPAllow }), false},
	{setting.Setting{Key: "ip_deny_regex", Env: "IP_DENY_REGEX", Type: text, Example: `10\..*`, Doc: "addresses that may not call; wins over ip_allow_regex"}, regexpInto(func(c *Config) **regexp.Regexp { return &c.IPDeny }), false},
	{setting.Setting{Key: "access_token_validity", Env: "ACCESS_TOKEN_VALIDITY", Type: long, Default: "3600", Example: "60", Doc: "s that an access token lives, 1 to 86400000"}, accessValidity, false},
	{setting.Setting{Key: "refresh_token_validity", Env: "REFRESH_TOKEN_VALIDITY", Type: double, Default: "144000", Example: "1000", Doc: "min that a refresh token lives; more than access_token_validity"}, refreshValidity, false},
	{setting.Setting{
		Key: "access_token_dynamic_signing_key_update_interval", Env: "ACCESS_TOKEN_DYNAMIC_SIGNING_KEY_UPDATE_INTERVAL",
		Aliases: []string{"access_token_signing_key_update_interval"}, Type: double, Default: "168", Example: "24",
		Doc: "h that a dynamic signing key signs, at least 1",
	}, keyInterval, false},
	{setting.Setting{Key: "refresh_token_rotation_grace_period", Env: "REFRESH_TOKEN_ROTATION_GRACE_PERIOD", Type: integer, Default: "30", Example: "10", Doc: "s that a rotated refresh token is forgiven from CDI 5.6, 0 to 300"}, gracePeriod, false},
	{setting.Setting{Key: "access_token_validity_jitter", Env: "ACCESS_TOKEN_VALIDITY_JITTER", Type: double, Default: "0.05", Example: "0.1", Doc: "share by which an access token may live less, 0 to 0.25"}, jitter, false},
	{setting.Setting{Key: "recent_token_reuse_behaviour", Env: "RECENT_TOKEN_REUSE_BEHAVIOUR", Type: text, Default: "TOKEN_THEFT", Example: "UNAUTHORISED", Doc: "what a rotated refresh token means: TOKEN_THEFT or UNAUTHORISED"}, reuse, false},
	{setting.Setting{Key: "access_token_blacklisting", Env: "ACCESS_TOKEN_BLACKLISTING", Type: boolean, Default: "false", Example: "true", Doc: "the flag: below CDI 2.21 verify asks the database"}, boolInto(func(c *Config) *bool { return &c.Engine.Blacklisting }), false},
	{setting.Setting{Key: "access_token_signing_key_dynamic", Env: "ACCESS_TOKEN_SIGNING_KEY_DYNAMIC", Type: boolean, Default: "true", Example: "false", Doc: "below CDI 2.21 dynamic keys sign"}, boolInto(func(c *Config) *bool { return &c.Engine.DynamicKeys }), false},
	{setting.Setting{Key: "supertokens_max_cdi_version", Env: "SUPERTOKENS_MAX_CDI_VERSION", Aliases: []string{"supertokens_default_cdi_version"}, Type: text, Example: "5.0", Doc: "newest protocol version to speak; quote it in YAML"}, versionInto(func(c *Config) *string { return &c.MaxCDI }), false},
	{setting.Setting{Key: "supertokens_min_cdi_version", Env: "SUPERTOKENS_MIN_CDI_VERSION", Type: text, Example: "3.0", Doc: "oldest protocol version to speak; quote it in YAML"}, versionInto(func(c *Config) *string { return &c.MinCDI }), false},
	{setting.Setting{Key: "database_wait_seconds", Env: "DATABASE_WAIT_SECONDS", Type: long, Default: "3600", Example: "0", Doc: "s to wait at the start for a database that cannot be reached; 0 tries once"}, databaseWait, false},
	{setting.Setting{Key: "log_level", Env: "LOG_LEVEL", Type: text, Default: "INFO", Example: "WARN", Doc: "DEBUG, INFO, WARN, ERROR or NONE"}, logLevel, false},
	{setting.Setting{Key: "info_log_path", Env: "INFO_LOG_PATH", Type: text, Example: "/logs/info.log", Doc: "file for what is no error; without it, and for null, standard error"}, logPath(func(c *Config) *string { return &c.InfoLogPath }), false},
	{setting.Setting{Key: "error_log_path", Env: "ERROR_LOG_PATH", Type: text, Example: "/logs/error.log", Doc: "the same for errors"}, logPath(func(c *Config) *string { return &c.ErrorLogPath }), false},
	{setting.Setting{Key: "use_structured_logging", Env: "USE_STRUCTURED_LOGGING", OnlyEnv: true, Type: text, Example: "true", Doc: "true: each line of the log is JSON"}, structured, false},
	{setting.Setting{Key: "disable_telemetry", Env: "DISABLE_TELEMETRY", Type: boolean, Default: "false", Example: "true", Doc: "this core sends nothing to anybody", Ignored: true}, nil, true},
	{setting.Setting{Key: "supertokens_saas_load_only_cud", Env: "SUPERTOKENS_SAAS_LOAD_ONLY_CUD", Type: text, Example: "x", Doc: "this core has one tenant", Ignored: true}, nil, false},
	{setting.Setting{Key: "webserver_https_enabled", Type: boolean, Default: "false", Example: "true", Doc: "this core speaks HTTP", Ignored: true}, nil, false},
}

// Settings lists all that can be set, those of the stores last.
func Settings(kinds []store.Kind) []setting.Setting {
	var all []setting.Setting
	for _, r := range table {
		all = append(all, r.Setting)
	}
	for _, k := range kinds {
		all = append(all, k.Settings...)
	}
	return all
}
