// Package protocols lists the protocols that the harness speaks. A new one is a
// package beside cdi and a line here.
package protocols

import (
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/internal/protocol/oauth2"
)

// All of them; the first one is the default.
func All() []protocol.Protocol {
	return []protocol.Protocol{cdi.CDI{}, oauth2.New(oauth2.Options{})}
}

// Find gives the protocol of a name, e.g. "CDI".
func Find(name string) (protocol.Protocol, error) {
	var names []string
	for _, p := range All() {
		if strings.EqualFold(p.Name(), name) {
			return p, nil
		}
		names = append(names, p.Name())
	}
	return nil, fmt.Errorf("there is no protocol %q; choose from %s", name, strings.Join(names, ", "))
}
