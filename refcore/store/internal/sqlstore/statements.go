package sqlstore

import "strings"

// Tables are the names of one deployment, quoted and qualified.
type Tables struct{ Session, DynamicKey, StaticKey, KeyValue string }

// Statements are those that all SQL stores have in common. S is what the store
// runs: a prepared statement, or a text that its driver prepares.
type Statements[S any] struct {
	Create, Session, Liveness, Rotate         S
	SetData, SetPayload, Handles, DeleteOne   S
	DynamicKeys, AddDynamicKey, DeleteKeys    S
	StaticKeys, AddStaticKey, Value, AddValue S
}

// Dialect is how one database's SQL differs.
type Dialect struct {
	// IfAbsent ends an INSERT that shall do nothing beside a row that is in the
	// way; without it that is an error, which Base.Taken knows.
	IfAbsent string
	// ReadOnly is an expression that is true where the server or the session would
	// not write: a replica, or a primary that was demoted under an open connection.
	// Reads that decide about sessions carry it along, at no statement more, and
	// then always have a row. "" for databases that nobody else can demote.
	ReadOnly string
	// OneRow reads columns of the row that meets a condition, or zeros; see Left
	// and Aggregate.
	OneRow func(readOnly string, columns []Field, table, where string) string
}

// Field is a column of a table, and the SQL of what stands for it where there is no row.
type Field struct{ Name, Zero string }

// Left is an outer join to a table of one row.
func Left(readOnly string, columns []Field, table, where string) string {
	return `SELECT ` + readOnly + `, s.session_handle IS NOT NULL` + each(columns, `s.`, ``) +
		` FROM (SELECT 1) AS one LEFT JOIN ` + table + ` s ON s.` + where
}

// Aggregate is an aggregate of one row or none, for databases where a join would
// cost a temporary table.
func Aggregate(readOnly string, columns []Field, table, where string) string {
	return `SELECT ` + readOnly + `, COUNT(*)` + each(columns, `MAX(`, `)`) + ` FROM ` + table + ` WHERE ` + where
}

func each(columns []Field, before, after string) string {
	var b strings.Builder
	for _, c := range columns {
		b.WriteString(`, COALESCE(` + before + c.Name + after + `, ` + c.Zero + `)`)
	}
	return b.String()
}

var (
	livenessColumns = []Field{{"refresh_token_hash_2", "''"}, {"prev_refresh_token_hash_2", "''"}, {"jwt_user_payload", "''"}, {"use_static_key", "false"}}
	sessionColumns  = []Field{
		{"user_id", "''"}, {"refresh_token_hash_2", "''"}, {"prev_refresh_token_hash_2", "''"}, {"refresh_token_rotated_at", "0"},
		{"session_data", "''"}, {"jwt_user_payload", "''"}, {"created_at_time", "0"}, {"expires_at", "0"}, {"use_static_key", "false"},
	}
)

func (d Dialect) point(columns []Field, table string) string {
	const where = `session_handle = ?`
	if d.ReadOnly != "" {
		return d.OneRow(d.ReadOnly, columns, table, where)
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return `SELECT ` + strings.Join(names, `, `) + ` FROM ` + table + ` WHERE ` + where
}

func (d Dialect) handles(table string) string {
	list := ` session_handle FROM ` + table + ` WHERE user_id = ? AND expires_at >= ?`
	if d.ReadOnly == "" {
		return `SELECT` + list
	}
	return `SELECT ` + d.ReadOnly + `, true, '' UNION ALL SELECT false, false,` + list
}

// Texts are the statements on tables, with a ? for each parameter.
func Texts(t Tables, d Dialect) Statements[string] {
	ifAbsent := d.IfAbsent
	return Statements[string]{
		Create: `INSERT INTO ` + t.Session + ` (session_handle, user_id, refresh_token_hash_2,
			prev_refresh_token_hash_2, refresh_token_rotated_at, session_data, jwt_user_payload,
			created_at_time, expires_at, use_static_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		Session:  d.point(sessionColumns, t.Session),
		Liveness: d.point(livenessColumns, t.Session),
		Rotate: `UPDATE ` + t.Session + ` SET refresh_token_hash_2 = ?, prev_refresh_token_hash_2 = ?,
			refresh_token_rotated_at = ?, expires_at = ?, use_static_key = ?
			WHERE session_handle = ? AND refresh_token_hash_2 = ? AND use_static_key = ?`,
		SetData:    `UPDATE ` + t.Session + ` SET session_data = ? WHERE session_handle = ? AND expires_at > ?`,
		SetPayload: `UPDATE ` + t.Session + ` SET jwt_user_payload = ? WHERE session_handle = ? AND expires_at > ?`,
		Handles:    d.handles(t.Session),
		DeleteOne:  `DELETE FROM ` + t.Session + ` WHERE session_handle = ?`,

		DynamicKeys:   `SELECT '', value, created_at_time FROM ` + t.DynamicKey + ` ORDER BY created_at_time DESC`,
		AddDynamicKey: `INSERT INTO ` + t.DynamicKey + ` (created_at_time, value, predecessor) VALUES (?, ?, ?) ` + ifAbsent,
		DeleteKeys:    `DELETE FROM ` + t.DynamicKey + ` WHERE created_at_time < ?`,
		StaticKeys:    `SELECT key_id, key_string, created_at FROM ` + t.StaticKey + ` ORDER BY created_at DESC, key_id`,
		AddStaticKey:  `INSERT INTO ` + t.StaticKey + ` (key_id, key_string, algorithm, created_at) VALUES (?, ?, 'RS256', ?) ` + ifAbsent,
		Value:         `SELECT value FROM ` + t.KeyValue + ` WHERE name = ?`,
		AddValue:      `INSERT INTO ` + t.KeyValue + ` (name, value, created_at_time) VALUES (?, ?, ?) ` + ifAbsent,
	}
}

// Prepare makes each statement from its text; reads says that it changes nothing.
func Prepare[S any](texts Statements[string], prepare func(text string, reads bool) (S, error)) (Statements[S], error) {
	var p Statements[S]
	for _, s := range []struct {
		text  string
		reads bool
		to    *S
	}{
		{texts.Create, false, &p.Create},
		{texts.Session, true, &p.Session},
		{texts.Liveness, true, &p.Liveness},
		{texts.Rotate, false, &p.Rotate},
		{texts.SetData, false, &p.SetData},
		{texts.SetPayload, false, &p.SetPayload},
		{texts.Handles, true, &p.Handles},
		{texts.DeleteOne, false, &p.DeleteOne},
		{texts.DynamicKeys, true, &p.DynamicKeys},
		{texts.AddDynamicKey, false, &p.AddDynamicKey},
		{texts.DeleteKeys, false, &p.DeleteKeys},
		{texts.StaticKeys, true, &p.StaticKeys},
		{texts.AddStaticKey, false, &p.AddStaticKey},
		{texts.Value, true, &p.Value},
		{texts.AddValue, false, &p.AddValue},
	} {
		var err error
		if *s.to, err = prepare(s.text, s.reads); err != nil {
			return p, err
		}
	}
	return p, nil
}
