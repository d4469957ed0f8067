// Command tinycore is a session core in one file, written from docs/protocol.md and
// docs/spec alone, to see whether coreproof can prove a core that it does not know.
// It speaks CDI 5.4 on a SQLite file that several instances share. Its access tokens
// are no JWTs: a JSON object and its HMAC. TINY_DEFECT breaks it in one of seven ways.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "modernc.org/sqlite"
)

type obj = map[string]any

// claims are what both kinds of token carry.
type claims struct {
	Kind, Handle, User, Csrf string
	Refresh, Parent          string // hashes of the refresh token that it goes with, and of that one's parent
	Payload                  json.RawMessage
	Issued, Expires          int64
	Nonce                    string
}

var (
	db     *sql.DB
	secret []byte
	defect = os.Getenv("TINY_DEFECT")
	life   = time.Hour
	alive  sync.Map // of the defect that remembers who was alive
)

const sessionLife = 100 * 24 * time.Hour

func main() {
	if len(os.Args) != 3 {
		log.Fatal("tinycore ADDRESS DATABASE")
	}
	if v := os.Getenv("TINY_TOKEN_SECONDS"); v != "" {
		d, err := time.ParseDuration(v + "s")
		must(err)
		life = d
	}
	var err error
	db, err = sql.Open("sqlite", "file:"+os.Args[2]+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_txlock=immediate")
	must(err)
	db.SetMaxOpenConns(8)
	for _, s := range []string{
		`CREATE TABLE IF NOT EXISTS tiny (handle TEXT PRIMARY KEY, user TEXT, payload TEXT, data TEXT, refresh TEXT, expires INTEGER, made INTEGER)`,
		`CREATE INDEX IF NOT EXISTS tiny_user ON tiny (user)`,
		`CREATE TABLE IF NOT EXISTS tiny_key (one INTEGER PRIMARY KEY CHECK (one = 1), secret BLOB)`,
	} {
		_, err = db.Exec(s)
		must(err)
	}
	_, err = db.Exec(`INSERT OR IGNORE INTO tiny_key VALUES (1, ?)`, []byte(random()))
	must(err)
	must(db.QueryRow(`SELECT secret FROM tiny_key`).Scan(&secret))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Hello") })
	mux.HandleFunc("GET /apiversion", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"versions":["5.4"]}`) })
	for path, f := range map[string]func(obj) (obj, error){
		"POST /recipe/session": create, "POST /recipe/session/verify": verify, "POST /recipe/session/refresh": refresh,
		"POST /recipe/session/remove": remove, "POST /recipe/session/regenerate": regenerate,
		"PUT /recipe/session/data": write("data", "userDataInDatabase"), "PUT /recipe/jwt/data": write("payload", "userDataInJWT"),
		"GET /recipe/session": get, "GET /recipe/session/user": list,
	} {
		mux.HandleFunc(path, serve(f))
	}
	srv := &http.Server{Addr: os.Args[1], Handler: mux}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, func() { _ = srv.Shutdown(context.Background()) })
	log.Printf("listening at %s", os.Args[1])
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// malformed is a request that is answered with 400.
type malformed string

func (m malformed) Error() string { return string(m) }

func serve(f func(obj) (obj, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in := obj{}
		if r.Method == http.MethodGet {
			for k, v := range r.URL.Query() {
				in[k] = v[0]
			}
		} else if err := decode(http.MaxBytesReader(w, r.Body, 1<<20), &in); err != nil {
			http.Error(w, "Invalid Json Input", 400)
			return
		}
		out, err := f(in)
		var bad malformed
		switch {
		case errors.As(err, &bad):
			http.Error(w, bad.Error(), 400)
		case err != nil:
			log.Print(err)
			http.Error(w, "Internal Error", 500)
		default:
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_ = json.NewEncoder(w).Encode(out)
		}
	}
}

// decode keeps numbers as they are written.
func decode(r io.Reader, v any) error {
	d := json.NewDecoder(r)
	d.UseNumber()
	return d.Decode(v)
}

func field[T any](in obj, name string) T {
	v, ok := in[name].(T)
	if !ok {
		panic(malformed("Field name '" + name + "' is invalid in JSON input"))
	}
	return v
}

// guard turns what field throws into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		m, ok := p.(malformed)
		if !ok {
			panic(p)
		}
		*err = m
	}
}

func random() string            { return rand.Text() + rand.Text() }
func hash(s string) string      { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
func ms(t time.Time) int64      { return t.UnixMilli() }
func text(v any) string         { b, _ := json.Marshal(v); return string(b) }
func no(status, m string) obj   { return obj{"status": status, "message": m} }
func unauthorised(m string) obj { return no("UNAUTHORISED", m) }

func seal(c claims) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(text(c)))
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func open(kind, token string) (c claims, ok bool) {
	body, sum, _ := strings.Cut(token, ".")
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(body))
	got, err := base64.RawURLEncoding.Strict().DecodeString(sum)
	if err != nil || !hmac.Equal(got, m.Sum(nil)) {
		return c, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	return c, err == nil && json.Unmarshal(raw, &c) == nil && c.Kind == kind
}

func token(c claims) obj { return obj{"token": seal(c), "expiry": c.Expires, "createdTime": c.Issued} }

func session(c claims) obj {
	return obj{"handle": c.Handle, "userId": c.User, "recipeUserId": c.User, "tenantId": "public", "userDataInJWT": c.Payload}
}

// pair makes both tokens; parent is the hash of the refresh token that they come from.
func pair(handle, user, payload, parent string, antiCSRF bool) (out obj, refreshHash string) {
	now := time.Now()
	r := claims{Kind: "refresh", Handle: handle, User: user, Parent: parent, Issued: ms(now), Expires: ms(now.Add(sessionLife)), Nonce: random()}
	a := claims{Kind: "access", Handle: handle, User: user, Parent: parent, Payload: json.RawMessage(payload), Issued: ms(now), Expires: ms(now.Add(life)), Nonce: random()}
	if antiCSRF {
		r.Csrf, a.Csrf = random(), ""
		a.Csrf = r.Csrf
	}
	a.Refresh = hash(seal(r))
	out = obj{"status": "OK", "session": session(a), "accessToken": token(a), "refreshToken": token(r)}
	if antiCSRF {
		out["antiCsrfToken"] = a.Csrf
	}
	return out, a.Refresh
}

func create(in obj) (out obj, err error) {
	defer guard(&err)
	handle, user := strings.ToLower(rand.Text()), field[string](in, "userId")
	payload := text(field[obj](in, "userDataInJWT"))
	out, refresh := pair(handle, user, payload, "", field[bool](in, "enableAntiCsrf"))
	now := time.Now()
	_, err = db.Exec(`INSERT INTO tiny VALUES (?, ?, ?, ?, ?, ?, ?)`, handle, user, payload, text(field[obj](in, "userDataInDatabase")), refresh, ms(now.Add(sessionLife)), ms(now))
	return out, err
}

type row struct {
	user, payload, data, current string
	expires, made                int64
}

// load reads one live session; ok says whether it is there.
func load(handle string) (r row, ok bool, err error) {
	err = db.QueryRow(`SELECT user, payload, data, refresh, expires, made FROM tiny WHERE handle = ? AND expires > ?`, handle, ms(time.Now())).
		Scan(&r.user, &r.payload, &r.data, &r.current, &r.expires, &r.made)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// promote makes a child current if its parent still is.
func promote(handle, parent, child string) (bool, error) {
	res, err := db.Exec(`UPDATE tiny SET refresh = ?, expires = ? WHERE handle = ? AND refresh = ?`, child, ms(time.Now().Add(sessionLife)), handle, parent)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

func same(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func verify(in obj) (out obj, err error) {
	defer guard(&err)
	c, ok := open("access", field[string](in, "accessToken"))
	check, csrf := field[bool](in, "checkDatabase"), field[bool](in, "doAntiCsrfCheck") && field[bool](in, "enableAntiCsrf")
	switch {
	case !ok:
		return no("TRY_REFRESH_TOKEN", "no token of this core"), nil
	case c.Expires < ms(time.Now()):
		return no("TRY_REFRESH_TOKEN", "Access token expired"), nil
	case csrf && (c.Csrf == "" || in["antiCsrfToken"] != any(c.Csrf)):
		return no("TRY_REFRESH_TOKEN", "anti-csrf check failed"), nil
	}
	out = obj{"status": "OK", "session": session(c)}
	if !check && c.Parent == "" {
		return out, nil
	}
	if seen, ok := alive.Load(c.Handle); defect == "remembers" && ok && time.Since(seen.(time.Time)) < time.Second {
		return out, nil
	}
	r, ok, err := load(c.Handle)
	if err != nil && defect == "opens" {
		return out, nil
	}
	if err != nil || !ok {
		return unauthorised("Either the session has ended or has been blacklisted"), err
	}
	alive.Store(c.Handle, time.Now())
	renew := check && !same(string(c.Payload), r.payload)
	if c.Parent != "" {
		done := false
		if c.Parent == r.current {
			if done, err = promote(c.Handle, c.Parent, c.Refresh); err != nil {
				return nil, err
			}
		}
		renew = renew || done || c.Refresh == r.current
	}
	if renew {
		now := time.Now()
		c.Parent, c.Payload, c.Issued, c.Expires, c.Nonce = "", json.RawMessage(r.payload), ms(now), ms(now.Add(life)), random()
		out["accessToken"], out["session"] = token(c), session(c)
	}
	return out, nil
}

func refresh(in obj) (out obj, err error) {
	defer guard(&err)
	given, csrf := field[string](in, "refreshToken"), field[bool](in, "enableAntiCsrf")
	c, ok := open("refresh", given)
	if !ok {
		return unauthorised("Invalid refresh token"), nil
	}
	if csrf && c.Csrf != "" && in["antiCsrfToken"] != any(c.Csrf) {
		return unauthorised("Anti CSRF token missing, or not matching"), nil
	}
	r, ok, err := load(c.Handle)
	if defect == "trusts" && !ok {
		ok, r = true, row{user: c.User, payload: "{}", current: hash(given)}
	}
	if err != nil || !ok {
		return unauthorised("Session missing in db or has expired"), err
	}
	me := hash(given)
	if me != r.current {
		done := false
		if c.Parent == r.current {
			if done, err = promote(c.Handle, c.Parent, me); err != nil {
				return nil, err
			}
		}
		if !done {
			if again, _, err := load(c.Handle); err != nil || again.current != me { // else another call was first
				if again.current == "" {
					return unauthorised("Session missing in db or has expired"), err
				}
				return obj{"status": "TOKEN_THEFT_DETECTED", "session": obj{"handle": c.Handle, "userId": r.user, "recipeUserId": r.user}}, err
			}
		}
	}
	out, _ = pair(c.Handle, r.user, r.payload, me, csrf)
	return out, nil
}

func remove(in obj) (out obj, err error) {
	defer guard(&err)
	gone := []string{}
	del := func(where string, args ...any) error {
		if defect == "later" {
			time.AfterFunc(50*time.Millisecond, func() { _, _ = db.Exec(`DELETE FROM tiny WHERE `+where, args...) })
			where = "FALSE AND " + where
		}
		rows, err := db.Query(`DELETE FROM tiny WHERE `+where+` RETURNING handle`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h string
			if err := rows.Scan(&h); err != nil {
				return err
			}
			gone = append(gone, h)
		}
		return rows.Err()
	}
	_, byUser := in["userId"]
	switch {
	case byUser && defect == "page":
		err = del(`handle IN (SELECT handle FROM tiny WHERE user = ? LIMIT 100)`, field[string](in, "userId"))
	case byUser:
		err = del(`user = ?`, field[string](in, "userId"))
	default:
		for _, h := range field[[]any](in, "sessionHandles") {
			where := `handle = ?`
			if defect == "prefix" {
				where = `handle LIKE ? || '%'`
			}
			if err = del(where, field[string](obj{"sessionHandles": h}, "sessionHandles")); err != nil {
				break
			}
		}
	}
	return obj{"status": "OK", "sessionHandlesRevoked": gone}, err
}

func regenerate(in obj) (out obj, err error) {
	defer guard(&err)
	c, ok := open("access", field[string](in, "accessToken"))
	if !ok {
		return unauthorised("no token of this core"), nil
	}
	if _, given := in["userDataInJWT"]; given {
		if out, err = write("payload", "userDataInJWT")(obj{"sessionHandle": c.Handle, "userDataInJWT": in["userDataInJWT"]}); err != nil || out["status"] != "OK" {
			return out, err
		}
	}
	r, ok, err := load(c.Handle)
	if err != nil || !ok {
		return unauthorised("Session does not exist."), err
	}
	c.Payload, c.Nonce, c.Issued = json.RawMessage(r.payload), random(), ms(time.Now())
	out = obj{"status": "OK", "session": session(c)}
	if c.Expires > ms(time.Now()) {
		out["accessToken"] = token(c)
	}
	return out, nil
}

func write(column, name string) func(obj) (obj, error) {
	return func(in obj) (out obj, err error) {
		defer guard(&err)
		handle, value := field[string](in, "sessionHandle"), text(field[obj](in, name))
		res, err := db.Exec(`UPDATE tiny SET `+column+` = ? WHERE handle = ? AND expires > ?`, value, handle, ms(time.Now()))
		if err != nil {
			return nil, err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			if defect != "revives" {
				return unauthorised("Session does not exist."), err
			}
			now := time.Now()
			if _, err = db.Exec(`INSERT INTO tiny VALUES (?, '', '{}', '{}', '', ?, ?)`, handle, ms(now.Add(sessionLife)), ms(now)); err != nil {
				return nil, err
			}
		}
		return obj{"status": "OK"}, nil
	}
}

func get(in obj) (out obj, err error) {
	defer guard(&err)
	handle := field[string](in, "sessionHandle")
	r, ok, err := load(handle)
	if err != nil || !ok {
		return unauthorised("Session does not exist."), err
	}
	return obj{"status": "OK", "sessionHandle": handle, "userId": r.user, "recipeUserId": r.user, "tenantId": "public", "userDataInDatabase": json.RawMessage(r.data),
		"userDataInJWT": json.RawMessage(r.payload), "expiry": r.expires, "timeCreated": r.made}, nil
}

func list(in obj) (out obj, err error) {
	defer guard(&err)
	rows, err := db.Query(`SELECT handle FROM tiny WHERE user = ? AND expires > ?`, field[string](in, "userId"), ms(time.Now()))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	handles := []string{}
	for rows.Next() {
		var h string
		if err := rows.Scan(&h); err != nil {
			return nil, err
		}
		handles = append(handles, h)
	}
	return obj{"status": "OK", "sessionHandles": handles}, rows.Err()
}
