package storetest

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/store"
)

// TLSCase is one way to ask for TLS and what must come of it.
type TLSCase struct {
	Name string
	// Options are put after the ? of the URI.
	Options string
	// Plain: the server speaks no TLS.
	Plain bool
	// Misnamed: the server is asked for by a name that its certificate lacks.
	Misnamed bool
	// User replaces user and password.
	User *url.Userinfo
	// Refused: the store does not open.
	Refused bool
	// Encrypted: it opens, and its connections are.
	Encrypted bool
}

// RunTLS opens a store on servers with and without TLS.
func RunTLS(t *testing.T, open func(context.Context, store.Config) (store.Store, error), secure, plain, misnamed string, encrypted func(*testing.T, store.Store) bool, cases []TLSCase) {
	for _, tc := range cases {
		t.Run(tc.Name, func(t *testing.T) {
			t.Parallel()
			uri := secure
			if tc.Plain {
				uri = plain
			}
			u, err := url.Parse(uri)
			if err != nil {
				t.Fatal(err)
			}
			if tc.Misnamed {
				u.Host = misnamed + ":" + u.Port()
			}
			if tc.User != nil {
				u.User = tc.User
			}
			u.RawQuery = tc.Options
			s, err := open(t.Context(), store.Config{URI: u.String(), PoolSize: 2, MinIdle: 1, StatementTimeout: bound / 3})
			if err == nil {
				defer func() { _ = s.Close() }()
			}
			password, _ := u.User.Password()
			switch {
			case tc.Refused && err == nil:
				t.Errorf("opened")
			case tc.Refused && (strings.ContainsAny(err.Error(), "\r\n") || password != "" && strings.Contains(err.Error(), password)):
				t.Errorf("not one line, or with the password: %v", err)
			case tc.Refused && errors.Is(err, store.ErrUnavailable):
				t.Errorf("it would be waited for: %v", err)
			case tc.Refused:
				t.Log(err)
			case err != nil:
				t.Errorf("not opened: %v", err)
			case encrypted(t, s) != tc.Encrypted:
				t.Errorf("encrypted: %v, want %v", !tc.Encrypted, tc.Encrypted)
			default:
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if _, err := s.Liveness(ctx, "nobody"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("a read: %v", err)
				}
			}
		})
	}
}
