package launch

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/launch/place"
	"github.com/coreproof/coreproof/internal/launch/speak"
)

// Described lets a descriptor say how cores by URL are spoken to. Only that of an
// authorization server says more than a URL does.
func (o *ExternalOptions) Described(d *descriptor.Descriptor) error {
	switch {
	case d.Protocol.Name != descriptor.OAuth2Name:
		return errors.New("it and --url-on exclude each other: it brings its cores up (only an authorization server can be there already)")
	case len(o.Off) > 0:
		return fmt.Errorf("%s is an authorization server, which has no flag to turn off: leave out --url-off", d.Name)
	case d.Flag != descriptor.Always && d.Flag != descriptor.ByRequest:
		return fmt.Errorf("%s turns its flag by %s, which takes a server that is started: say flag: always, or request for JWTs that an API can verify by itself", d.Name, d.Flag)
	}
	if err := d.Reveal(); err != nil {
		return err
	}
	o.speak, o.AlwaysChecks = speak.Protocol(d, nil, nil), d.Flag == descriptor.Always
	o.further = func(base string) (map[string]string, error) {
		u, err := url.Parse(base)
		if err != nil {
			return nil, fmt.Errorf("%s is no URL: %w", base, err)
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil { // none is said
			port, _ = net.LookupPort("tcp", u.Scheme)
		}
		x, err := d.Instance(descriptor.Database{}, descriptor.Values{URL: base, Host: u.Hostname(), Port: port, Flag: true}, nil)
		return x.Endpoints, err
	}
	return nil
}

// ask finds out the further URLs of the cores, and whether one of them leads to another
// machine.
func (e *External) ask(bases []string) (remote bool, err error) {
	if e.o.further == nil {
		return false, nil
	}
	for _, base := range bases {
		if e.endpoints[base], err = e.o.further(base); err != nil {
			return false, err
		}
		for name, at := range e.endpoints[base] {
			far, _, err := place.Of(at)
			if err != nil {
				return false, fmt.Errorf("endpoint %s: %s: %w", name, at, err)
			}
			if far && !e.o.AllowRemote {
				return false, fmt.Errorf("endpoint %s: %s: the host is not this machine; add --allow-remote if its owner agrees to the load", name, at)
			}
			remote = remote || far
		}
	}
	return remote, nil
}
