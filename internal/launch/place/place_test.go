package place_test

import (
	"context"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/launch/place"
)

// TestReach: another machine is reached where that is allowed, and at its rate.
func TestReach(t *testing.T) {
	t.Parallel()
	waited := 0
	wait := func(context.Context) error { waited++; return nil }
	for name, tc := range map[string]struct {
		remote bool
		wait   func(context.Context) error
		at     string
		waits  int
		want   string // in the error; "" for none
	}{
		"here":                     {false, wait, "http://127.0.0.1:1/login?code=x", 0, ""},
		"here, by name":            {false, nil, "http://localhost:1/login", 0, ""},
		"elsewhere":                {false, wait, "https://192.0.2.1/login?code=x", 0, "leads to https://192.0.2.1, which is not this machine"},
		"elsewhere, allowed":       {true, wait, "https://192.0.2.1/login", 1, ""},
		"here, others are allowed": {true, wait, "http://127.0.0.1:1/login", 0, ""},
		"allowed and paced anyway": {true, nil, "https://192.0.2.1/login", 0, ""},
		"no URL":                   {false, wait, "mailto:a@example.org", 0, "no URL of a server"},
	} {
		waited = 0
		err := place.Reach(tc.remote, tc.wait)(t.Context(), tc.at)
		if (err != nil) != (tc.want != "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "code")) || waited != tc.waits {
			t.Errorf("%s: %v, waited %d times", name, err, waited)
		}
	}
}
