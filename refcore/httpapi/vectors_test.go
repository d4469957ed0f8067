package httpapi_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/vectors"
	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/sqlite"
)

// TestVectors plays what a real core answered. It is the first test of this
// package: everything else refines it.
func TestVectors(t *testing.T) {
	t.Parallel()
	playVectors(t, func(t *testing.T) store.Store {
		s, err := sqlite.Open(t.Context(), store.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// playVectors plays every scenario, each configuration on its own store.
func playVectors(t *testing.T, open func(*testing.T) store.Store) {
	scenarios, err := vectors.Load("../../testdata/vectors.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	if len(scenarios) < 200 {
		t.Fatalf("only %d scenarios: the archive is not whole", len(scenarios))
	}
	byConfig := map[string][]*vectors.Scenario{}
	for i := range scenarios {
		s := &scenarios[i]
		byConfig[s.Config] = append(byConfig[s.Config], s)
	}
	for config, list := range byConfig {
		t.Run(config, func(t *testing.T) {
			t.Parallel()
			player := serveScenario(t, open(t), list[0])
			steps := 0
			for i, s := range list {
				steps += len(s.Steps)
				found, err := player.Play(t.Context(), s, fmt.Sprintf("w%dx", i))
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range found {
					t.Errorf("%s", d)
				}
			}
			t.Logf("%d scenarios, %d steps", len(list), steps)
		})
	}
}

// serveScenario starts a core with the settings that a scenario was recorded
// under. Its clock stands still but for the scenario's own pauses: with tokens
// that live for a second, real time would make the answers depend on the machine.
func serveScenario(t *testing.T, s store.Store, sc *vectors.Scenario) *vectors.Player {
	t.Helper()
	set := refcore.DefaultSettings()
	set.Jitter = 0
	var clock atomic.Int64
	clock.Store(time.Now().Truncate(time.Second).Add(100 * time.Millisecond).UnixMilli())
	set.Blacklisting = sc.Flag()
	var keys []string
	for name, v := range sc.Needs {
		switch name {
		case "access_token_validity":
			set.AccessValidity = time.Duration(v.(float64)) * time.Second
		case "refresh_token_rotation_grace_period":
			set.GracePeriod = time.Duration(v.(float64)) * time.Second
		case "recent_token_reuse_behaviour":
			set.ReuseUnauthorised = v == "UNAUTHORISED"
		case "api_keys":
			keys = strings.Split(v.(string), ",")
		default:
			t.Fatalf("scenario %s needs %s: teach this test the setting", sc.File, name)
		}
	}
	engine, err := refcore.New(t.Context(), refcore.Options{Store: s, Settings: set, Now: func() time.Time { return time.UnixMilli(clock.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	h, err := httpapi.New(httpapi.Options{Engine: engine, APIKeys: keys})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.Close()
		engine.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return &vectors.Player{Client: srv.Client(), Base: srv.URL, Sleep: func(_ context.Context, d time.Duration) error {
		clock.Add(d.Milliseconds())
		return nil
	}}
}
