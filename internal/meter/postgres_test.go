package meter

import (
	"regexp"
	"testing"
)

// TestEmptyQuery: what tests a connection is no statement, and whatever could read a
// session is one.
func TestEmptyQuery(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile("(?i)" + emptyQuery) // PostgreSQL reads it alike
	for query, empty := range map[string]bool{
		"": true, " ; ": true, "SELECT $1": true, "select 1": true, "SELECT 1;": true, " SELECT\n$1 ": true, "SELECT $1 AS alive": true, "select 'x'": true, "SELECT true": true,
		"SELECT $1 FROM session_info WHERE session_handle = $2": false,
		"SELECT 1\nFROM session_info":                           false,
		"SELECT $1 WHERE EXISTS (SELECT FROM session_info)":     false,
		"SELECT $1; SELECT session_handle FROM session_info":    false,
		"SELECT alive($1)": false,
		"SELECT $1, (SELECT count(*) FROM session_info)":                       false,
		"SELECT 'x' || (SELECT user_id FROM session_info WHERE user_id = 'x')": false,
		"SELECT session_handle": false, "TABLE session_info": false, "EXECUTE live": false,
	} {
		if pattern.MatchString(query) != empty {
			t.Errorf("%q: empty %v, want %v", query, !empty, empty)
		}
	}
}
