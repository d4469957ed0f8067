package target

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/adapter/cdi"
	"github.com/coreproof/coreproof/internal/meter"
)

// corePort is where cores listen.
const corePort = "3567/tcp"

// boxes are cores in containers.
type boxes struct {
	target   *Container
	settings Settings
	env      map[string]string

	mu   sync.Mutex
	list []*box
	once sync.Once
	err  error
}

type box struct {
	c     testcontainers.Container
	url   string // as the harness sees it
	inner string // as containers on the network see it
}

// add starts one more core.
func (b *boxes) add(ctx context.Context) error {
	root := b.target.base()
	c, err := testcontainers.Run(ctx, root.coreImage, testcontainers.WithEnv(b.env), onLoopback(corePort),
		tcnetwork.WithNetwork(nil, root.network), pinned(b.settings.CPUs),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/hello").WithPort(corePort).WithStartupTimeout(startWithin).WithPollInterval(20*time.Millisecond)))
	if err != nil {
		return errors.Join(fmt.Errorf("start core %d (%s): %w", len(b.list), root.coreImage, err), testcontainers.TerminateContainer(c))
	}
	x := &box{c: c}
	b.mu.Lock()
	b.list = append(b.list, x)
	b.mu.Unlock()
	return x.locate(ctx)
}

// locate finds the core's addresses, which a restart moves.
func (x *box) locate(ctx context.Context) error {
	at, err := endpoint(ctx, x.c, corePort)
	if err != nil {
		return err
	}
	x.url = "http://" + at
	ip, err := x.c.ContainerIP(ctx)
	if err != nil {
		return fmt.Errorf("find a core's address: %w", err)
	}
	x.inner = "http://" + ip + ":3567"
	return nil
}

func (b *boxes) Clients(v Protocol) []adapter.Core {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]adapter.Core, 0, len(b.list))
	for i, x := range b.list {
		client, err := cdi.New(cdi.Options{Name: sideName(b.settings.Flag, i), BaseURL: x.url, Version: string(v)})
		if err != nil {
			panic(fmt.Sprintf("target: a client for our own core: %v", err)) // an unknown version is a programmer's mistake
		}
		list = append(list, client)
	}
	return list
}

// InnerURLs are the cores' addresses on the network.
func (b *boxes) InnerURLs() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	urls := make([]string, len(b.list))
	for i, x := range b.list {
		urls[i] = x.inner
	}
	return urls
}

func (b *boxes) Processes() []meter.Process {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]meter.Process, len(b.list))
	for i, x := range b.list {
		list[i] = containerMeter(sideName(b.settings.Flag, i), x.c)
	}
	return list
}

func (b *boxes) Settings() Settings { return b.settings }

func (b *boxes) get(i int) (*box, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i < 0 || i >= len(b.list) {
		return nil, fmt.Errorf("core %d: there is none", i)
	}
	return b.list[i], nil
}

// Kill ends an instance with SIGKILL.
func (b *boxes) Kill(ctx context.Context, i int) error {
	x, err := b.get(i)
	if err != nil {
		return err
	}
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return fmt.Errorf("kill core %d: %w", i, err)
	}
	defer func() { _ = docker.Close() }()
	if _, err := docker.ContainerKill(ctx, x.c.GetContainerID(), client.ContainerKillOptions{Signal: "SIGKILL"}); err != nil {
		return fmt.Errorf("kill core %d: %w", i, err)
	}
	return nil
}

// Restart starts a killed instance again; its port moves.
func (b *boxes) Restart(ctx context.Context, i int) error {
	x, err := b.get(i)
	if err != nil {
		return err
	}
	if err := x.c.Start(ctx); err != nil {
		return fmt.Errorf("restart core %d: %w", i, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return x.locate(ctx)
}

// Stop removes the containers; the database stays.
func (b *boxes) Stop(ctx context.Context) error {
	b.once.Do(func() {
		b.mu.Lock()
		list := b.list
		b.mu.Unlock()
		errs := make([]error, len(list))
		var wg sync.WaitGroup
		for i, x := range list {
			wg.Go(func() {
				errs[i] = testcontainers.TerminateContainer(x.c, testcontainers.StopContext(ctx), testcontainers.StopTimeout(5*time.Second))
			})
		}
		wg.Wait()
		b.err = errors.Join(errs...)
		b.target.mu.Lock()
		delete(b.target.running, b)
		b.target.mu.Unlock()
	})
	return b.err
}

func sideName(flag bool, i int) string {
	if flag {
		return fmt.Sprintf("on-%d", i)
	}
	return fmt.Sprintf("off-%d", i)
}

// boxMeter reads a container's CPU time and memory from Docker's books.
type boxMeter struct {
	name string
	id   string
}

func containerMeter(name string, c testcontainers.Container) meter.Process {
	if c == nil {
		return nil
	}
	return &boxMeter{name, c.GetContainerID()}
}

func (m *boxMeter) Name() string { return m.name }

func (m *boxMeter) CPU() (time.Duration, error) {
	s, err := m.stats()
	if err != nil {
		return 0, err
	}
	return time.Duration(s.CPUStats.CPUUsage.TotalUsage), nil
}

func (m *boxMeter) RSS() (int64, error) {
	s, err := m.stats()
	if err != nil {
		return 0, err
	}
	return int64(s.MemoryStats.Usage), nil
}
