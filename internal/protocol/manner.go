package protocol

import (
	"context"
	"slices"
)

// Manner is how a request is put where the protocol leaves it open: headers, the
// order and the framing of what it says. A core must not care.
type Manner string

const (
	// MannerUsual is coreproof's own.
	MannerUsual Manner = ""
	// MannerSDK is that of an application's library.
	MannerSDK Manner = "an SDK"
	// MannerProxied is that of a request that came through proxies.
	MannerProxied Manner = "a proxy"
	// MannerGateway is that of a request that a gateway wrote anew: in chunks, to
	// another host's name, with a query of the gateway's own, and without what the
	// protocol does not insist on.
	MannerGateway Manner = "a gateway"
	// MannerNewer is that of a library newer than the core, which says more than the
	// core knows, at length.
	MannerNewer Manner = "a newer SDK"
	// MannerOlder is that of a request that an older proxy passed on: as HTTP/1.0, over
	// a connection of its own.
	MannerOlder Manner = "an older proxy"
	// MannerTenants is that of a library that serves several tenants: it names the
	// tenant of a session in the path, the default one too.
	MannerTenants Manner = "an SDK of several tenants"
)

type mannerKey struct{}

// Mannered is a client that can put its requests in other manners than the usual one.
type Mannered interface {
	// Manners are those in which its requests differ from the usual ones.
	Manners() []Manner
}

// HasManner says whether a client's requests differ in a manner from its usual ones, or
// whether it is the usual one.
func HasManner(c Core, m Manner) bool {
	if m == MannerUsual {
		return true
	}
	k, ok := c.(Mannered)
	return ok && slices.Contains(k.Manners(), m)
}

// WithManner puts the requests made under ctx in a manner. A client that has it not
// (HasManner) passes it over.
func WithManner(ctx context.Context, m Manner) context.Context {
	return context.WithValue(ctx, mannerKey{}, m)
}

// MannerOf is what WithManner set.
func MannerOf(ctx context.Context) Manner {
	m, _ := ctx.Value(mannerKey{}).(Manner)
	return m
}
