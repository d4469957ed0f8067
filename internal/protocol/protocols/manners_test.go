package protocols_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/internal/protocol/exec"
	"github.com/coreproof/coreproof/internal/protocol/oauth2"
)

// manners are all that there are.
var manners = []protocol.Manner{
	protocol.MannerSDK, protocol.MannerProxied, protocol.MannerGateway, protocol.MannerNewer, protocol.MannerOlder, protocol.MannerTenants,
}

// TestAMannerThatAClientHasDiffers: a client names the manners that show in its requests,
// and those alone.
func TestAMannerThatAClientHasDiffers(t *testing.T) {
	t.Parallel()
	var said string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		said = fmt.Sprintf("%s %s %s %v %v %s", r.Proto, r.Host, r.URL, r.TransferEncoding, r.Header, body)
		_, _ = io.WriteString(w, `{"status":"OK","sessionHandlesRevoked":[]}`)
	}))
	t.Cleanup(srv.Close)
	for name, tc := range map[string]struct {
		p       protocol.Protocol
		version string
		has     int
	}{
		"CDI":   {cdi.CDI{}, "5.4", len(manners)},
		"OAuth": {oauth2.New(oauth2.Options{Login: "hydra"}), oauth2.Opaque, 3},
	} {
		c, err := tc.p.Dial(protocol.DialOptions{BaseURL: srv.URL, Version: tc.version, Endpoints: map[string]string{
			oauth2.Token: srv.URL, oauth2.Introspect: srv.URL, oauth2.Revoke: srv.URL,
		}})
		if err != nil {
			t.Fatal(err)
		}
		asked := func(m protocol.Manner) string {
			if _, err := c.Revoke(protocol.WithManner(t.Context(), m), "h"); err != nil {
				t.Fatalf("%s as %s: %v", name, m, err)
			}
			return said
		}
		usual, has := asked(protocol.MannerUsual), 0
		for _, m := range manners {
			if protocol.HasManner(c, m) {
				has++
			}
			if got := asked(m); (got != usual) != protocol.HasManner(c, m) {
				t.Errorf("%s has the manner %q: %v; it says %s, and usually %s", name, m, protocol.HasManner(c, m), got, usual)
			}
		}
		if !protocol.HasManner(c, protocol.MannerUsual) || has != tc.has {
			t.Errorf("%s has %d manners, want %d", name, has, tc.has)
		}
	}
}

// TestAnAdapterHasNoManners: how it asks is its own matter.
func TestAnAdapterHasNoManners(t *testing.T) {
	t.Parallel()
	c, err := exec.New(exec.Options{Command: []string{"none"}}).Dial(protocol.DialOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(manners, func(m protocol.Manner) bool { return protocol.HasManner(c, m) }) {
		t.Error("it has one")
	}
}
