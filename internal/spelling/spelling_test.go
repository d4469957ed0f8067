package spelling_test

import (
	"testing"

	"github.com/coreproof/coreproof/internal/spelling"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"rate-cap", "rate", "access_token_blacklisting"}
	for name, want := range map[string]string{
		"rate-cpa": "rate-cap", "ratecap": "rate-cap", "acess_token_blacklistng": "access_token_blacklisting",
		"rat": "rate", "rates-caps-": "", "": "", "blacklisting": "", "rate": "rate",
	} {
		if got := spelling.Nearest(name, names); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if got := spelling.Nearest("x", nil); got != "" {
		t.Errorf("nearest of none: %q", got)
	}
}
