package token

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// Overlap is how long a new dynamic key is published before it signs, in ms.
const Overlap = 60_000

// Ring holds the signing keys that all cores on one database share. It is safe
// for concurrent use.
type Ring struct {
	keys     store.Keys
	now      func() int64 // ms
	interval int64        // ms a dynamic key signs
	validity int64        // ms an access token lives
	log      *slog.Logger

	snap    atomic.Pointer[snapshot]
	tickets atomic.Uint64
	loading chan struct{} // one read at a time; a channel, so that waiting obeys a context
	tried   uint64        // ticket of the last read, be it in vain; loading guards it
	readErr error         // of the last read; loading guards it
	reserves
	dynamics, statics maker
	headers           headerCache

	rotating atomic.Bool
	work     sync.WaitGroup
	ctx      context.Context
	stop     context.CancelFunc
}

// snapshot is an immutable view of the stored keys.
type snapshot struct {
	ticket  uint64 // taken before the read began
	dynamic []*KeyPair
	static  []*KeyPair
	byID    map[string]*KeyPair
}

// RingOptions is what a Ring needs.
type RingOptions struct {
	Keys     store.Keys
	Now      func() int64  // ms since 1970
	Interval time.Duration // access_token_dynamic_signing_key_update_interval
	Validity time.Duration // access_token_validity
	Log      *slog.Logger
}

// NewRing loads the keys and stores a first dynamic and a first static one if
// there are none.
func NewRing(ctx context.Context, o RingOptions) (*Ring, error) {
	r := &Ring{
		keys: o.Keys, now: o.Now, interval: o.Interval.Milliseconds(), validity: o.Validity.Milliseconds(),
		log: o.Log, loading: make(chan struct{}, 1), reserves: newReserves(),
		dynamics: newMaker(), statics: newMaker(),
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	if err := r.reload(ctx, r.tickets.Add(1)); err != nil {
		r.stop()
		return nil, err
	}
	if r.noStatic() {
		if err := r.addStatic(ctx); err != nil {
			r.stop()
			return nil, err
		}
	}
	if r.due() {
		if err := r.addDynamic(ctx); err != nil {
			r.stop()
			return nil, err
		}
	}
	return r, nil
}

// Close ends the work in the background.
func (r *Ring) Close() {
	r.stop()
	r.work.Wait()
}

// reload reads the keys; a caller whose ticket is older than a snapshot that
// another caller has just loaded is content with that.
func (r *Ring) reload(ctx context.Context, ticket uint64) error {
	unlock, err := r.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if old := r.snap.Load(); old != nil && old.ticket > ticket {
		return nil
	}
	return r.read(ctx)
}

// read reads both key lists, for whoever has the lock. Nobody else is content with
// a read that failed because its caller went away.
func (r *Ring) read(ctx context.Context) error {
	err := r.readBoth(ctx)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		r.tried = 0
		return err
	}
	r.readErr = err
	return err
}

func (r *Ring) readBoth(ctx context.Context) error {
	old := r.snap.Load()
	r.tried = r.tickets.Add(1)
	s := &snapshot{ticket: r.tried, byID: map[string]*KeyPair{}}
	dynamic, err := r.keys.DynamicKeys(ctx)
	if err != nil {
		return fmt.Errorf("read the dynamic signing keys: %w", err)
	}
	static, err := r.keys.StaticKeys(ctx)
	if err != nil {
		return fmt.Errorf("read the static signing keys: %w", err)
	}
	for _, k := range dynamic {
		p, err := r.pair(old, "d-"+strconv.FormatInt(k.CreatedAt, 10), false, k)
		if err != nil {
			return err
		}
		s.dynamic = append(s.dynamic, p)
		s.byID[p.ID] = p
	}
	for _, k := range static {
		p, err := r.pair(old, k.ID, true, k)
		if err != nil {
			return err
		}
		s.static = append(s.static, p)
		s.byID[p.ID] = p
	}
	r.snap.Store(s)
	return nil
}

// pair parses a key unless the previous snapshot has it already.
func (r *Ring) pair(old *snapshot, id string, static bool, k store.Key) (*KeyPair, error) {
	if old != nil {
		if p := old.byID[id]; p != nil && strings.HasPrefix(k.Value, p.PublicDER) {
			return p, nil
		}
	}
	return parseKey(id, static, k)
}

// due says whether a new dynamic key must be made: the newest one stops
// signing in less than Overlap.
func (r *Ring) due() bool {
	d := r.snap.Load().dynamic
	return len(d) == 0 || d[0].CreatedAt < r.now()-r.interval+Overlap
}

func (r *Ring) noStatic() bool { return len(r.snap.Load().static) == 0 }

// rotate makes a new dynamic key if one is due.
func (r *Ring) rotate(ctx context.Context) error {
	return r.dynamics.run(ctx, r.due, func(ctx context.Context) error {
		return r.unlessStored(ctx, r.due, r.addDynamic)
	})
}

// unlessStored reads the keys before one is made: another core may have made it,
// and without a database there is no use in one.
func (r *Ring) unlessStored(ctx context.Context, wanted func() bool, add func(context.Context) error) error {
	if err := r.reload(ctx, r.tickets.Add(1)); err != nil {
		return err
	}
	if !wanted() {
		return nil
	}
	return add(ctx)
}

// addDynamic stores a successor of the newest dynamic key. Losing the race to
// another core is success: its key is loaded.
func (r *Ring) addDynamic(ctx context.Context) error {
	value, err := generateKey()
	if err != nil {
		return err
	}
	for range 10 {
		if !r.due() {
			return nil
		}
		var newest int64
		if d := r.snap.Load().dynamic; len(d) > 0 {
			newest = d[0].CreatedAt
		}
		created := max(r.now(), newest+1)
		if _, err := r.keys.AddDynamicKey(ctx, newest, store.Key{Value: value, CreatedAt: created}); err != nil {
			return fmt.Errorf("store a new dynamic signing key: %w", err)
		}
		if err := r.reload(ctx, r.tickets.Add(1)); err != nil {
			return err
		}
	}
	return errors.New("store a new dynamic signing key: the stored keys are never fresh; check this machine's clock")
}

func (r *Ring) addStatic(ctx context.Context) error {
	value, err := generateKey()
	if err != nil {
		return err
	}
	if _, err := r.keys.AddStaticKey(ctx, store.Key{ID: "s-" + NewUUID(), Value: value, CreatedAt: r.now()}); err != nil {
		return fmt.Errorf("store a static signing key: %w", err)
	}
	return r.reload(ctx, r.tickets.Add(1))
}

// keepFresh makes a new dynamic key when it is due: in the background while the
// current one may still sign, at once when it may not.
func (r *Ring) keepFresh(ctx context.Context) error {
	if !r.due() {
		return nil
	}
	d := r.snap.Load().dynamic
	if len(d) == 0 || d[0].CreatedAt+r.interval <= r.now() {
		return r.rotate(ctx)
	}
	if r.dynamics.resting() != nil {
		return nil
	}
	if r.rotating.CompareAndSwap(false, true) {
		r.work.Go(func() {
			defer r.rotating.Store(false)
			ctx, cancel := context.WithTimeout(r.ctx, 30*time.Second)
			defer cancel()
			if err := r.rotate(ctx); err != nil && r.ctx.Err() == nil {
				r.log.Warn("signing key rotation failed; the next call tries again", "error", err)
			}
		})
	}
	return nil
}

// Signer is the key that signs now.
func (r *Ring) Signer(ctx context.Context, static bool) (*KeyPair, error) {
	if static {
		if s := r.snap.Load().static; len(s) > 0 {
			return s[0], nil
		}
		err := r.statics.run(ctx, r.noStatic, func(ctx context.Context) error {
			return r.unlessStored(ctx, r.noStatic, r.addStatic)
		})
		if err != nil {
			return nil, err
		}
		if s := r.snap.Load().static; len(s) > 0 {
			return s[0], nil
		}
		return nil, errors.New("there is no static signing key")
	}
	if err := r.keepFresh(ctx); err != nil {
		return nil, err
	}
	d := r.snap.Load().dynamic
	now := r.now()
	if len(d) > 1 && now-d[0].CreatedAt < Overlap && d[1].CreatedAt+r.interval > now {
		return d[1], nil
	}
	return d[0], nil
}

func (r *Ring) verifies(k *KeyPair) bool {
	return k.Static || k.CreatedAt >= r.now()-(r.interval+2*r.validity)
}

// Verifying lists the keys that verify: dynamic ones newest first, then static ones.
func (r *Ring) Verifying() (dynamic, static []*KeyPair) {
	s := r.snap.Load()
	return r.verifying(s), s.static
}

// verifying lists the dynamic keys of s that verify, newest first.
func (r *Ring) verifying(s *snapshot) []*KeyPair {
	i := slices.IndexFunc(s.dynamic, func(k *KeyPair) bool { return !r.verifies(k) })
	if i < 0 {
		i = len(s.dynamic)
	}
	return s.dynamic[:i]
}

// Refresh reads the keys again, for callers that publish them, unless a read began
// after this call. When the database does not answer within lookupTimeout, or did
// not answer that other read, what is known is good enough.
func (r *Ring) Refresh(ctx context.Context) {
	if err := r.readSoon(ctx); err != nil {
		r.log.Warn("signing keys are published from memory", "error", err)
		return
	}
	if err := r.keepFresh(ctx); err != nil {
		r.log.Warn("signing key rotation failed; the next call tries again", "error", err)
	}
}

func (r *Ring) readSoon(ctx context.Context) error {
	ticket := r.tickets.Add(1)
	unlock, err := r.lockSoon(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if r.tried > ticket {
		return r.readErr
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	return r.read(ctx)
}

// NextKeyIn is how long until a new dynamic key is due, at least one second.
func (r *Ring) NextKeyIn() time.Duration {
	d := r.snap.Load().dynamic
	if len(d) == 0 {
		return time.Second
	}
	ms := d[0].CreatedAt + r.interval - Overlap - r.now()
	return max(time.Second, time.Duration(ms)*time.Millisecond)
}

// Interval and Validity in ms, as the ring was made with.
func (r *Ring) Interval() int64 { return r.interval }

// ExpiresAt is when a dynamic key stops verifying, ms.
func (r *Ring) ExpiresAt(k *KeyPair) int64 { return k.CreatedAt + r.interval + 2*r.validity }

// Verify reads an access token whose signature is by one of the keys. The error
// is an Invalid, or another if the key may be one that the database would not
// show. The expiry is not looked at.
func (r *Ring) Verify(ctx context.Context, s string) (Access, error) {
	u, err := parse(s, r.headers.parse)
	if err != nil {
		return Access{}, err
	}
	if u.Version <= 2 {
		if err := r.signedLegacy(ctx, &u); err != nil {
			return Access{}, err
		}
		return u.Claims()
	}
	k, err := r.Lookup(ctx, u.KeyID)
	if err != nil {
		return Access{}, err
	}
	if k == nil {
		return Access{}, Invalid("Key not found")
	}
	if !u.SignedBy(k.Public) {
		return Access{}, errSignature
	}
	return u.Claims()
}

const errSignature = Invalid("JWT verification failed: the signature is not by this core")

// signedLegacy tries every key, since these tokens do not name theirs, and may
// read the keys again. It is an Invalid that no key has signed it, unless the read
// failed while a new key is due: another core has probably made that, and it may
// have signed this.
func (r *Ring) signedLegacy(ctx context.Context, u *Unverified) error {
	known := r.snap.Load()
	if r.signedByAny(known, u) {
		return nil
	}
	if len(u.signature) < 300 {
		return errSignature // no signature of ours is so short: not worth a read
	}
	signed, due := false, r.due()
	found := func() bool {
		now := r.snap.Load()
		if !slices.Equal(known.dynamic, now.dynamic) || !slices.Equal(known.static, now.static) {
			known, signed = now, r.signedByAny(now, u)
		}
		return signed
	}
	err := r.lookAgain(ctx, r.reserves.likely, found)
	switch {
	case signed || found(): // keys may have been read while this call waited in vain
		return nil
	case err != nil && due:
		return err
	}
	return errSignature
}

func (r *Ring) signedByAny(s *snapshot, u *Unverified) bool {
	by := func(k *KeyPair) bool { return u.SignedBy(k.Public) }
	return slices.ContainsFunc(r.verifying(s), by) || slices.ContainsFunc(s.static, by)
}

// DeleteExpired removes dynamic keys that no longer verify.
func (r *Ring) DeleteExpired(ctx context.Context) (int, error) {
	n, err := r.keys.DeleteDynamicKeys(ctx, r.now()-(r.interval+2*r.validity))
	if err != nil {
		return 0, fmt.Errorf("delete old signing keys: %w", err)
	}
	return n, nil
}
