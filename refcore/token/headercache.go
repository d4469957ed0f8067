package token

import (
	"strings"
	"sync"
)

// headerCache remembers parsed headers: a core sees few different ones. Only
// headers that parse are kept, and not more than maxHeaders.
type headerCache struct {
	mu sync.RWMutex
	m  map[string]Header
}

const (
	maxHeaders   = 256
	maxHeaderLen = 512 // longer ones are parsed each time
)

func (c *headerCache) parse(s string) (Header, error) {
	c.mu.RLock()
	h, ok := c.m[s]
	c.mu.RUnlock()
	if ok {
		return h, nil
	}
	h, err := parseHeader(s)
	if err != nil || len(s) > maxHeaderLen {
		return h, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil || len(c.m) >= maxHeaders {
		c.m = make(map[string]Header, maxHeaders)
	}
	c.m[strings.Clone(s)] = h // s is a part of a whole token
	return h, nil
}
