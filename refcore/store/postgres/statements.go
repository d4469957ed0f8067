package postgres

import (
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/refcore/store/internal/sqlstore"
)

// own are the statements that only PostgreSQL has. pgx prepares each text once a
// connection.
type own struct {
	deleteMany, deleteByUser, deleteExpired string
}

// readOnly is true on a replica, where every transaction is read-only, and where
// they are so by default, as failover tools set it on a primary that they demote.
const readOnly = `current_setting('transaction_read_only') <> 'off'`

func statementsOn(t tables) (sqlstore.Statements[string], own) {
	texts := sqlstore.Texts(sqlstore.Tables{
		Session: t.session, DynamicKey: t.dynamicKey, StaticKey: t.staticKey, KeyValue: t.values,
	}, sqlstore.Dialect{IfAbsent: "ON CONFLICT DO NOTHING", ReadOnly: readOnly, OneRow: sqlstore.Left})
	numbered, _ := sqlstore.Prepare(texts, func(text string, _ bool) (string, error) { return numbered(text), nil })

	// Rows are locked in the order of their handles: calls that delete the same
	// sessions in different orders would else end in deadlocks, which the server
	// notices only after a second.
	deleteWhere := func(condition, lock string) string {
		return `WITH doomed AS (SELECT session_handle FROM ` + t.session + ` WHERE ` + condition + ` ` + lock + `)
			DELETE FROM ` + t.session + ` s USING doomed WHERE s.session_handle = doomed.session_handle`
	}
	const inOrder = `ORDER BY session_handle FOR UPDATE`
	const returning = ` RETURNING s.session_handle`
	return numbered, own{
		deleteMany:   deleteWhere(`session_handle = ANY($1)`, inOrder) + returning,
		deleteByUser: deleteWhere(`user_id = $1 AND expires_at >= $2`, inOrder) + returning,
		// Another core's clean-up, or a refresh, may hold some: the next run sees them.
		deleteExpired: deleteWhere(`expires_at <= $1`, `LIMIT $2 FOR UPDATE SKIP LOCKED`),
	}
}

// numbered replaces each ? outside of quoted names by $1, $2, …
func numbered(text string) string {
	var b strings.Builder
	n, quoted := 0, false
	for _, c := range []byte(text) {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '?' && !quoted:
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
