// Package speak says which protocol the cores of a descriptor speak and remembers
// which of its versions cores were found to speak.
package speak

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
	"github.com/coreproof/coreproof/internal/protocol/exec"
	"github.com/coreproof/coreproof/internal/protocol/oauth2"
)

// Protocol of a descriptor's cores; command and env are those of its adapter.
func Protocol(d *descriptor.Descriptor, adapter, env []string) protocol.Protocol {
	switch d.Protocol.Name {
	case exec.Name:
		return exec.New(exec.Options{Command: adapter, Env: env})
	case descriptor.OAuth2Name:
		o := d.Protocol.OAuth2
		return oauth2.New(oauth2.Options{
			Login: o.Login, ClientID: o.Client, ClientSecret: o.ClientSecret, APIID: o.API, APISecret: o.APISecret,
			Scope: o.Scope, RedirectURI: o.Redirect, User: o.User, Password: o.Password,
		})
	}
	return cdi.CDI{}
}

// Common are the versions that all cores of some deployments and the harness speak,
// oldest first. Each core is an option's base URL and endpoints.
func Common(ctx context.Context, p protocol.Protocol, cores ...protocol.DialOptions) ([]string, error) {
	var common []string
	for i, o := range cores {
		list, err := p.Probe(ctx, o)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			common = list
			continue
		}
		common = slices.DeleteFunc(common, func(v string) bool { return !slices.Contains(list, v) })
	}
	if len(common) == 0 {
		return nil, errors.New("the cores have no protocol version in common that this harness speaks")
	}
	return common, nil
}

// Versions remembers what the cores of a target speak.
type Versions struct {
	mu   sync.Mutex
	list []string
}

// Learn asks once.
func (v *Versions) Learn(ctx context.Context, p protocol.Protocol, cores ...protocol.DialOptions) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.list != nil {
		return nil
	}
	list, err := Common(ctx, p, cores...)
	if err != nil {
		return err
	}
	v.list = list
	return nil
}

// Get gives what was learned; an error before.
func (v *Versions) Get() ([]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.list == nil {
		return nil, errors.New("the versions are known after the first start")
	}
	return slices.Clone(v.list), nil
}
