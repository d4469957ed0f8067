package idle

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

func TestKeep(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name              string
		least, most, want int
	}{
		{"some", 2, 5, 2},
		{"none", 0, 5, 0},
		{"all", 5, 5, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "file"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			stop := Keep(db, tc.least, tc.most, 20*time.Millisecond)
			defer stop()
			Touch(t.Context(), db, tc.most)
			if n := db.Stats().OpenConnections; n > tc.most {
				t.Errorf("%d connections are open, want at most %d", n, tc.most)
			}
			settled := 0 // looks in a row that found the right number
			for deadline := time.Now().Add(20 * time.Second); settled < 5; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d connections are open, want them to settle at %d", db.Stats().OpenConnections, tc.want)
				}
				if db.Stats().OpenConnections == tc.want {
					settled++
				} else {
					settled = 0
				}
			}
		})
	}
}
