package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
)

// TestConform on the embedded target writes a proof and all reports.
func TestConform(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "proof")
	o := coreproof(t.Context(), "conform", "--check", "BL-01", "--out", dir, "--seed", "7")
	if o.code != exitHeld || !strings.Contains(o.out, "report.html") {
		t.Fatalf("%+v", o)
	}
	for _, f := range render.Formats {
		if f.File == "" {
			continue
		}
		if st, err := os.Stat(filepath.Join(dir, f.File)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", f.File, err)
		}
	}
	p := load(t, dir)
	if p.Verdict.ExitCode != exitHeld || p.Seed != 7 || p.Interrupted != "" || !slices.Equal(p.Command[:4], []string{"coreproof", "conform", "--check", "BL-01"}) {
		t.Errorf("verdict %+v, seed %d, interrupted %q, command %q", p.Verdict, p.Seed, p.Interrupted, p.Command)
	}
	if len(p.Targets) != 1 || p.Targets[0].Name != "sqlite" || p.Targets[0].Instances != 2 || p.Targets[0].Database == nil || p.Targets[0].Database.Product != "SQLite" {
		t.Fatalf("targets %+v", p.Targets)
	}
	eras := map[string]proof.Outcome{}
	for _, c := range p.Targets[0].Conformance.Checks {
		if c.ID != "BL-01" {
			t.Errorf("check %s was not asked for", c.ID)
		}
		eras[c.Protocol] = c.Outcome
	}
	if len(eras) != 2 || eras["CDI 2.20"] != proof.Pass || eras["CDI 5.4"] != proof.Pass {
		t.Errorf("outcomes by protocol: %v", eras)
	}
	// The saved proof renders and holds.
	if o := coreproof(t.Context(), "report", "--verify", dir); o.code != exitHeld {
		t.Errorf("report --verify: %+v", o)
	}
}

// TestConformQuiet prints the verdict and nothing else.
func TestConformQuiet(t *testing.T) {
	t.Parallel()
	on, off := deployments(t, nil)
	o := coreproof(t.Context(), "conform", "--quiet", "--format", "terminal", "--url-on", on, "--url-off", off, "--check", "BL-01,BL-02", "--out", t.TempDir())
	if o.code != exitHeld || o.err != "" || strings.Count(o.out, "\n") != 1 || !strings.HasPrefix(o.out, "pass") {
		t.Errorf("%+v", o)
	}
}

// TestFlagOffCoreAsOn: a core that does not check is not taken for one that does.
func TestFlagOffCoreAsOn(t *testing.T) {
	t.Parallel()
	_, off := deployments(t, nil)
	dir := t.TempDir()
	o := coreproof(t.Context(), "conform", "--url-on", off, "--url-off", off, "--cdi", "2.20", "--check", "BL-02", "--out", dir)
	if o.code != exitFailed || !strings.Contains(o.out, "BL-02") || !strings.Contains(o.err, "BL-02") {
		t.Errorf("%+v, want exit 1 and the check's name", o)
	}
	p := load(t, dir)
	if len(p.Verdict.Reasons) == 0 || !strings.Contains(p.Verdict.Reasons[0], "BL-02") {
		t.Errorf("verdict %+v", p.Verdict)
	}
	for _, c := range p.Targets[0].Conformance.Checks {
		if c.Outcome != proof.Fail || c.Expected == "" || c.Got == "" || !strings.Contains(c.Rerun, "--check BL-02 --seed") {
			t.Errorf("check %+v", c)
		}
	}
}

// TestFlagOnCoreAsOff: without a side that accepts revoked tokens, refusing them
// shows nothing.
func TestFlagOnCoreAsOff(t *testing.T) {
	t.Parallel()
	on, _ := deployments(t, nil)
	dir := t.TempDir()
	o := coreproof(t.Context(), "conform", "--url-on", on, "--url-off", on, "--cdi", "2.20", "--check", "BL-02", "--out", dir)
	if o.code != exitUntried || !strings.Contains(o.out+o.err, "vacuous") && !strings.Contains(o.out+o.err, "VACUOUS") {
		t.Errorf("%+v, want exit 2 and vacuous", o)
	}
	if p := load(t, dir); p.Verdict.Outcome != proof.Error || !strings.Contains(strings.Join(p.Verdict.Reasons, "\n"), "vacuous") {
		t.Errorf("verdict %+v", p.Verdict)
	}
}

// TestAPIKeyIsNowhere: not in a file, not on a stream, however it was given.
func TestAPIKeyIsNowhere(t *testing.T) {
	t.Parallel()
	const key = "Sesame-Open-0123456789=abc"
	on, off := deployments(t, map[string]string{"API_KEYS": key})
	for name, args := range map[string][]string{"apart": {"--api-key", key}, "together": {"--api-key=" + key}, "one dash": {"-api-key", key}} {
		dir := t.TempDir()
		// A failing check, so that there are exchanges to see.
		o := coreproof(t.Context(), append([]string{"conform", "--url-on", off, "--url-off", off, "--cdi", "2.20", "--check", "BL-02", "--scale", "0.1", "--out", dir}, args...)...)
		if o.code != exitFailed || strings.Contains(o.out+o.err, key) {
			t.Errorf("%s: %+v", name, o)
		}
		files := 0
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if files++; strings.Contains(string(b), key) {
				t.Errorf("%s: the key is in %s", name, path)
			}
			return err
		})
		if err != nil || files == 0 {
			t.Errorf("%d files, %v", files, err)
		}
		if p := load(t, dir); !slices.ContainsFunc(p.Command, func(s string) bool { return strings.HasSuffix(s, "***") }) {
			t.Errorf("%s: command %q", name, p.Command)
		}
	}
	coreproof(t.Context(), "conform", "--url-on", on, "--check", "BL-01", "--out", t.TempDir()).refused(t, "API key")
	o := coreproof(t.Context(), "conform", "--url-on", on, "--api-key", "wrong-"+key, "--check", "BL-01", "--out", t.TempDir())
	if o.refused(t, "API key"); strings.Contains(o.err, key) {
		t.Errorf("a wrong key is shown: %s", o.err)
	}
}
