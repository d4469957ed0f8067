package launch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/coreproof/coreproof/internal/announce"
	"github.com/coreproof/coreproof/internal/docker"
	"github.com/coreproof/coreproof/internal/launch/dbserver"
	"github.com/coreproof/coreproof/internal/launch/environ"
	"github.com/coreproof/coreproof/internal/launch/outage"
	"github.com/coreproof/coreproof/internal/launch/speak"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/internal/version"
)

// Environment variables that replace images.
const (
	coreImageEnv      = "COREPROOF_CORE_IMAGE"
	generatorImageEnv = "COREPROOF_GENERATOR_IMAGE"
)

// Container runs a database and cores in containers on one network.
type Container struct {
	kind     *dbserver.Kind
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
	at        string      // host:port of the server, as the harness sees it
	far       far         // how far away the server is made for the cores
	cut       outage.Lost // the way that its cores can lose
	labels    map[string]string
	encrypted bool // the cores' connections to the server
	spoken    speak.Versions

	mu      sync.Mutex
	running map[*deployment]bool
	nested  []*Container
	books   meter.Database
	closed  bool
}

var (
	_ Target        = (*Container)(nil)
	_ GeneratorHost = (*Container)(nil)
)

const (
	// dbAlias is the server's name on the network, farAlias the relay's that makes it far.
	dbAlias  = "database"
	farAlias = "far-database"
	// noDatabase is the kind of cores that keep sessions themselves.
	noDatabase = "none"
)

// ContainerOptions say what runs in containers.
type ContainerOptions struct {
	Database string // a kind, see dbserver.Names
	// CoreImage is what the cores are made from; "" is what the environment names, or
	// this program.
	CoreImage string
	// DatabaseDelay is how much longer each round trip between core and database is made.
	DatabaseDelay time.Duration
	// DatabaseTLS encrypts the connections between core and database, see
	// dbserver.Encrypted.
	DatabaseTLS bool
}

// NewContainerOn starts a database server; cores come with Start, from the image that is
// given, that the environment names, or one of this program.
func NewContainerOn(ctx context.Context, o ContainerOptions) (*Container, error) {
	if o.CoreImage == "" {
		o.CoreImage = os.Getenv(coreImageEnv)
	}
	return newContainerOf(ctx, o)
}

// NewContainerOf is NewContainerOn for cores of an image; "" is this program's.
func NewContainerOf(ctx context.Context, db, coreImage string) (*Container, error) {
	return newContainerOf(ctx, ContainerOptions{Database: db, CoreImage: coreImage})
}

func newContainerOf(ctx context.Context, o ContainerOptions) (*Container, error) {
	db, coreImage := o.Database, o.CoreImage
	c, err := newContainer(ctx, db)
	if err != nil {
		return nil, err
	}
	if c.far.delay, c.encrypted = o.DatabaseDelay, o.DatabaseTLS; c.encrypted && c.kind.TLS == nil {
		return nil, fmt.Errorf("container target %s: how to make it speak TLS is not known", db)
	}
	if coreImage != "" {
		if err := docker.Image(ctx, coreImage, ""); err != nil {
			return nil, fmt.Errorf("container target %s: the core: %w", db, err)
		}
	}
	if c.coreImage = coreImage; c.coreImage == "" {
		if c.coreImage, err = docker.SelfImage(ctx); err != nil {
			return nil, fmt.Errorf("container target %s: %w", db, err)
		}
		c.own, c.genImage = true, c.coreImage
	}
	if err := c.up(ctx, nil); err != nil {
		return nil, err
	}
	return c, nil
}

// newContainer makes sure that containers and a database's image can be had; nothing
// runs before up. The database "none" is a network alone.
func newContainer(ctx context.Context, db string) (*Container, error) {
	c := &Container{kind: dbserver.Find(db), database: dbserver.Admin, running: map[*deployment]bool{}}
	if c.kind == nil && db != noDatabase {
		return nil, fmt.Errorf("container target: there is no database %q; choose from %s", db, strings.Join(dbserver.Names(), ", "))
	}
	if err := docker.Answers(ctx); err != nil {
		return nil, fmt.Errorf("container target %s: %w; start it, or use --db sqlite, which needs none", db, err)
	}
	if c.kind == nil {
		return c, nil
	}
	if c.dbImage = os.Getenv(c.kind.ImageEnv); c.dbImage == "" {
		c.dbImage = c.kind.Image
	}
	if err := docker.Image(ctx, c.dbImage, c.kind.ImageEnv); err != nil {
		return nil, fmt.Errorf("container target %s: %w", db, err)
	}
	return c, nil
}

// up starts the database server on a network of its own; what could not come up is
// taken away again. labels mark both.
func (c *Container) up(ctx context.Context, labels map[string]string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("container target %s: %w", c.Name(), errors.Join(err, c.Close(context.WithoutCancel(ctx))))
		}
	}()
	c.labels = labels
	c.password = strings.ToLower(rand.Text()) // for this run's throw-away server only
	if c.network, err = tcnetwork.New(ctx, tcnetwork.WithLabels(labels)); err != nil {
		return fmt.Errorf("make a network: %w", err)
	}
	if c.kind == nil {
		return nil
	}
	with := []testcontainers.ContainerCustomizer{tcnetwork.WithNetwork([]string{dbAlias}, c.network), docker.OnLoopback(c.kind.Port), testcontainers.WithLabels(labels)}
	if c.encrypted {
		more, err := c.kind.TLS.Customizers(dbAlias, farAlias)
		if err != nil {
			return err
		}
		with = append(with, more...)
	}
	c.server, err = c.kind.Run(ctx, c.dbImage, c.password, with...)
	if err != nil {
		return fmt.Errorf("start %s: %w", c.dbImage, err)
	}
	if c.at, err = endpoint(ctx, c.server, c.kind.Port); err == nil && c.far.delay > 0 {
		c.far.box, err = c.relay(ctx, farAlias)
	}
	return err
}

func endpoint(ctx context.Context, c testcontainers.Container, port string) (string, error) {
	at, err := c.PortEndpoint(ctx, port, "")
	if err != nil {
		return "", fmt.Errorf("find port %s: %w", port, err)
	}
	return at, nil
}

// only says whether the server takes encrypted connections alone.
func (c *Container) only() bool { return c.encrypted && c.kind.TLS.Only }

// base is the target that owns the server.
func (c *Container) base() *Container {
	if c.root != nil {
		return c.root
	}
	return c
}

// Name is that of the database.
func (c *Container) Name() string {
	if c.kind == nil {
		return noDatabase
	}
	return c.kind.Name
}

// Kind is "container".
func (c *Container) Kind() string { return "container" }

// Protocol that the cores speak.
func (c *Container) Protocol() protocol.Protocol { return cdi.CDI{} }

// Capabilities: everything.
func (c *Container) Capabilities() Capabilities {
	return Capabilities{Settings: true, Throwaway: true, Off: true, Kill: true}
}

// Versions that the cores speak.
func (c *Container) Versions(context.Context) ([]string, error) { return c.learned().Get() }

// Start brings up n cores in containers.
func (c *Container) Start(ctx context.Context, n int, s Settings) (Deployment, error) {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return nil, errors.New("container target: closed")
	}
	root := c.base()
	env := map[string]string{c.kind.CoreEnv: c.kind.URI(c.inner(), root.password, c.database, root.encrypted)}
	for _, e := range environ.Of(s) {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	d := &deployment{protocol: c.Protocol(), settings: s, side: sideName(s)}
	d.stop = func(ctx context.Context, list []process) error {
		c.mu.Lock()
		delete(c.running, d)
		c.mu.Unlock()
		return stopContainers(ctx, list)
	}
	for i := range n {
		p, err := startContainer(ctx, root, c.image(), env, s.CPUs)
		if err != nil {
			return nil, fmt.Errorf("container target %s: core %d: %w", c.kind.Name, i, errors.Join(err, d.Stop(context.WithoutCancel(ctx))))
		}
		d.add(p)
	}
	if err := c.learned().Learn(ctx, c.Protocol(), d.first()); err != nil {
		return nil, fmt.Errorf("container target %s: %w", c.kind.Name, errors.Join(err, d.Stop(context.WithoutCancel(ctx))))
	}
	c.mu.Lock()
	c.running[d] = true
	c.mu.Unlock()
	return d, nil
}

// Beside is a target on a new database of the same server whose cores are of another
// image, to hold two builds against each other.
func (c *Container) Beside(ctx context.Context, coreImage string) (*Container, error) {
	if err := docker.Image(ctx, coreImage, ""); err != nil {
		return nil, fmt.Errorf("container target %s: the core: %w", c.kind.Name, err)
	}
	t, err := c.Isolated(ctx, "beside")
	if err != nil {
		return nil, err
	}
	n := t.(*Container)
	n.coreImage = coreImage
	return n, nil
}

// learned is what the cores of this target's image speak.
func (c *Container) learned() *speak.Versions {
	if c.coreImage != "" {
		return &c.spoken
	}
	return &c.base().spoken
}

// image that the cores of this target are made from.
func (c *Container) image() string {
	if c.coreImage != "" {
		return c.coreImage
	}
	return c.base().coreImage
}

// Isolated makes a new database on the same server.
func (c *Container) Isolated(ctx context.Context, name string) (Target, error) {
	root := c.base()
	database := strings.ToLower("c" + rand.Text()[:8])
	if err := c.kind.Administer(ctx, root.adminURI(), database, true); err != nil {
		return nil, fmt.Errorf("container target %s: make a database for %s: %w", c.kind.Name, name, err)
	}
	n := &Container{kind: c.kind, database: database, root: root, running: map[*deployment]bool{}}
	if c != root {
		n.coreImage = c.coreImage
	}
	root.mu.Lock()
	root.nested = append(root.nested, n)
	root.mu.Unlock()
	return n, nil
}

func (c *Container) adminURI() string { return c.kind.URI(c.at, c.password, dbserver.Admin, c.only()) }

// Database reads the server's counters.
func (c *Container) Database(ctx context.Context) (meter.Database, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, fmt.Errorf("container target %s: closed", c.kind.Name)
	}
	if c.books == nil {
		root := c.base()
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		books, err := c.kind.Books(ctx, c.kind.URI(root.at, root.password, c.database, root.only()), c.database, docker.Meter("database", root.server.GetContainerID()))
		if err != nil {
			return nil, fmt.Errorf("container target %s: %w", c.kind.Name, err)
		}
		c.books = books
	}
	return c.books, nil
}

// Describe says what takes part.
func (c *Container) Describe(ctx context.Context) (Description, error) {
	root := c.base()
	d := Description{CoreImage: c.image(), Image: root.dbImage, DatabaseAt: "in a container on this Docker host, free to use all its CPUs" + root.far.words()}
	if root.own {
		d.CoreProduct, d.CoreVersion = "refcore", version.String()
	} else {
		d.CoreProduct = c.image()
	}
	books, err := c.Database(ctx)
	if err != nil {
		return d, err
	}
	if d.DatabaseProduct, d.DatabaseVersion, err = books.Product(ctx); err == nil {
		if d.TLS, err = books.TLS(ctx); err == nil {
			d.DatabaseSettings, err = books.Settings(ctx)
		}
	}
	if err != nil {
		return d, fmt.Errorf("container target %s: %w", c.kind.Name, err)
	}
	if root.own {
		for name, value := range c.kind.Asked {
			d.DatabaseSettings[name] = value
		}
	} else if c.kind.Asked != nil {
		d.TLS = "unknown" // what a core that is not ours asks of this server cannot be seen
	}
	d.TLSWanted = root.encrypted
	return d, nil
}

// Generator runs the load generator on the cores' network, so that no
// published port lies between.
func (c *Container) Generator(ctx context.Context, cpus []int) (url, secret string, stop func() error, err error) {
	root := c.base()
	image := os.Getenv(generatorImageEnv)
	if image == "" {
		if root.genImage == "" {
			var err error
			if root.genImage, err = docker.SelfImage(ctx); err != nil {
				return "", "", nil, err
			}
		}
		image = root.genImage
	}
	const port = "7070/tcp"
	secret = rand.Text()
	g, err := testcontainers.Run(ctx, image,
		testcontainers.WithCmd("generator", "--listen", "0.0.0.0:7070"), docker.OnLoopback(port), testcontainers.WithEnv(map[string]string{announce.GeneratorSecretEnv: secret}),
		tcnetwork.WithNetwork([]string{"generator"}, root.network), docker.Pinned(cpus),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/ready").WithPort(port).WithStatusCodeMatcher(func(code int) bool { return code == 204 }).WithStartupTimeout(startWithin)))
	stop = func() error { return testcontainers.TerminateContainer(g, testcontainers.StopTimeout(2*time.Second)) }
	if err != nil {
		return "", "", nil, errors.Join(fmt.Errorf("start the load generator: %w", err), stop())
	}
	at, err := endpoint(ctx, g, port)
	if err != nil {
		return "", "", nil, errors.Join(err, stop())
	}
	return "http://" + at, secret, stop, nil
}

// QuietContainers keeps the container library's own account of each step to
// itself, for the whole process: that is how the library offers it. Errors still
// come back as errors.
func QuietContainers() { log.SetDefault(log.NewNoopLogger()) }

// Close removes all that was started.
func (c *Container) Close(ctx context.Context) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	running, nested, books := c.running, c.nested, c.books
	c.running, c.nested, c.books = map[*deployment]bool{}, nil, nil
	c.mu.Unlock()
	var errs []error
	for _, n := range nested {
		errs = append(errs, n.Close(ctx))
	}
	for d := range running {
		errs = append(errs, d.Stop(ctx))
	}
	if books != nil {
		errs = append(errs, books.Close())
	}
	if c.root != nil {
		errs = append(errs, c.cut.Close())
		if !c.cut.Borrows && !c.root.isClosed() {
			errs = append(errs, c.kind.Administer(ctx, c.root.adminURI(), c.database, false))
		}
		return errors.Join(errs...)
	}
	errs = append(errs, c.far.close())
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
