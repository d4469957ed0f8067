package launch

import (
	"context"
	"fmt"
	"sync"

	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
)

// process is a running core as its launcher holds it.
type process interface {
	// at gives the core's URL, and the one under which a load generator of the same
	// target reaches it.
	at() (url, inner string)
	// meter is its CPU clock; nil when it cannot be read.
	meter(name string) meter.Process
	kill(ctx context.Context) error
	restart(ctx context.Context) error
}

// deployment is cores of any launcher.
type deployment struct {
	protocol protocol.Protocol
	settings Settings
	// dial holds what all clients have in common.
	dial protocol.DialOptions
	side string // begins the instances' names
	// stop ends all cores.
	stop func(ctx context.Context, list []process) error

	mu     sync.Mutex
	list   []process
	dialed []protocol.Core

	once sync.Once
	err  error
}

var _ Deployment = (*deployment)(nil)

func sideName(s Settings) string {
	if s.Role != "" {
		return s.Role
	}
	if s.Flag {
		return "on"
	}
	return "off"
}

func (d *deployment) add(p process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, p)
}

// processes are the cores so far.
func (d *deployment) processes() []process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]process(nil), d.list...)
}

// Instances in the order of their start.
func (d *deployment) Instances() []Instance {
	list := d.processes()
	out := make([]Instance, len(list))
	for i, p := range list {
		out[i].Name = fmt.Sprintf("%s-%d", d.side, i)
		out[i].URL, out[i].Inner = p.at()
		out[i].Process = p.meter("core-" + out[i].Name)
		if d, ok := p.(interface{ further() map[string]string }); ok {
			out[i].Endpoints = d.further()
		}
	}
	return out
}

// Cores gives one client an instance, each with connections of its own.
func (d *deployment) Cores(version string) ([]protocol.Core, error) {
	var list []protocol.Core
	for _, i := range d.Instances() {
		o := d.dial
		if d.settings.Patience > 0 {
			o.Timeout = d.settings.Patience
		}
		o.Name, o.BaseURL, o.Endpoints, o.Version = i.Name, i.URL, i.Endpoints, version
		c, err := d.protocol.Dial(o)
		if err != nil {
			return nil, fmt.Errorf("speak to %s: %w", i.Name, err)
		}
		list = append(list, c)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dialed = append(d.dialed, list...)
	return list, nil
}

// first says how to speak to the first instance.
func (d *deployment) first() protocol.DialOptions {
	o, i := d.dial, d.Instances()[0]
	o.BaseURL, o.Endpoints = i.URL, i.Endpoints
	return o
}

func (d *deployment) Settings() Settings { return d.settings }

func (d *deployment) get(i int) (process, error) {
	list := d.processes()
	if i < 0 || i >= len(list) {
		return nil, fmt.Errorf("there is no core %d, but %d of them", i, len(list))
	}
	return list[i], nil
}

// Kill ends an instance with SIGKILL.
func (d *deployment) Kill(ctx context.Context, i int) error {
	p, err := d.get(i)
	if err == nil {
		err = p.kill(ctx)
	}
	if err != nil {
		return fmt.Errorf("kill core %d: %w", i, err)
	}
	return nil
}

// Restart starts a killed instance again.
func (d *deployment) Restart(ctx context.Context, i int) error {
	p, err := d.get(i)
	if err == nil {
		err = p.restart(ctx)
	}
	if err != nil {
		return fmt.Errorf("restart core %d: %w", i, err)
	}
	return nil
}

// Stop ends the cores, and the connections to them.
func (d *deployment) Stop(ctx context.Context) error {
	d.once.Do(func() {
		d.mu.Lock()
		protocol.CloseIdle(d.dialed...)
		d.mu.Unlock()
		if d.stop != nil {
			d.err = d.stop(ctx, d.processes())
		}
	})
	return d.err
}
