package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// FileName is what a proof is called in the folder of a run.
const FileName = "proof.json"

// MaxBytes bounds the size of a proof that Load and Read accept. Histories are
// kept in files of their own, so a real proof stays far below it.
const MaxBytes = 64 << 20

// Load reads the proof at path; for a folder, FileName in it.
func Load(path string) (*Proof, error) {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, FileName)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read proof %s: there is no such file; make one with \"coreproof run\": %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("read proof: %w", err) // names the path itself
	}
	defer f.Close()
	return Read(f, path)
}

// Unknown names a field of a document that this program does not know: it is neither
// judged nor held by the digest. nil when all are known. data must be a proof that
// Read accepts.
func Unknown(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(new(Proof))
	if err == nil {
		return nil
	}
	name, found := strings.CutPrefix(err.Error(), "json: unknown field ")
	if !found {
		return fmt.Errorf("look for fields that are not known: %w", err)
	}
	return fmt.Errorf("field %s is none that this program knows: it was added by hand, or by a newer coreproof", name)
}

// Read reads a proof from r; name is what errors call it. Fields that this
// version does not know are passed over.
func Read(r io.Reader, name string) (*Proof, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read proof %s: %w", name, err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("read proof %s: larger than %d MiB, the most that is read; is it a proof at all?", name, MaxBytes>>20)
	}
	// The version first: a document of another version may not decode at all,
	// and its reader should be told why.
	var head struct {
		SchemaVersion *int `json:"schemaVersion"`
	}
	if err := decode(data, &head); err != nil {
		return nil, fmt.Errorf("read proof %s: %w", name, err)
	}
	switch v := head.SchemaVersion; {
	case v == nil:
		return nil, fmt.Errorf("read proof %s: it has no schemaVersion, so it is no proof; give the %s of a run", name, FileName)
	case *v > SchemaVersion:
		return nil, fmt.Errorf("read proof %s: schemaVersion %d is newer than this program reads (%d); update coreproof", name, *v, SchemaVersion)
	case *v < SchemaVersion:
		return nil, fmt.Errorf("read proof %s: schemaVersion %d is older than this program reads (%d), which stores other evidence; run again to make a new one, or read it with the coreproof that made it", name, *v, SchemaVersion)
	}
	p := new(Proof)
	if err := decode(data, p); err != nil {
		return nil, fmt.Errorf("read proof %s: %w", name, err)
	}
	if err := once(data); err != nil {
		return nil, fmt.Errorf("read proof %s: %w", name, err)
	}
	return p, nil
}

// decode is json.Unmarshal with errors that say where and what to do.
func decode(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("it is empty; run again to make a new one")
	case errors.As(err, &syntax):
		return fmt.Errorf("no valid JSON at byte %d of %d (%w); if it was cut short, run again", syntax.Offset, len(data), err)
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("it holds a JSON %s, not an object, so it is no proof; give the %s of a run", kind.Value, FileName)
	case errors.As(err, &kind):
		return fmt.Errorf("field %s at byte %d: got a JSON %s, want %s; a proof is not meant to be edited", kind.Field, kind.Offset, kind.Value, kind.Type)
	}
	return err
}
