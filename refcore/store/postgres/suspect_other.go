//go:build !unix

package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// suspect is pgx's own rule.
func suspect(_ context.Context, p pgxpool.ShouldPingParams) bool {
	return p.IdleDuration > time.Second
}
