package meter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func openMongo(uri string) (*mongo.Client, error) {
	c, err := mongo.Connect(options.Client().ApplyURI(uri).SetMaxPoolSize(2).SetAppName("coreproof-meter"))
	if err != nil {
		return nil, fmt.Errorf("read the books of MongoDB: %w", err)
	}
	return c, nil
}

// AdministerMongo drops a database; one comes into being with its first collection.
func AdministerMongo(ctx context.Context, uri, database string, create bool) error {
	if create {
		return nil
	}
	c, err := openMongo(uri)
	if err != nil {
		return err
	}
	defer func() { _ = c.Disconnect(context.WithoutCancel(ctx)) }()
	return c.Database(database).Drop(ctx)
}

// Mongo reads a database of a server that speaks MongoDB's protocol.
func Mongo(ctx context.Context, uri, database string, p Process) (Database, error) {
	c, err := openMongo(uri)
	if err != nil {
		return nil, err
	}
	if err := c.Ping(ctx, nil); err != nil {
		_ = c.Disconnect(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("read the books of MongoDB: %w", err)
	}
	return &mongoBooks{uri, c, c.Database(database), p}, nil
}

type mongoBooks struct {
	uri     string
	client  *mongo.Client
	db      *mongo.Database
	process Process
}

func (b *mongoBooks) Product(ctx context.Context) (string, string, error) {
	var info struct {
		Version  string `bson:"version"`
		FerretDB struct {
			Version string `bson:"version"`
		} `bson:"ferretdb"`
	}
	if err := b.client.Database("admin").RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&info); err != nil {
		return "", "", fmt.Errorf("read the version: %w", err)
	}
	if info.FerretDB.Version != "" {
		return "FerretDB", info.FerretDB.Version + " (speaks MongoDB " + info.Version + ")", nil
	}
	return "MongoDB", info.Version, nil
}

// plainWithin bounds how long a server may take to refuse a plain connection.
const plainWithin = 3 * time.Second

// TLS: the server tells nobody. Where the harness's URI asks for none, the cores' asks for
// none either. Where it does, all connections are encrypted if a plain one is refused.
func (b *mongoBooks) TLS(ctx context.Context) (string, error) {
	asked := options.Client().ApplyURI(b.uri)
	if asked.TLSConfig == nil {
		return "no", nil
	}
	asked.TLSConfig = nil
	c, err := mongo.Connect(asked.SetServerSelectionTimeout(plainWithin).SetTimeout(plainWithin))
	if err != nil {
		return "", fmt.Errorf("read the encryption of connections: %w", err)
	}
	defer func() { _ = c.Disconnect(context.WithoutCancel(ctx)) }()
	if err := c.Ping(ctx, nil); err == nil {
		return "unknown", nil
	}
	// It is no matter of time: over TLS it answers.
	soon, cancel := context.WithTimeout(ctx, plainWithin)
	defer cancel()
	if err := b.client.Ping(soon, nil); err != nil {
		return "unknown", ctx.Err()
	}
	return "yes", nil
}

func (b *mongoBooks) Settings(context.Context) (map[string]string, error) {
	return map[string]string{}, nil
}

// counted are the commands that read or write documents.
var counted = []string{"find", "insert", "update", "delete", "findAndModify", "findandmodify", "aggregate", "count", "distinct", "getMore"}

// Statements counts commands by the server's own books.
func (b *mongoBooks) Statements(ctx context.Context) (uint64, error) {
	var s struct {
		Metrics struct {
			Commands map[string]bson.RawValue `bson:"commands"`
		} `bson:"metrics"`
	}
	if err := b.client.Database("admin").RunCommand(ctx, bson.D{{Key: "serverStatus", Value: 1}}).Decode(&s); err != nil {
		return 0, fmt.Errorf("read serverStatus: %w", err)
	}
	if len(s.Metrics.Commands) == 0 {
		return 0, fmt.Errorf("read serverStatus: no counts of commands: %w", ErrUnsupported)
	}
	var sum uint64
	for name, raw := range s.Metrics.Commands {
		doc, ok := raw.DocumentOK()
		if !ok || !slices.Contains(counted, name) {
			continue
		}
		if n, ok := doc.Lookup("total").AsInt64OK(); ok {
			sum += uint64(n)
		}
	}
	return sum, nil
}

func (b *mongoBooks) Source() string { return "serverStatus.metrics.commands" }

func (b *mongoBooks) SessionRows(ctx context.Context) (int64, error) {
	return b.db.Collection("session_info").CountDocuments(ctx, bson.D{})
}

func (b *mongoBooks) SchemaHash(ctx context.Context) (string, error) {
	names, err := b.db.ListCollectionNames(ctx, bson.D{})
	if err != nil {
		return "", fmt.Errorf("read the collections: %w", err)
	}
	slices.Sort(names)
	h := sha256.New()
	for _, name := range names {
		indexes, err := b.db.Collection(name).Indexes().ListSpecifications(ctx)
		if err != nil {
			return "", fmt.Errorf("read the indexes of %s: %w", name, err)
		}
		var lines []string
		for _, i := range indexes {
			lines = append(lines, fmt.Sprintf("%s %s %v", i.Name, i.KeysDocument, i.Unique != nil && *i.Unique))
		}
		slices.Sort(lines)
		fmt.Fprintf(h, "%s %q\x00", name, lines)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func (b *mongoBooks) Bytes(ctx context.Context) (int64, error) {
	var s struct {
		StorageSize    float64 `bson:"storageSize"`
		TotalIndexSize float64 `bson:"totalIndexSize"`
		Size           float64 `bson:"size"`
	}
	if err := b.db.RunCommand(ctx, bson.D{{Key: "collStats", Value: "session_info"}}).Decode(&s); err != nil {
		return 0, fmt.Errorf("read the size: %w", err)
	}
	if n := int64(s.StorageSize + s.TotalIndexSize); n > 0 {
		return n, nil
	}
	return int64(s.Size), nil
}

func (b *mongoBooks) Compact(ctx context.Context) error {
	if err := b.db.RunCommand(ctx, bson.D{{Key: "compact", Value: "session_info"}, {Key: "force", Value: true}}).Err(); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return nil
}

// fillDocuments is how many documents are sent at once.
const fillDocuments = 5000

func (b *mongoBooks) Fill(ctx context.Context, rows int64) error {
	c := b.db.Collection("session_info")
	var model bson.M
	if err := c.FindOne(ctx, bson.D{}).Decode(&model); err != nil {
		return fmt.Errorf("fill the session collection: read a document to copy: %w", err)
	}
	err := grow(ctx, rows, b.SessionRows, func(ctx context.Context, n int64) error {
		for n > 0 {
			list := make([]bson.M, min(n, fillDocuments))
			for i := range list {
				list[i] = maps.Clone(model)
				list[i]["_id"], list[i]["user_id"] = uuid.NewString(), uuid.NewString()
			}
			if _, err := c.InsertMany(ctx, list, options.InsertMany().SetOrdered(false)); err != nil {
				return err
			}
			n -= int64(len(list))
		}
		return nil
	})
	if err != nil {
		return err
	}
	// MongoDB writes down what is pending; FerretDB, whose database does, knows no such command.
	_ = b.client.Database("admin").RunCommand(ctx, bson.D{{Key: "fsync", Value: 1}}).Err()
	return ctx.Err()
}

func (b *mongoBooks) Process() Process { return b.process }

func (b *mongoBooks) Close() error { return b.client.Disconnect(context.Background()) }
