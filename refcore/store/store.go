// Package store is what the reference core asks of a database: single
// statements, compare-and-set writes, and no cache.
//
// Every method is one round trip on one pooled connection unless its comment
// says otherwise. No method upserts a session: a write that follows a delete
// reports that the row is gone, so a revoked session is never brought back.
// Times are milliseconds since 1970 by the caller's clock; the database's own
// clock is never consulted.
package store

import (
	"context"
	"errors"
	"time"
)

// MaxUserID is the longest user id in bytes that every store keeps; longer ones
// must be refused before a store is asked.
const MaxUserID = 2048

var (
	// ErrNotFound says that there is no such session.
	ErrNotFound = errors.New("session not found")
	// ErrExists says that a session with this handle is there already.
	ErrExists = errors.New("session exists already")
	// ErrUnavailable is in the error of a Kind's Open when the database may yet
	// come: nobody answers, it is starting, it is no primary, it has no room.
	ErrUnavailable = errors.New("the database is not available")
)

// Session is one row of session_info.
type Session struct {
	Handle           string
	UserID           string
	RefreshHash2     string // hash2 of the current refresh token, 64 hex characters
	PrevRefreshHash2 string // hash2 of the retired one; "" when there was none
	RotatedAt        int64  // ms; when the previous token was retired, 0 when never
	Data             []byte // userDataInDatabase, JSON text
	Payload          []byte // userDataInJWT, JSON text
	CreatedAt        int64  // ms
	ExpiresAt        int64  // ms
	UseStaticKey     bool
}

// Liveness is the part of a session that verify reads.
type Liveness struct {
	RefreshHash2     string
	PrevRefreshHash2 string
	Payload          []byte
	UseStaticKey     bool
}

// Rotation replaces a session's refresh lineage and kind of key if the row still
// holds what was read. All other fields are written as given.
type Rotation struct {
	Expect           string // RefreshHash2 that the row must hold
	ExpectStaticKey  bool   // UseStaticKey that it must hold: it changes without the hash
	RefreshHash2     string
	PrevRefreshHash2 string
	RotatedAt        int64
	ExpiresAt        int64
	UseStaticKey     bool
}

// Key is a stored signing key.
type Key struct {
	ID        string // "s-<uuid>" for static keys; dynamic keys are named by CreatedAt
	Value     string // "<public DER, base64>|<private PKCS#8 DER, base64>"
	CreatedAt int64  // ms
}

// Sessions keeps sessions.
type Sessions interface {
	// CreateSession inserts a row; ErrExists if the handle is taken.
	CreateSession(ctx context.Context, s Session) error
	// Session reads one row by primary key, expired or not; ErrNotFound.
	Session(ctx context.Context, handle string) (Session, error)
	// Liveness reads by primary key what verify needs, from the primary, and
	// sees every delete that was acknowledged before the call; ErrNotFound.
	Liveness(ctx context.Context, handle string) (Liveness, error)
	// Rotate is one conditional update; false when the row is gone or holds
	// another hash or kind of key.
	Rotate(ctx context.Context, handle string, r Rotation) (bool, error)
	// SetData replaces userDataInDatabase of a session with expires_at > aliveAt;
	// false when there is none. Writing the same value again is true.
	SetData(ctx context.Context, handle string, data []byte, aliveAt int64) (bool, error)
	// SetPayload does the same for userDataInJWT.
	SetPayload(ctx context.Context, handle string, payload []byte, aliveAt int64) (bool, error)
	// Handles lists the sessions of exactly this user (byte for byte) with
	// expires_at >= aliveAt, in no particular order.
	Handles(ctx context.Context, userID string, aliveAt int64) ([]string, error)
	// Delete removes sessions and returns the handles whose rows this call
	// deleted, each once. One handle costs one statement. It returns after the
	// delete is durable. Stores that cannot say which rows went may use one
	// transaction or one statement a handle; after an error some may be gone.
	Delete(ctx context.Context, handles []string) ([]string, error)
	// DeleteByUser removes every session of exactly this user with
	// expires_at >= aliveAt that was there when the call began, whatever their
	// number, and returns their handles.
	DeleteByUser(ctx context.Context, userID string, aliveAt int64) ([]string, error)
	// DeleteExpired removes at most limit rows with expires_at <= now and says
	// how many went.
	DeleteExpired(ctx context.Context, now int64, limit int) (int, error)
}

// Keys keeps what several cores on one database share.
type Keys interface {
	// DynamicKeys lists all stored dynamic keys, newest first.
	DynamicKeys(ctx context.Context) ([]Key, error)
	// AddDynamicKey stores k as the successor of the newest stored key, whose
	// CreatedAt the caller names (0 for none); k.CreatedAt is greater. False when
	// another core has already stored a successor: read again. Race-free: each
	// key has at most one successor.
	AddDynamicKey(ctx context.Context, newest int64, k Key) (bool, error)
	// StaticKeys lists the static keys, newest first.
	StaticKeys(ctx context.Context) ([]Key, error)
	// AddStaticKey stores k if there is no static key yet; false otherwise.
	AddStaticKey(ctx context.Context, k Key) (bool, error)
	// DeleteDynamicKeys removes keys with CreatedAt < before; how many went.
	DeleteDynamicKeys(ctx context.Context, before int64) (int, error)
	// ValueOrInsert returns the value stored under name, after storing the
	// given one if there was none. All callers, on all cores, get the same.
	ValueOrInsert(ctx context.Context, name, value string, now int64) (string, error)
}

// Store is a database with its schema in place.
type Store interface {
	Sessions
	Keys
	// Ping asks the database a question; an error when it does not answer.
	Ping(ctx context.Context) error
	// Statements is how many statements this store has sent for its callers
	// since it was opened; schema set-up, pings and transaction borders not counted.
	Statements() uint64
	// Close releases all connections.
	Close() error
}

// Config is how a store is opened. Each store's Open(ctx, Config) creates the
// schema if it is missing, race-free when several cores start at once.
type Config struct {
	// URI is the connection string in the store's own form. SQLite: a file path,
	// or "" for a database in memory that vanishes with the process.
	URI string
	// Prefix is put before every table or collection name, joined with "_".
	Prefix string
	// Schema is the Postgres schema; "" is public. Other stores ignore it.
	Schema string
	// SessionTable and KeyValueTable replace "session_info" and "key_value"
	// (no prefix is added to a name that is set).
	SessionTable, KeyValueTable string
	// Database is the MongoDB database name; "" takes the URI's.
	Database string
	// PoolSize bounds the open connections; 0 is 10.
	PoolSize int
	// MinIdle is how many connections are kept open; negative is PoolSize.
	MinIdle int
	// IdleTimeout closes connections above MinIdle that were idle so long;
	// 0 is one minute.
	IdleTimeout time.Duration
	// StatementTimeout bounds each statement, waiting for a connection
	// included; 0 is five seconds. An expired one is an error, never a "not found".
	StatementTimeout time.Duration
	// Warn is told by Open, once the database is open, of settings of the server
	// that are weaker than what this package promises, a line each; nil for nobody.
	Warn func(text string)
}
