package broken

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/rawjson"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
)

// engine is an engine of which some calls are replaced.
type engine struct {
	httpapi.Engine
	create     func(context.Context, refcore.CreateInput) (refcore.Granted, error)
	verify     func(context.Context, refcore.VerifyInput) (refcore.Verified, error)
	refresh    func(context.Context, refcore.RefreshInput) (refcore.Granted, error)
	revoke     func(context.Context, []string) ([]string, error)
	revokeUser func(context.Context, string) ([]string, error)
	regenerate func(context.Context, string, rawjson.Object, bool) (refcore.Granted, error)
	get        func(context.Context, string) (store.Session, error)
	setData    func(context.Context, string, rawjson.Object) error
	setPayload func(context.Context, string, rawjson.Object) error
}

func (e engine) Create(ctx context.Context, in refcore.CreateInput) (refcore.Granted, error) {
	if e.create != nil {
		return e.create(ctx, in)
	}
	return e.Engine.Create(ctx, in)
}

func (e engine) Verify(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
	if e.verify != nil {
		return e.verify(ctx, in)
	}
	return e.Engine.Verify(ctx, in)
}

func (e engine) Refresh(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
	if e.refresh != nil {
		return e.refresh(ctx, in)
	}
	return e.Engine.Refresh(ctx, in)
}

func (e engine) Revoke(ctx context.Context, handles []string) ([]string, error) {
	if e.revoke != nil {
		return e.revoke(ctx, handles)
	}
	return e.Engine.Revoke(ctx, handles)
}

func (e engine) RevokeUser(ctx context.Context, user string) ([]string, error) {
	if e.revokeUser != nil {
		return e.revokeUser(ctx, user)
	}
	return e.Engine.RevokeUser(ctx, user)
}

func (e engine) Regenerate(ctx context.Context, access string, payload rawjson.Object, check bool) (refcore.Granted, error) {
	if e.regenerate != nil {
		return e.regenerate(ctx, access, payload, check)
	}
	return e.Engine.Regenerate(ctx, access, payload, check)
}

func (e engine) Get(ctx context.Context, handle string) (store.Session, error) {
	if e.get != nil {
		return e.get(ctx, handle)
	}
	return e.Engine.Get(ctx, handle)
}

func (e engine) SetData(ctx context.Context, handle string, data rawjson.Object) error {
	if e.setData != nil {
		return e.setData(ctx, handle, data)
	}
	return e.Engine.SetData(ctx, handle, data)
}

func (e engine) SetPayload(ctx context.Context, handle string, payload rawjson.Object) error {
	if e.setPayload != nil {
		return e.setPayload(ctx, handle, payload)
	}
	return e.Engine.SetPayload(ctx, handle, payload)
}

// over makes a defect of an engine.
func over(f func(next httpapi.Engine) engine) serve.Decorate {
	return serve.Decorate{Engine: func(next httpapi.Engine) httpapi.Engine {
		e := f(next)
		e.Engine = next
		return e
	}}
}

// database is a store of which some calls are replaced.
type database struct {
	store.Store
	create     func(context.Context, store.Session) error
	session    func(context.Context, string) (store.Session, error)
	liveness   func(context.Context, string) (store.Liveness, error)
	rotate     func(context.Context, string, store.Rotation) (bool, error)
	setData    func(context.Context, string, []byte, int64) (bool, error)
	setPayload func(context.Context, string, []byte, int64) (bool, error)
	handles    func(context.Context, string, int64) ([]string, error)
	remove     func(context.Context, []string) ([]string, error)
	removeUser func(context.Context, string, int64) ([]string, error)
}

func (d database) CreateSession(ctx context.Context, s store.Session) error {
	if d.create != nil {
		return d.create(ctx, s)
	}
	return d.Store.CreateSession(ctx, s)
}

func (d database) Session(ctx context.Context, handle string) (store.Session, error) {
	if d.session != nil {
		return d.session(ctx, handle)
	}
	return d.Store.Session(ctx, handle)
}

func (d database) Liveness(ctx context.Context, handle string) (store.Liveness, error) {
	if d.liveness != nil {
		return d.liveness(ctx, handle)
	}
	return d.Store.Liveness(ctx, handle)
}

func (d database) Rotate(ctx context.Context, handle string, r store.Rotation) (bool, error) {
	if d.rotate != nil {
		return d.rotate(ctx, handle, r)
	}
	return d.Store.Rotate(ctx, handle, r)
}

func (d database) SetData(ctx context.Context, handle string, data []byte, aliveAt int64) (bool, error) {
	if d.setData != nil {
		return d.setData(ctx, handle, data, aliveAt)
	}
	return d.Store.SetData(ctx, handle, data, aliveAt)
}

func (d database) SetPayload(ctx context.Context, handle string, payload []byte, aliveAt int64) (bool, error) {
	if d.setPayload != nil {
		return d.setPayload(ctx, handle, payload, aliveAt)
	}
	return d.Store.SetPayload(ctx, handle, payload, aliveAt)
}

func (d database) Handles(ctx context.Context, user string, aliveAt int64) ([]string, error) {
	if d.handles != nil {
		return d.handles(ctx, user, aliveAt)
	}
	return d.Store.Handles(ctx, user, aliveAt)
}

func (d database) Delete(ctx context.Context, handles []string) ([]string, error) {
	if d.remove != nil {
		return d.remove(ctx, handles)
	}
	return d.Store.Delete(ctx, handles)
}

func (d database) DeleteByUser(ctx context.Context, user string, aliveAt int64) ([]string, error) {
	if d.removeUser != nil {
		return d.removeUser(ctx, user, aliveAt)
	}
	return d.Store.DeleteByUser(ctx, user, aliveAt)
}

// below makes a defect of a store, which remembers the sessions that the cores of
// this process have seen.
func below(f func(next store.Store, seen *rows) database) serve.Decorate {
	last := &sync.Map{}
	return serve.Decorate{Store: func(next store.Store) store.Store {
		seen := &rows{Store: next, last: last}
		d := f(seen, seen)
		d.Store = seen
		return d
	}}
}

// rows is a store that remembers every session that it was given or asked for.
type rows struct {
	store.Store
	last *sync.Map // handle: store.Session
}

func (r *rows) CreateSession(ctx context.Context, s store.Session) error {
	err := r.Store.CreateSession(ctx, s)
	if err == nil {
		r.last.Store(s.Handle, s)
	}
	return err
}

func (r *rows) Session(ctx context.Context, handle string) (store.Session, error) {
	s, err := r.Store.Session(ctx, handle)
	if err == nil {
		r.last.Store(handle, s)
	}
	return s, err
}

// of gives a session as it was seen last.
func (r *rows) of(handle string) (store.Session, bool) {
	v, ok := r.last.Load(handle)
	if !ok {
		return store.Session{}, false
	}
	return v.(store.Session), true
}

// each calls f for all that were seen.
func (r *rows) each(f func(store.Session)) {
	r.last.Range(func(_, v any) bool { f(v.(store.Session)); return true })
}

// revive writes a session again that was deleted.
func (r *rows) revive(ctx context.Context, s store.Session) { _ = r.Store.CreateSession(ctx, s) }

// verb of the engine that a store works for.
type verbKey struct{}

func during(ctx context.Context, verb string) context.Context {
	return context.WithValue(ctx, verbKey{}, verb)
}

func isDuring(ctx context.Context, verb string) bool {
	v, _ := ctx.Value(verbKey{}).(string)
	return v == verb
}

// telling makes the store know for which verb it is asked.
func telling() func(httpapi.Engine) httpapi.Engine {
	return over(func(next httpapi.Engine) engine {
		return engine{
			verify: func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
				return next.Verify(during(ctx, "verify"), in)
			},
			refresh: func(ctx context.Context, in refcore.RefreshInput) (refcore.Granted, error) {
				return next.Refresh(during(ctx, "refresh"), in)
			},
			regenerate: func(ctx context.Context, access string, p rawjson.Object, check bool) (refcore.Granted, error) {
				return next.Regenerate(during(ctx, "regenerate"), access, p, check)
			},
		}
	}).Engine
}

// requestKey is for what only the HTTP layer sees.
type requestKey struct{}

// seeing makes the engine see the request.
func seeing(d serve.Decorate) serve.Decorate {
	d.Handler = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, r)))
		})
	}
	return d
}

func requestOf(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	return r
}

// header of the request; "" where it has none.
func header(ctx context.Context, name string) string {
	if r := requestOf(ctx); r != nil {
		return r.Header.Get(name)
	}
	return ""
}

// tagged says whether the request carries the harness's header.
func tagged(ctx context.Context) bool { return header(ctx, "X-Coreproof-Check") != "" }

// gone says whether an answer is that the session is over.
func gone(err error) bool {
	var r *refcore.Refused
	return errors.As(err, &r) && !r.TryRefresh
}

// set is a set of texts for concurrent use.
type set struct {
	mu sync.Mutex
	m  map[string]bool
}

// add says whether s is new.
func (s *set) add(v string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[string]bool{}
	}
	was := s.m[v]
	s.m[v] = true
	return !was
}

func (s *set) has(v string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m[v]
}
