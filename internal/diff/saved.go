package diff

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol/cdi/calls"
)

// format of the file. Files without one did not keep differences.
const format = 2

// Saved is how far a comparison has come, for going on later.
type Saved struct {
	Format   int      `json:"format"`
	Left     string   `json:"left"`
	Right    string   `json:"right"`
	Pairs    []string `json:"pairs"`
	Versions []string `json:"versions"`
	Seed     uint64   `json:"seed"`
	// AnyText says that what messages say was not compared.
	AnyText bool `json:"anyText"`
	// Next is the first sequence that was not played; Sequences and Calls are sums.
	Next      int     `json:"next"`
	Sequences int     `json:"sequences"`
	Calls     int     `json:"calls"`
	Seconds   float64 `json:"seconds"`
	Cells     []count `json:"cells"`
	// Differences that were found: cores that differed once are not equal.
	Differences []Found `json:"differences"`
}

// Found is a difference as it was told.
type Found struct {
	Sequence int    `json:"sequence"`
	Kind     string `json:"kind"`
	Text     string `json:"text"`
	Script   string `json:"script"` // for curl
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
	if old.Format != format {
		return false, fmt.Errorf("%s is a record of another version of coreproof (format %d, not %d): name another file, and compare anew", path, old.Format, format)
	}
	if old.Left != s.Left || old.Right != s.Right || old.Seed != s.Seed || old.AnyText != s.AnyText || !slices.Equal(old.Versions, s.Versions) || !slices.Equal(old.Pairs, s.Pairs) {
		return false, fmt.Errorf("%s is of another comparison (%s and %s, seed %d, any text %t): name another file", path, old.Left, old.Right, old.Seed, old.AnyText)
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
	s.Differences = slices.Clone(s.Differences)
	for _, d := range r.Differences {
		var text strings.Builder
		d.Show(&text)
		s.Differences = append(s.Differences, Found{Sequence: d.Sequence, Kind: d.Kind, Text: text.String(), Script: d.Script()})
	}
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

// Kinds are those of the differences that were found.
func (s *Saved) Kinds() (kinds []string) {
	for _, f := range s.Differences {
		kinds = append(kinds, f.Kind)
	}
	return kinds
}

// Save replaces the file as a whole.
func (s *Saved) Save(path string) error {
	s.Format = format
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
