package target

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// stats asks for one sample; without the previous one it answers at once.
func (m *boxMeter) stats() (*container.StatsResponse, error) {
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
