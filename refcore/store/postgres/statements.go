package postgres

// statements are the texts of one deployment; pgx prepares each once a
// connection.
type statements struct {
	create, session, liveness, rotate       string
	setData, setPayload, handles            string
	deleteOne, deleteMany, deleteByUser     string
	deleteExpired                           string
	dynamicKeys, addDynamicKey, deleteKeys  string
	staticKeys, addStaticKey, value, addVal string
}

func statementsOn(t tables) statements {
	// Rows are locked in the order of their handles: calls that delete the same
	// sessions in different orders would else end in deadlocks, which the server
	// notices only after a second.
	deleteWhere := func(condition, lock string) string {
		return `WITH doomed AS (SELECT session_handle FROM ` + t.session + ` WHERE ` + condition + ` ` + lock + `)
			DELETE FROM ` + t.session + ` s USING doomed WHERE s.session_handle = doomed.session_handle`
	}
	const inOrder = `ORDER BY session_handle FOR UPDATE`
	const returning = ` RETURNING s.session_handle`
	return statements{
		create: `INSERT INTO ` + t.session + ` (session_handle, user_id, refresh_token_hash_2,
			prev_refresh_token_hash_2, refresh_token_rotated_at, session_data, jwt_user_payload,
			created_at_time, expires_at, use_static_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		session: `SELECT user_id, refresh_token_hash_2, prev_refresh_token_hash_2, refresh_token_rotated_at,
			session_data, jwt_user_payload, created_at_time, expires_at, use_static_key
			FROM ` + t.session + ` WHERE session_handle = $1`,
		liveness: `SELECT refresh_token_hash_2, prev_refresh_token_hash_2, jwt_user_payload, use_static_key
			FROM ` + t.session + ` WHERE session_handle = $1`,
		rotate: `UPDATE ` + t.session + ` SET refresh_token_hash_2 = $3, prev_refresh_token_hash_2 = $4,
			refresh_token_rotated_at = $5, expires_at = $6, use_static_key = $7
			WHERE session_handle = $1 AND refresh_token_hash_2 = $2`,
		setData:      `UPDATE ` + t.session + ` SET session_data = $2 WHERE session_handle = $1 AND expires_at > $3`,
		setPayload:   `UPDATE ` + t.session + ` SET jwt_user_payload = $2 WHERE session_handle = $1 AND expires_at > $3`,
		handles:      `SELECT session_handle FROM ` + t.session + ` WHERE user_id = $1 AND expires_at >= $2`,
		deleteOne:    `DELETE FROM ` + t.session + ` WHERE session_handle = $1`,
		deleteMany:   deleteWhere(`session_handle = ANY($1)`, inOrder) + returning,
		deleteByUser: deleteWhere(`user_id = $1 AND expires_at >= $2`, inOrder) + returning,
		// Another core's clean-up, or a refresh, may hold some: the next run sees them.
		deleteExpired: deleteWhere(`expires_at <= $1`, `LIMIT $2 FOR UPDATE SKIP LOCKED`),

		dynamicKeys: `SELECT '', value, created_at_time FROM ` + t.dynamicKey + ` ORDER BY created_at_time DESC`,
		addDynamicKey: `INSERT INTO ` + t.dynamicKey + ` (created_at_time, value, predecessor) VALUES ($1, $2, $3)
			ON CONFLICT DO NOTHING`,
		deleteKeys: `DELETE FROM ` + t.dynamicKey + ` WHERE created_at_time < $1`,
		staticKeys: `SELECT key_id, key_string, created_at FROM ` + t.staticKey + ` ORDER BY created_at DESC, key_id`,
		addStaticKey: `INSERT INTO ` + t.staticKey + ` (key_id, key_string, algorithm, created_at) VALUES ($1, $2, 'RS256', $3)
			ON CONFLICT DO NOTHING`,
		value:  `SELECT value FROM ` + t.values + ` WHERE name = $1`,
		addVal: `INSERT INTO ` + t.values + ` (name, value, created_at_time) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
	}
}
