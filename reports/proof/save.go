package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Save judges p, stores the verdict in it and writes it to path (for a folder,
// FileName in it), creating folders as needed. The file is complete or not
// there: readers never see half a proof.
func Save(path string, p *Proof) error {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, FileName)
	}
	p.SchemaVersion = SchemaVersion
	p.Verdict = Judge(p)
	var buf bytes.Buffer
	if err := Encode(&buf, p); err != nil {
		return fmt.Errorf("save proof %s: %w", path, err)
	}
	if err := writeFile(path, buf.Bytes()); err != nil {
		return fmt.Errorf("save proof %s: %w", path, err)
	}
	return nil
}

// Encode writes p as Save does, without judging it. The same proof gives the
// same bytes.
func Encode(w io.Writer, p *Proof) error {
	if where := notFinite(p); where != "" {
		return fmt.Errorf("%s is not a finite number, which JSON cannot hold", where)
	}
	doc := filled(p)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // bodies of exchanges stay readable
	enc.SetIndent("", " ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("encode proof: %w", err)
	}
	return nil
}

// CheckVerdict says whether the verdict stored in p follows from the rest of
// p. A nil error means it does; otherwise p was edited, or written by a
// version that judged differently.
func CheckVerdict(p *Proof) error {
	got, want := p.Verdict, Judge(p)
	if got.Outcome != want.Outcome || got.ExitCode != want.ExitCode {
		return fmt.Errorf("the stored verdict is %q (exit %d), but the evidence says %q (exit %d)",
			got.Outcome, got.ExitCode, want.Outcome, want.ExitCode)
	}
	if len(got.Reasons) != len(want.Reasons) {
		return fmt.Errorf("the stored verdict gives %d reasons, but the evidence %d", len(got.Reasons), len(want.Reasons))
	}
	for i := range want.Reasons {
		if got.Reasons[i] != want.Reasons[i] {
			return fmt.Errorf("reason %d of the stored verdict is %q, but the evidence says %q", i+1, got.Reasons[i], want.Reasons[i])
		}
	}
	return nil
}

// writeFile replaces path in one step: a temporary file beside it, then a rename.
func writeFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if err == nil {
		err = tmp.Sync() // else a crash after the rename could leave an empty file
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
