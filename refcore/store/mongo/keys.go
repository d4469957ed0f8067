package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/coreproof/coreproof/refcore/store"
)

// dynamicKey has its predecessor's creation time as _id, 0 for the first: each
// key has at most one successor.
type dynamicKey struct {
	Predecessor int64  `bson:"_id"`
	CreatedAt   int64  `bson:"created_at_time"`
	Value       string `bson:"value"`
}

// staticKey has its algorithm as _id: there is one key for each.
type staticKey struct {
	Algorithm string `bson:"_id"`
	ID        string `bson:"key_id"`
	Value     string `bson:"key_string"`
	CreatedAt int64  `bson:"created_at"`
}

type value struct {
	Name      string `bson:"_id"`
	Value     string `bson:"value"`
	CreatedAt int64  `bson:"created_at_time"`
}

// DynamicKeys is one find.
func (s *Store) DynamicKeys(ctx context.Context) ([]store.Key, error) {
	var rows []dynamicKey
	err := s.all(ctx, "list dynamic keys", s.dynamicKeys, bson.D{{Key: "created_at_time", Value: -1}}, &rows)
	keys := make([]store.Key, 0, len(rows))
	for _, r := range rows {
		keys = append(keys, store.Key{Value: r.Value, CreatedAt: r.CreatedAt})
	}
	return keys, err
}

// StaticKeys is one find.
func (s *Store) StaticKeys(ctx context.Context) ([]store.Key, error) {
	var rows []staticKey
	err := s.all(ctx, "list static keys", s.staticKeys, bson.D{{Key: "created_at", Value: -1}}, &rows)
	keys := make([]store.Key, 0, len(rows))
	for _, r := range rows {
		keys = append(keys, store.Key{ID: r.ID, Value: r.Value, CreatedAt: r.CreatedAt})
	}
	return keys, err
}

func (s *Store) all(ctx context.Context, what string, in *mongo.Collection, order bson.D, rows any) error {
	return s.run(ctx, what, func(ctx context.Context) error {
		cursor, err := in.Find(ctx, bson.D{}, options.Find().SetSort(order))
		if err != nil {
			return err
		}
		return cursor.All(ctx, rows)
	})
}

// AddDynamicKey is one insert.
func (s *Store) AddDynamicKey(ctx context.Context, newest int64, k store.Key) (bool, error) {
	return s.insert(ctx, "add dynamic key", s.dynamicKeys, dynamicKey{newest, k.CreatedAt, k.Value})
}

// AddStaticKey is one insert.
func (s *Store) AddStaticKey(ctx context.Context, k store.Key) (bool, error) {
	return s.insert(ctx, "add static key", s.staticKeys, staticKey{"RS256", k.ID, k.Value, k.CreatedAt})
}

// insert is false if a document is in the way.
func (s *Store) insert(ctx context.Context, what string, into *mongo.Collection, document any) (bool, error) {
	err := s.run(ctx, what, func(ctx context.Context) error {
		_, err := into.InsertOne(ctx, document)
		return err
	})
	if mongo.IsDuplicateKeyError(err) {
		return false, nil
	}
	return err == nil, err
}

// DeleteDynamicKeys is one delete.
func (s *Store) DeleteDynamicKeys(ctx context.Context, before int64) (n int, err error) {
	err = s.run(ctx, "delete dynamic keys", func(ctx context.Context) error {
		res, err := s.dynamicKeys.DeleteMany(ctx, bson.D{{Key: "created_at_time", Value: bson.D{{Key: "$lt", Value: before}}}})
		if err != nil {
			return err
		}
		n = int(res.DeletedCount)
		return nil
	})
	return n, err
}

// ValueOrInsert is one find when the value is there, else up to three commands.
func (s *Store) ValueOrInsert(ctx context.Context, name, text string, now int64) (string, error) {
	got, err := s.value(ctx, name)
	if !errors.Is(err, store.ErrNotFound) {
		return got, err
	}
	inserted, err := s.insert(ctx, fmt.Sprintf("insert value %q", name), s.values, value{name, text, now})
	if err != nil || inserted {
		return text, err
	}
	return s.value(ctx, name) // another core was faster
}

func (s *Store) value(ctx context.Context, name string) (string, error) {
	var row value
	err := s.run(ctx, fmt.Sprintf("read value %q", name), func(ctx context.Context) error {
		return s.values.FindOne(ctx, bson.D{{Key: "_id", Value: name}}).Decode(&row)
	})
	return row.Value, err
}
