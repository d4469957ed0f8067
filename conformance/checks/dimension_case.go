package checks

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// dimensionCase is one case: what its values ask for, done in order.
type dimensionCase struct {
	*Trial
	values map[string]string
	makers map[string][]Instance

	request   protocol.CreateRequest
	asked     protocol.Tokens // the session that is asked for
	token     string
	refresh   string
	others    []protocol.Tokens // of the same user
	neighbour *protocol.Tokens
	asker     Instance
	index     int // of the instance that is asked
}

func (d *dimensionCase) run(ctx context.Context) error {
	if d.values[dimHeader] == headerWith {
		ctx = d.Tagged(ctx)
	} else {
		ctx = d.Untagged(ctx)
	}
	if m := d.values[dimManner]; m != mannerUsual {
		ctx = protocol.WithManner(ctx, protocol.Manner(m))
	}
	err := conformance.First(d.make(ctx))
	if err != nil {
		return err
	}
	if err := d.connect(); err != nil {
		return err
	}
	if err := d.before(ctx); err != nil {
		return err
	}
	gone, err := d.revoke(ctx)
	if err != nil {
		return err
	}
	for _, w := range waits {
		if w.name == d.values[dimWait] && w.long > 0 {
			if err := conformance.Pause(ctx, w.long-time.Since(gone.Returned)); err != nil {
				return err
			}
		}
	}
	if d.values[dimConnection] == connectionNew {
		if err := d.connect(); err != nil {
			return err
		}
	}
	return d.named(d.after(ctx, gone))
}

// named adds the case to a violation.
func (d *dimensionCase) named(err error) error {
	v, ok := conformance.AsViolation(err)
	if !ok {
		return err
	}
	var words []string
	for k, value := range d.values {
		words = append(words, k+" "+value)
	}
	slices.Sort(words)
	told := *v
	told.Got += "; with " + strings.Join(words, ", ")
	return &told
}

func (d *dimensionCase) maker() []Instance {
	if at := d.makers[d.values[dimMaker]]; at != nil {
		return at
	}
	return d.makers[d.Version()]
}

// make makes the sessions: the one that is asked for, others of its user, and a
// neighbour's.
func (d *dimensionCase) make(ctx context.Context) error {
	list := d.maker()
	made := d.Rand.IntN(len(list))
	at := list[made]
	d.index = made
	if d.values[dimInstance] == instanceOther {
		d.index = (made + 1) % len(list)
	}
	base := d.user()
	user := base + "5"
	d.request = protocol.CreateRequest{
		UserID: user, StaticKey: d.values[dimKey] == keyStatic, Payload: map[string]any{"role": "user"},
	}
	if d.values[dimPayload] == payloadBig {
		d.request.Payload["text"] = strings.Repeat("0123456789abcdef", bigPayload/16)
	}
	if err := d.Beside(ctx, at, d.request); err != nil {
		return err
	}
	var err error
	if d.asked, err = newSession(ctx, d.Trial, at, d.request); err != nil {
		return err
	}
	d.token, d.refresh = d.asked.Access.Value, d.asked.Refresh.Value
	if err := d.origin(ctx, at); err != nil {
		return err
	}
	for _, n := range sessionCounts {
		for i := 1; n.name == d.values[dimSessions] && i < n.n; i++ {
			s, err := newSession(ctx, d.Trial, at, protocol.CreateRequest{UserID: user})
			if err != nil {
				return err
			}
			d.others = append(d.others, s)
		}
	}
	near := map[string]string{longerID: user + "0", shorterID: base}[d.values[dimNeighbour]]
	if near != "" {
		s, err := newSession(ctx, d.Trial, at, protocol.CreateRequest{UserID: near})
		if err != nil {
			return err
		}
		d.neighbour = &s
	}
	return nil
}

// user is a new user's id, of the form that the case asks for.
func (d *dimensionCase) user() string {
	id := d.NewUser()
	switch d.values[dimUser] {
	case userUUID: // as SuperTokens' own recipes make them
		sum := sha256.Sum256([]byte(id))
		sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4, RFC 9562
		return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	case userMail:
		return id + "@example.org"
	}
	return id
}

// origin gets the token that will be asked for.
func (d *dimensionCase) origin(ctx context.Context, at Instance) error {
	switch d.values[dimOrigin] {
	case originRefresh, originRefreshes, originPromotion:
		times := 1
		if d.values[dimOrigin] == originRefreshes {
			times = sixRefreshes
		}
		for range times {
			next, err := refresh(ctx, at, d.refresh, d.request.StaticKey)
			if err != nil {
				return err
			}
			d.token, d.refresh = next.Access.Value, next.Refresh.Value
		}
		if d.values[dimOrigin] != originPromotion {
			return nil
		}
		v, err := at.Ask(ctx, d.token)
		if err := conformance.Need(v.Reply, err, "verify the refreshed token at "+at.Name()); err != nil {
			return err
		}
		if v.Access.Value == "" {
			return fmt.Errorf("the first verify of a refreshed token at %s gave no other one", at.Name())
		}
		d.token = v.Access.Value
	case originRegenerate:
		g, err := at.Regenerate(ctx, d.token, d.request.Payload)
		if err := conformance.Need(g.Reply, err, "regenerate the token at "+at.Name()); err != nil {
			return err
		}
		d.token = g.Access.Value
	}
	return nil
}

// connect gives the asker connections of its own.
func (d *dimensionCase) connect() error {
	list, err := d.Connect(d.Version())
	if err != nil {
		return err
	}
	d.asker = list[d.index]
	return nil
}

// before sees what must end with the revoke.
func (d *dimensionCase) before(ctx context.Context) error {
	read := d.values[dimRead]
	if read == readNothing {
		return nil
	}
	if err := accepted(ctx, d.Trial, d.asker, d.token); err != nil {
		return err
	}
	switch read {
	case readGet:
		return readable(ctx, d.asker, d.asked.Session.Handle)
	case readList:
		return listed(ctx, d.Trial, d.asker, d.asked.Session.UserID, d.asked.Session.Handle)
	case readRefresh:
		next, err := refresh(ctx, d.asker, d.refresh, d.request.StaticKey)
		d.refresh = next.Refresh.Value
		if err == nil && !d.asker.Has(protocol.VerbOutlive) {
			d.token = next.Access.Value // the one before may be over already
			return accepted(ctx, d.Trial, d.asker, d.token)
		}
		return err
	}
	return nil
}

// revoke at an instance chosen at random, over connections of the check's own.
func (d *dimensionCase) revoke(ctx context.Context) (*conformance.Ended, error) {
	at := anyOn(d.Trial)
	switch d.values[dimVerb] {
	case verbUser:
		return d.RevokeUser(ctx, at, d.asked.Session.UserID)
	case verbHandles:
		handles := []string{unknownHandle()}
		for _, s := range d.others {
			handles = append(handles, s.Session.Handle)
		}
		i := d.Rand.IntN(len(handles) + 1)
		return d.Revoke(ctx, at, slices.Insert(handles, i, d.asked.Session.Handle)...)
	}
	return d.Revoke(ctx, at, d.asked.Session.Handle)
}

// after asks again for all that was seen before, and for what must stay.
func (d *dimensionCase) after(ctx context.Context, gone *conformance.Ended) error {
	if err := d.Refused(ctx, d.asker, d.token, gone); err != nil {
		return err
	}
	at := d.asker
	switch d.values[dimRead] {
	case readGet:
		i, err := at.Get(ctx, d.asked.Session.Handle)
		if err := conformance.Want(i.Reply, err, "read a revoked session at "+at.Name(), protocol.Unauthorised); err != nil {
			return err
		}
	case readList:
		if err := unlisted(ctx, d.Trial, at, d.asked.Session.UserID, d.asked.Session.Handle); err != nil {
			return err
		}
	case readRefresh:
		r, err := at.Refresh(ctx, protocol.RefreshRequest{RefreshToken: d.refresh})
		if err := conformance.Want(r.Reply, err, "refresh a revoked session at "+at.Name(), protocol.Unauthorised); err != nil {
			return err
		}
	}
	if len(d.others) > 0 {
		other := d.others[d.Rand.IntN(len(d.others))].Access.Value
		if d.values[dimVerb] == verbHandle || d.values[dimVerb] == "" {
			if err := stays(ctx, d.Trial, at, other, "another session of the same user"); err != nil {
				return err
			}
		} else if err := d.Refused(ctx, at, other, gone); err != nil {
			return err
		}
	}
	if d.neighbour != nil {
		return stays(ctx, d.Trial, at, d.neighbour.Access.Value, "a session of a user whose id is like the revoked one's")
	}
	return nil
}
