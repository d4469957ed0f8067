package config

import (
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
)

// foreign are settings of the real core, of today and of old, that do not touch
// what this one does. They are accepted, so that documented lines start it, and
// named in a warning.
var foreign = strings.Fields(`
	password_reset_token_lifetime password_hashing_alg bcrypt_log_rounds
	argon2_iterations argon2_memory_kb argon2_parallelism argon2_hashing_pool_size
	firebase_password_hashing_pool_size firebase_password_hashing_signer_key
	email_verification_token_lifetime passwordless_max_code_input_attempts passwordless_code_lifetime
	totp_max_attempts totp_rate_limit_cooldown_sec totp_rate_limit_cooldown_time totp_invalid_code_expiry_sec
	webauthn_recover_account_token_lifetime
	oauth_provider_public_service_url oauth_provider_admin_service_url oauth_provider_consent_login_base_url
	oauth_provider_url_configured_in_oauth_provider oauth_client_secret_encryption_key
	saml_legacy_acs_url saml_sp_entity_id saml_claims_validity saml_relay_state_validity
	bulk_migration_parallelism bulk_migration_batch_size bulk_migration_cron_enabled
	bulk_migration_sleep_between_rounds_in_batch_ms
	otel_collector_connection_uri otel_service_name deadlock_logger_enable migration_mode supertokens_migration_mode
	cookie_domain cookie_secure cookie_same_site access_token_path refresh_api_path session_expired_status_code
	enable_anti_csrf license_key_id
	postgresql_connection_attributes postgresql_connection_scheme mysql_connection_attributes mysql_connection_scheme
`)

// foreignTables end the names of tables and collections that hold no sessions.
var foreignTables = strings.Fields(`
	past_tokens_table_name past_tokens_collection_name session_access_token_signing_keys_table_name
	emailpassword_users_table_name emailpassword_pswd_reset_tokens_table_name
	emailpassword_email_verification_tokens_table_name
	email_password_users_table_name email_password_pswd_reset_tokens_table_name
	emailverification_tokens_table_name emailverification_verified_emails_table_name thirdparty_users_table_name
`)

// foreignKeys are all of them, as they stand in the file.
func foreignKeys(kinds []store.Kind) []string {
	keys := slices.Clone(foreign)
	for _, k := range kinds {
		for _, table := range foreignTables {
			keys = append(keys, k.Name+"_"+table)
		}
	}
	return keys
}

// passOver notes a foreign setting. One that asks for TLS to the database is an
// error: passed over, the connection would be in the clear.
func (b *build) passOver(key, name, value string) error {
	lower := strings.ToLower(value)
	if strings.HasSuffix(key, "_connection_attributes") && (strings.Contains(lower, "ssl") || strings.Contains(lower, "tls")) {
		return setting.Errorf("%s asks for TLS and is not read: put its options into %s", name, strings.Replace(key, "attributes", "uri", 1))
	}
	if !slices.Contains(b.without, name) {
		b.without = append(b.without, name)
	}
	return nil
}

// warnWithout names in one line what was set and has no effect.
func (b *build) warnWithout() {
	for _, r := range table {
		if name, given := b.names[r.Key]; given && r.Ignored && !r.kept && b.v.Text(r.Key) != r.Default {
			b.without = append(b.without, name)
		}
	}
	if len(b.without) > 0 {
		slices.Sort(b.without)
		b.warn("settings without effect in this core: %s", strings.Join(b.without, ", "))
	}
}
