package serve

import (
	"net/http"

	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/store"
)

// Decorate wraps parts of the core before it starts, for cores that are broken
// on purpose. A nil function leaves its part as it is.
type Decorate struct {
	// Store wraps what the engine asks; the statements that /metrics counts are
	// the wrapper's.
	Store func(store.Store) store.Store
	// Engine wraps what the HTTP surface asks.
	Engine func(httpapi.Engine) httpapi.Engine
	// Handler wraps what the HTTP server asks.
	Handler func(http.Handler) http.Handler
}

func apply[T any](wrap func(T) T, v T) T {
	if wrap == nil {
		return v
	}
	return wrap(v)
}
