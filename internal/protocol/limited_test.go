package protocol_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/coreproof/coreproof/internal/protocol"
)

func TestTurnedAway(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{
		200: nil, 401: nil, 404: nil, 500: nil, 501: nil, 505: nil,
		429: protocol.ErrLimited, 502: protocol.ErrUnavailable, 503: protocol.ErrUnavailable, 504: protocol.ErrUnavailable,
	} {
		err := protocol.TurnedAway(t.Context(), code)
		if !errors.Is(err, want) || protocol.WasTurnedAway(err) != (want != nil) {
			t.Errorf("HTTP %d: %v", code, err)
		}
		if err := protocol.TurnedAway(protocol.WithEveryAnswer(t.Context()), code); (err != nil) != (code == http.StatusTooManyRequests) {
			t.Errorf("HTTP %d where each answer counts: %v", code, err)
		}
	}
}

// TestSinglesOut: a limit turns everybody away, in whatever rhythm.
func TestSinglesOut(t *testing.T) {
	t.Parallel()
	away := func(context.Context) (protocol.Reply, error) {
		return protocol.Reply{HTTPStatus: 503}, protocol.TurnedAway(context.Background(), 503)
	}
	limited := func(context.Context) (protocol.Reply, error) {
		return protocol.Reply{HTTPStatus: 429}, protocol.TurnedAway(context.Background(), 429)
	}
	good := func(context.Context) (protocol.Reply, error) { return protocol.Reply{Status: protocol.OK}, nil }
	n := 0
	second := func(ctx context.Context) (protocol.Reply, error) {
		if n++; n%2 == 0 {
			return away(ctx)
		}
		return good(ctx)
	}
	for name, tc := range map[string]struct {
		call, other func(context.Context) (protocol.Reply, error)
		alone       bool
		status      protocol.Status
	}{
		"it alone":              {away, good, true, protocol.HTTPError},
		"it alone, by HTTP 429": {limited, good, false, ""},
		"everybody":             {away, away, false, ""},
		"nobody":                {good, good, false, protocol.OK},
		"each second call":      {second, second, false, ""},
		"the other one":         {good, away, false, protocol.OK},
		"it cannot be sent":     {func(context.Context) (protocol.Reply, error) { return protocol.Reply{}, errors.New("refused") }, good, false, ""},
	} {
		r, alone := protocol.SinglesOut(t.Context(), tc.call, tc.other)
		if alone != tc.alone || name != "each second call" && r.Status != tc.status {
			t.Errorf("%s: %q %v", name, r.Status, alone)
		}
	}
}

func TestMisspelt(t *testing.T) {
	t.Parallel()
	for s, want := range map[protocol.Status]string{
		protocol.OK: "", "unauthorized": "the protocol spells it UNAUTHORISED", "TRY-REFRESH-TOKEN": "the protocol spells it TRY_REFRESH_TOKEN", "BUSY": "",
	} {
		if got := s.Misspelt(); got != want {
			t.Errorf("%s: %q", s, got)
		}
	}
}
