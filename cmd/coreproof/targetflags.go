package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/dbserver"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/protocol/oauth2"
	"github.com/coreproof/coreproof/internal/protocol/protocols"
	"github.com/coreproof/coreproof/internal/prove"
)

// targetFlags say which cores to try.
type targetFlags struct {
	target    string
	described *descriptor.Descriptor
	dbs       []string
	delay     time.Duration
	encrypted bool
	image     string
	url       launch.ExternalOptions
	key       keyFlags
	instances int
	versions  []string
	name      string
}

func (t *targetFlags) group() group {
	g := newGroup("Which cores")
	g.StringVar(&t.target, "target", "", "a core that a descriptor brings up: its file, or one of "+strings.Join(descriptor.Shipped(), ", ")+" (coreproof target --help)")
	g.StringSliceVar(&t.dbs, "db", nil, "databases to try the core on: "+strings.Join(databases(), ", ")+" (default sqlite, which needs nothing)")
	g.StringVar(&t.image, "core-image", "", "image of the core that is tried on --db, started as the official ones are (default this program's own; COREPROOF_CORE_IMAGE)")
	g.BoolVar(&t.encrypted, "db-tls", false, "encrypt the connections between core and database server: "+strings.Join(dbserver.Encrypted(), ", "))
	g.DurationVar(&t.delay, "db-delay", 0, "make each round trip between core and database server so much longer, e.g. 5ms for another zone")
	g.StringSliceVar(&t.url.On, "url-on", nil, "base URLs of cores whose flag is on, instead of --db; several on one database with commas")
	g.StringSliceVar(&t.url.Off, "url-off", nil, "base URLs of cores on the same database whose flag is off")
	g.StringVar(&t.name, "name", "", "what to call the core in reports")
	t.key.add(g)
	g.StringVar(&t.url.CAFile, "ca-file", "", "trust the authorities in this PEM file")
	g.StringVar(&t.url.CertFile, "cert-file", "", "client certificate, PEM")
	g.StringVar(&t.url.KeyFile, "key-file", "", "key of the client certificate, PEM")
	g.BoolVar(&t.url.AllowRemote, "allow-remote", false, "permit hosts that are not this machine")
	g.Float64Var(&t.url.RateCap, "rate-cap", launch.DefaultRateCap, "calls per second to remote hosts, on average at most")
	g.IntSliceVar(&t.url.PIDsOn, "pid-on", nil, "processes of the flag-on cores on this machine, to read their CPU time")
	g.IntSliceVar(&t.url.PIDsOff, "pid-off", nil, "processes of the flag-off cores")
	g.BoolVar(&t.url.AlwaysChecks, "always-checks", false, "the core asks its database whatever the flag is: there is no switch to show")
	g.IntVar(&t.instances, "instances", 0, "cores on each side on one database (default 2 for checks, 1 for bench)")
	g.StringSliceVar(&t.versions, "cdi", nil, "CDI versions to try whole, e.g. 2.20,5.4 (default by rule: all that the core speaks, the newest of each kind whole)")
	return g
}

// databases that --db takes.
func databases() []string { return append([]string{"sqlite"}, dbserver.Names()...) }

// check refuses what cannot be used before anything is started.
func (t *targetFlags) check() error {
	known := databases()
	if t.target != "" {
		d, err := descriptor.Find(t.target)
		if err != nil {
			return fmt.Errorf("--target %w", err)
		}
		t.described, known = d, d.Kinds()
		switch {
		case len(t.url.On)+len(t.url.Off) > 0:
			if err := t.url.Described(d); err != nil {
				return fmt.Errorf("--target %s: %w", t.target, err)
			}
		case len(d.Command) == 0 && d.Image == "":
			return fmt.Errorf("--target %s: it has neither command nor image: say where the server is, --url-on URL", t.target)
		}
		if t.name == "" {
			t.name = d.Name
		}
		if most := d.Instances; most > 0 && t.instances > most {
			return fmt.Errorf("--instances %d: %s says that %d can share a database", t.instances, t.target, most)
		}
	}
	for _, db := range t.dbs {
		if !slices.Contains(known, db) {
			return fmt.Errorf("--db %s: there is no such database; choose from %s", db, strings.Join(known, ", "))
		}
	}
	switch {
	case t.image != "" && (t.described != nil || len(t.url.On) > 0):
		return errors.New("--core-image stands with --db: a descriptor or a URL names its core itself")
	case t.image != "" && !t.onServers():
		return errors.New("--core-image needs a database server: --db " + strings.Join(dbserver.Names(), ", "))
	case t.encrypted && (t.described != nil || !t.onServers() || slices.ContainsFunc(t.dbs, func(db string) bool { return !slices.Contains(dbserver.Encrypted(), db) })):
		return errors.New("--db-tls needs --db with none but " + strings.Join(dbserver.Encrypted(), ", ") + ", and no descriptor")
	case t.delay < 0 || t.delay > time.Second:
		return fmt.Errorf("--db-delay %s: from 0 to 1s", t.delay)
	case t.delay > 0 && !t.onServers():
		return errors.New("--db-delay needs a database server between which and the core there is a way: --db " + strings.Join(dbserver.Names(), ", "))
	case len(t.url.On) == 0 && len(t.url.Off) > 0:
		return errors.New("--url-off needs --url-on: the same core with the flag on")
	case len(t.url.On) > 0 && len(t.dbs) > 0:
		return errors.New("--url-on and --db exclude each other")
	case len(t.url.On) > 0 && t.instances > 0:
		return errors.New("--instances needs --db: of cores by URL, name several in --url-on")
	case t.instances < 0:
		return fmt.Errorf("--instances %d: at least 1", t.instances)
	case !(t.url.RateCap > 0) || math.IsInf(t.url.RateCap, 0): // no comparison with NaN is true
		return fmt.Errorf("--rate-cap %s: must be positive", strconv.FormatFloat(t.url.RateCap, 'g', -1, 64))
	}
	p := protocols.All()[0]
	if t.described != nil && t.described.Protocol.Name == descriptor.OAuth2Name {
		p, _ = protocols.Find(oauth2.Name) // it is in the list
	}
	speaks := p.Versions()
	for _, v := range t.versions {
		if !slices.Contains(speaks, v) {
			return fmt.Errorf("--cdi %s: not a %s version from %s to %s", v, p.Name(), speaks[0], speaks[len(speaks)-1])
		}
	}
	var err error
	if t.url.APIKey, err = t.key.read(); err != nil {
		return err
	}
	t.url.Name = t.name
	return nil
}

// onServers says whether each core that is tried has a database server of its own.
func (t *targetFlags) onServers() bool {
	dbs := t.dbs
	if len(dbs) == 0 && t.described != nil {
		dbs = t.described.Kinds()[:1]
	}
	return len(dbs) > 0 && !slices.ContainsFunc(dbs, func(db string) bool { return !slices.Contains(dbserver.Names(), db) })
}

// sources are the targets to open, one a database. Logs of described cores are kept
// in logs; say is told what was found of former runs.
func (t *targetFlags) sources(logs string, say func(string)) []prove.Source {
	if t.described != nil && len(t.url.On) == 0 {
		return t.describedSources(logs, say)
	}
	if len(t.url.On) > 0 {
		return []prove.Source{{Name: "url", Kind: "url", Open: func(ctx context.Context) (launch.Target, error) {
			e, err := launch.NewExternal(ctx, t.url)
			if err != nil {
				return nil, err
			}
			return e, nil
		}}}
	}
	dbs := t.dbs
	if len(dbs) == 0 {
		dbs = []string{"sqlite"}
	}
	var list []prove.Source
	for _, db := range dbs {
		s := prove.Source{Name: db, Kind: "container", Open: func(ctx context.Context) (launch.Target, error) {
			c, err := launch.NewContainerOn(ctx, launch.ContainerOptions{Database: db, CoreImage: t.image, DatabaseDelay: t.delay, DatabaseTLS: t.encrypted})
			if err != nil {
				return nil, err
			}
			return c, nil
		}}
		if db == "sqlite" {
			s.Kind, s.Open = "embedded", openEmbedded
		}
		list = append(list, s)
	}
	return list
}

func openEmbedded(context.Context) (launch.Target, error) {
	core, err := launch.Own("core")
	if err != nil {
		return nil, err
	}
	gen, err := launch.Own("generator")
	if err != nil {
		return nil, err
	}
	return launch.NewEmbedded(launch.EmbeddedOptions{Command: core, GeneratorCommand: gen})
}
