package diff

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/coreproof/coreproof/internal/protocol/cdi/calls"
)

// Saved is how far a comparison has come, for going on later.
type Saved struct {
	Left     string   `json:"left"`
	Right    string   `json:"right"`
	Pairs    []string `json:"pairs"`
	Versions []string `json:"versions"`
	Seed     uint64   `json:"seed"`
	// Next is the first sequence that was not played; Sequences and Calls are sums.
	Next      int     `json:"next"`
	Sequences int     `json:"sequences"`
	Calls     int     `json:"calls"`
	Seconds   float64 `json:"seconds"`
	Cells     []count `json:"cells"`
}

type count struct {
	calls.Cell
	N int `json:"n"`
}

// Load reads what was saved under the same names, versions and seed; ok is false when
// there is no file.
func (s *Saved) Load(path string) (ok bool, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read what was compared before: %w", err)
	}
	var old Saved
	if err := json.Unmarshal(b, &old); err != nil {
		return false, fmt.Errorf("%s is no record of a comparison: %w", path, err)
	}
	if old.Left != s.Left || old.Right != s.Right || old.Seed != s.Seed || !slices.Equal(old.Versions, s.Versions) || !slices.Equal(old.Pairs, s.Pairs) {
		return false, fmt.Errorf("%s is of another comparison (%s and %s, seed %d): name another file", path, old.Left, old.Right, old.Seed)
	}
	*s = old
	return true, nil
}

// Add puts a result on top.
func (s *Saved) Add(r Result) {
	cells := map[calls.Cell]int{}
	for _, c := range s.Cells {
		cells[c.Cell] += c.N
	}
	for c, n := range r.Cells {
		cells[c] += n
	}
	s.Cells = s.Cells[:0:0]
	for c, n := range cells {
		s.Cells = append(s.Cells, count{c, n})
	}
	slices.SortFunc(s.Cells, func(a, b count) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Outcome, b.Outcome))
	})
	s.Next, s.Sequences, s.Calls, s.Seconds = r.Next, s.Sequences+r.Sequences, s.Calls+r.Calls, s.Seconds+r.Took.Seconds()
}

// Seen are the counts by cell.
func (s *Saved) Seen() map[calls.Cell]int {
	out := map[calls.Cell]int{}
	for _, c := range s.Cells {
		out[c.Cell] += c.N
	}
	return out
}

// Save replaces the file as a whole.
func (s *Saved) Save(path string) error {
	b, err := json.MarshalIndent(s, "", " ")
	if err == nil {
		if err = os.WriteFile(path+".new", append(b, '\n'), 0o644); err == nil {
			err = os.Rename(path+".new", path)
		}
	}
	if err != nil {
		return fmt.Errorf("save how far the comparison has come: %w", err)
	}
	return nil
}
