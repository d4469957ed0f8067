package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/internal/pause"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/internal/protocol/oauth2"
)

// cmdVerifier stands for an API that verifies JWTs by itself; descriptors start it
// beside authorization servers.
func cmdVerifier() *cobra.Command {
	var listen, keys string
	cmd := &cobra.Command{
		Use: "verifier", Short: "verify JWT access tokens with a server's published keys", Hidden: true, Args: cobra.NoArgs,
		Long: `verifier does what an API does that asks nobody: it takes a JWT access token and
verifies it with the keys that a server publishes. coreproof starts it to measure
that side of the choice.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set := &oauth2.KeySet{URL: keys, HTTP: cdi.NewHTTPClient(nil)}
			if err := fetchKeys(cmd.Context(), set); err != nil {
				return fmt.Errorf("--keys: %w", err)
			}
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return fmt.Errorf("--listen: %w", err)
			}
			return serveUntil(cmd.Context(), l, oauth2.NewVerifier(set))
		},
	}
	g := newGroup("Flags")
	g.StringVar(&listen, "listen", "127.0.0.1:0", "address to listen at")
	g.StringVar(&keys, "keys", "", "URL of the server's keys (JWKS)")
	attach(cmd, g)
	return cmd
}

// keysWithin is how long the server may take to have keys: one on a new database makes
// them when they are first asked for, and may cut that answer off.
const keysWithin = 45 * time.Second

// fetchKeys asks for the keys until they are there.
func fetchKeys(ctx context.Context, set *oauth2.KeySet) error {
	ctx, cancel := context.WithTimeout(ctx, keysWithin)
	defer cancel()
	for {
		err := set.Fetch(ctx)
		if err == nil {
			return nil
		}
		if pause.For(ctx, 200*time.Millisecond) != nil {
			return err
		}
	}
}

// serveUntil serves until ctx ends.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(within) // what it leaves ends with the process
	})
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
