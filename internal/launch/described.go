package launch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/internal/docker"
	"github.com/coreproof/coreproof/internal/launch/beside"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/launch/environ"
	"github.com/coreproof/coreproof/internal/launch/leftover"
	"github.com/coreproof/coreproof/internal/launch/place"
	"github.com/coreproof/coreproof/internal/launch/speak"
	"github.com/coreproof/coreproof/internal/launch/warmup"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/version"
)

// OwnMemory is the name of a target whose cores have no database.
const OwnMemory = "no-database"

// DescribedOptions say which core is brought up, on what.
type DescribedOptions struct {
	Descriptor *descriptor.Descriptor
	// Database is one of the descriptor's; "" is its first.
	Database string
	// Build is what {{.Build}} stands for: a program's path, or an image; "" where the
	// descriptor says by itself what is started.
	Build string
	// DatabaseDelay is how much longer each round trip to a database server is made.
	DatabaseDelay time.Duration
	// GeneratorCommand starts a load generator; flags are added.
	GeneratorCommand []string
	// LogDir is where the cores' logs are kept; "" keeps none.
	LogDir string
	// StateRoot is where runs keep what they have started; "" is leftover.Root.
	StateRoot string
	// Say is told what was found of former runs; may be nil.
	Say func(line string)
}

// Described brings cores up as a descriptor says: as processes of this machine or in
// containers, on a file, a database server of its own, or nothing.
type Described struct {
	o        DescribedOptions
	d        *descriptor.Descriptor
	base     descriptor.Database
	protocol protocol.Protocol
	key      string
	run      *leftover.Run
	box      *Container // the database's server, or the network of containers; may be nil
	dir      string     // of all instances on this database
	nested   bool       // shares run and server with the target that it was made from
	warm     time.Duration

	*onDatabase
	made   *atomic.Int64 // instances so far, on all databases
	spoken *speak.Versions
}

// onDatabase is what all views of a target on one database share.
type onDatabase struct {
	mu      sync.Mutex
	running map[*deployment]bool
	below   []Target
	books   meter.Database
	closed  bool
	prepare beside.Preparation
}

func newOnDatabase() *onDatabase { return &onDatabase{running: map[*deployment]bool{}} }

var (
	_ Target        = (*Described)(nil)
	_ GeneratorHost = (*Described)(nil)
	_ Warmer        = (*Described)(nil)
)

// NewDescribed cleans up what former runs left and brings the database up; cores
// come with Start.
func NewDescribed(ctx context.Context, o DescribedOptions) (_ *Described, err error) {
	d := o.Descriptor
	x := &Described{o: o, d: d, base: d.Databases[0], onDatabase: newOnDatabase(), made: &atomic.Int64{}, spoken: &speak.Versions{}}
	if o.Database != "" {
		i := slices.IndexFunc(d.Databases, func(b descriptor.Database) bool { return b.Kind == o.Database })
		if i < 0 {
			return nil, fmt.Errorf("target %s runs on %s, not on %s", d.Name, strings.Join(d.Kinds(), ", "), o.Database)
		}
		x.base = d.Databases[i]
	}
	if x.key, err = d.Key(); err != nil {
		return nil, err
	}
	// What a template lacks of the caller's is told before anything is started.
	trial, err := d.Instance(x.base, x.values("", 0, false), nil)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", d.Name, err)
	}
	if err := d.Reveal(); err != nil {
		return nil, fmt.Errorf("target %s: %w", d.Name, err)
	}
	root := o.StateRoot
	if root == "" {
		root = leftover.Root()
	}
	said, err := leftover.Sweep(root, func(id string) (int, error) { return docker.RemoveMarked(ctx, leftover.Marker, id) })
	for _, line := range said {
		x.say(line)
	}
	if err != nil {
		x.say(err.Error()) // no reason not to run
	}
	if x.run, err = leftover.Begin(root); err != nil {
		return nil, err
	}
	x.protocol = speak.Protocol(d, trial.Adapter, x.inherited()) // an adapter carries the run's mark
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("target %s: %w", d.Name, err), x.Close(context.WithoutCancel(ctx)))
		}
	}()
	x.dir = filepath.Join(x.run.Dir, "database")
	if err := os.Mkdir(x.dir, 0o700); err != nil {
		return nil, err
	}
	if o.LogDir != "" {
		if err := os.MkdirAll(o.LogDir, 0o755); err != nil {
			return nil, fmt.Errorf("make a folder for the cores' logs: %w", err)
		}
	}
	if d.Image != "" {
		if err := docker.Image(ctx, trial.Image, ""); err != nil {
			return nil, fmt.Errorf("the core: %w", err)
		}
	}
	if kind := x.base.Kind; d.Image != "" || kind != noDatabase && kind != "sqlite" {
		err = x.serve(ctx, kind)
	}
	return x, err
}

// serve brings the database's server up, or the containers' network alone.
func (x *Described) serve(ctx context.Context, kind string) (err error) {
	if x.box, err = newContainer(ctx, kind); err != nil {
		return err
	}
	inside := x.d.Image != "" // a relay is where the cores are
	if inside {
		x.box.far.delay = x.o.DatabaseDelay
	}
	if err := x.box.up(ctx, map[string]string{leftover.Marker: x.run.ID}); err != nil || inside || x.box.kind == nil || x.o.DatabaseDelay == 0 {
		return err
	}
	x.box.far.delay = x.o.DatabaseDelay
	return x.box.relayHere()
}

func (x *Described) say(line string) {
	if x.o.Say != nil {
		x.o.Say(line)
	}
}

// inherited is what commands keep of this process's environment, with the mark by
// which a later run finds them.
func (x *Described) inherited() []string {
	env := environ.Inherited()
	for _, name := range x.d.Inherit {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	if x.run != nil {
		env = append(env, leftover.Marker+"="+x.run.ID)
	}
	return env
}

// Name is that of the database.
func (x *Described) Name() string {
	if x.base.Kind == noDatabase {
		return OwnMemory
	}
	return x.base.Kind
}

// Kind is "process" or "container".
func (x *Described) Kind() string {
	if x.d.Image != "" {
		return "container"
	}
	return "process"
}

// Protocol that the cores speak.
func (x *Described) Protocol() protocol.Protocol { return x.protocol }

// Capabilities: what the descriptor says.
func (x *Described) Capabilities() Capabilities {
	return Capabilities{
		Settings: true, Throwaway: true, Kill: true, Instances: x.d.Instances, AlwaysChecks: x.d.Flag == descriptor.Always,
		Off: x.d.Flag != descriptor.Always && x.d.Flag != descriptor.ByRequest,
		// Several on no database of ours have one that is not ours, or share a folder.
		Apart: x.base.Kind == noDatabase && x.d.Instances == 1,
	}
}

// Versions that the cores and the descriptor name.
func (x *Described) Versions(context.Context) ([]string, error) {
	list, err := x.spoken.Get()
	if want := x.d.Protocol.Versions; err == nil && len(want) > 0 {
		all := list
		list = slices.DeleteFunc(slices.Clone(all), func(v string) bool { return !slices.Contains(want, v) })
		if len(list) == 0 {
			return nil, fmt.Errorf("target %s: the core speaks %s and none of protocol.versions (%s): mend them", x.d.Name, strings.Join(all, ", "), strings.Join(want, ", "))
		}
	}
	return list, err
}

// wished are settings by the harness's names; one that the core lacks is
// ErrUnsupported, but for an exactness that it has anyway.
func (x *Described) wished(s Settings) (map[string]string, error) {
	set := map[string]string{}
	if s.AccessTokenValidity > 0 {
		set["access_token_validity"] = strconv.FormatInt(int64(s.AccessTokenValidity/time.Second), 10)
	}
	for name, value := range s.Extra {
		set[strings.ToLower(name)] = value
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if s, ok := x.d.Settings[name]; !ok {
			return nil, fmt.Errorf("%w: %s has no setting %s in its descriptor", ErrUnsupported, x.d.Name, name)
		} else if _, err := s.Spell(name, set[name]); err != nil {
			return nil, fmt.Errorf("%w: %s: setting %s: %w", ErrUnsupported, x.d.Name, name, err)
		}
	}
	const jitter = "access_token_validity_jitter"
	if _, ok := x.d.Settings[jitter]; ok && s.Jitter != nil {
		set[jitter] = strconv.FormatFloat(*s.Jitter, 'f', -1, 64)
	}
	return set, nil
}

// Warm is a view of the target whose cores are called for as long as the
// descriptor says before they are handed out.
func (x *Described) Warm() Target {
	w := *x
	w.warm = x.d.Warmup.For()
	return &w
}

// Start brings up n cores, or as many as can share a database.
func (x *Described) Start(ctx context.Context, n int, s Settings) (Deployment, error) {
	x.mu.Lock()
	closed := x.closed
	x.mu.Unlock()
	if closed {
		return nil, fmt.Errorf("target %s: closed", x.d.Name)
	}
	if most := x.d.Instances; most > 0 {
		n = min(n, most)
	}
	set, err := x.wished(s)
	if err != nil {
		return nil, err
	}
	d := &deployment{protocol: x.protocol, settings: s, side: sideName(s), dial: protocol.DialOptions{APIKey: x.key, Reach: place.Reach(false, nil)}}
	d.stop = func(ctx context.Context, list []process) error {
		x.mu.Lock()
		delete(x.running, d)
		x.mu.Unlock()
		return stopDescribed(ctx, list)
	}
	if err := x.startAll(ctx, d, n, s, set); err != nil {
		return nil, fmt.Errorf("target %s: %w", x.d.Name, errors.Join(err, d.Stop(context.WithoutCancel(ctx))))
	}
	x.mu.Lock()
	x.running[d] = true
	x.mu.Unlock()
	return d, nil
}

func (x *Described) startAll(ctx context.Context, d *deployment, n int, s Settings, set map[string]string) error {
	started := make([]process, n)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		one := func() {
			if started[i], errs[i] = x.startOne(ctx, i, s, set); errs[i] != nil {
				errs[i] = fmt.Errorf("start core %d: %w", i, errs[i])
			}
		}
		if x.d.Start == descriptor.Together {
			wg.Go(one)
		} else if one(); errs[i] != nil {
			break
		}
	}
	wg.Wait()
	for i, p := range started {
		if errs[i] == nil && p != nil {
			d.add(p)
		}
	}
	err := errors.Join(errs...)
	if err == nil {
		err = x.spoken.Learn(ctx, x.protocol, d.first())
	}
	if err != nil || x.warm == 0 {
		return err
	}
	versions, err := x.Versions(ctx)
	if err != nil {
		return err
	}
	cores, err := d.Cores(versions[len(versions)-1])
	if err != nil {
		return err
	}
	return warmup.Call(ctx, cores, x.warm)
}

// Isolated gives a target on a new, empty database.
func (x *Described) Isolated(ctx context.Context, name string) (Target, error) {
	n := *x
	n.nested, n.onDatabase = true, newOnDatabase()
	dir, err := os.MkdirTemp(x.run.Dir, strings.Map(fileName, name)+"-")
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", x.d.Name, err)
	}
	if n.dir = dir; x.box != nil && x.box.kind != nil {
		box, err := x.box.Isolated(ctx, name)
		if err != nil {
			return nil, err
		}
		n.box = box.(*Container)
	}
	x.mu.Lock()
	x.below = append(x.below, &n)
	x.mu.Unlock()
	return &n, nil
}

// Generator runs the load generator where the cores are.
func (x *Described) Generator(ctx context.Context, cpus []int) (url, secret string, stop func() error, err error) {
	if x.d.Image != "" {
		return x.box.Generator(ctx, cpus)
	}
	return localGenerator(ctx, x.o.GeneratorCommand, cpus)
}

// Database reads the server's books, or the file's where the core counts its
// statements.
func (x *Described) Database(ctx context.Context) (meter.Database, error) {
	if x.box != nil && x.box.kind != nil {
		return x.box.Database(ctx)
	}
	if x.base.Kind != "sqlite" || x.d.Metrics == nil {
		return nil, ErrUnsupported
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.books == nil {
		books, err := meter.SQLite(x.file(), x.statements)
		if err != nil {
			return nil, fmt.Errorf("target %s: %w", x.d.Name, err)
		}
		x.books = books
	}
	return x.books, nil
}

// Describe says what takes part.
func (x *Described) Describe(ctx context.Context) (Description, error) {
	trial, err := x.d.Instance(x.base, x.values("", 0, true), nil)
	d := Description{CoreProduct: x.d.Name, CoreVersion: trial.Version, CoreImage: trial.Image, TLS: "none", DatabaseAt: "inside the core's process"}
	if x.box != nil && x.box.kind != nil {
		d.TLS, d.Image, d.DatabaseAt = "unknown", x.box.base().dbImage, "in a container on this Docker host, free to use all its CPUs"+x.box.base().far.words()
	} else {
		d.Notes = append(d.Notes, "the database runs inside the core's process: its CPU is part of the core's")
	}
	books, booksErr := x.Database(ctx)
	if errors.Is(booksErr, ErrUnsupported) || err != nil || booksErr != nil {
		if errors.Is(booksErr, ErrUnsupported) {
			booksErr = nil
		}
		return d, errors.Join(err, booksErr)
	}
	if d.DatabaseProduct, d.DatabaseVersion, err = books.Product(ctx); err == nil {
		d.DatabaseSettings, err = books.Settings(ctx)
	}
	if err != nil {
		err = fmt.Errorf("target %s: %w", x.d.Name, err)
	}
	return d, err
}

// Close stops all cores and removes all that was made.
func (x *Described) Close(ctx context.Context) error {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return nil
	}
	x.closed = true
	running, below, books := slices.Collect(maps.Keys(x.running)), x.below, x.books
	x.mu.Unlock()
	var errs []error
	for _, t := range below {
		errs = append(errs, t.Close(ctx))
	}
	for _, d := range running {
		errs = append(errs, d.Stop(ctx))
	}
	if books != nil {
		errs = append(errs, books.Close())
	}
	if x.box != nil && (!x.nested || x.box.root != nil) {
		errs = append(errs, x.box.Close(ctx))
	}
	if x.nested {
		return errors.Join(append(errs, os.RemoveAll(x.dir))...)
	}
	if c, ok := x.protocol.(interface{ Close() error }); ok {
		errs = append(errs, c.Close())
	}
	return errors.Join(append(errs, x.run.End())...)
}

// values are those of one instance.
func (x *Described) values(dir string, instance int, flag bool) descriptor.Values {
	v := descriptor.Values{Host: "127.0.0.1", Instance: instance, Build: x.o.Build, Dir: dir, Shared: x.dir, Flag: flag, APIKey: x.key, SelfVersion: version.String()}
	v.Self, _ = os.Executable() // "" where the system does not tell
	v.Database.File = x.file()
	if x.d.Image != "" {
		v.Host, v.Port = "0.0.0.0", x.d.Port
	}
	if x.box == nil || x.box.kind == nil {
		return v
	}
	at := x.box.outer()
	if x.d.Image != "" {
		at = x.box.inner()
	}
	host, port, _ := strings.Cut(at, ":")
	v.Database.Host, v.Database.Name = host, x.box.database
	v.Database.Port, _ = strconv.Atoi(port)
	v.Database.URI = x.box.kind.URI(at, x.box.base().password, x.box.database, false)
	if v.Database.User = x.box.kind.User; v.Database.User != "" {
		v.Database.Password = x.box.base().password
	}
	return v
}

// file of an embedded database.
func (x *Described) file() string { return filepath.Join(x.dir, "sessions.db") }
