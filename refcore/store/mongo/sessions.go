package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/coreproof/coreproof/refcore/store"
)

// document is a session as it is stored.
type document struct {
	Handle           string `bson:"_id"`
	UserID           string `bson:"user_id"`
	RefreshHash2     string `bson:"refresh_token_hash_2"`
	PrevRefreshHash2 string `bson:"prev_refresh_token_hash_2"`
	RotatedAt        int64  `bson:"refresh_token_rotated_at"`
	Data             string `bson:"session_data"`
	Payload          string `bson:"jwt_user_payload"`
	CreatedAt        int64  `bson:"created_at_time"`
	ExpiresAt        int64  `bson:"expires_at"`
	UseStaticKey     bool   `bson:"use_static_key"`
}

// CreateSession is one insert.
func (s *Store) CreateSession(ctx context.Context, x store.Session) error {
	if !holds(x.Handle) {
		return fmt.Errorf("create session: a handle of %d bytes does not fit or is not text", len(x.Handle))
	}
	d := document{
		x.Handle, x.UserID, x.RefreshHash2, x.PrevRefreshHash2, x.RotatedAt,
		string(x.Data), string(x.Payload), x.CreatedAt, x.ExpiresAt, x.UseStaticKey,
	}
	err := s.run(ctx, "create session", func(ctx context.Context) error {
		_, err := s.sessions.InsertOne(ctx, d)
		return err
	})
	if mongo.IsDuplicateKeyError(err) {
		return store.ErrExists
	}
	return err
}

// Session is one find by _id.
func (s *Store) Session(ctx context.Context, handle string) (store.Session, error) {
	if !holds(handle) {
		return store.Session{}, store.ErrNotFound
	}
	var d document
	err := s.run(ctx, "read session", func(ctx context.Context) error {
		return s.sessions.FindOne(ctx, byID(handle)).Decode(&d)
	})
	if err != nil {
		return store.Session{}, err
	}
	return store.Session{
		Handle: d.Handle, UserID: d.UserID, RefreshHash2: d.RefreshHash2, PrevRefreshHash2: d.PrevRefreshHash2,
		RotatedAt: d.RotatedAt, Data: []byte(d.Data), Payload: []byte(d.Payload),
		CreatedAt: d.CreatedAt, ExpiresAt: d.ExpiresAt, UseStaticKey: d.UseStaticKey,
	}, nil
}

// livenessFields are what verify reads.
var livenessFields = options.FindOne().SetProjection(bson.D{
	{Key: "_id", Value: 0},
	{Key: "refresh_token_hash_2", Value: 1},
	{Key: "prev_refresh_token_hash_2", Value: 1},
	{Key: "jwt_user_payload", Value: 1},
	{Key: "use_static_key", Value: 1},
})

// Liveness is one find by _id, at the level that readLevel chose.
func (s *Store) Liveness(ctx context.Context, handle string) (store.Liveness, error) {
	if !holds(handle) {
		return store.Liveness{}, store.ErrNotFound
	}
	var x store.Liveness
	err := s.run(ctx, "read session", func(ctx context.Context) error {
		row, err := s.sessions.FindOne(ctx, byID(handle), livenessFields).Raw()
		if err != nil {
			return err
		}
		return parseLiveness(row, &x)
	})
	if err != nil {
		return store.Liveness{}, err
	}
	return x, nil
}

// parseLiveness spares the hot path the decoding by reflection.
func parseLiveness(row bson.Raw, x *store.Liveness) error {
	var ok [4]bool
	var payload string
	x.RefreshHash2, ok[0] = row.Lookup("refresh_token_hash_2").StringValueOK()
	x.PrevRefreshHash2, ok[1] = row.Lookup("prev_refresh_token_hash_2").StringValueOK()
	payload, ok[2] = row.Lookup("jwt_user_payload").StringValueOK()
	x.UseStaticKey, ok[3] = row.Lookup("use_static_key").BooleanOK()
	if ok != [4]bool{true, true, true, true} {
		return fmt.Errorf("a field is missing or of another type: %v", ok)
	}
	x.Payload = []byte(payload)
	return nil
}

// Rotate is one update.
func (s *Store) Rotate(ctx context.Context, handle string, r store.Rotation) (bool, error) {
	return s.update(ctx, "rotate session", handle, bson.D{
		{Key: "refresh_token_hash_2", Value: r.Expect}, {Key: "use_static_key", Value: r.ExpectStaticKey},
	}, bson.D{
		{Key: "refresh_token_hash_2", Value: r.RefreshHash2},
		{Key: "prev_refresh_token_hash_2", Value: r.PrevRefreshHash2},
		{Key: "refresh_token_rotated_at", Value: r.RotatedAt},
		{Key: "expires_at", Value: r.ExpiresAt},
		{Key: "use_static_key", Value: r.UseStaticKey},
	})
}

// SetData is one update.
func (s *Store) SetData(ctx context.Context, handle string, data []byte, aliveAt int64) (bool, error) {
	return s.update(ctx, "set session data", handle, expiresAfter(aliveAt), bson.D{{Key: "session_data", Value: string(data)}})
}

// SetPayload is one update.
func (s *Store) SetPayload(ctx context.Context, handle string, payload []byte, aliveAt int64) (bool, error) {
	return s.update(ctx, "set session payload", handle, expiresAfter(aliveAt), bson.D{{Key: "jwt_user_payload", Value: string(payload)}})
}

// update changes the session that meets all conditions, and never inserts one.
func (s *Store) update(ctx context.Context, what, handle string, condition, set bson.D) (found bool, err error) {
	if !holds(handle) {
		return false, nil
	}
	err = s.run(ctx, what, func(ctx context.Context) error {
		res, err := s.sessions.UpdateOne(ctx, append(byID(handle), condition...), bson.D{{Key: "$set", Value: set}})
		if err != nil {
			return err
		}
		found = res.MatchedCount == 1 // modified or not
		return nil
	})
	return found, err
}

// Handles is one find, and one getMore for each further ten thousand sessions.
func (s *Store) Handles(ctx context.Context, userID string, aliveAt int64) ([]string, error) {
	filter := bson.D{{Key: "user_id", Value: userID}, {Key: "expires_at", Value: bson.D{{Key: "$gte", Value: aliveAt}}}}
	return s.ids(ctx, "list sessions", filter, options.Find().SetHint(byUser))
}

// ids lists the _ids of sessions.
func (s *Store) ids(ctx context.Context, what string, filter bson.D, opts *options.FindOptionsBuilder) (handles []string, err error) {
	opts.SetProjection(bson.D{{Key: "_id", Value: 1}}).SetBatchSize(10_000)
	err = s.run(ctx, what, func(ctx context.Context) error {
		cursor, err := s.sessions.Find(ctx, filter, opts)
		if err != nil {
			return err
		}
		defer func() { _ = cursor.Close(ctx) }()
		for {
			if cursor.RemainingBatchLength() == 0 && cursor.ID() != 0 {
				s.sent.Add(1) // the next batch
			}
			if !cursor.Next(ctx) {
				return cursor.Err()
			}
			handle, ok := cursor.Current.Lookup("_id").StringValueOK()
			if !ok {
				return fmt.Errorf("an _id is no string")
			}
			handles = append(handles, handle)
		}
	})
	return handles, err
}

func byID(handle string) bson.D {
	return append(make(bson.D, 0, 3), bson.E{Key: "_id", Value: handle})
}

func expiresAfter(at int64) bson.D {
	return bson.D{{Key: "expires_at", Value: bson.D{{Key: "$gt", Value: at}}}}
}
