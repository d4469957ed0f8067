package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Save writes p to path (for a folder, FileName in it) as it is, with its schema
// version and digest set, creating folders as needed. It judges nothing: whoever
// saves derives first. The file is complete or not there: readers never see half
// a proof.
func Save(path string, p *Proof) error {
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		path = filepath.Join(path, FileName)
	}
	p.SchemaVersion = SchemaVersion
	digest, err := DigestOf(p)
	if err != nil {
		return fmt.Errorf("save proof %s: %w", path, err)
	}
	p.Digest = digest
	var buf bytes.Buffer
	if err := Encode(&buf, p); err != nil {
		return fmt.Errorf("save proof %s: %w", path, err)
	}
	if err := writeFile(path, buf.Bytes()); err != nil {
		return fmt.Errorf("save proof %s: %w", path, err)
	}
	return nil
}

// DigestOf is what Proof.Digest of p has to be: "sha256:" and the hash, in
// hexadecimal digits, of p as Encode writes it with an empty digest. The error
// is Encode's.
func DigestOf(p *Proof) (string, error) {
	bare := *p
	bare.Digest = ""
	hash := sha256.New()
	if err := Encode(hash, &bare); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil)), nil
}

// Encode writes p as it is, as one JSON document with lists that are never null.
// The same proof gives the same bytes.
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

// writeFile replaces path in one step: a temporary file beside it, then a rename.
// The library for this, google/renameio, leaves Windows out, where this program
// is built as well.
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
