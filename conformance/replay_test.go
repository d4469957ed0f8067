package conformance_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/conformance/internal/testcore"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// revokedAndLive are tokens of a session of a core that was revoked, and of one that was not.
func revokedAndLive(t *testing.T, target *testcore.Target) (revoked, live protocol.Tokens) {
	t.Helper()
	cores, err := target.Started()[0].Cores("5.5")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*protocol.Tokens{&revoked, &live} {
		if *s, err = cores[0].Create(t.Context(), protocol.CreateRequest{UserID: "u", AntiCSRF: true}); protocol.Answered(s.Reply, err) != nil {
			t.Fatal(err)
		}
	}
	gone, err := cores[0].Revoke(t.Context(), revoked.Session.Handle)
	if err := protocol.Answered(gone.Reply, err); err != nil {
		t.Fatal(err)
	}
	v, err := cores[0].Verify(t.Context(), protocol.VerifyRequest{AccessToken: revoked.Access.Value, CheckDatabase: true})
	if err != nil || v.Status != protocol.Unauthorised {
		t.Fatalf("the usual request gets %s, %v", v.Status, err)
	}
	return revoked, live
}

// TestReplayShowsTheViolation: the line that is printed, read by a shell and sent by curl,
// finds each core broken that is broken by how it is asked.
func TestReplayShowsTheViolation(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("needs ", program)
		}
	}
	kept := map[string]func(proof.Exchange) bool{
		"chunked-requests-not-covered": func(e proof.Exchange) bool { return e.Chunked },
		"other-hosts-not-covered":      func(e proof.Exchange) bool { return e.Host == "sessions.example" },
		"old-http-not-covered":         func(e proof.Exchange) bool { return e.Proto == "HTTP/1.0" },
	}
	for defect, part := range map[string]string{
		"checks-coreproof-only":        " -A ",
		"proxied-requests-not-covered": " -H 'x-forwarded-for: ",
		"chunked-requests-not-covered": " -H 'Transfer-Encoding: chunked'",
		"long-requests-not-covered":    `"$(printf '%71680s' '')"`,
		"other-hosts-not-covered":      " -H 'Host: sessions.example'",
		"queries-not-covered":          "request=7",
		"no-rid-not-covered":           "curl",
		"old-http-not-covered":         " --http1.0",
		"tenant-paths-not-covered":     "/public/recipe/",
		"misbehaves-when-watched":      " -H 'x-coreproof-check: ",
	} {
		t.Run(defect, func(t *testing.T) {
			if testing.Short() && defect != "other-hosts-not-covered" && defect != "old-http-not-covered" {
				t.Skip("two are tried; without -short all are")
			}
			t.Parallel()
			target := defective(t, defect)
			o := options(t, target)
			o.Select.IDs, o.Scale = []string{"BL-70"}, 0.2
			got, _, _ := run(t, o)
			c := checkOf(t, got, "BL-70")
			if len(c.Violations) == 0 {
				t.Fatalf("%s %s", c.Outcome, c.Reason)
			}
			line := c.Violations[0].Replay
			if !strings.Contains(line, part) {
				t.Errorf("want %q in %.2000s", part, line)
			}
			if shows := kept[defect]; shows != nil && !slices.ContainsFunc(c.Violations[0].Exchanges, shows) {
				t.Errorf("no exchange tells it: %+v", c.Violations[0].Exchanges)
			}
			revoked, live := revokedAndLive(t, target)
			for _, s := range []protocol.Tokens{revoked, live} {
				cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
				cmd.Env = append(os.Environ(), "ACCESS_TOKEN="+s.Access.Value, "ANTI_CSRF_TOKEN="+s.AntiCSRF)
				out, err := cmd.CombinedOutput()
				if err != nil || !strings.Contains(string(out), `"status":"OK"`) {
					t.Errorf("%v, %s, of %.2000s", err, out, line)
				}
			}
		})
	}
}
