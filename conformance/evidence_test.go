package conformance

import (
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/replay"
)

func TestNeedsInWords(t *testing.T) {
	t.Parallel()
	got := Needs{
		Instances: 2, OffSide: true, Settings: true, Verbs: []protocol.Verb{protocol.VerbList}, FlagMode: protocol.ByRequest,
		From: "3.0", Below: "5.6", Serial: true,
	}.List()
	want := []string{"2 instances", "a flag-off side", "cores with settings of its own", "list", "a version whose flag is in the request", "version ≥ 3.0", "version < 5.6"}
	if !slices.Equal(got, want) || len(Needs{}.List()) != 0 {
		t.Errorf("got %q", got)
	}
}

// TestCurl lets a shell read the line: what arrives must be what was sent.
func TestCurl(t *testing.T) {
	t.Parallel()
	line := (&recorder{}).curl(protocol.Exchange{
		Method: "POST", URL: "http://h:1/a?b='c'", RequestBody: `{"x":"it's $HOME"}`,
		RequestHeader: http.Header{"Content-Type": {"application/json"}, "Api-Key": {"***"}, "User-Agent": {"coreproof"}},
	})
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell here")
	}
	out, err := exec.Command(sh, "-c", `API_KEY=key; curl() { printf '%s\n' "$@"; }; `+line).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	want := "-sS\n-X\nPOST\n-H\napi-key: key\n-H\ncontent-type: application/json\n-A\ncoreproof\n-H\naccept:\n--data-binary\n" + `{"x":"it's $HOME"}` + "\nhttp://h:1/a?b='c'\n"
	if string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestEvidenceIsShortAndHoldsNoToken(t *testing.T) {
	t.Parallel()
	token := "eyJhbGciOiJSUzI1NiJ9." + strings.Repeat("abcDEF123", 20) + "." + strings.Repeat("xyzXYZ789", 20)
	tp := &recorder{}
	for i := range keptExchanges + 3 {
		tp.record(protocol.Exchange{
			Method: "POST", URL: fmt.Sprintf("http://h/%d", i), RequestBody: `{"accessToken":"` + token + `"}`,
			ResponseBody: strings.Repeat("é", replay.KeptBody), Status: 200,
		})
	}
	got := replay.Evidence(tp.exchanges())
	if len(got) != keptExchanges || got[0].URL != "http://h/3" {
		t.Fatalf("%d exchanges, the first %s", len(got), got[0].URL)
	}
	for _, e := range got {
		if strings.Contains(e.RequestBody, token) || len(e.ResponseBody) > replay.KeptBody+64 {
			t.Errorf("too much is kept: %d bytes of request, %d of response", len(e.RequestBody), len(e.ResponseBody))
		}
	}
}
