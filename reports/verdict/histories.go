package verdict

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/reports/proof"
)

const (
	// maxHistory bounds the size of a history's file that is read.
	maxHistory = 1 << 30
	// judging bounds the time that judging one history again may take.
	judging = 5 * time.Minute
)

// histories judges each saved history again, and compares.
func histories(p *proof.Proof, files fs.FS) (all []Difference) {
	for i := range p.Targets {
		c := p.Targets[i].Conformance
		if c == nil {
			continue
		}
		for j := range c.Histories {
			if h := &c.Histories[j]; h.File == "" && h.SHA256 == "" && p.Gate != nil && p.Gate.Saved {
				continue // it stayed with the proof that it came from
			}
			path := fmt.Sprintf("targets[%d].conformance.histories[%d]", i, j)
			all = append(all, rejudged(path, &c.Histories[j], files)...)
		}
	}
	return all
}

func rejudged(path string, h *proof.History, files fs.FS) (all []Difference) {
	differs := func(field, stored, derived string) {
		all = append(all, Difference{path + "." + field, stored, derived})
	}
	switch {
	case h.File == "" || !fs.ValidPath(h.File) || h.File == ".":
		differs("file", quoted(h.File), "the path of a file in the proof's folder, which alone shows that calls were linearizable")
		return all
	case files == nil:
		differs("file", quoted(h.File), "the proof's folder is not at hand; give the folder that the run wrote")
		return all
	}
	got, sum, err := readHistory(files, h.File)
	if sum != "" && sum != h.SHA256 {
		differs("sha256", quoted(h.SHA256), quoted(sum))
	}
	if err != nil {
		differs("file", quoted(h.File), err.Error())
		return all
	}
	if got.Check != h.Check {
		differs("check", quoted(h.Check), quoted(got.Check))
	}
	if got.Protocol != h.Protocol {
		differs("protocol", quoted(h.Protocol), quoted(got.Protocol))
	}
	for _, n := range []struct {
		field           string
		stored, derived int
	}{{"operations", h.Operations, len(got.Operations)}, {"sessions", h.Sessions, got.Sessions()}, {"clients", h.Clients, got.Clients}} {
		if n.stored != n.derived {
			differs(n.field, strconv.Itoa(n.stored), strconv.Itoa(n.derived))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), judging)
	defer cancel()
	v, err := history.Recheck(ctx, got)
	switch {
	case err != nil:
		differs("result", quoted(h.Result), err.Error())
	case v.Result != h.Result && h.Result == history.Undecided:
		// More time may decide what was open: no edit, but worth knowing.
		differs("result", quoted(h.Result), quoted(v.Result)+", with more time than the run had")
	case v.Result != h.Result:
		differs("result", quoted(h.Result), quoted(v.Result))
	}
	return all
}

// readHistory gives the history and the hash of its file, the hash also where the
// file is no history.
func readHistory(files fs.FS, name string) (h *history.History, sum string, err error) {
	f, err := files.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, "", errors.New("there is no such file beside the proof")
	}
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := sha256.New()
	r := io.TeeReader(io.LimitReader(f, maxHistory), hash)
	h, err = history.Read(r)
	// What Read did not look at is hashed all the same.
	if _, e := io.Copy(io.Discard, r); e != nil {
		return nil, "", e
	}
	return h, hex.EncodeToString(hash.Sum(nil)), err
}
