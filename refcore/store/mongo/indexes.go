package mongo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// byUser is the index that lists go by. Going by expires_at, which refresh
// moves, they could miss a session.
const byUser = "user_id_index"

// createIndexes creates those of the sessions; one that is there is left alone by
// the server. It tries a few times: ten cores that create the same collection at
// once may be told that another is at it. The other collections have only _id,
// which holds what must be unique in them: FerretDB 2.7 runs into deadlocks with
// a unique index of another field.
func (s *Store) createIndexes(ctx context.Context) error {
	ascending := func(field, name string) mongo.IndexModel {
		return mongo.IndexModel{Keys: bson.D{{Key: field, Value: 1}}, Options: options.Index().SetName(name)}
	}
	indexes := []mongo.IndexModel{ascending("user_id", byUser), ascending("expires_at", "expires_at_index")}
	for tries := 0; ; tries++ {
		_, err := s.sessions.Indexes().CreateMany(ctx, indexes)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("create indexes of %s: %w", s.sessions.Name(), err)
		if tries == 20 || mongo.IsNetworkError(err) || mongo.IsTimeout(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(50 * time.Millisecond)):
		}
	}
}
