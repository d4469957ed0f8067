package launch

import (
	"context"
	"net"
	"strconv"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/coreproof/coreproof/internal/docker"
	"github.com/coreproof/coreproof/internal/launch/place"
)

// Left names what Docker still has of a container target: its network, "" when
// that is gone, and all containers on it, stopped ones too.
func (c *Container) Left(ctx context.Context) (network string, containers []string, err error) {
	d, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = d.Close() }()
	networks, err := d.NetworkList(ctx, client.NetworkListOptions{})
	if err != nil {
		return "", nil, err
	}
	for _, n := range networks.Items {
		if n.ID == c.network.ID {
			network = n.Name
		}
	}
	list, err := d.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("network", c.network.ID)})
	if err != nil {
		return "", nil, err
	}
	for _, x := range list.Items {
		containers = append(containers, x.ID)
	}
	return network, containers, nil
}

// Published are the addresses, host:port, at which containers on the target's
// network can be reached.
func (c *Container) Published(ctx context.Context) (addresses []string, err error) {
	d, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	list, err := d.ContainerList(ctx, client.ContainerListOptions{Filters: client.Filters{}.Add("network", c.network.ID)})
	for _, x := range list.Items {
		for _, p := range x.Ports {
			if p.PublicPort != 0 {
				addresses = append(addresses, net.JoinHostPort(p.IP.String(), strconv.Itoa(int(p.PublicPort))))
			}
		}
	}
	return addresses, err
}

// Exists says whether Docker has a container.
func Exists(ctx context.Context, id string) (bool, error) {
	d, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = d.Close() }()
	list, err := d.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("id", id)})
	return len(list.Items) > 0, err
}

// Place is place.Of.
var Place = place.Of

// Libraries is docker.Libraries.
var Libraries = docker.Libraries

// StateRoot is where a target keeps what it has started.
func StateRoot(x *Described) string { return x.o.StateRoot }
