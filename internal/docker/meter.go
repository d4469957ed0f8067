package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/coreproof/coreproof/internal/meter"
)

// containerMeter reads a container's CPU time and memory from Docker's books.
type containerMeter struct{ name, id string }

// Meter reads what a container has used; name is what reports call it.
func Meter(name, id string) meter.Process { return &containerMeter{name, id} }

func (m *containerMeter) Name() string { return m.name }

func (m *containerMeter) CPU() (time.Duration, error) {
	s, err := m.stats()
	if err != nil {
		return 0, err
	}
	return time.Duration(s.CPUStats.CPUUsage.TotalUsage), nil
}

func (m *containerMeter) RSS() (int64, error) {
	s, err := m.stats()
	if err != nil {
		return 0, err
	}
	return int64(s.MemoryStats.Usage), nil
}

// stats asks for one sample; without the previous one it answers at once.
func (m *containerMeter) stats() (*container.StatsResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
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
