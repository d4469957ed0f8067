package checks

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
	csrf      string            // what was made beside the token
	renewCSRF string            // what was made beside the refresh token
	others    []protocol.Tokens // of the same user
	stranger  *protocol.Tokens  // of another user, ended in the same call
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
	if err := d.meanwhile(ctx); err != nil {
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
	user := d.user()
	d.request = protocol.CreateRequest{
		UserID: user, StaticKey: d.values[dimKey] == keyStatic, Payload: map[string]any{"role": "user"},
	}
	switch d.values[dimPayload] {
	case payloadBig:
		d.request.Payload["text"] = strings.Repeat("0123456789abcdef", bigPayload/16)
	case payloadSDK:
		now := time.Now().UnixMilli()
		d.request.Payload["iss"] = "https://api.example.org/auth"
		d.request.Payload["st-ev"] = map[string]any{"v": true, "t": now}
		d.request.Payload["st-role"] = map[string]any{"v": []any{"user", "admin"}, "t": now}
	}
	d.request.AntiCSRF = d.antiCSRF()
	if err := d.Beside(ctx, at, d.request); err != nil {
		return err
	}
	var err error
	if d.asked, err = newSession(ctx, d.Trial, at, d.request); err != nil {
		return err
	}
	d.took(d.asked)
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
	if d.values[dimVerb] == verbHandles {
		s, err := newSession(ctx, d.Trial, at, protocol.CreateRequest{UserID: d.NewUser()})
		if err != nil {
			return err
		}
		d.stranger = &s
	}
	_, last := utf8.DecodeLastRuneInString(user)
	near := map[string]string{longerID: user + "0", shorterID: user[:len(user)-last]}[d.values[dimNeighbour]]
	if near != "" {
		s, err := newSession(ctx, d.Trial, at, protocol.CreateRequest{UserID: near})
		if err != nil {
			return err
		}
		d.neighbour = &s
	}
	return nil
}

// marked is an id as identity providers make them, with what has a meaning in queries
// and paths.
func marked(id string) string { return "auth0|" + id + "/:%_*?&'\"\\; é漢" }

// user is a new user's id, of the form that the case asks for and nothing beside: a core
// may know the form by all of it. None is another's less its last character.
func (d *dimensionCase) user() string {
	id := d.NewUser() + "5"
	switch d.values[dimUser] {
	case userUUID: // as SuperTokens' own recipes make them
		sum := sha256.Sum256([]byte(id))
		sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80 // version 4, RFC 9562
		return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	case userMail:
		return id + "@example.org"
	case userMarks:
		return marked(id)
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
			next, err := d.renew(ctx, at)
			if err := conformance.Need(next.Reply, err, "refresh the session at "+at.Name()); err != nil {
				return err
			}
			d.took(next)
		}
		if d.values[dimOrigin] != originPromotion {
			return nil
		}
		v, err := at.Verify(ctx, d.question(at))
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

// antiCSRF says whether the session has a value beside its tokens.
func (d *dimensionCase) antiCSRF() bool {
	v := d.values[dimAntiCSRF]
	return v == antiCSRFMade || v == antiCSRFAsked
}

// took notes the tokens that create or refresh gave.
func (d *dimensionCase) took(s protocol.Tokens) {
	d.token, d.refresh, d.csrf, d.renewCSRF = s.Access.Value, s.Refresh.Value, s.AntiCSRF, s.AntiCSRF
}

// renew refreshes the session.
func (d *dimensionCase) renew(ctx context.Context, at Instance) (protocol.Tokens, error) {
	return at.Refresh(ctx, protocol.RefreshRequest{
		RefreshToken: d.refresh, StaticKey: d.request.StaticKey, EnableCSRF: d.antiCSRF(), AntiCSRF: d.renewCSRF,
	})
}

// question is how the token is asked for.
func (d *dimensionCase) question(at Instance) protocol.VerifyRequest {
	r := protocol.VerifyRequest{AccessToken: d.token, CheckDatabase: at.Checks()}
	if d.values[dimAntiCSRF] == antiCSRFAsked {
		r.DoAntiCSRF, r.AntiCSRF = true, d.csrf
	}
	return r
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
	if d.values[dimConnection] == connectionKept && (read == readNothing || read == readUnchecked) {
		// A connection is kept only if there was one: the twin, which was made by now, is
		// asked for over it.
		if err := accepted(ctx, d.Trial, d.asker, d.Twin().Access.Value); err != nil {
			return err
		}
	}
	if read == readNothing {
		return nil
	}
	if read == readUnchecked {
		at := anyOff(d.Trial)
		v, err := at.Verify(ctx, d.question(at))
		return conformance.Need(v.Reply, err, "verify without the check at "+at.Name())
	}
	if err := acceptedAs(ctx, d.asker, d.question(d.asker)); err != nil {
		return err
	}
	switch read {
	case readGet:
		return readable(ctx, d.asker, d.asked.Session.Handle)
	case readList:
		return listed(ctx, d.Trial, d.asker, d.asked.Session.UserID, d.asked.Session.Handle)
	case readRefresh:
		next, err := d.renew(ctx, d.asker)
		if err := conformance.Need(next.Reply, err, "refresh the session at "+d.asker.Name()); err != nil {
			return err
		}
		if !d.asker.Has(protocol.VerbOutlive) { // the one before may be over already
			d.took(next)
			return acceptedAs(ctx, d.asker, d.question(d.asker))
		}
		d.refresh, d.renewCSRF = next.Refresh.Value, next.AntiCSRF
	}
	return nil
}

// revoke at an instance chosen at random, over connections of the check's own.
func (d *dimensionCase) revoke(ctx context.Context) (*conformance.Ended, error) {
	at := anyOn(d.Trial)
	switch v := d.values[dimRevoker]; v {
	case "", d.Version():
	case revokerOff:
		at = anyOff(d.Trial)
	default:
		at = d.makers[v][d.Rand.IntN(len(d.makers[v]))]
	}
	switch d.values[dimVerb] {
	case verbUser:
		return d.RevokeUser(ctx, at, d.asked.Session.UserID)
	case verbHandles:
		handles := []string{unknownHandle(), d.stranger.Session.Handle}
		for _, s := range d.others {
			handles = append(handles, s.Session.Handle)
		}
		i := d.Rand.IntN(len(handles) + 1)
		return d.Revoke(ctx, at, slices.Insert(handles, i, d.asked.Session.Handle)...)
	}
	return d.Revoke(ctx, at, d.asked.Session.Handle)
}

// meanwhile is what the user does between the revoke and the next call with the token.
func (d *dimensionCase) meanwhile(ctx context.Context) error {
	what := d.values[dimAfter]
	if what == "" || what == afterNothing {
		return nil
	}
	at := anyOn(d.Trial)
	s, err := newSession(ctx, d.Trial, at, protocol.CreateRequest{UserID: d.asked.Session.UserID})
	if err != nil {
		return err
	}
	switch what {
	case afterRefresh:
		_, err := refresh(ctx, at, s.Refresh.Value, false)
		return err
	case afterLogout:
		r, err := at.Revoke(ctx, s.Session.Handle)
		return conformance.Need(r.Reply, err, "end the new session at "+at.Name())
	}
	return nil
}

// after asks again for all that was seen before, and for what must stay.
func (d *dimensionCase) after(ctx context.Context, gone *conformance.Ended) error {
	at := d.asker
	if err := d.RefusedAs(ctx, at, d.question(at), gone); err != nil {
		return err
	}
	if d.stranger != nil {
		if err := d.Refused(ctx, at, d.stranger.Access.Value, gone); err != nil {
			return err
		}
	}
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
		r, err := d.renew(ctx, at)
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
