package outage

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/coreproof/coreproof/internal/cores"
)

// database is a file with one row.
func database(t *testing.T, path, journal string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(50)&_pragma=journal_mode("+journal+")")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, statement := range []string{"CREATE TABLE IF NOT EXISTS x (n INTEGER)", "DELETE FROM x", "INSERT INTO x VALUES (1)"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func read(db *sql.DB) error {
	var n int
	return db.QueryRow("SELECT n FROM x").Scan(&n)
}

// TestALockedFileCanBeNeitherReadNorWritten, whatever its journal is and whoever has it
// open, and can be again.
func TestALockedFileCanBeNeitherReadNorWritten(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"WAL", "DELETE"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "sessions.db")
			db := database(t, path, journal)
			way, err := NewFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := way.Break(t.Context(), cores.Locked); err != nil {
					t.Fatal(err)
				}
				if err := way.Break(t.Context(), cores.Locked); err != nil {
					t.Errorf("twice: %v", err)
				}
				late, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(50)")
				if err != nil {
					t.Fatal(err)
				}
				// SQLite goes on trying for seconds, so none of them need have failed yet.
				done := make(chan string, 3)
				for name, try := range map[string]func() error{
					"read":          func() error { return read(db) },
					"write":         func() error { _, err := db.Exec("INSERT INTO x VALUES (2)"); return err },
					"open and read": func() error { return read(late) },
				} {
					go func() {
						if try() != nil {
							name = ""
						}
						done <- name
					}()
				}
				answered := 0
				for soon := time.After(300 * time.Millisecond); answered < 3 && soon != nil; {
					select {
					case name := <-done:
						if answered++; name != "" {
							t.Errorf("who wants to %s does", name)
						}
					case <-soon:
						soon = nil
					}
				}
				if err := way.Mend(t.Context()); err != nil {
					t.Fatal(err)
				}
				for ; answered < 3; answered++ {
					<-done
				}
				if err := errors.Join(late.Close(), way.Mend(t.Context())); err != nil {
					t.Fatal(err)
				}
				if err := read(db); err != nil {
					t.Errorf("mended: %v", err)
				}
			}
			if err := way.Break(t.Context(), cores.Silent); err == nil {
				t.Error("a file was silent")
			}
		})
	}
}

// TestALockWaitsForWhoReads, and gives up with what held it.
func TestALockWaitsForWhoReads(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sessions.db")
	db := database(t, path, "WAL")
	way, err := NewFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow("SELECT n FROM x").Scan(&n); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := way.Break(soon, cores.Locked); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "goes on holding") {
		t.Errorf("while somebody reads: %v", err)
	}
	if err := read(db); err != nil {
		t.Errorf("after a lock that was given up: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- way.Break(t.Context(), cores.Locked) }()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := way.Mend(t.Context()); err != nil {
		t.Fatal(err)
	}
}
