package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// durability are settings that decide what a commit's answer is worth, as a
// session of this store has them: validate has lifted synchronous_commit=off.
type durability struct{ commit, standbys, fsync, fullPageWrites string }

func askDurability(ctx context.Context, pool *pgxpool.Pool) (d durability, err error) {
	// Relatives of PostgreSQL lack some.
	err = pool.QueryRow(ctx, `SELECT coalesce(current_setting('synchronous_commit', true), ''), coalesce(current_setting('synchronous_standby_names', true), ''),
		coalesce(current_setting('fsync', true), ''), coalesce(current_setting('full_page_writes', true), '')`).Scan(&d.commit, &d.standbys, &d.fsync, &d.fullPageWrites)
	if err != nil {
		return d, fmt.Errorf("ask how durable a commit is: %w", err)
	}
	return d, nil
}

// weaker names what is weaker than "a revoke answers after it is durable".
func (d durability) weaker() (texts []string) {
	if d.commit == "local" || d.commit == "remote_write" && d.standbys != "" {
		texts = append(texts, fmt.Sprintf("synchronous_commit=%s: a revoke may be lost when a synchronous standby takes over; on waits for its disk", d.commit))
	}
	if d.fsync == "off" {
		texts = append(texts, "fsync=off: a revoke may be lost when the server's machine fails")
	}
	if d.fullPageWrites == "off" {
		texts = append(texts, "full_page_writes=off: the tables may be damaged when the server's machine fails")
	}
	return texts
}
