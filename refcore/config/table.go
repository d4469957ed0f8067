package config

import "strings"

// kind of value that a setting takes.
type kind int

const (
	text kind = iota
	boolean
	integer // 32 bits
	long
	double
)

func (k kind) String() string {
	return [...]string{"String", "boolean", "int", "long", "double"}[k]
}

// setting is one row of the table: a key of config.yaml, its name in the
// environment, its type and its default.
type setting struct {
	key  string
	env  string // "" for none
	kind kind
	def  string
}

// settings is the one list of what can be set. Limits are checked in config.go,
// versions.go and stores.go.
var settings = []setting{
	{"core_config_version", "", integer, "0"},
	{"port", "SUPERTOKENS_PORT", integer, "3567"},
	{"host", "SUPERTOKENS_HOST", text, "localhost"},
	{"max_server_pool_size", "MAX_SERVER_POOL_SIZE", integer, "10"},
	{"base_path", "BASE_PATH", text, ""},
	{"api_keys", "API_KEYS", text, ""},
	{"access_token_validity", "ACCESS_TOKEN_VALIDITY", long, "3600"},
	{"access_token_blacklisting", "ACCESS_TOKEN_BLACKLISTING", boolean, "false"},
	{"access_token_signing_key_dynamic", "ACCESS_TOKEN_SIGNING_KEY_DYNAMIC", boolean, "true"},
	{"access_token_dynamic_signing_key_update_interval", "ACCESS_TOKEN_DYNAMIC_SIGNING_KEY_UPDATE_INTERVAL", double, "168"},
	{"refresh_token_validity", "REFRESH_TOKEN_VALIDITY", double, "144000"},
	{"refresh_token_rotation_grace_period", "REFRESH_TOKEN_ROTATION_GRACE_PERIOD", integer, "30"},
	{"access_token_validity_jitter", "ACCESS_TOKEN_VALIDITY_JITTER", double, "0.05"},
	{"recent_token_reuse_behaviour", "RECENT_TOKEN_REUSE_BEHAVIOUR", text, "TOKEN_THEFT"},
	{"supertokens_max_cdi_version", "SUPERTOKENS_MAX_CDI_VERSION", text, ""},
	{"supertokens_min_cdi_version", "SUPERTOKENS_MIN_CDI_VERSION", text, ""},
	{"ip_allow_regex", "IP_ALLOW_REGEX", text, ""},
	{"ip_deny_regex", "IP_DENY_REGEX", text, ""},
	{"log_level", "LOG_LEVEL", text, "INFO"},
	{"info_log_path", "INFO_LOG_PATH", text, ""},
	{"error_log_path", "ERROR_LOG_PATH", text, ""},
	{"disable_telemetry", "DISABLE_TELEMETRY", boolean, "false"},
	{"supertokens_saas_secret", "SUPERTOKENS_SAAS_SECRET", text, ""},
	{"supertokens_saas_load_only_cud", "SUPERTOKENS_SAAS_LOAD_ONLY_CUD", text, ""},
	{"webserver_https_enabled", "", boolean, "false"},

	{"sqlite_database_path", "SQLITE_DATABASE_PATH", text, ""},

	{"postgresql_config_version", "", integer, "0"},
	{"postgresql_connection_uri", "POSTGRESQL_CONNECTION_URI", text, ""},
	{"postgresql_user", "POSTGRESQL_USER", text, ""},
	{"postgresql_password", "POSTGRESQL_PASSWORD", text, ""},
	{"postgresql_host", "POSTGRESQL_HOST", text, ""},
	{"postgresql_port", "POSTGRESQL_PORT", integer, ""},
	{"postgresql_database_name", "POSTGRESQL_DATABASE_NAME", text, ""},
	{"postgresql_table_schema", "POSTGRESQL_TABLE_SCHEMA", text, ""},
	{"postgresql_table_names_prefix", "POSTGRESQL_TABLE_NAMES_PREFIX", text, ""},
	{"postgresql_key_value_table_name", "POSTGRESQL_KEY_VALUE_TABLE_NAME", text, ""},
	{"postgresql_session_info_table_name", "POSTGRESQL_SESSION_INFO_TABLE_NAME", text, ""},
	{"postgresql_connection_pool_size", "POSTGRESQL_CONNECTION_POOL_SIZE", integer, "10"},
	{"postgresql_idle_connection_timeout", "POSTGRESQL_IDLE_CONNECTION_TIMEOUT", long, "60000"},
	{"postgresql_minimum_idle_connections", "POSTGRESQL_MINIMUM_IDLE_CONNECTIONS", integer, ""},

	{"mysql_config_version", "", integer, "0"},
	{"mysql_connection_uri", "MYSQL_CONNECTION_URI", text, ""},
	{"mysql_user", "MYSQL_USER", text, ""},
	{"mysql_password", "MYSQL_PASSWORD", text, ""},
	{"mysql_host", "MYSQL_HOST", text, ""},
	{"mysql_port", "MYSQL_PORT", integer, ""},
	{"mysql_database_name", "MYSQL_DATABASE_NAME", text, ""},
	{"mysql_table_names_prefix", "MYSQL_TABLE_NAMES_PREFIX", text, ""},
	{"mysql_key_value_table_name", "MYSQL_KEY_VALUE_TABLE_NAME", text, ""},
	{"mysql_session_info_table_name", "MYSQL_SESSION_INFO_TABLE_NAME", text, ""},
	{"mysql_connection_pool_size", "MYSQL_CONNECTION_POOL_SIZE", integer, "10"},
	{"mysql_idle_connection_timeout", "MYSQL_IDLE_CONNECTION_TIMEOUT", long, "60000"},
	{"mysql_minimum_idle_connections", "MYSQL_MINIMUM_IDLE_CONNECTIONS", integer, ""},

	{"mongodb_config_version", "", integer, "0"},
	{"mongodb_connection_uri", "MONGODB_CONNECTION_URI", text, ""},
	{"mongodb_database_name", "MONGODB_DATABASE_NAME", text, ""},
	{"mongodb_collection_names_prefix", "MONGODB_COLLECTION_NAMES_PREFIX", text, ""},
	{"mongodb_key_value_collection_name", "MONGODB_KEY_VALUE_COLLECTION_NAME", text, ""},
	{"mongodb_session_info_collection_name", "MONGODB_SESSION_INFO_COLLECTION_NAME", text, ""},
}

// aliases are older names of keys in the file.
var aliases = map[string]string{
	"access_token_signing_key_update_interval": "access_token_dynamic_signing_key_update_interval",
}

// elsewhere are settings of the real core that do not touch sessions: they are
// accepted without a word, so that its documented command lines work here.
func elsewhere(key string) bool {
	for _, prefix := range []string{
		"password", "email_verification_", "totp_", "argon2_", "bcrypt_", "firebase_", "oauth_", "saml_",
		"webauthn_", "bulk_migration_", "otel_", "enable_anti_csrf", "cookie_", "session_expired_status_code", "refresh_api_path",
		"postgresql_", "mysql_", "mongodb_", "supertokens_",
	} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
