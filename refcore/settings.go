package refcore

import "time"

// Settings of the session engine, validated by refcore/config.
type Settings struct {
	// Blacklisting is access_token_blacklisting: for CDI ≤ 2.20 it decides
	// whether verify asks the database.
	Blacklisting bool
	// DynamicKeys is access_token_signing_key_dynamic, for CDI ≤ 2.20.
	DynamicKeys bool
	// AccessValidity is access_token_validity.
	AccessValidity time.Duration
	// RefreshValidity is refresh_token_validity.
	RefreshValidity time.Duration
	// KeyInterval is access_token_dynamic_signing_key_update_interval.
	KeyInterval time.Duration
	// Jitter is access_token_validity_jitter: access tokens from create and
	// refresh live AccessValidity × (1 − U[0, Jitter]).
	Jitter float64
	// GracePeriod is refresh_token_rotation_grace_period, for CDI ≥ 5.6.
	GracePeriod time.Duration
	// ReuseUnauthorised is recent_token_reuse_behaviour: UNAUTHORISED.
	ReuseUnauthorised bool
	// CleanupEvery is how often expired sessions and keys are deleted.
	CleanupEvery time.Duration
}

// DefaultSettings are the real core's defaults.
func DefaultSettings() Settings {
	return Settings{
		DynamicKeys:     true,
		AccessValidity:  time.Hour,
		RefreshValidity: 144000 * time.Minute,
		KeyInterval:     168 * time.Hour,
		Jitter:          0.05,
		GracePeriod:     30 * time.Second,
		CleanupEvery:    12 * time.Hour,
	}
}
