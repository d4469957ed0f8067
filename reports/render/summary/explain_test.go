package summary_test

import (
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
)

func TestSent(t *testing.T) {
	t.Parallel()
	for want, x := range map[string]proof.Exchange{
		"GET http://c/a": {Method: "GET", URL: "http://c/a"},
		"GET http://c/a  (X-Coreproof-Check: BL-07/3)": {Method: "GET", URL: "http://c/a", Tag: "BL-07/3"},
		"PUT http://c/a  (HTTP/1.0, Host: b)":          {Method: "PUT", URL: "http://c/a", Host: "b", Proto: "HTTP/1.0"},
		"POST http://c/a  (body in chunks)":            {Method: "POST", URL: "http://c/a", Chunked: true},
		"GET http://c/a  (Host: two lines)":            {Method: "GET", URL: "http://c/a", Host: "two\nlines"},
	} {
		if got := summary.Sent(x); got != want {
			t.Errorf("%+v: %q, want %q", x, got, want)
		}
	}
}
