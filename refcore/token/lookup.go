package token

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// A key id that this process has not seen may be of a key that another core has
// just made, or made up by anybody at no cost. So the keys are read again, but
// not for each such token: the reads are shared by those who wait for one, and
// there are only so many a second, fewer for ids that no key can have as far as
// is known. (That can be wrong: keys may have been deleted by hand.)
const (
	likelyEvery, likelyBurst     = time.Second, 8
	doubtfulEvery, doubtfulBurst = 10 * time.Second, 1
	// lookupTimeout bounds waiting for another's read, and one's own read, of a database that
	// does not answer.
	lookupTimeout = time.Second
	// skew is how far ahead another core's clock may be.
	skew = int64(time.Hour / time.Millisecond)
)

// reserves are the reads that unknown keys may cost.
type reserves struct{ likely, doubtful *rate.Limiter }

func newReserves() reserves {
	return reserves{
		likely:   rate.NewLimiter(rate.Every(likelyEvery), likelyBurst),
		doubtful: rate.NewLimiter(rate.Every(doubtfulEvery), doubtfulBurst),
	}
}

// Lookup finds a key by its id. An id that this process has not seen is looked
// for in the database, within limits. Nil when there is no such key and when it no
// longer verifies. When the database could not say, it is an error for an id that
// a new key is likely to have, and nil for others: those anybody can make up, and
// none of ours is among them as far as is known.
func (r *Ring) Lookup(ctx context.Context, id string) (*KeyPair, error) {
	k := r.snap.Load().byID[id]
	if k == nil {
		likely, possible := r.possible(id)
		if !possible {
			return nil, nil
		}
		reserve := r.reserves.doubtful
		if likely {
			reserve = r.reserves.likely
		}
		err := r.lookAgain(ctx, reserve, func() bool {
			k = r.snap.Load().byID[id]
			return k != nil
		})
		if k == nil {
			k = r.snap.Load().byID[id] // keys may have been read while this call waited in vain
		}
		if k == nil && err != nil && likely {
			return nil, err
		}
	}
	if k == nil || !r.verifies(k) {
		return nil, nil
	}
	return k, nil
}

// possible says whether a key can have this id, and whether one that this
// process does not know is likely to. Each dynamic key is made later than all
// before it, and a static one only when there is none.
func (r *Ring) possible(id string) (likely, possible bool) {
	s := r.snap.Load()
	if rest, ok := strings.CutPrefix(id, "d-"); ok {
		created, err := strconv.ParseInt(rest, 10, 64)
		if err != nil || strconv.FormatInt(created, 10) != rest {
			return false, false
		}
		return created <= r.now()+skew && (len(s.dynamic) == 0 || created > s.dynamic[0].CreatedAt), true
	}
	rest, ok := strings.CutPrefix(id, "s-")
	return len(s.static) == 0, ok && len(rest) == 36
}

// lookAgain reads the keys unless found says, when it is this caller's turn,
// that another's read was enough, or one began after this call, or the reserve
// is used up. What is known stays when a read fails: its own, the one that began
// after this call, or the last one where the reserve is used up.
func (r *Ring) lookAgain(ctx context.Context, reserve *rate.Limiter, found func() bool) error {
	ticket := r.tickets.Add(1)
	unlock, err := r.lockSoon(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if found() {
		return nil
	}
	if r.tried > ticket || !reserve.Allow() {
		return r.readErr
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if err := r.read(ctx); err != nil {
		r.log.Warn("signing keys could not be read again for a token of an unknown key", "error", err)
		return err
	}
	found()
	return nil
}

// lockSoon is lock for as long as lookupTimeout. The read that follows has a time of its
// own: others may be content with what came of it, and they have not waited.
func (r *Ring) lockSoon(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	return r.lock(ctx)
}

// lock lets one caller at a time read the keys.
func (r *Ring) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case r.loading <- struct{}{}:
		return func() { <-r.loading }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the signing keys: %w", ctx.Err())
	}
}
