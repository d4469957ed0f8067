package postgres

import "testing"

func TestNumbered(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, want string }{
		{`SELECT a FROM "t" WHERE b = ? AND c > ?`, `SELECT a FROM "t" WHERE b = $1 AND c > $2`},
		{`UPDATE "we?ird""?" SET a = ?`, `UPDATE "we?ird""?" SET a = $1`},
		{``, ``},
	} {
		if got := numbered(tc.text); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.text, got, tc.want)
		}
	}
}
