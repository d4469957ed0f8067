package serve_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/coreproof/coreproof/refcore/serve"
	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	_ "modernc.org/sqlite"
)

// pointSelect reads what verify needs of one session by primary key, by the
// driver alone.
type pointSelect func(ctx context.Context, handle string) error

const livenessSQL = "SELECT refresh_token_hash_2, prev_refresh_token_hash_2, jwt_user_payload, use_static_key FROM session_info WHERE session_handle = "

// openBare makes the point select of a store: "none" or the name of its kind.
func openBare(ctx context.Context, kind, uri string) (pointSelect, error) {
	type row struct {
		hash, prev string
		payload    []byte
		static     bool
	}
	fromSQL := func(db *sql.DB) (pointSelect, error) {
		db.SetMaxOpenConns(10)
		db.SetMaxIdleConns(10)
		stmt, err := db.PrepareContext(ctx, livenessSQL+"?")
		return func(ctx context.Context, h string) error {
			var r row
			return stmt.QueryRowContext(ctx, h).Scan(&r.hash, &r.prev, &r.payload, &r.static)
		}, err
	}
	switch kind {
	case "none":
		return func(context.Context, string) error { return nil }, nil
	case "sqlite":
		db, err := sql.Open("sqlite", "file:"+uri+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
		if err != nil {
			return nil, err
		}
		return fromSQL(db)
	case "postgresql":
		cfg, err := pgxpool.ParseConfig(uri)
		if err != nil {
			return nil, err
		}
		cfg.MaxConns, cfg.MinConns = 10, 10 // as many as the core
		pool, err := pgxpool.NewWithConfig(ctx, cfg)
		return func(ctx context.Context, h string) error {
			var r row
			return pool.QueryRow(ctx, livenessSQL+"$1", h).Scan(&r.hash, &r.prev, &r.payload, &r.static)
		}, err
	case "mysql":
		u, err := url.Parse(uri)
		if err != nil {
			return nil, err
		}
		cfg := mysqldriver.NewConfig()
		cfg.Net, cfg.Addr, cfg.DBName, cfg.User = "tcp", u.Host, strings.TrimPrefix(u.Path, "/"), u.User.Username()
		cfg.Passwd, _ = u.User.Password()
		c, err := mysqldriver.NewConnector(cfg)
		if err != nil {
			return nil, err
		}
		return fromSQL(sql.OpenDB(c))
	case "mongodb":
		u, err := url.Parse(uri)
		if err != nil {
			return nil, err
		}
		c, err := mongo.Connect(options.Client().ApplyURI(uri))
		if err != nil {
			return nil, err
		}
		coll := c.Database(strings.TrimPrefix(u.Path, "/")).Collection("session_info")
		fields := options.FindOne().SetProjection(bson.D{{Key: "refresh_token_hash_2", Value: 1}, {Key: "prev_refresh_token_hash_2", Value: 1}, {Key: "jwt_user_payload", Value: 1}, {Key: "use_static_key", Value: 1}})
		return func(ctx context.Context, h string) error {
			_, err := coll.FindOne(ctx, bson.D{{Key: "_id", Value: h}}, fields).Raw()
			return err
		}, nil
	}
	return nil, fmt.Errorf("no bare store %q", kind)
}

// bareMain is the least that a core must do: net/http, JSON decode, one RS256
// verification, JSON encode, and with a store one point select.
func bareMain(args []string) int {
	if err := serveBare(args[0], args[1], args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		return 1
	}
	return 0
}

func serveBare(kind, uri, jwks string) error {
	ctx := context.Background()
	read, err := openBare(ctx, kind, uri)
	if err != nil {
		return err
	}
	keys, err := fetchKeys(jwks)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("%shttp://%s\n", serve.ReadyPrefix, l.Addr())
	srv := &http.Server{Handler: bareHandler(keys, read)}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = srv.Close()
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func fetchKeys(jwks string) (map[string]*rsa.PublicKey, error) {
	resp, err := http.Get(jwks)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var set struct{ Keys []struct{ Kid, N string } }
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		return nil, err
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		if err != nil {
			return nil, err
		}
		keys[k.Kid] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
	}
	return keys, nil
}

func bareHandler(keys map[string]*rsa.PublicKey, read pointSelect) http.Handler {
	type session struct {
		Handle   string                     `json:"handle"`
		UserID   json.RawMessage            `json:"userId"`
		Recipe   json.RawMessage            `json:"recipeUserId"`
		TenantID json.RawMessage            `json:"tenantId"`
		Payload  map[string]json.RawMessage `json:"userDataInJWT"`
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			AccessToken     string `json:"accessToken"`
			CheckDatabase   bool   `json:"checkDatabase"`
			DoAntiCSRFCheck bool   `json:"doAntiCsrfCheck"`
			EnableAntiCSRF  bool   `json:"enableAntiCsrf"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		parts := strings.Split(in.AccessToken, ".")
		var header struct{ Kid string }
		claims := map[string]json.RawMessage{}
		for i, to := range []any{&header, &claims} {
			raw, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err == nil {
				err = json.Unmarshal(raw, to)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusUnauthorized)
				return
			}
		}
		sig, err := base64.RawURLEncoding.DecodeString(parts[2])
		sum := sha256.Sum256([]byte(in.AccessToken[:len(parts[0])+1+len(parts[1])]))
		if err != nil || rsa.VerifyPKCS1v15(keys[header.Kid], crypto.SHA256, sum[:], sig) != nil {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		out := struct {
			Status  string  `json:"status"`
			Session session `json:"session"`
		}{"OK", session{UserID: claims["sub"], Recipe: claims["rsub"], TenantID: claims["tId"], Payload: claims}}
		_ = json.Unmarshal(claims["sessionHandle"], &out.Session.Handle)
		for _, own := range []string{"sessionHandle", "sub", "rsub", "tId", "exp", "iat", "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken"} {
			delete(claims, own)
		}
		if in.CheckDatabase {
			if err := read(r.Context(), out.Session.Handle); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_ = json.NewEncoder(w).Encode(out)
	})
}
