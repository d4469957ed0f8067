package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/coreproof/coreproof/internal/meter"
)

// containerMeter reads a container's CPU time and memory: from the kernel's books where
// the container is this machine's, else from Docker's.
type containerMeter struct {
	name, id string
	find     sync.Once
	local    *group // nil: elsewhere
}

// Meter reads what a container has used; name is what reports call it.
func Meter(name, id string) meter.Process { return &containerMeter{name: name, id: id} }

func (m *containerMeter) Name() string { return m.name }

func (m *containerMeter) CPU() (time.Duration, error) {
	if g := m.group(); g != nil {
		if used, err := g.used(); err == nil {
			return used, nil
		} // it may have ended; Docker says so
	}
	s, err := m.stats()
	if err != nil {
		return 0, err
	}
	return time.Duration(s.CPUStats.CPUUsage.TotalUsage), nil
}

func (m *containerMeter) RSS() (int64, error) {
	if g := m.group(); g != nil {
		if n, err := g.held(); err == nil {
			return n, nil
		}
	}
	s, err := m.stats()
	if err != nil {
		return 0, err
	}
	for _, lines := range [][]string{held2, held1} {
		a, anon := s.MemoryStats.Stats[lines[0]]
		b, shared := s.MemoryStats.Stats[lines[1]]
		if anon && shared {
			return int64(a + b), nil
		}
	}
	return int64(s.MemoryStats.Usage), nil
}

// group is where the kernel keeps the container's books; nil where it is not here.
func (m *containerMeter) group() *group {
	m.find.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), statsWithin)
		defer cancel()
		docker, err := testcontainers.NewDockerClientWithOpts(ctx)
		if err != nil {
			return
		}
		defer func() { _ = docker.Close() }()
		c, err := docker.ContainerInspect(ctx, m.id, client.ContainerInspectOptions{})
		if err != nil || c.Container.State == nil {
			return
		}
		if g, ok := groupOf(procRoot, cgroupRoot, c.Container.State.Pid, c.Container.ID); ok {
			m.local = &g
		}
	})
	return m.local
}

// statsWithin bounds one question to Docker.
const statsWithin = 10 * time.Second

// stats asks Docker for one sample.
func (m *containerMeter) stats() (*container.StatsResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), statsWithin)
	defer cancel()
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the books of %s: %w", m.name, err)
	}
	defer func() { _ = docker.Close() }()
	r, err := docker.ContainerStats(ctx, m.id, client.ContainerStatsOptions{Stream: false, IncludePreviousSample: false})
	if err != nil {
		return nil, fmt.Errorf("read the books of %s: %w", m.name, err)
	}
	defer func() { _ = r.Body.Close() }()
	var s container.StatsResponse
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		return nil, fmt.Errorf("read the books of %s: %w", m.name, err)
	}
	return &s, nil
}
