// Package mongo keeps sessions in MongoDB, or in a server that speaks its
// protocol.
//
// All writes are conditional and of one document, with the concern majority and
// journaled, whatever the URI says. There are no transactions.
package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"github.com/coreproof/coreproof/refcore/store"
)

// Store is a MongoDB database with its indexes in place.
type Store struct {
	cfg    store.Config
	client *mongo.Client

	sessions, dynamicKeys, staticKeys, values *mongo.Collection

	sent atomic.Uint64
}

var _ store.Store = (*Store)(nil)

// Ping sends ping to the primary.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	if err := s.client.Ping(ctx, readpref.Primary()); err != nil {
		return fmt.Errorf("ping mongo: %w", err)
	}
	return nil
}

// Statements counts commands, and further batches of a list; not what the driver
// sends again when a primary was lost.
func (s *Store) Statements() uint64 { return s.sent.Load() }

// Close disconnects.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.StatementTimeout)
	defer cancel()
	return s.client.Disconnect(ctx)
}

// run sends one command. The driver itself repeats reads, and on replica sets
// writes under a transaction number, which the server executes once.
func (s *Store) run(ctx context.Context, what string, f func(ctx context.Context) error) error {
	ctx, cancel := store.Bound(ctx, s.cfg.StatementTimeout)
	defer cancel()
	s.sent.Add(1)
	switch err := f(ctx); {
	case err == nil:
		return nil
	case errors.Is(err, mongo.ErrNoDocuments):
		return store.ErrNotFound
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%s in mongo: %w (%w)", what, ctx.Err(), err)
	default:
		return fmt.Errorf("%s in mongo: %w", what, err)
	}
}

// holds says whether a handle can be an _id here. What cannot be one is not
// there; asking the server would be an error.
func holds(handle string) bool {
	return len(handle) <= maxHandle && utf8.ValidString(handle) && strings.IndexByte(handle, 0) < 0
}

const maxHandle = 1024
