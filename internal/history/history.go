// Package history keeps timed operations on sessions as they were seen by the
// clients, and judges them: a history is good when, for each session, some one
// order of its operations explains every answer and respects what came strictly
// after what (linearizability). It is saved as JSON lines, so that it can be
// judged again by a later, better judge.
package history

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Version is the version of the file format that this package writes.
const Version = 1

// Kind is what was asked.
type Kind string

const (
	Create  Kind = "create"
	Verify  Kind = "verify" // with the database check on
	Refresh Kind = "refresh"
	Get     Kind = "get" // any read or listing that tells whether the session is there
	Revoke  Kind = "revoke"
)

// Result is what came of it.
type Result string

const (
	// OK: a session was made, or found alive.
	OK Result = "ok"
	// Refused: the session was not found alive.
	Refused Result = "refused"
	// Ended: this revoke ended the session, and said so.
	Ended Result = "ended"
	// Absent: this revoke found no session to end, and said so.
	Absent Result = "absent"
	// Done: the revoke was answered without saying which sessions it ended.
	Done Result = "done"
	// Unknown: no answer arrived, or one that tells nothing. The operation may
	// have happened at any time after its call, or never.
	Unknown Result = "unknown"
)

// results are those that each kind may have.
var results = map[Kind][]Result{
	Create:  {OK, Unknown},
	Verify:  {OK, Refused, Unknown},
	Refresh: {OK, Refused, Unknown},
	Get:     {OK, Refused, Unknown},
	Revoke:  {Ended, Absent, Done, Unknown},
}

// Operation is one call on one session, from just before the request was sent
// until just after the whole answer had arrived.
type Operation struct {
	Client   int    `json:"client"`
	Instance string `json:"instance,omitempty"`
	Kind     Kind   `json:"kind"`
	Handle   string `json:"handle"`
	// Call and Return count from the history's start. Return of an operation
	// without an answer is when the client gave up; it says nothing about when
	// the operation took effect.
	Call   time.Duration `json:"callNs"`
	Return time.Duration `json:"returnNs"`
	Result Result        `json:"result"`
	// Note tells a reader more, e.g. "HTTP 500".
	Note string `json:"note,omitempty"`
}

// History is a recorded run.
type History struct {
	Check    string
	FlagMode string
	Protocol string
	Seed     uint64
	Started  time.Time
	Clients  int
	// Operations in the order of their calls.
	Operations []Operation
}

// header is the first line of a file.
type header struct {
	History    int       `json:"history"` // format version
	Check      string    `json:"check"`
	FlagMode   string    `json:"era"` // the older word, which the format keeps
	Protocol   string    `json:"protocol"`
	Seed       uint64    `json:"seed"`
	Started    time.Time `json:"started"`
	Clients    int       `json:"clients"`
	Operations int       `json:"operations"`
}

// Sessions counts the sessions that the history speaks of.
func (h *History) Sessions() int {
	seen := map[string]bool{}
	for i := range h.Operations {
		seen[h.Operations[i].Handle] = true
	}
	return len(seen)
}

// Sort puts the operations in the order of their calls.
func (h *History) Sort() {
	slices.SortStableFunc(h.Operations, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Return, b.Return), cmp.Compare(a.Client, b.Client))
	})
}

// Save writes h to path: a header, then one operation a line. The file appears
// whole or not at all.
func Save(path string, h *History) error {
	if err := save(path, h); err != nil {
		return fmt.Errorf("save history %s: %w", path, err)
	}
	return nil
}

func save(path string, h *History) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".history-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := Write(f, h); err != nil {
		return err
	}
	// A temporary file is private; a history is to be read by whoever judges it.
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Write writes h as JSON lines.
func Write(w io.Writer, h *History) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	if err := e.Encode(header{
		History: Version, Check: h.Check, FlagMode: h.FlagMode, Protocol: h.Protocol, Seed: h.Seed,
		Started: h.Started, Clients: h.Clients, Operations: len(h.Operations),
	}); err != nil {
		return err
	}
	for i := range h.Operations {
		if err := e.Encode(&h.Operations[i]); err != nil {
			return err
		}
	}
	return b.Flush()
}

// Load reads a history that Save wrote.
func Load(path string) (*History, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load history: %w", err)
	}
	defer func() { _ = f.Close() }()
	h, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("load history %s: %w", path, err)
	}
	return h, nil
}

// maxLine bounds one line of a file.
const maxLine = 64 << 10

// Read reads JSON lines as Write writes them. A file with fewer operations than
// its header tells is refused: what is missing might be what was wrong.
func Read(r io.Reader) (*History, error) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 4096), maxLine)
	var head header
	line, err := next(s)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := strict(line, &head); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if head.History != Version {
		return nil, fmt.Errorf("header: history format %d, want %d", head.History, Version)
	}
	h := &History{Check: head.Check, FlagMode: head.FlagMode, Protocol: head.Protocol, Seed: head.Seed, Started: head.Started, Clients: head.Clients}
	for {
		line, err := next(s)
		if errors.Is(err, io.EOF) {
			break
		}
		number := len(h.Operations) + 2
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		var o Operation
		if err := strict(line, &o); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if err := o.valid(); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		h.Operations = append(h.Operations, o)
	}
	if len(h.Operations) != head.Operations {
		return nil, fmt.Errorf("%d operations, the header tells of %d: the file is cut off or edited", len(h.Operations), head.Operations)
	}
	return h, nil
}

func next(s *bufio.Scanner) ([]byte, error) {
	if s.Scan() {
		return s.Bytes(), nil
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	return nil, io.EOF
}

// strict decodes one JSON value and refuses fields that it does not know, since
// they might change what the others mean.
func strict(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one JSON value in a line")
	}
	return nil
}

func (o *Operation) valid() error {
	may, ok := results[o.Kind]
	switch {
	case !ok:
		return fmt.Errorf("kind %q is not known", o.Kind)
	case !slices.Contains(may, o.Result):
		return fmt.Errorf("%s cannot have the result %q", o.Kind, o.Result)
	case o.Handle == "":
		return errors.New("no handle")
	case o.Call < 0 || o.Return < o.Call:
		return fmt.Errorf("call at %d ns, return at %d ns: out of order", o.Call, o.Return)
	case o.Client < 0:
		return fmt.Errorf("client %d", o.Client)
	}
	return nil
}

// Files lists the histories in a directory, sorted.
func Files(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("list histories in %s: %w", dir, err)
	}
	slices.Sort(files)
	return files, nil
}
