package target

import (
	"context"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// Left names what Docker still has of a container target: its network, "" when
// that is gone, and all containers on it, stopped ones too.
func (c *Container) Left(ctx context.Context) (network string, containers []string, err error) {
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = docker.Close() }()
	networks, err := docker.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil {
		return "", nil, err
	}
	for _, n := range networks.Items {
		if n.ID == c.network.ID {
			network = n.Name
		}
	}
	list, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("network", c.network.ID)})
	if err != nil {
		return "", nil, err
	}
	for _, x := range list.Items {
		containers = append(containers, x.ID)
	}
	return network, containers, nil
}

// Exists says whether Docker has a container.
func Exists(ctx context.Context, id string) (bool, error) {
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = docker.Close() }()
	list, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("id", id)})
	return len(list.Items) > 0, err
}
