package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Delete is one delete for each handle: for several at once the server says how
// many went, and not which.
func (s *Store) Delete(ctx context.Context, handles []string) (gone []string, err error) {
	seen := make(map[string]bool, len(handles))
	for _, h := range handles {
		if seen[h] || !holds(h) {
			continue
		}
		seen[h] = true
		was, err := s.deleteOne(ctx, h)
		if err != nil {
			return nil, err
		}
		if was {
			gone = append(gone, h)
		}
	}
	return gone, nil
}

// deleteOne filters by _id alone: a delete that waited for a refresh deletes the
// refreshed session. It is a deleteMany of one document, because FerretDB 2.7
// loses a deleteOne or findOneAndDelete that meets an update of the same
// document: it answers that nothing was there, and the session lives on.
func (s *Store) deleteOne(ctx context.Context, handle string) (was bool, err error) {
	err = s.run(ctx, "delete session", func(ctx context.Context) error {
		res, err := s.sessions.DeleteMany(ctx, byID(handle))
		if err != nil {
			return err
		}
		was = res.DeletedCount == 1
		return nil
	})
	return was, err
}

// maxPasses ends DeleteByUser beside a user who logs in faster than it deletes.
// Whoever is left then has come since the call began.
const maxPasses = 5

// DeleteByUser is a find and one delete for each session, again until a find
// finds nothing.
func (s *Store) DeleteByUser(ctx context.Context, userID string, aliveAt int64) (gone []string, err error) {
	for range maxPasses {
		handles, err := s.Handles(ctx, userID, aliveAt)
		if err != nil {
			return nil, err
		}
		if len(handles) == 0 {
			break
		}
		some, err := s.Delete(ctx, handles)
		if err != nil {
			return nil, err
		}
		gone = append(gone, some...)
	}
	return gone, nil
}

// DeleteExpired is a find and a delete. A session that was refreshed in between
// stays.
func (s *Store) DeleteExpired(ctx context.Context, now int64, limit int) (n int, err error) {
	if limit <= 0 {
		return 0, nil
	}
	expired := bson.E{Key: "expires_at", Value: bson.D{{Key: "$lte", Value: now}}}
	handles, err := s.ids(ctx, "list expired sessions", bson.D{expired}, options.Find().SetLimit(int64(limit)))
	if err != nil || len(handles) == 0 {
		return 0, err
	}
	err = s.run(ctx, "delete expired sessions", func(ctx context.Context) error {
		res, err := s.sessions.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: handles}}}, expired})
		if err != nil {
			return err
		}
		n = int(res.DeletedCount)
		return nil
	})
	return n, err
}
