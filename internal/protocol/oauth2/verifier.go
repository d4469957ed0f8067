package oauth2

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// NewVerifier answers what an API would decide of a JWT without asking the server: a
// POST with the form field token gets the shape of an introspection, a GET says that
// it is there. Without the keys it answers HTTP 503, which is no refusal. It stands for
// the API's own check where that check is measured.
func NewVerifier(keys *KeySet) http.Handler {
	type answer struct {
		Active  bool                       `json:"active"`
		Subject string                     `json:"sub,omitempty"`
		Expiry  int64                      `json:"exp,omitempty"`
		Ext     map[string]json.RawMessage `json:"ext,omitempty"`
		// Reason of a refusal.
		Reason string `json:"reason,omitempty"`
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		var a answer
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
			claims, err := keys.Verify(r.Context(), r.PostFormValue("token"), time.Now())
			if errors.Is(err, errNoKeys) {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			if err != nil {
				a.Reason = err.Error()
			} else {
				a = answer{Active: true, Subject: claims.Subject, Expiry: claims.Expiry, Ext: claims.Ext}
			}
		}
		_ = json.NewEncoder(w).Encode(a) // a caller who has gone reads nothing
	})
}
