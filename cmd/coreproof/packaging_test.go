package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/coreproof/coreproof/conformance/checks"
)

var root = filepath.Join("..", "..")

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err == nil {
		err = yaml.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// step of a workflow or an action.
type step struct {
	ID, Name, Uses, Run, Shell, If string
	With, Env                      map[string]any
}

type workflow struct {
	On   any
	Jobs map[string]struct {
		RunsOn string `yaml:"runs-on"`
		Steps  []step
	}
}

type action struct {
	Name, Description string
	Inputs, Outputs   map[string]struct {
		Description string
		Default     *string
		Value       string
	}
	Runs struct {
		Using string
		Steps []step
	}
}

// words that follow the program's name must be a command and flags that there are.
func knownWords(t *testing.T, where string, words []string) {
	t.Helper()
	all := newRoot(streams{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}})
	all.InitDefaultCompletionCmd()
	cmd, rest, err := all.Find(words)
	if err != nil || !cmd.HasParent() {
		t.Errorf("%s: coreproof %s: there is no such command", where, strings.Join(words, " "))
		return
	}
	if cmd.DisableFlagParsing {
		return
	}
	for _, w := range rest {
		name, ok := strings.CutPrefix(w, "--")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, "=")
		if cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil && name != "help" {
			t.Errorf("%s: coreproof %s has no flag --%s", where, cmd.Name(), name)
		}
	}
	for i, w := range rest {
		if w == "--require" && i+1 < len(rest) && !profileExists(rest[i+1]) {
			t.Errorf("%s: there is no profile %s", where, rest[i+1])
		}
	}
}

func profileExists(list string) bool {
	for name := range strings.SplitSeq(list, ",") {
		found := false
		for _, c := range checks.All() {
			for _, p := range c.Profiles {
				found = found || string(p) == name
			}
		}
		if !found {
			return false
		}
	}
	return true
}

var commandLine = regexp.MustCompile(`(?m)(?:^|[\s$;&|(]|cmd/)coreproof ((?:[a-z]|--)[^\n#|;&>]*)`)

// TestEveryCommandLineInTheDocs: what a reader copies is understood.
func TestEveryCommandLineInTheDocs(t *testing.T) {
	t.Parallel()
	fence := regexp.MustCompile("(?s)```(console|yaml|sh)\n(.*?)```")
	files := []string{"README.md"}
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		files = append(files, filepath.Join("docs", filepath.Base(p)))
	}
	lines := 0
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(root, f))
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range fence.FindAllStringSubmatch(string(b), -1) {
			for line := range strings.SplitSeq(block[2], "\n") {
				if block[1] == "console" && !strings.HasPrefix(line, "$ ") {
					continue // what it prints
				}
				for _, m := range commandLine.FindAllStringSubmatch(line, -1) {
					lines++
					knownWords(t, f, strings.Fields(m[1]))
				}
			}
		}
	}
	if lines < 25 {
		t.Errorf("only %d command lines were found in the docs", lines)
	}
}

// TestWorkflows: the README's workflow, the one to copy and the release are workflows, and
// what they call is there.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(readme), "```yaml\n# .github/workflows/session-core.yml")
	text, _, closed := strings.Cut(text, "```")
	if !ok || !closed {
		t.Fatal("README has no workflow to paste")
	}
	var pasted workflow
	if err := yaml.Unmarshal([]byte(text), &pasted); err != nil {
		t.Fatal(err)
	}
	var copied, release workflow
	readYAML(t, "deploy/actions/session-core.yml", &copied)
	readYAML(t, ".github/workflows/release.yml", &release)
	var a action
	readYAML(t, "action.yml", &a)

	var inReadme, inAction []string
	for name, w := range map[string]workflow{"README": pasted, "session-core.yml": copied, "release.yml": release} {
		if w.On == nil || len(w.Jobs) == 0 {
			t.Errorf("%s: no trigger or no jobs", name)
		}
		for _, j := range w.Jobs {
			if j.RunsOn == "" || len(j.Steps) == 0 {
				t.Errorf("%s: a job without a machine or steps", name)
			}
			for _, s := range j.Steps {
				if (s.Uses == "") == (s.Run == "") {
					t.Errorf("%s: a step must either use or run something: %+v", name, s)
				}
				for _, m := range commandLine.FindAllStringSubmatch(s.Run, -1) {
					words := strings.Fields(m[1])
					knownWords(t, name, words)
					if words[0] == "run" {
						inReadme = words
					}
				}
				if strings.HasPrefix(s.Uses, "coreproof/coreproof@") {
					for k := range s.With {
						if _, ok := a.Inputs[k]; !ok {
							t.Errorf("%s: the action has no input %s", name, k)
						}
					}
					inAction = append([]string{fmt.Sprint(s.With["command"])}, strings.Fields(fmt.Sprint(s.With["args"]))...)
					knownWords(t, name, inAction)
				}
			}
		}
	}
	if len(inReadme) < 5 || !slices.Equal(inReadme, inAction) {
		t.Errorf("README's workflow runs %q, the one with the action %q", inReadme, inAction)
	}
}

// TestAction runs the action's own step as a runner would.
func TestAction(t *testing.T) {
	t.Parallel()
	var a action
	readYAML(t, "action.yml", &a)
	if a.Name == "" || a.Description == "" || a.Runs.Using != "composite" {
		t.Fatalf("it is no composite action: %+v", a)
	}
	inputs := regexp.MustCompile(`inputs\.([a-z-]+)`)
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, m := range inputs.FindAllStringSubmatch(string(text), -1) {
		if used[m[1]] = true; a.Inputs[m[1]].Description == "" {
			t.Errorf("the input %s is used and not declared", m[1])
		}
	}
	for name, in := range a.Inputs {
		if !used[name] || in.Default == nil {
			t.Errorf("the input %s: used %v, has a default %v", name, used[name], in.Default != nil)
		}
	}
	var prove step
	for _, s := range a.Runs.Steps {
		if s.Run != "" && s.Shell != "bash" {
			t.Errorf("step %q names no shell: composite actions must", s.Name)
		}
		// Texts of the caller's reach a script as variables, never as script.
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %q puts an expression into its script", s.Name)
		}
		if s.ID == "prove" {
			prove = s
		}
	}
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	for _, s := range a.Runs.Steps {
		if s.Run != "" {
			if out, err := exec.Command(bash, "-n", "-c", s.Run).CombinedOutput(); err != nil {
				t.Errorf("step %q: %s", s.Name, out)
			}
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Abs(filepath.Join(root, "testdata", "proofs"))
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(exe, filepath.Join(bin, "coreproof")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, command, args string
		code                int
		files               []string
	}{
		{"held", "conform", "--check\nBL-01\n\n--cdi\n5.4\n", 0, []string{"the out/proof.json", "the out/report.md", "summary"}},
		{"a gate", "gate", "--base\n" + filepath.Join(examples, "good.json") + "\n--head\n" + filepath.Join(examples, "good.json"), 0, []string{"the out/proof.json", "the out/report.md", "summary"}},
		{"a mistake", "conform", "--check\nNOPE", 2, nil},
		{"a mistyped flag", "conform", "--chekc\nBL-01", 2, nil},
		{"a difference", "diff", "sqlite\r\nbroken:writes-merge\n--cdi\n5.4\n--seed\n3\n--flag\non", 1, nil},
		{"nothing is read by a shell", "conform", "--check\n$(touch owned)", 2, nil},
		{"another program", "core; touch owned", "", 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			const before = "the report of an earlier step\n"
			if err := errors.Join(os.Mkdir(filepath.Join(dir, "the out"), 0o755), os.WriteFile(filepath.Join(dir, "the out", "report.md"), []byte(before), 0o600)); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", prove.Run)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), asProgram+"=1", "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
				"COMMAND="+c.command, "ARGS="+c.args, "OUT=the out", "COREPROOF_API_KEY=",
				"GITHUB_OUTPUT="+filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary"))
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.code {
				t.Fatalf("%v, want exit %d:\n%s", err, c.code, out)
			}
			for _, f := range c.files {
				if st, err := os.Stat(filepath.Join(dir, f)); err != nil || st.Size() == 0 {
					t.Errorf("%s is missing or empty", f)
				}
			}
			report, _ := os.ReadFile(filepath.Join(dir, "the out", "report.md"))
			summary, _ := os.ReadFile(filepath.Join(dir, "summary"))
			if n := strings.Count(string(summary), string(report)); strings.Contains(string(summary), before) || len(c.files) > 0 && n != 1 {
				t.Errorf("the summary has the report %d times:\n%s", n, summary)
			}
			if _, err := os.Stat(filepath.Join(dir, "owned")); err == nil {
				t.Error("an argument was run as a command")
			}
			if said, err := os.ReadFile(filepath.Join(dir, "output")); !strings.Contains(c.command, ";") && (err != nil || string(said) != fmt.Sprintf("exit-code=%d\n", c.code)) {
				t.Errorf("the output is %q, %v", said, err)
			}
		})
	}
}

// TestSecondTries: what .ci/run tries again, and what it does not.
func TestSecondTries(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("there is no bash")
	}
	b, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	between := func(from, to string) string {
		_, text, ok := strings.Cut(string(b), from)
		text, _, found := strings.Cut(text, to)
		if !ok || !found {
			t.Fatalf(".ci/run has nothing from %q to %q", from, to)
		}
		return from + text
	}
	tests := between("tests() {", "\n}\n") + "\n}\n"
	proves := between("go build -o \"$out/coreproof\"", "\"$out/coreproof\" report")
	for _, c := range []struct {
		name, script, first string // what is tried, and what the first try does
		code, tries         int
	}{
		{"a test fails beside others", tests + "tests try ''", "echo 'FAIL\tgithub.com/x/y\t1s'; exit 1", 0, 2},
		{"a data race", tests + "tests try ''", "echo 'WARNING: DATA RACE'; echo 'FAIL\tgithub.com/x/y\t1s'; exit 1", 1, 1},
		{"too busy to measure", proves, "exit 2", 0, 2},
		{"a claim fails", proves, "exit 1", 1, 1},
		{"all holds", proves, "exit 0", 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			// What builds does nothing; all else that is called counts itself.
			try := "#!" + bash + "\n[[ $1 == build ]] && exit\necho >> \"$out/tries\"\n[[ $(wc -l < \"$out/tries\") -gt 1 ]] && exit\n" + c.first + "\n"
			const put = `for f in go try coreproof; do printf %s "$TRY" > "$out/$f"; chmod +x "$out/$f"; done; say() { :; }` + "\n"
			cmd := exec.Command(bash, "--noprofile", "--norc", "-euo", "pipefail", "-c", put+c.script)
			cmd.Env = append(os.Environ(), "out="+dir, "TRY="+try, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			said, _ := cmd.CombinedOutput()
			tries, err := os.ReadFile(filepath.Join(dir, "tries"))
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			if code, n := cmd.ProcessState.ExitCode(), len(tries); code != c.code || n != c.tries {
				t.Errorf("exit %d after %d tries, want %d after %d: %s", code, n, c.code, c.tries, said)
			}
		})
	}
}

// TestGoReleaser: what it builds is there, for each system, named as the formula names it.
func TestGoReleaser(t *testing.T) {
	t.Parallel()
	var c struct {
		Version int
		Builds  []struct {
			ID, Main, Binary           string
			Ldflags, Goos, Goarch, Env []string
		}
		Archives []struct {
			IDs          []string
			NameTemplate string `yaml:"name_template"`
			Files        []string
		}
		Sboms    []struct{ Artifacts string }
		Checksum struct {
			NameTemplate string `yaml:"name_template"`
			Algorithm    string
		}
	}
	readYAML(t, ".goreleaser.yaml", &c)
	if c.Version != 2 || len(c.Builds) != 2 || len(c.Archives) != 1 || len(c.Sboms) != 1 || c.Checksum.Algorithm != "sha256" {
		t.Fatalf("%+v", c)
	}
	for _, b := range c.Builds {
		if _, err := os.Stat(filepath.Join(root, b.Main, "main.go")); err != nil {
			t.Errorf("%s: %v", b.ID, err)
		}
		if filepath.Base(b.Main) != b.Binary || !slices.Contains(b.Env, "CGO_ENABLED=0") || !slices.Contains(c.Archives[0].IDs, b.ID) {
			t.Errorf("%+v", b)
		}
		if !slices.Equal(b.Goos, []string{"linux", "darwin", "windows"}) || !slices.Equal(b.Goarch, []string{"amd64", "arm64"}) {
			t.Errorf("%s is built for %q, %q", b.ID, b.Goos, b.Goarch)
		}
		// The same variable as the Makefile sets, and one that there is.
		name := regexp.MustCompile(`-X (\S+)=`).FindStringSubmatch(strings.Join(b.Ldflags, " "))
		makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
		if err != nil || name == nil || !strings.Contains(string(makefile), "-X "+name[1]+"=") {
			t.Errorf("%s: %v sets no version as the Makefile does (%v)", b.ID, b.Ldflags, err)
		}
	}
	for _, f := range c.Archives[0].Files {
		if _, err := os.Stat(filepath.Join(root, f)); err != nil {
			t.Error(err)
		}
	}
	name := strings.NewReplacer("{{ .Version }}", "1.2.3", "{{ .Os }}", "linux", "{{ .Arch }}", "arm64").Replace(c.Archives[0].NameTemplate)
	if name != "coreproof_1.2.3_linux_arm64" || c.Checksum.NameTemplate != "checksums.txt" {
		t.Errorf("archives are named %s, sums %s: the formula looks for others", name, c.Checksum.NameTemplate)
	}
}

// TestFormula fills the formula in from sums as goreleaser writes them.
func TestFormula(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	sums := &strings.Builder{}
	machines := []string{"darwin_arm64", "darwin_amd64", "linux_arm64", "linux_amd64"}
	for i, m := range append(machines, "windows_amd64") {
		fmt.Fprintf(sums, "%s  coreproof_1.2.3_%s.tar.gz\n", strings.Repeat(fmt.Sprint(i), 64), m)
		fmt.Fprintf(sums, "%s  coreproof_1.2.3_%s.tar.gz.sbom.json\n", strings.Repeat("f", 64), m)
	}
	file := filepath.Join(t.TempDir(), "checksums.txt")
	if err := os.WriteFile(file, []byte(sums.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(root, "deploy", "homebrew", "formula")
	out, err := exec.Command("sh", script, "1.2.3", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	for i, m := range machines {
		url := fmt.Sprintf("https://github.com/coreproof/coreproof/releases/download/v1.2.3/coreproof_1.2.3_%s.tar.gz\"\n      sha256 %q", m, strings.Repeat(fmt.Sprint(i), 64))
		if !strings.Contains(text, url) {
			t.Errorf("%s: no such url and sum in\n%s", m, text)
		}
	}
	if strings.Contains(text, "@") {
		t.Errorf("not all is filled in:\n%s", text)
	}
	for _, m := range regexp.MustCompile(`bin/"coreproof", ([^\n]*)`).FindAllStringSubmatch(text, -1) {
		var words []string
		for _, w := range strings.Split(m[1], ", ") {
			words = append(words, strings.Trim(w, `")`))
		}
		knownWords(t, "formula", words)
	}
	if ruby, err := exec.LookPath("ruby"); err == nil {
		cmd := exec.Command(ruby, "-c")
		cmd.Stdin = strings.NewReader(text)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s", said)
		}
	}
	if err := exec.Command("sh", script, "1.2.4", file).Run(); err == nil {
		t.Error("sums of another version are taken")
	}
}
