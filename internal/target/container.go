package target

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/version"
)

// Environment variables that replace images.
const (
	coreImageEnv      = "COREPROOF_CORE_IMAGE"
	generatorImageEnv = "COREPROOF_GENERATOR_IMAGE"
)

// Container runs a database and cores in containers on one network.
type Container struct {
	kind     *dbKind
	database string
	root     *Container // whose server this one shares; nil for the root itself

	// The rest belongs to the root.
	password  string
	dbImage   string
	coreImage string
	own       bool   // the core's image is this program
	genImage  string // "" until it is needed
	network   *testcontainers.DockerNetwork
	server    testcontainers.Container
	at        string // host:port of the server, as the harness sees it

	mu      sync.Mutex
	running map[*boxes]bool
	nested  []*Container
	books   meter.Database
	closed  bool
}

var (
	_ Target        = (*Container)(nil)
	_ GeneratorHost = (*Container)(nil)
)

// dbAlias is the server's name on the network.
const dbAlias = "database"

// NewContainer starts a database server; cores come with Start.
func NewContainer(ctx context.Context, db string) (_ *Container, err error) {
	c := &Container{database: adminDatabase, running: map[*boxes]bool{}}
	for i := range dbKinds {
		if dbKinds[i].name == db {
			c.kind = &dbKinds[i]
		}
	}
	if c.kind == nil {
		return nil, fmt.Errorf("container target: there is no database %q; choose from %s", db, strings.Join(ContainerDatabases(), ", "))
	}
	if err := dockerAnswers(ctx); err != nil {
		return nil, fmt.Errorf("container target %s: Docker does not answer: %w; start it, or use --db sqlite, which needs none", db, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("container target %s: %w", db, errors.Join(err, c.Close(context.WithoutCancel(ctx))))
		}
	}()
	c.password = strings.ToLower(rand.Text()) // for this run's throw-away server only
	if c.coreImage = os.Getenv(coreImageEnv); c.coreImage == "" {
		if c.coreImage, err = selfImage(ctx); err != nil {
			return nil, err
		}
		c.own, c.genImage = true, c.coreImage
	}
	if c.network, err = tcnetwork.New(ctx); err != nil {
		return nil, fmt.Errorf("make a network: %w", err)
	}
	if c.dbImage = os.Getenv(c.kind.imageEnv); c.dbImage == "" {
		c.dbImage = c.kind.image
	}
	c.server, err = c.kind.run(ctx, c.dbImage, c.password, tcnetwork.WithNetwork([]string{dbAlias}, c.network), onLoopback(c.kind.port))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.dbImage, err)
	}
	if c.at, err = endpoint(ctx, c.server, c.kind.port); err != nil {
		return nil, err
	}
	return c, nil
}

// dockerAnswers turns the library's panic into an error.
func dockerAnswers(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	provider, err := testcontainers.ProviderDefault.GetProvider()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, provider.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return provider.Health(ctx)
}

// onLoopback publishes a port, and no other that a module may have asked for, on
// 127.0.0.1 at a free number.
func onLoopback(port string) testcontainers.CustomizeRequestOption {
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

func endpoint(ctx context.Context, c testcontainers.Container, port string) (string, error) {
	at, err := c.PortEndpoint(ctx, port, "")
	if err != nil {
		return "", fmt.Errorf("find port %s: %w", port, err)
	}
	return at, nil
}

// base is the target that owns the server.
func (c *Container) base() *Container {
	if c.root != nil {
		return c.root
	}
	return c
}

func (c *Container) Name() string { return c.kind.name }
func (c *Container) Kind() string { return "container" }
func (c *Container) Fixed() bool  { return false }

// Start brings up n cores in containers.
func (c *Container) Start(ctx context.Context, n int, s Settings) (Deployment, error) {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return nil, errors.New("container target: closed")
	}
	root := c.base()
	env := map[string]string{c.kind.coreEnv: c.kind.uri(dbAlias+":"+strings.TrimSuffix(c.kind.port, "/tcp"), root.password, c.database)}
	for _, e := range coreEnv(s) {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	b := &boxes{target: c, settings: s, env: env}
	for range n {
		if err := b.add(ctx); err != nil {
			return nil, fmt.Errorf("container target %s: %w", c.kind.name, errors.Join(err, b.Stop(context.WithoutCancel(ctx))))
		}
	}
	c.mu.Lock()
	c.running[b] = true
	c.mu.Unlock()
	return b, nil
}

// Isolated makes a new database on the same server.
func (c *Container) Isolated(ctx context.Context, name string) (Target, error) {
	root := c.base()
	database := strings.ToLower("c" + rand.Text()[:8])
	if err := c.kind.administer(ctx, root.adminURI(), database, true); err != nil {
		return nil, fmt.Errorf("container target %s: make a database for %s: %w", c.kind.name, name, err)
	}
	n := &Container{kind: c.kind, database: database, root: root, running: map[*boxes]bool{}}
	root.mu.Lock()
	root.nested = append(root.nested, n)
	root.mu.Unlock()
	return n, nil
}

func (c *Container) adminURI() string { return c.kind.uri(c.at, c.password, adminDatabase) }

// Database reads the server's books; nil when it does not answer.
func (c *Container) Database() meter.Database {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.books == nil && !c.closed {
		root := c.base()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		books, err := c.kind.books(ctx, c.kind.uri(root.at, root.password, c.database), c.database, containerMeter("database", root.server))
		if err != nil {
			return nil
		}
		c.books = books
	}
	return c.books
}

// Describe says what takes part.
func (c *Container) Describe(ctx context.Context) (Description, error) {
	root := c.base()
	d := Description{CoreImage: root.coreImage, Image: root.dbImage}
	if root.own {
		d.CoreProduct, d.CoreVersion = "refcore", version.String()
	} else {
		d.CoreProduct = root.coreImage
	}
	books := c.Database()
	if books == nil {
		return d, fmt.Errorf("container target %s: the database's books cannot be read", c.kind.name)
	}
	var err error
	if d.DatabaseProduct, d.DatabaseVersion, err = books.Product(ctx); err == nil {
		if d.TLS, err = books.TLS(ctx); err == nil {
			d.DatabaseSettings, err = books.Settings(ctx)
		}
	}
	if err != nil {
		return d, fmt.Errorf("container target %s: %w", c.kind.name, err)
	}
	return d, nil
}

// Generator runs the load generator on the cores' network, so that no
// published port lies between.
func (c *Container) Generator(ctx context.Context, cpus []int) (string, func() error, error) {
	root := c.base()
	image := os.Getenv(generatorImageEnv)
	if image == "" {
		if root.genImage == "" {
			var err error
			if root.genImage, err = selfImage(ctx); err != nil {
				return "", nil, err
			}
		}
		image = root.genImage
	}
	const port = "7070/tcp"
	g, err := testcontainers.Run(ctx, image,
		testcontainers.WithCmd("generator", "--listen", "0.0.0.0:7070"), onLoopback(port),
		tcnetwork.WithNetwork([]string{"generator"}, root.network), pinned(cpus),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/ready").WithPort(port).WithStatusCodeMatcher(func(code int) bool { return code == 204 }).WithStartupTimeout(startWithin)))
	stop := func() error { return testcontainers.TerminateContainer(g, testcontainers.StopTimeout(2*time.Second)) }
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("start the load generator: %w", err), stop())
	}
	at, err := endpoint(ctx, g, port)
	if err != nil {
		return "", nil, errors.Join(err, stop())
	}
	return "http://" + at, stop, nil
}

// QuietContainers keeps the container library's own account of each step to
// itself, for the whole process: that is how the library offers it. Errors still
// come back as errors.
func QuietContainers() { log.SetDefault(log.NewNoopLogger()) }

// pinned puts a container on some CPUs.
func pinned(cpus []int) testcontainers.CustomizeRequestOption {
	return testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
		if len(cpus) > 0 {
			h.CpusetCpus = strings.Trim(strings.Join(strings.Fields(fmt.Sprint(cpus)), ","), "[]")
		}
	})
}

// Close removes all that was started.
func (c *Container) Close(ctx context.Context) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	running, nested, books := c.running, c.nested, c.books
	c.running, c.nested, c.books = map[*boxes]bool{}, nil, nil
	c.mu.Unlock()
	var errs []error
	for _, n := range nested {
		errs = append(errs, n.Close(ctx))
	}
	for b := range running {
		errs = append(errs, b.Stop(ctx))
	}
	if books != nil {
		errs = append(errs, books.Close())
	}
	if c.root != nil {
		if !c.root.isClosed() {
			errs = append(errs, c.kind.administer(ctx, c.root.adminURI(), c.database, false))
		}
		return errors.Join(errs...)
	}
	if c.server != nil {
		errs = append(errs, testcontainers.TerminateContainer(c.server, testcontainers.StopTimeout(2*time.Second)))
	}
	if c.network != nil {
		errs = append(errs, c.network.Remove(ctx))
	}
	return errors.Join(errs...)
}

// isClosed: the server goes with all its databases.
func (c *Container) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}
