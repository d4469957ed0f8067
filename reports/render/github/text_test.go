package github

import "testing"

func TestCommandsAreEscaped(t *testing.T) {
	t.Parallel()
	if got := annotation("50 %\r\n::error::x"); got != "50 %25\\x0d%0A::error::x" {
		t.Errorf("annotation: %q", got)
	}
	if got := property("a:b,c%\n"); got != "a%3Ab%2Cc%25" {
		t.Errorf("property: %q", got)
	}
}
