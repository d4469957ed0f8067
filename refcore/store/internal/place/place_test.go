package place

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	t.Parallel()
	const unclear = "a database whose URI is not of the form scheme://user:password@host:port/name"
	for _, tc := range []struct{ uri, want string }{
		{"postgresql://u:secret@db.example:5432/app?sslmode=disable", "postgresql://db.example:5432/app"},
		{"mysql://db:3306/app", "mysql://db:3306/app"},
		{"mongodb://u:%2Fsecret@a:1,b:2/app?w=1&password=se@secret", "mongodb://a:1,b:2/app"},
		{"postgresql://u:/secret#@h/app", unclear},
		{"postgresql://u:secret?@h/app", unclear},
		{"mysql://u:%secret@h/app", unclear},
		{"no scheme, secret", unclear},
		{"", unclear},
	} {
		if got := Of(tc.uri); got != tc.want || strings.Contains(got, "secret") {
			t.Errorf("place of %q: got %q, want %q", tc.uri, got, tc.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	err := OneLine(errors.Join(io.EOF, io.ErrClosedPipe))
	if got := err.Error(); got != "EOF io: read/write on closed pipe" || !errors.Is(err, io.EOF) {
		t.Errorf("got %q, want both on one line, and io.EOF kept", got)
	}
	if OneLine(nil) != nil || OneLine(io.EOF) != io.EOF {
		t.Error("an error that is on one line changed")
	}
}
