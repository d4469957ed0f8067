package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/many"
	"github.com/coreproof/coreproof/reports/render/sheet"
	"github.com/coreproof/coreproof/reports/verdict/several"
)

// mostFiles is how many proofs a trend reads.
const mostFiles = 2000

// sheetFormat finds a format of comparisons and trends.
func sheetFormat(name string) (sheet.Format, error) {
	f, ok := sheet.Find(name)
	if !ok {
		var names []string
		for _, f := range sheet.Formats {
			names = append(names, f.Name)
		}
		return f, fmt.Errorf("--format %s: several proofs are shown as %s", name, strings.Join(names, ", "))
	}
	return f, nil
}

// compareProofs holds the proofs at all further paths against the first.
func compareProofs(s streams, paths []string, format, out string) error {
	f, err := sheetFormat(format)
	if err != nil {
		return err
	}
	var list []several.Named
	for i, path := range paths {
		p, err := loadUntouched(path)
		if err != nil {
			return err
		}
		name := path
		if slices.Contains(paths[:i], path) {
			return fmt.Errorf("%s is named twice: a proof is not compared with itself", path)
		}
		list = append(list, several.Named{Name: name, Proof: p})
	}
	return writeSheet(s, f, many.Comparison(several.Compare(list)), out)
}

// loadUntouched loads the proof at path, a file or a folder, and refuses an edited one.
func loadUntouched(path string) (*proof.Proof, error) {
	p, err := proof.Load(path)
	if err != nil {
		return nil, err
	}
	if err := untouched(p); err != nil {
		return nil, fmt.Errorf("%s: %w; see coreproof report --verify", path, err)
	}
	return p, nil
}

func writeSheet(s streams, f sheet.Format, x *sheet.Sheet, out string) error {
	if out == "" {
		return f.Render(s.out, x)
	}
	return writeFile(out, func(w io.Writer) error { return f.Render(w, x) })
}

func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// trendOf follows the figures of all proofs below dir.
func trendOf(s streams, dir, format, out, otava string) error {
	f, err := sheetFormat(format)
	if err != nil {
		return err
	}
	paths, err := proofsBelow(dir)
	if err != nil {
		return err
	}
	var list []several.Named
	var leftOut []string
	for _, path := range paths {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			name = path
		}
		p, err := loadUntouched(path)
		if err != nil {
			leftOut = append(leftOut, strings.ReplaceAll(err.Error(), path, filepath.ToSlash(name)))
			continue
		}
		list = append(list, several.Named{Name: filepath.ToSlash(name), Proof: p})
	}
	t := several.Follow(list)
	t.LeftOut = append(t.LeftOut, leftOut...)
	if len(t.Runs) == 0 {
		why := ""
		if len(t.LeftOut) > 0 {
			why = ", e.g. " + t.LeftOut[0]
		}
		return fmt.Errorf("--trend %s: none of %d files can be used%s", dir, len(paths), why)
	}
	if otava != "" {
		if err := writeOtava(s, t, otava); err != nil {
			return err
		}
	}
	return writeSheet(s, f, many.Trend(t, dir), out)
}

// proofsBelow are the JSON files of dir and the proof.json of all folders below it.
func proofsBelow(dir string) (paths []string, err error) {
	if st, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("--trend: %w", err)
	} else if !st.IsDir() {
		return nil, fmt.Errorf("--trend %s: want a folder of proofs; it is a file", dir)
	}
	// The separator leads through a link, which is not followed otherwise.
	err = filepath.WalkDir(dir+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir(), d.Name() != proof.FileName && (filepath.Ext(path) != ".json" || filepath.Dir(path) != filepath.Clean(dir)):
			return nil
		case len(paths) == mostFiles:
			return fmt.Errorf("more than %d proofs: name a folder with fewer", mostFiles)
		}
		paths = append(paths, path)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("--trend %s: %w", dir, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("--trend %s: there is no proof in it: no *.json, and no %s below", dir, proof.FileName)
	}
	return paths, nil
}

// writeOtava writes what Apache Otava reads: a CSV for each target, version and machine
// (path itself where there is one), and a configuration beside them that names them.
func writeOtava(s streams, t *several.Trend, path string) error {
	logs := t.Logs()
	if len(logs) == 0 {
		return fmt.Errorf("--otava %s: no run holds a bench, so there is no figure to write", path)
	}
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	config := "tests:\n"
	for i := range logs {
		l := &logs[i]
		file := path
		if len(logs) > 1 {
			file = stem + "-" + l.Name + ".csv"
		}
		if err := writeFile(file, l.CSV); err != nil {
			return err
		}
		config += l.Config(file)
		if len(l.LeftOut) > 0 {
			fmt.Fprintf(s.err, "coreproof report: %s lacks %s, which not all of its runs have: Otava takes no gaps\n", file, strings.Join(l.LeftOut, ", "))
		}
		fmt.Fprintf(s.err, "coreproof report: wrote %s\n", file)
	}
	return writeFile(stem+".otava.yaml", func(w io.Writer) error {
		_, err := io.WriteString(w, config)
		return err
	})
}
