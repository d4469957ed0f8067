package docker

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
)

// OnLoopback publishes a port, and no other that a module may have asked for, on
// 127.0.0.1 at a free number.
func OnLoopback(port string) testcontainers.CustomizeRequestOption {
	bind := testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
		if h.PortBindings == nil {
			h.PortBindings = network.PortMap{}
		}
		h.PortBindings[network.MustParsePort(port)] = []network.PortBinding{{HostIP: netip.MustParseAddr("127.0.0.1")}}
	})
	return func(r *testcontainers.GenericContainerRequest) error {
		r.ExposedPorts = []string{port}
		return bind(r)
	}
}

// Pinned puts a container on some CPUs.
func Pinned(cpus []int) testcontainers.CustomizeRequestOption {
	return testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
		if len(cpus) > 0 {
			h.CpusetCpus = strings.Trim(strings.Join(strings.Fields(fmt.Sprint(cpus)), ","), "[]")
		}
	})
}
