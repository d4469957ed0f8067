package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/coreproof/coreproof/internal/docker"
	"github.com/coreproof/coreproof/internal/meter"
)

// corePort is where cores listen.
const corePort = "3567/tcp"

// containerCore is a core in a container.
type containerCore struct {
	c    testcontainers.Container
	port string
	log  io.Closer // nil for none

	mu    sync.Mutex
	url   string // as the harness sees it
	inner string // as containers on the network see it
}

// startContainer starts one core of an image that listens as the reference core does.
func startContainer(ctx context.Context, root *Container, image string, env map[string]string, cpus []int) (*containerCore, error) {
	return startContainerOf(ctx, root, image, corePort, cpus, testcontainers.WithEnv(env),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/hello").WithPort(corePort).WithStartupTimeout(startWithin).WithPollInterval(20*time.Millisecond)))
}

// startContainerOf starts one core on the target's network and publishes its port.
func startContainerOf(ctx context.Context, root *Container, image, port string, cpus []int, how ...testcontainers.ContainerCustomizer) (*containerCore, error) {
	c, err := testcontainers.Run(ctx, image, append(how, docker.OnLoopback(port), tcnetwork.WithNetwork(nil, root.network), docker.Pinned(cpus))...)
	x := &containerCore{c: c, port: port}
	if err == nil {
		err = x.locate(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", image, err), testcontainers.TerminateContainer(c))
	}
	return x, nil
}

// locate finds the core's addresses, which a restart moves.
func (x *containerCore) locate(ctx context.Context) error {
	at, err := endpoint(ctx, x.c, x.port)
	if err != nil {
		return err
	}
	ip, err := x.c.ContainerIP(ctx)
	if err != nil {
		return fmt.Errorf("find a core's address: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.url, x.inner = "http://"+at, "http://"+net.JoinHostPort(ip, strings.TrimSuffix(x.port, "/tcp"))
	return nil
}

func (x *containerCore) at() (url, inner string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.url, x.inner
}

func (x *containerCore) meter(name string) meter.Process {
	return docker.Meter(name, x.c.GetContainerID())
}

func (x *containerCore) kill(ctx context.Context) error {
	engine, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = engine.Close() }()
	_, err = engine.ContainerKill(ctx, x.c.GetContainerID(), client.ContainerKillOptions{Signal: "SIGKILL"})
	return err
}

// restart moves the port.
func (x *containerCore) restart(ctx context.Context) error {
	if err := x.c.Start(ctx); err != nil {
		return err
	}
	return x.locate(ctx)
}

// stopContainers removes cores; the database stays.
func stopContainers(ctx context.Context, list []process) error {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, p := range list {
		wg.Go(func() {
			x := p.(*containerCore)
			errs[i] = testcontainers.TerminateContainer(x.c, testcontainers.StopContext(ctx), testcontainers.StopTimeout(5*time.Second))
			if x.log != nil {
				errs[i] = errors.Join(errs[i], x.log.Close())
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
