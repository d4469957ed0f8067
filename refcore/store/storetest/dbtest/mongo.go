package dbtest

import (
	"context"
	"testing"

	"github.com/testcontainers/testcontainers-go/modules/mongodb"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Mongo has no accounts, and is no replica set.
func Mongo(t testing.TB) *Server {
	t.Helper()
	return get(t, "MONGO", "mongo:8", startMongo)
}

func startMongo(ctx context.Context, image string) (*Server, error) {
	loopback, err := onLoopback("27017/tcp")
	if err != nil {
		return nil, err
	}
	c, err := mongodb.Run(ctx, image, loopback)
	s, err := started(c, err)
	if err != nil {
		return nil, err
	}
	at, err := endpoint(ctx, c, "27017/tcp")
	if err != nil {
		return nil, err
	}
	with := func(ctx context.Context, do func(*mongo.Client) error) error {
		client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + at))
		if err != nil {
			return err
		}
		defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
		return do(client)
	}
	s.URI = "mongodb://" + at + "/admin"
	s.ping = func(ctx context.Context) error {
		return with(ctx, func(c *mongo.Client) error { return c.Ping(ctx, nil) })
	}
	// A database comes into being with its first collection.
	s.create = func(_ context.Context, name string) (string, error) { return "mongodb://" + at + "/" + name, nil }
	s.drop = func(ctx context.Context, name string) error {
		return with(ctx, func(c *mongo.Client) error { return c.Database(name).Drop(ctx) })
	}
	return s, nil
}
