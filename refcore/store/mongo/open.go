package mongo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/internal/outage"
	"github.com/coreproof/coreproof/refcore/store/internal/place"
)

// Open connects to the database that cfg.URI names
// (mongodb://user:password@host:port/name?options) and creates the indexes if
// they are missing. The driver fills the pool to cfg.MinIdle in the background.
//
// Of the URI's own options those that a revoke depends on are overruled, see
// overruled; readConcernLevel is not: see readLevel. The others count, and cfg
// speaks where they are silent.
func Open(ctx context.Context, cfg store.Config) (store.Store, error) {
	return openWith(ctx, cfg, nil)
}

// openWith lets a test change the client's options.
func openWith(ctx context.Context, cfg store.Config, change func(*options.ClientOptions)) (*Store, error) {
	cfg = cfg.Filled()
	ctx, cancel := context.WithTimeout(ctx, cfg.OpenTimeout())
	defer cancel()
	s, err := open(ctx, cfg, change)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", place.Of(cfg.URI), place.OneLine(outage.Mark(err, passes(err))))
	}
	return s, nil
}

// passes says that a database that could not be opened may yet come.
func passes(err error) bool {
	if strings.Contains(err.Error(), "auth error") { // the driver's type for it is internal
		return false
	}
	return mongo.IsNetworkError(err) || mongo.IsTimeout(err) || outage.Network(err)
}

func open(ctx context.Context, cfg store.Config, change func(*options.ClientOptions)) (*Store, error) {
	opts, err := clientOptions(cfg)
	if err != nil {
		return nil, err
	}
	cfg.StatementTimeout = *opts.Timeout
	if change != nil {
		change(opts)
	}
	name, err := databaseName(cfg)
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(opts)
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, client: client}
	if err := s.start(ctx, name, opts.ReadConcern); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) start(ctx context.Context, database string, asked *readconcern.ReadConcern) error {
	hello, err := s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Raw()
	if err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	level := options.Collection().SetReadConcern(readLevel(hello, asked))
	db, names := s.client.Database(database), s.cfg.Names()
	s.sessions = db.Collection(names.Session, level)
	s.dynamicKeys = db.Collection(names.DynamicKey, level)
	s.staticKeys = db.Collection(names.StaticKey, level)
	s.values = db.Collection(names.KeyValue, level)
	return s.createIndexes(ctx)
}

// readLevel is the weakest level that sees every acknowledged delete. On a server
// that is alone this is "local". In a replica set it is "linearizable": a primary
// that was deposed and does not know it yet, for seconds after a partition,
// answers "local" and "majority" reads from before a delete that its successor
// has acknowledged; a linearizable read asks a majority first. That costs a
// round trip between the members for each read. Who would rather have it cheap
// and wrong for these seconds says so with readConcernLevel in the URI.
func readLevel(hello bson.Raw, asked *readconcern.ReadConcern) *readconcern.ReadConcern {
	if asked != nil && asked.Level != "" {
		return asked
	}
	_, isMember := hello.Lookup("setName").StringValueOK()
	if msg, _ := hello.Lookup("msg").StringValueOK(); isMember || msg == "isdbgrid" {
		return readconcern.Linearizable()
	}
	return readconcern.Local()
}

func clientOptions(cfg store.Config) (*options.ClientOptions, error) {
	opts := options.Client().ApplyURI(cfg.URI)
	if err := opts.Validate(); err != nil {
		return nil, withoutCredentials(cfg.URI, err)
	}
	if opts.AppName == nil {
		opts.SetAppName("refcore")
	}
	journaled := true
	opts.SetWriteConcern(&writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journaled})
	opts.SetReadPreference(readpref.Primary())
	if opts.MaxPoolSize == nil || *opts.MaxPoolSize == 0 { // 0 would be no bound
		least := uint64(1)
		if opts.MinPoolSize != nil {
			least = *opts.MinPoolSize
		}
		opts.SetMaxPoolSize(max(uint64(cfg.PoolSize), least))
	}
	if opts.MinPoolSize == nil {
		opts.SetMinPoolSize(min(uint64(cfg.MinIdle), *opts.MaxPoolSize))
	}
	if opts.MaxConnecting == nil {
		opts.SetMaxConnecting(min(*opts.MaxPoolSize, 4))
	}
	if opts.MaxConnIdleTime == nil {
		opts.SetMaxConnIdleTime(cfg.IdleTimeout)
	}
	if opts.Timeout == nil || *opts.Timeout <= 0 { // 0 would be for ever
		opts.SetTimeout(cfg.StatementTimeout)
	}
	for _, x := range []struct {
		given *time.Duration
		set   func(time.Duration) *options.ClientOptions
	}{{opts.ServerSelectionTimeout, opts.SetServerSelectionTimeout}, {opts.ConnectTimeout, opts.SetConnectTimeout}} {
		if x.given == nil || *x.given <= 0 {
			x.set(*opts.Timeout)
		}
	}
	return opts, nil
}

// withoutCredentials is err if it cannot quote the password: if the URI without
// its credentials is wrong in the same way.
func withoutCredentials(uri string, err error) error {
	scheme, rest, _ := strings.Cut(uri, "://")
	at := strings.LastIndex(rest, "@")
	if at < 0 {
		return err
	}
	if bare := options.Client().ApplyURI(scheme + "://" + rest[at+1:]).Validate(); bare != nil {
		return bare
	}
	return errors.New("the URI's user or password cannot be parsed; are they escaped?")
}

func databaseName(cfg store.Config) (string, error) {
	name := cfg.Database // the setting wins over the URI
	if name == "" {
		// Not net/url: several hosts.
		_, rest, _ := strings.Cut(cfg.URI, "://")
		_, name, _ = strings.Cut(rest, "/")
		name, _, _ = strings.Cut(name, "?")
		if unescaped, err := url.PathUnescape(name); err == nil {
			name = unescaped
		}
	}
	if name == "" {
		return "", errors.New("neither the URI nor the configuration names a database")
	}
	return name, nil
}
