package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// imageRepo names the image that is made from this program.
const imageRepo = "coreproof-self"

// SelfImage makes an image FROM scratch of this program, which is both the
// reference core and the load generator, and gives its name. One that is there
// already, made from the same bytes, is taken.
func SelfImage(ctx context.Context) (string, error) {
	files, err := selfFiles(ctx)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	paths := slices.Sorted(maps.Keys(files))
	for _, p := range paths {
		fmt.Fprintf(h, "%s %d\x00", p, len(files[p]))
		_, _ = h.Write(files[p]) // never fails
	}
	_, _ = h.Write([]byte(dockerfile))
	tag := hex.EncodeToString(h.Sum(nil)[:8])
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
	write := func(path string, content []byte) error {
		path = filepath.Join(dir, filepath.FromSlash(path))
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o755))
	}
	if err := write("Dockerfile", []byte(dockerfile)); err != nil {
		return "", fmt.Errorf("make the core's image: %w", err)
	}
	for _, p := range paths {
		if err := write("root/"+p, files[p]); err != nil {
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
	removeOldImages(ctx, docker, name)
	return name, nil
}

// keepImages is how long an image of another build of this program stays.
const keepImages = 24 * time.Hour

// removeOldImages takes away those of former builds, unless a container uses them;
// what cannot be removed stays, as it harms nobody.
func removeOldImages(ctx context.Context, docker *testcontainers.DockerClient, keep string) {
	list, err := docker.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("reference", imageRepo)})
	if err != nil {
		return
	}
	for _, i := range list.Items {
		if time.Since(time.Unix(i.Created, 0)) < keepImages || slices.Contains(i.RepoTags, keep) {
			continue
		}
		for _, tag := range i.RepoTags {
			if strings.HasPrefix(tag, imageRepo+":") {
				_, _ = docker.ImageRemove(ctx, tag, client.ImageRemoveOptions{})
			}
		}
	}
}

const dockerfile = `FROM scratch
COPY root/ /
ENV GODEBUG=netdns=go
USER 65532:65532
EXPOSE 3567
ENTRYPOINT ["/coreproof"]
CMD ["core", "--host", "0.0.0.0"]
`
