package oauth2

import (
	"time"

	"github.com/coreproof/coreproof/internal/protocol"
)

// Forget makes a client's next fetch of keys due.
func Forget(c protocol.Core) {
	s := c.(*client).keys
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = time.Time{}
}
