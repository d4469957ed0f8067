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
	held []*os.File // the file itself first; nil while it is not locked
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
	// The bytes of the file that all hold who have it open in WAL mode: while one does, no
	// close is the last one, which would take the WAL and its index away.
	sharedLocks, sharedLockBytes = fileLocks + 2, 510
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
	ctx, cancel := context.WithTimeout(ctx, lockWithin)
	defer cancel()
	if err := f.lock(ctx); err != nil {
		return errors.Join(fmt.Errorf("lock the database %s: %w", f.path, err), f.letGo())
	}
	return nil
}

func (f *File) lock(ctx context.Context) error {
	file, err := f.open(f.path)
	if err != nil {
		return err
	}
	index := f.path + "-shm"
	if _, err := os.Stat(index); errors.Is(err, fs.ErrNotExist) {
		return lockAll(ctx, file, unix.F_WRLCK, fileLocks, fileLockBytes)
	}
	if err := lockOne(ctx, file, unix.F_RDLCK, sharedLocks, sharedLockBytes); err != nil {
		return err
	}
	shared, err := f.open(index)
	if err != nil {
		return err
	}
	return lockAll(ctx, shared, unix.F_WRLCK, walLocks, walLockBytes)
}

func (f *File) open(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		f.held = append(f.held, file)
	}
	return file, err
}

// lockAll locks bytes one by one, as each is let go.
func lockAll(ctx context.Context, file *os.File, kind int16, first, n int64) error {
	for i := range n {
		if err := lockOne(ctx, file, kind, first+i, 1); err != nil {
			return err
		}
	}
	return nil
}

// lockOne takes one lock, once nobody holds one against it.
func lockOne(ctx context.Context, file *os.File, kind int16, at, n int64) error {
	for {
		err := unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: at, Len: n})
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EINTR) {
			return err
		}
		if err := pause.For(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("somebody goes on holding byte %d: %w", at, err)
		}
	}
}

// Mend lets all locks go. A file that is another one than that which was locked was not
// away.
func (f *File) Mend(context.Context) error {
	var replaced error
	for _, held := range f.held {
		is, err := held.Stat()
		var now fs.FileInfo
		if err == nil {
			now, err = os.Stat(held.Name())
		}
		if err != nil || !os.SameFile(is, now) {
			replaced = fmt.Errorf("the database's file %s was replaced while it was locked", held.Name())
		}
	}
	return errors.Join(replaced, f.letGo())
}

func (f *File) letGo() (err error) {
	for _, held := range f.held {
		err = errors.Join(err, held.Close())
	}
	f.held = nil
	return err
}
