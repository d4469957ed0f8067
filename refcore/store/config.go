package store

import (
	"context"
	"strings"
	"time"
)

// Names are the tables or collections of one deployment.
type Names struct {
	Session    string // session_info
	DynamicKey string // session_access_token_signing_keys
	StaticKey  string // jwt_signing_keys
	KeyValue   string // key_value
}

// Names applies Prefix, SessionTable and KeyValueTable.
func (c Config) Names() Names {
	name := func(set, usual string) string {
		if set != "" {
			return set
		}
		if prefix := strings.TrimSpace(c.Prefix); prefix != "" {
			return prefix + "_" + usual
		}
		return usual
	}
	return Names{
		Session:    name(c.SessionTable, "session_info"),
		DynamicKey: name("", "session_access_token_signing_keys"),
		StaticKey:  name("", "jwt_signing_keys"),
		KeyValue:   name(c.KeyValueTable, "key_value"),
	}
}

// Filled replaces zero values by the defaults that the fields' comments name
// and bounds MinIdle by PoolSize.
func (c Config) Filled() Config {
	if c.PoolSize <= 0 {
		c.PoolSize = 10
	}
	if c.MinIdle < 0 || c.MinIdle > c.PoolSize {
		c.MinIdle = c.PoolSize
	}
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = time.Minute
	}
	if c.StatementTimeout <= 0 {
		c.StatementTimeout = 5 * time.Second
	}
	return c
}

// Weaker tells Warn.
func (c Config) Weaker(texts []string) {
	if c.Warn == nil {
		return
	}
	for _, text := range texts {
		c.Warn(text)
	}
}

// ConnLifetime is how long a connection to a server is used: a name that moves
// to another server, or a setting that changed there, is followed by then.
const ConnLifetime = 5 * time.Minute

// OpenTimeout bounds all of Open: connecting and ten cores' schema set-ups
// waiting for each other take longer than a statement may.
func (c Config) OpenTimeout() time.Duration {
	return max(3*c.Filled().StatementTimeout, 5*time.Second)
}

// Bound returns ctx with a deadline at most d away. It adds none if ctx ends
// earlier anyhow: a context costs allocations on the hot path.
func Bound(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if at, ok := ctx.Deadline(); ok && time.Until(at) <= d {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}
