package coreprooftest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/launch/place"
	"github.com/coreproof/coreproof/internal/meter/gauge"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
)

// target is cores that the test has started.
type target struct {
	d      Deployment
	spoken []string

	mu     sync.Mutex
	dialed []protocol.Core
}

var _ cores.Target = (*target)(nil)

// dial asks the cores which versions they speak.
func dial(ctx context.Context, d Deployment) (*target, error) {
	if len(d.On) == 0 {
		return nil, errors.New("no core whose flag is on was named (On)")
	}
	t := &target{d: d}
	for _, urls := range [][]string{d.On, d.Off} {
		for i, u := range urls {
			far, _, err := place.Of(u)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", u, err)
			}
			if far {
				return nil, fmt.Errorf("%s: the host is not this machine; coreproof conform --allow-remote tries one that is elsewhere", u)
			}
			if slices.ContainsFunc(urls[:i], func(other string) bool { return place.Same(u, other) }) {
				return nil, fmt.Errorf("%s is named twice on one side", u)
			}
		}
	}
	for i, u := range slices.Concat(d.On, d.Off) {
		list, err := t.Protocol().Probe(ctx, protocol.DialOptions{BaseURL: u, APIKey: d.APIKey})
		if err != nil {
			return nil, err
		}
		if i == 0 {
			t.spoken = list
			continue
		}
		t.spoken = slices.DeleteFunc(t.spoken, func(v string) bool { return !slices.Contains(list, v) })
	}
	if len(t.spoken) == 0 {
		return nil, errors.New("the cores have no CDI version in common")
	}
	return t, nil
}

// idle closes the connections that are kept.
func (t *target) idle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	protocol.CloseIdle(t.dialed...)
}

// Name tells it in the proof.
func (t *target) Name() string { return "url" }

// Kind is that of cores which are there already.
func (t *target) Kind() string { return "url" }

// Protocol that the cores speak.
func (t *target) Protocol() protocol.Protocol { return cdi.CDI{} }

// Capabilities: what can be done with cores that somebody else started.
func (t *target) Capabilities() cores.Capabilities {
	off := len(t.d.Off) > 0
	return cores.Capabilities{Off: off, NamedOff: off, OneProcess: true, Instances: len(t.d.On), AlwaysChecks: t.d.AlwaysChecks}
}

// Versions that all cores speak.
func (t *target) Versions(context.Context) ([]string, error) { return slices.Clone(t.spoken), nil }

// Start gives the cores whose flag is as asked.
func (t *target) Start(_ context.Context, _ int, s cores.Settings) (cores.Deployment, error) {
	d := &deployment{target: t, flag: s.Flag, urls: t.d.On}
	if !s.Flag && len(t.d.Off) > 0 {
		d.urls = t.d.Off
	}
	return d, nil
}

// Isolated cannot be had.
func (t *target) Isolated(context.Context, string) (cores.Target, error) {
	return nil, cores.ErrUnsupported
}

// Divided cannot be had.
func (t *target) Divided(context.Context, string) (*cores.Divided, error) {
	return nil, cores.ErrUnsupported
}

// Database cannot be seen.
func (t *target) Database(context.Context) (gauge.Database, error) {
	return nil, cores.ErrUnsupported
}

// Describe says what little is known.
func (t *target) Describe(context.Context) (cores.Description, error) {
	return cores.Description{CoreProduct: t.d.Name, CoreVersion: t.d.Version}, nil
}

// Close ends nothing: nothing was started.
func (t *target) Close(context.Context) error { return nil }

// deployment is the cores of one side.
type deployment struct {
	target *target
	flag   bool
	urls   []string
}

// Instances in the order in which they were named.
func (d *deployment) Instances() []cores.Instance {
	side := map[bool]string{true: "on", false: "off"}[d.flag]
	var out []cores.Instance
	for i, u := range d.urls {
		out = append(out, cores.Instance{Name: fmt.Sprintf("%s-%d", side, i), URL: u})
	}
	return out
}

// Cores gives one client an instance, each with connections of its own.
func (d *deployment) Cores(version string) ([]protocol.Core, error) {
	var out []protocol.Core
	for _, i := range d.Instances() {
		c, err := d.target.Protocol().Dial(protocol.DialOptions{Name: i.Name, BaseURL: i.URL, Version: version, APIKey: d.target.d.APIKey})
		if err != nil {
			return nil, fmt.Errorf("speak to %s: %w", i.Name, err)
		}
		out = append(out, c)
	}
	d.target.mu.Lock()
	defer d.target.mu.Unlock()
	d.target.dialed = append(d.target.dialed, out...)
	return out, nil
}

// Settings tell the flag alone.
func (d *deployment) Settings() cores.Settings { return cores.Settings{Flag: d.flag} }

// Kill cannot be done from here.
func (d *deployment) Kill(context.Context, int) error { return cores.ErrUnsupported }

// Restart cannot be done from here.
func (d *deployment) Restart(context.Context, int) error { return cores.ErrUnsupported }

// Stop ends nothing.
func (d *deployment) Stop(context.Context) error { return nil }
