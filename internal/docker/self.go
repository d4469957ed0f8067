package docker

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// programPath is where this program stands in its image.
const programPath = "coreproof"

// selfFiles gives what an image of this program needs, by path: a static Linux
// binary alone, or a dynamic one with its loader and the libraries it links. Where
// this program is none (another system, a test), one is built.
func selfFiles(ctx context.Context) (map[string][]byte, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program's own file: %w", err)
	}
	var why error
	if runtime.GOOS == "linux" {
		b, err := os.ReadFile(exe)
		if err != nil {
			return nil, fmt.Errorf("read this program's own file: %w", err)
		}
		if isCoreproof(b) {
			files := map[string][]byte{programPath: b}
			if why = linked(ctx, exe, b, files); why == nil {
				return files, nil
			}
		}
	}
	b, err := buildStatic(ctx, exe)
	if err != nil {
		return nil, fmt.Errorf("cores in containers need an image of this program: %w; set COREPROOF_CORE_IMAGE and COREPROOF_GENERATOR_IMAGE, run inside its source with Go installed, or run a static coreproof (CGO_ENABLED=0 go install github.com/coreproof/coreproof/cmd/coreproof@latest)", errors.Join(why, err))
	}
	return map[string][]byte{programPath: b}, nil
}

// linked adds the loader and the libraries of a dynamic program, as its own loader
// lists them.
func linked(ctx context.Context, exe string, b []byte, files map[string][]byte) error {
	loader, err := interpreter(b)
	if err != nil || loader == "" {
		return err
	}
	out, err := exec.CommandContext(ctx, loader, "--list", exe).Output()
	if err != nil {
		return fmt.Errorf("list the libraries of %s with %s: %w", exe, loader, err)
	}
	for _, path := range append(Libraries(string(out)), loader) {
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read a library of this program: %w", err)
		}
		files[strings.TrimPrefix(filepath.ToSlash(path), "/")] = content
	}
	return nil
}

// Libraries reads the paths from a loader's list: "name => path (address)".
func Libraries(list string) (paths []string) {
	for line := range strings.Lines(list) {
		_, rest, ok := strings.Cut(line, "=>")
		if !ok {
			continue
		}
		if f := strings.Fields(rest); len(f) > 0 && filepath.IsAbs(f[0]) {
			paths = append(paths, f[0])
		}
	}
	return paths
}

// interpreter is the loader of an ELF file; "" for a static one.
func interpreter(b []byte) (string, error) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return "", fmt.Errorf("read this program's own file: %w", err)
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(p.Open())
		if err != nil {
			return "", fmt.Errorf("read this program's loader: %w", err)
		}
		return string(bytes.TrimRight(name, "\x00")), nil
	}
	return "", nil
}

// isCoreproof tells this program from a test binary of its packages.
func isCoreproof(b []byte) bool {
	return bytes.Contains(b, []byte("path\tgithub.com/coreproof/coreproof/cmd/coreproof\n"))
}

// buildStatic builds a static Linux coreproof: from the source at hand, else from
// the published version that this program is.
func buildStatic(ctx context.Context, exe string) ([]byte, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("there is no Go to build one with")
	}
	dir, err := os.MkdirTemp("", "coreproof-build-")
	if err != nil {
		return nil, fmt.Errorf("build a static coreproof: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	run := func(in string, args ...string) error {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOFLAGS=-mod=mod")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("go %s: %w: %.300s", args[0], err, strings.Join(strings.Fields(stderr.String()), " "))
		}
		return nil
	}
	out := filepath.Join(dir, programPath)
	source, err := moduleRoot()
	if err != nil {
		info, infoErr := buildinfo.ReadFile(exe)
		if infoErr != nil || !strings.HasPrefix(info.Main.Version, "v") {
			return nil, err
		}
		source = dir
		if err := errors.Join(run(dir, "mod", "init", "build"), run(dir, "get", info.Main.Path+"/cmd/coreproof@"+info.Main.Version)); err != nil {
			return nil, fmt.Errorf("build a static coreproof: %w", err)
		}
	}
	if err := run(source, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "github.com/coreproof/coreproof/cmd/coreproof"); err != nil {
		return nil, fmt.Errorf("build a static coreproof: %w", err)
	}
	return os.ReadFile(out)
}

// moduleRoot finds this module's source, from the working folder upwards.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the source: %w", err)
	}
	for {
		if f, err := os.Open(filepath.Join(dir, "go.mod")); err == nil {
			head, _ := io.ReadAll(io.LimitReader(f, 200))
			_ = f.Close()
			if bytes.HasPrefix(head, []byte("module github.com/coreproof/coreproof\n")) {
				return dir, nil
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("this program's source is not at hand")
		}
		dir = parent
	}
}
