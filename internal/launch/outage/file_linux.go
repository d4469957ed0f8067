package outage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/pause"
)

// File locks a SQLite database against everybody, the cores that have it open among them.
// Its locks are SQLite's own (https://sqlite.org/lockingv3.html,
// https://sqlite.org/walformat.html#wal_locks), held exclusively: nobody can begin to read
// or to write. They belong to the open file and not to the process, so that it matters to
// none that others of this process open and close it.
type File struct {
	path string
	held *os.File
}

// NewFile is the way to a database file.
func NewFile(path string) (cores.Way, error) { return &File{path: path}, nil }

// Outages of a file.
func (*File) Outages() []cores.Outage { return []cores.Outage{cores.Locked} }

const (
	// The bytes of the WAL index that are locked to write, to checkpoint, to recover and
	// (five) to read, and those of the file itself where there is no WAL.
	walLocks, walLockBytes   = 120, 8
	fileLocks, fileLockBytes = 0x40000000, 512
	// lockWithin is how long a lock is waited for: whoever reads or writes goes on holding
	// one until the end of the transaction.
	lockWithin = 20 * time.Second
)

// Break locks the file.
func (f *File) Break(ctx context.Context, o cores.Outage) error {
	if o != cores.Locked {
		return fmt.Errorf("a file has no outage %q", o)
	}
	if f.held != nil {
		return nil
	}
	path, first, n := f.path+"-shm", int64(walLocks), int64(walLockBytes)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		path, first, n = f.path, fileLocks, fileLockBytes
	}
	held, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	for i := range n { // one by one, as each is let go
		if err := lock(ctx, held, first+i); err != nil {
			return errors.Join(fmt.Errorf("lock the database %s: %w", path, err), held.Close())
		}
	}
	f.held = held
	return nil
}

// lock takes the exclusive lock on one byte.
func lock(ctx context.Context, held *os.File, at int64) error {
	for {
		err := unix.FcntlFlock(held.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Start: at, Len: 1})
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EINTR) {
			return err
		}
		if err := pause.For(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("somebody goes on holding byte %d: %w", at, err)
		}
	}
}

// Mend lets all locks go.
func (f *File) Mend(context.Context) error {
	if f.held == nil {
		return nil
	}
	err := f.held.Close()
	f.held = nil
	if err != nil {
		return fmt.Errorf("unlock the database: %w", err)
	}
	return nil
}
