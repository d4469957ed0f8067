package dbtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// pullTimeout bounds the first contact with a registry, not the download.
const pullTimeout = 20 * time.Second

// images remembers which images can be had: asking an absent registry takes long.
var images sync.Map // by name: func() error

// haveImage says why an image is neither here nor to be had.
func haveImage(image string) error {
	once, _ := images.LoadOrStore(image, sync.OnceValue(func() error { return fetchImage(image) }))
	return once.(func() error)()
}

func fetchImage(image string) error {
	ctx, cancel := context.WithTimeout(context.Background(), pullTimeout)
	defer cancel()
	c, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err = c.ImageInspect(ctx, image); err == nil || !errdefs.IsNotFound(err) {
		return err
	}
	// The daemon answers after it has spoken to the registry; the download
	// itself is testcontainers' affair.
	pull, err := c.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		return fmt.Errorf("image %s is not here and cannot be pulled: %w", image, err)
	}
	return pull.Close()
}
