package attack

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestNarrowed by hand: a date is a whole second, and was written between two moments.
func TestNarrowed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	var none *Ahead
	a := none.narrowed(at.Add(5*time.Second), at.Add(100*time.Millisecond), at.Add(150*time.Millisecond))
	if want := (Ahead{4850 * time.Millisecond, 5900 * time.Millisecond}); *a != want {
		t.Errorf("one date: %+v, want %+v", *a, want)
	}
	a = a.narrowed(at.Add(6*time.Second), at.Add(300*time.Millisecond), at.Add(320*time.Millisecond))
	if want := (Ahead{5680 * time.Millisecond, 5900 * time.Millisecond}); *a != want {
		t.Errorf("beyond the turn of its second: %+v, want %+v", *a, want)
	}
}

// TestAheadOfACore: whose clock goes right, is an hour fast, or is not told.
func TestAheadOfACore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		date  func() []string
		fast  time.Duration
		known bool
	}{
		"right":          {func() []string { return []string{time.Now().UTC().Format(http.TimeFormat)} }, 0, true},
		"an hour fast":   {func() []string { return []string{time.Now().UTC().Add(time.Hour).Format(http.TimeFormat)} }, time.Hour, true},
		"no date":        {func() []string { return nil }, 0, false},
		"no date at all": {func() []string { return []string{"noon"} }, 0, false},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = tc.date() }))
		got := ahead(t.Context(), srv.Client(), time.Time{}, http.MethodPost, srv.URL, http.Header{}, []byte("{}"))
		srv.Close()
		if (got != nil) != tc.known {
			t.Errorf("%s: %+v", name, got)
		} else if tc.known && (got.Low > tc.fast || got.High < tc.fast) {
			t.Errorf("%s: from %s to %s ahead, want %s between them", name, got.Low, got.High, tc.fast)
		}
	}
}
