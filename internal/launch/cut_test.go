package launch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
)

// TestDividedDatabases: a core loses its database in each way that its target has, tells
// no session from another meanwhile, and has it again after; one that keeps it is not
// disturbed, and sees what the other made.
func TestDividedDatabases(t *testing.T) {
	t.Parallel()
	const network, file = "[refused silent]", "[locked]"
	for name, tc := range map[string]struct {
		open    func(t *testing.T) launch.Target
		outages string
		whole   bool
	}{
		"embedded":            {func(t *testing.T) launch.Target { return embedded(t) }, file, false},
		"process on a file":   {func(t *testing.T) launch.Target { x, _ := described(t, "refcore", "sqlite"); return x }, file, false},
		"process on a server": {func(t *testing.T) launch.Target { x, _ := described(t, "refcore", "postgres"); return x }, network, true},
		"container": {func(t *testing.T) launch.Target {
			return containerOn(t, launch.ContainerOptions{Database: "mysql"})
		}, network, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := tc.open(t)
			d, err := x.Divided(t.Context(), "outages")
			if errors.Is(err, launch.ErrUnsupported) && runtime.GOOS != "linux" && !tc.whole {
				t.Skip("files are locked so on Linux alone")
			}
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(d.Way.Outages()) != tc.outages || (d.Whole != nil) != tc.whole {
				t.Fatalf("outages %v, whole %v", d.Way.Outages(), d.Whole != nil)
			}
			lost := aCore(t, d.Cut)
			var kept protocol.Core
			if tc.whole {
				kept = aCore(t, d.Whole)
			}
			s := create(t, lost)
			for _, o := range d.Way.Outages() {
				if err := d.Way.Break(t.Context(), o); err != nil {
					t.Fatal(err)
				}
				within, cancel := context.WithTimeout(t.Context(), time.Second)
				if v, err := verify(within, lost, s.Access.Value); err == nil && v.HTTPStatus < 500 {
					t.Errorf("%s: %s (HTTP %d)", o, v.Status, v.HTTPStatus)
				}
				cancel()
				if kept != nil {
					if got := status(t, kept, s.Access.Value); got != protocol.OK {
						t.Errorf("%s: who keeps the database says %s", o, got)
					}
				}
				if err := d.Way.Mend(t.Context()); err != nil {
					t.Fatal(err)
				}
				for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
					v, err := verify(t.Context(), lost, s.Access.Value)
					if err == nil && v.Status == protocol.OK {
						break
					}
					if time.Now().After(end) {
						t.Fatalf("%s: not back: %s %v", o, v.Status, err)
					}
				}
			}
		})
	}
	t.Run("not in its hands", func(t *testing.T) {
		t.Parallel()
		if d, err := (&launch.External{}).Divided(t.Context(), "x"); err == nil {
			t.Errorf("an external core gave %+v", d)
		}
	})
}

// aCore is one with the flag on.
func aCore(t *testing.T, x launch.Target) protocol.Core {
	t.Helper()
	return cores(t, start(t, x, 1, launch.Settings{Flag: true}), "2.20")[0]
}

func verify(ctx context.Context, c protocol.Core, token string) (protocol.Verified, error) {
	return c.Verify(protocol.WithEveryAnswer(ctx), protocol.VerifyRequest{AccessToken: token, CheckDatabase: true})
}
