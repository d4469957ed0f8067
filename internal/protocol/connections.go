package protocol

// Idler is a client that keeps connections for calls to come.
type Idler interface {
	// CloseIdle closes those that no call uses.
	CloseIdle()
}

// CloseIdle closes the connections that clients keep and do not use. They can go on
// being called.
func CloseIdle(clients ...Core) {
	for _, c := range clients {
		if k, ok := c.(Idler); ok {
			k.CloseIdle()
		}
	}
}
