package prove

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
)

// Clear makes the folder for a proof and takes away what an older run left there:
// a run that does not come to its end must not show another one's results.
func Clear(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("%w: --out %s: %w", ErrUnusable, out, pathless(err))
	}
	names := []string{proof.FileName}
	for _, f := range render.Formats {
		if f.File != "" {
			names = append(names, f.File)
		}
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(out, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: --out %s: take away %s of an older run: %w", ErrUnusable, out, name, pathless(err))
		}
	}
	if err := clearHistories(filepath.Join(out, "histories")); err != nil {
		return fmt.Errorf("%w: --out %s: take away the histories of an older run: %w", ErrUnusable, out, pathless(err))
	}
	return nil
}

// clearHistories takes away histories and their pictures, and the folders that are
// empty then. What else somebody keeps there stays.
func clearHistories(dir string) error {
	var folders []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			folders = append(folders, p)
		case historyFile.MatchString(e.Name()):
			return os.Remove(p)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, p := range slices.Backward(folders) {
		_ = os.Remove(p) // stays where it is not empty
	}
	return err
}

// historyFile is the name of a history, or of a picture of one of its sessions, as
// conformance saves them.
var historyFile = regexp.MustCompile(`^[A-Z]{2}-\d+-.+\.(jsonl|html)$`)

// pathless leaves the path out of an error that names it already.
func pathless(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
