package conformance_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/conformance/broken"
	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/verdict"
)

// TestConnectionsAreNewByURL: a core that somebody else started is asked over new
// connections too.
func TestConnectionsAreNewByURL(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		d    serve.Decorate
		want proof.Outcome
	}{
		"blind at first": {serve.Decorate{Handler: broken.FirstOfAConnection}, proof.Fail},
		"good":           {serve.Decorate{}, proof.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "good" {
				t.Skip("tried without -short")
			}
			t.Parallel()
			target := defective(t, "")
			target.Decorate = tc.d
			o := options(t, target)
			var on []string
			for _, i := range o.On.Instances() {
				on = append(on, i.URL)
			}
			external, err := launch.NewExternal(t.Context(), launch.ExternalOptions{On: on[:1]})
			if err != nil {
				t.Fatal(err)
			}
			o.Target, o.Off, o.Select.IDs = external, nil, []string{"BL-70"}
			if o.On, err = external.Start(t.Context(), 0, launch.Settings{Flag: true}); err != nil {
				t.Fatal(err)
			}
			got, _, _ := run(t, o)
			if outcome, why := verdict.Check(checkOf(t, got, "BL-70"), got.Histories); outcome != tc.want {
				t.Errorf("%s, want %s: %s", outcome, tc.want, why)
			}
		})
	}
}

// counted is CDI whose clients count how often their connections were closed.
type counted struct {
	cdi.CDI
	closed *atomic.Int64
}

type countedClient struct {
	protocol.Core
	closed *atomic.Int64
}

func (c counted) Dial(o protocol.DialOptions) (protocol.Core, error) {
	core, err := c.CDI.Dial(o)
	return countedClient{core, c.closed}, err
}

func (c countedClient) CloseIdle() {
	c.closed.Add(1)
	protocol.CloseIdle(c.Core)
}

// TestConnectionsEndWithTheirCheck, and no others do.
func TestConnectionsEndWithTheirCheck(t *testing.T) {
	t.Parallel()
	var closed atomic.Int64
	target := defective(t, "")
	target.Speak = counted{closed: &closed}
	o := options(t, target)
	o.Checks = []conformance.Check{check("X-1", func(ctx context.Context, c *conformance.T) error {
		for range 3 {
			at, err := c.Connect("5.5")
			if err != nil {
				return err
			}
			if _, err := at[0].Ask(ctx, "token"); err != nil {
				return err
			}
		}
		if n := closed.Load(); n != 0 {
			t.Errorf("%d clients were closed while the check ran", n)
		}
		return nil
	})}
	run(t, o)
	if n := closed.Load(); n != 3*2 { // two instances
		t.Errorf("%d clients were closed, want 6", n)
	}
}
