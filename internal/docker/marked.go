package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// RemoveMarked removes the containers and networks with a label of a value, and says
// how many. Where no daemon answers there are none that could be removed.
func RemoveMarked(ctx context.Context, label, value string) (removed int, err error) {
	if Answers(ctx) != nil {
		return 0, nil
	}
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = docker.Close() }()
	marked := client.Filters{}.Add("label", label+"="+value)
	containers, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: marked})
	if err != nil {
		return 0, fmt.Errorf("look for containers marked %s: %w", value, err)
	}
	var errs []error
	for _, c := range containers.Items {
		if _, err := docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
			errs = append(errs, fmt.Errorf("remove container %s: %w", c.ID, err))
			continue
		}
		removed++
	}
	networks, err := docker.NetworkList(ctx, client.NetworkListOptions{Filters: marked})
	if err != nil {
		return removed, errors.Join(append(errs, err)...)
	}
	for _, n := range networks.Items {
		if _, err := docker.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{}); err != nil {
			errs = append(errs, fmt.Errorf("remove network %s: %w", n.Name, err))
			continue
		}
		removed++
	}
	return removed, errors.Join(errs...)
}

// Signal sends a signal to a container's program.
func Signal(ctx context.Context, id, signal string) error {
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = docker.Close() }()
	if _, err := docker.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: signal}); err != nil {
		return fmt.Errorf("send %s to container %s: %w", signal, id, err)
	}
	return nil
}
