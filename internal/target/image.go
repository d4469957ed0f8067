package target

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/testcontainers/testcontainers-go"
)

// imageRepo names the image that is made from this program.
const imageRepo = "coreproof-self"

// selfImage makes a FROM scratch image of this program, which is both the
// reference core and the load generator, and gives its name. One that is there
// already, made from the same bytes, is taken.
func selfImage(ctx context.Context) (string, error) {
	binary, err := staticSelf(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(binary)
	tag := hex.EncodeToString(sum[:8])
	name := imageRepo + ":" + tag
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return "", fmt.Errorf("reach Docker: %w", err)
	}
	defer func() { _ = docker.Close() }() // nothing is under way
	if _, err := docker.ImageInspect(ctx, name); err == nil {
		return name, nil
	}
	dir, err := os.MkdirTemp("", "coreproof-image-")
	if err != nil {
		return "", fmt.Errorf("make the core's image: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for file, content := range map[string][]byte{"coreproof": binary, "Dockerfile": []byte(dockerfile)} {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o755); err != nil {
			return "", fmt.Errorf("make the core's image: %w", err)
		}
	}
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return "", fmt.Errorf("reach Docker: %w", err)
	}
	defer func() { _ = provider.Close() }()
	req := &testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{Context: dir, Repo: imageRepo, Tag: tag, KeepImage: true}}
	if _, err := provider.BuildImage(ctx, req); err != nil {
		return "", fmt.Errorf("make the core's image: %w", err)
	}
	return name, nil
}

const dockerfile = `FROM scratch
COPY coreproof /coreproof
USER 65532:65532
EXPOSE 3567
ENTRYPOINT ["/coreproof"]
CMD ["core", "--host", "0.0.0.0"]
`

// staticSelf gives a static Linux binary of this program: its own file, or one
// built where Go and the source are at hand.
func staticSelf(ctx context.Context) ([]byte, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program's own file: %w", err)
	}
	if runtime.GOOS == "linux" && filepath.Base(exe) != "" {
		b, err := os.ReadFile(exe)
		if err != nil {
			return nil, fmt.Errorf("read this program's own file: %w", err)
		}
		if isStatic(b) && isCoreproof(b) {
			return b, nil
		}
	}
	source, err := moduleRoot()
	if err != nil {
		return nil, fmt.Errorf("%w; cores in containers need an image: run a static coreproof (CGO_ENABLED=0 go build ./cmd/coreproof), run inside its source with Go installed, or set COREPROOF_CORE_IMAGE and COREPROOF_GENERATOR_IMAGE", err)
	}
	dir, err := os.MkdirTemp("", "coreproof-build-")
	if err != nil {
		return nil, fmt.Errorf("build a static coreproof: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := filepath.Join(dir, "coreproof")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./cmd/coreproof")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("build a static coreproof in %s: %w: %.300s", source, err, stderr.String())
	}
	return os.ReadFile(out)
}

// isStatic says whether an ELF file needs no interpreter.
func isStatic(b []byte) bool {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return false
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}

// isCoreproof tells this program from a test binary of its packages.
func isCoreproof(b []byte) bool {
	return bytes.Contains(b, []byte("path\tgithub.com/coreproof/coreproof/cmd/coreproof\n"))
}

// moduleRoot finds this module's source, from the working folder upwards.
func moduleRoot() (string, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return "", errors.New("this program is not static and there is no Go to build one that is")
	}
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
			return "", errors.New("this program is not static and its source is not at hand to build one that is")
		}
		dir = parent
	}
}
