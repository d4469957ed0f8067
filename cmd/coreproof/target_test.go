package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/reports/proof"
)

// tiny builds the tiny core and gives a descriptor of it, with a defect or none.
func tiny(t *testing.T) func(t *testing.T, file, defect string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "tinycore")
	root, err := filepath.Abs(filepath.Join("..", "..", "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, filepath.Join(root, "tinycore", "main.go")).CombinedOutput(); err != nil {
		t.Fatalf("build the tiny core: %v\n%s", err, out)
	}
	return func(t *testing.T, file, defect string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(root, "tinycore", file))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(`(env "TINYCORE")`, strconv.Quote(program), `{{env "TINYCORE"}}`, program, "{{.Here}}/..", root).Replace(string(b)) + "env: {TINY_DEFECT: '" + defect + "'}\n"
		path := filepath.Join(t.TempDir(), file)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
}

// failed are the checks of a proof that failed.
func failed(t *testing.T, dir string) (ids []string) {
	t.Helper()
	for _, c := range load(t, dir).Targets[0].Conformance.Checks {
		if c.Outcome == proof.Fail {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// TestACoreThatNobodyTaughtTheHarness passes the profiles that it claims, and each of
// its seven defects is named by a check.
func TestACoreThatNobodyTaughtTheHarness(t *testing.T) {
	t.Parallel()
	describe := tiny(t)
	t.Run("good", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		claimed := "blacklisting,switch,multi-instance,lifetimes,faults,isolation,hardening,start-up"
		if testing.Short() {
			claimed = "switch,isolation,start-up"
		}
		o := coreproof(t.Context(), "conform", "--target", describe(t, "tinycore.yaml", ""), "--profile", claimed, "--require", claimed, "--out", dir, "--quiet")
		if o.code != exitHeld {
			t.Errorf("exit %d, failed %v: %s%s", o.code, failed(t, dir), o.out, o.err)
		}
		if logs, err := filepath.Glob(filepath.Join(dir, "logs", "*.log")); err != nil || len(logs) == 0 {
			t.Errorf("logs %v, %v", logs, err)
		}
	})
	t.Run("opaque tokens need no keys", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		o := coreproof(t.Context(), "conform", "--target", describe(t, "tinycore.yaml", ""), "--check", "SE-11,BL-01", "--out", dir, "--quiet")
		if o.code != exitHeld {
			t.Errorf("exit %d, failed %v: %s%s", o.code, failed(t, dir), o.out, o.err)
		}
		for _, c := range load(t, dir).Targets[0].Conformance.Checks {
			if c.ID == "SE-11" && (c.Outcome != proof.Skip || !strings.Contains(c.Lacks.Text, "publishes no keys")) {
				t.Errorf("%s: %s %+v", c.ID, c.Outcome, c.Lacks)
			}
		}
		if o := coreproof(t.Context(), "conform", "--target", describe(t, "tinycore.yaml", ""), "--check", "SE-11,BL-01", "--require", "session-basic", "--out", dir, "--quiet"); o.code != exitUntried {
			t.Errorf("required: exit %d: %s%s", o.code, o.out, o.err)
		}
	})
	for defect, check := range map[string]string{
		"remembers": "BL-02", "later": "BL-02", "page": "BL-06", "trusts": "BL-20", "revives": "BL-26", "prefix": "BL-19", "opens": "FA-01",
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			o := coreproof(t.Context(), "conform", "--target", describe(t, "tinycore.yaml", defect), "--check", "BL-02,BL-05,BL-06,BL-19,BL-20,BL-26,FA-01", "--out", dir, "--quiet")
			if ids := failed(t, dir); o.code != exitFailed || !slices.Contains(ids, check) {
				t.Errorf("exit %d, failed %v, want %s among them: %s", o.code, ids, check, o.err)
			}
		})
	}
}

// TestTheSameCoreThroughAnAdapter gives the same verdicts.
func TestTheSameCoreThroughAnAdapter(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("the adapter is in Python, and there is no python3")
	}
	describe := tiny(t)
	for defect, want := range map[string]int{"": exitHeld, "prefix": exitFailed} {
		dir := t.TempDir()
		o := coreproof(t.Context(), "conform", "--target", describe(t, "adapted.yaml", defect), "--check", "BL-01,BL-02,BL-19,BL-30,BL-38", "--out", dir, "--quiet")
		if o.code != want {
			t.Errorf("%q: exit %d, failed %v: %s%s", defect, o.code, failed(t, dir), o.out, o.err)
		}
	}
}

func TestTargetCommands(t *testing.T) {
	t.Parallel()
	if o := coreproof(t.Context(), "target", "list"); o.code != exitHeld || !strings.Contains(o.out, "supertokens-jvm") || !strings.Contains(o.out, "not run here") {
		t.Errorf("%+v", o)
	}
	if o := coreproof(t.Context(), "target", "show", "refcore"); o.code != exitHeld || !strings.HasPrefix(o.out, "name: refcore\n") {
		t.Errorf("%+v", o)
	}
	if o := coreproof(t.Context(), "target", "check", "refcore"); o.code != exitHeld || !strings.Contains(o.out, "the flag arrives") {
		t.Errorf("%+v", o)
	}
	shown := coreproof(t.Context(), "target", "show", "refcore").out
	const (
		flag    = `ACCESS_TOKEN_BLACKLISTING: "{{.Flag}}"`
		on, off = `ACCESS_TOKEN_BLACKLISTING: "true"`, `ACCESS_TOKEN_BLACKLISTING: "false"`
		unread  = `ACCESS_TOKEN_BLACKLISTNG: "{{.Flag}}"`
		setting = "protocol: {versions: ['2.20']}\nflag: " // the only version is one in which the setting decides
	)
	for name, c := range map[string]struct {
		change []string
		want   string // nothing where all is well
	}{
		"nobody reads it": {[]string{flag, unread}, "on, a revoked token is still accepted: the flag does not arrive"},
		"it is always on": {[]string{flag, unread + "\n  " + on}, "off, a revoked token gets UNAUTHORISED: the flag does not arrive"},
		"always, and not": {[]string{flag, off, "flag: environment", setting + "always"}, "on, a revoked token is still accepted"},
		"always, truly":   {[]string{flag, on, "flag: environment", setting + "always"}, ""},
		"requests decide": {[]string{flag, off, "flag: environment", "flag: request"}, ""},
	} {
		own := filepath.Join(t.TempDir(), "own.yaml")
		if err := os.WriteFile(own, []byte(strings.NewReplacer(c.change...).Replace(shown)), 0o600); err != nil {
			t.Fatal(err)
		}
		code := exitHeld
		if c.want != "" {
			code = exitUntried
		}
		o := coreproof(t.Context(), "target", "check", own)
		if o.code != code || !strings.Contains(o.err, c.want) || strings.Contains(o.out, "the flag arrives") || strings.Contains(o.out, "connection_pool_size: not") {
			t.Errorf("%s: %+v", name, o)
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("name: x\nflag: request\ncomand: [a]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"name: x\nflag: request\n":                        "coreproof target check: " + bad + ":1:1: command: say how an instance is started",
		"name: x\nflag: request\ncommand: [./nobody]\n":   "nobody: no such file or directory: build it, or mend its path\n",
		"name: x\nflag: request\ncommand: [./bad.yaml]\n": "bad.yaml: permission denied: make it executable",
	} {
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if o := coreproof(t.Context(), "target", "check", bad); o.code != exitUntried || !strings.Contains(o.err, want) || strings.Contains(o.err, "--help") {
			t.Errorf("%q: %+v", text, o)
		}
	}
	if err := os.WriteFile(bad, []byte("name: x\nflag: request\ncomand: [a]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	coreproof(t.Context(), "conform", "--target", bad, "--out", out).refused(t, bad+":3:1: there is no field \"comand\"; did you mean command?")
	coreproof(t.Context(), "bench", "--target", "refcor", "--out", out).refused(t, "did you mean refcore?")
	coreproof(t.Context(), "run", "--target", "refcore", "--db", "oracle", "--out", out).refused(t, "--db oracle")
	coreproof(t.Context(), "run", "--target", "refcore", "--url-on", "http://127.0.0.1:1", "--out", out).refused(t, "exclude each other")
}

// TestSettingsThatChecksAskFor: target check names as missing what checks ask for.
func TestSettingsThatChecksAskFor(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "conformance", "checks", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	var source strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(b)
	}
	for name := range descriptor.Known {
		in := `"` + strings.ToUpper(name) + `"`
		if name == "access_token_validity" {
			in = "Wish{AccessTokenValidity:"
		}
		if asks, said := strings.Contains(source.String(), in), slices.Contains(askedFor, name); asks != said {
			t.Errorf("%s: checks ask for it: %v, named as missing: %v", name, asks, said)
		}
	}
}
