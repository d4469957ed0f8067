package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// outMark stands for the path of the built core in a build command.
const outMark = "{out}"

// CheckBuild refuses a build command that cannot say where it writes.
func CheckBuild(command string) error {
	if command != "" && !strings.Contains(command, outMark) {
		return fmt.Errorf("--build %q: it needs %s where the path of the core goes, e.g. 'go build -o %s ./cmd/refcore'", command, outMark, outMark)
	}
	return nil
}

// buildRevision builds a git revision's core in a worktree that is removed again, and
// gives the commit.
func buildRevision(ctx context.Context, f Ref, command, out string) (commit string, err error) {
	commit, err = run(ctx, "", "git", "rev-parse", "--verify", "--quiet", "--end-of-options", f.Text+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("%s %s: no git revision of the repository in this folder; a shallow clone (actions/checkout without fetch-depth: 0) lacks it", f.Flag, f.Text)
	}
	dir, err := os.MkdirTemp("", "coreproof-tree-")
	if err != nil {
		return "", fmt.Errorf("make a folder to build %s in: %w", f.Text, err)
	}
	tree := filepath.Join(dir, "tree") // the same last name for both
	defer func() {
		gone := context.WithoutCancel(ctx)
		_, left := run(gone, "", "git", "worktree", "remove", "--force", tree)
		if _, statErr := os.Stat(tree); statErr != nil {
			left = nil // it was never made
		}
		err = errors.Join(err, left, os.RemoveAll(dir))
	}()
	if _, err := run(ctx, "", "git", "worktree", "add", "--detach", "--quiet", tree, commit); err != nil {
		return "", fmt.Errorf("%s %s: make a worktree: %w", f.Flag, f.Text, err)
	}
	if _, err := run(ctx, tree, "sh", "-c", strings.ReplaceAll(command, outMark, "'"+out+"'")); err != nil {
		return "", fmt.Errorf("%s %s: --build failed: %w", f.Flag, f.Text, err)
	}
	if st, err := os.Stat(out); err != nil || st.Mode()&0o111 == 0 {
		return "", fmt.Errorf("%s %s: --build made no program at %s", f.Flag, f.Text, outMark)
	}
	return commit, nil
}

func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.Join(strings.Fields(stderr.String()+" "+stdout.String()), " ")
		if len(said) > 400 {
			said = "…" + said[len(said)-400:]
		}
		return "", fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return strings.TrimSpace(stdout.String()), nil
}
