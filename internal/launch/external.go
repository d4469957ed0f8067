package launch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/coreproof/coreproof/internal/launch/place"
	"github.com/coreproof/coreproof/internal/launch/speak"
	"github.com/coreproof/coreproof/internal/meter"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/internal/protocol/cdi"
)

// ExternalOptions name cores that somebody else started.
type ExternalOptions struct {
	// On and Off are base URLs: of cores whose flag is on, and of cores on the same
	// database whose flag is off. Off may be empty for cores whose flag is in the
	// request.
	On, Off []string
	APIKey  string
	// CAFile is trusted besides the system's authorities; CertFile and KeyFile
	// are the client's own certificate.
	CAFile, CertFile, KeyFile string
	// AllowRemote permits hosts that are not loopback.
	AllowRemote bool
	// RateCap bounds the calls per second to remote hosts; 0 is DefaultRateCap.
	RateCap float64
	// PIDsOn and PIDsOff are the cores' processes on this machine, one a URL or none.
	PIDsOn, PIDsOff []int
	// Name is what the caller calls the core; "" for none.
	Name string
	// AlwaysChecks: the core asks the database whatever the flag is.
	AlwaysChecks bool
	// Apart: these cores are held against those of another target, so their CPU time
	// tells something though one process serves both states of the flag.
	Apart bool

	// speak replaces CDI, and further gives a core's further URLs: Described sets them.
	speak   protocol.Protocol
	further func(base string) (map[string]string, error)
}

// DefaultRateCap for remote hosts, calls per second.
const DefaultRateCap = 200

// External is cores that are there already. Only sessions that the harness made
// are touched, and nothing is started or stopped.
type External struct {
	o         ExternalOptions
	dial      protocol.DialOptions
	spoken    []string
	endpoints map[string]map[string]string // by base URL, then name
}

var _ Target = (*External)(nil)

// NewExternal asks the cores which versions they speak. Errors are one line that
// names the URL and the mend.
func NewExternal(ctx context.Context, o ExternalOptions) (*External, error) {
	e := &External{o: o, endpoints: map[string]map[string]string{}}
	if len(o.On) == 0 {
		return nil, errors.New("--url-on is missing: the base URL of a core whose flag is on")
	}
	e.o.On, e.o.Off = slices.Clone(o.On), slices.Clone(o.Off)
	remote := false
	for _, side := range []struct {
		flag string
		urls []string
		pids []int
	}{{"--url-on", e.o.On, o.PIDsOn}, {"--url-off", e.o.Off, o.PIDsOff}} {
		for i, base := range side.urls {
			far, canonical, err := place.Of(base)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", side.flag, base, err)
			}
			if far && !o.AllowRemote {
				return nil, fmt.Errorf("%s %s: the host is not this machine; add --allow-remote if its owner agrees to the load", side.flag, base)
			}
			remote = remote || far
			side.urls[i] = canonical
		}
		if n := len(side.pids); n > 0 && n != len(side.urls) {
			return nil, fmt.Errorf("%s names %d cores, but %d processes are given: want one a core", side.flag, len(side.urls), n)
		}
	}
	for _, side := range [][]string{e.o.On, e.o.Off} {
		for i, base := range side {
			if slices.ContainsFunc(side[:i], func(other string) bool { return place.Same(base, other) }) {
				return nil, fmt.Errorf("%s is named twice on one side: several instances are several cores, so name each once", base)
			}
		}
	}
	for _, pid := range o.PIDsOn {
		if slices.Contains(o.PIDsOff, pid) {
			return nil, fmt.Errorf("process %d is given for the flag-on and the flag-off side: one process's CPU time cannot be told apart; leave both out, or start a core a side", pid)
		}
	}
	for _, pid := range slices.Concat(o.PIDsOn, o.PIDsOff) {
		if _, err := meter.PID("core", pid).CPU(); err != nil && meter.CPUClock {
			return nil, fmt.Errorf("process %d: %w; give the process of a core on this machine", pid, err)
		}
	}
	further, err := e.ask(e.o.On)
	if err != nil {
		return nil, err
	}
	remote = remote || further
	t, err := o.tlsConfig()
	if err != nil {
		return nil, err
	}
	e.dial = protocol.DialOptions{APIKey: o.APIKey, TLS: t}
	hz := o.RateCap
	if hz <= 0 {
		hz = DefaultRateCap
	}
	if remote {
		e.dial.Throttle, e.dial.Reach = protocol.NewThrottle(hz), place.Reach(o.AllowRemote, nil)
	} else {
		e.dial.Reach = place.Reach(o.AllowRemote, protocol.NewThrottle(hz).Wait)
	}
	if e.spoken, err = speak.Common(ctx, e.Protocol(), e.each(e.o.On)...); err != nil {
		return nil, fmt.Errorf("--url-on: %w", err)
	}
	if len(e.o.Off) > 0 {
		off, err := speak.Common(ctx, e.Protocol(), e.each(e.o.Off)...)
		if err != nil {
			return nil, fmt.Errorf("--url-off: %w", err)
		}
		e.spoken = slices.DeleteFunc(e.spoken, func(v string) bool { return !slices.Contains(off, v) })
		if len(e.spoken) == 0 {
			return nil, errors.New("--url-off: the two sides have no CDI version in common")
		}
	}
	return e, nil
}

func (o ExternalOptions) tlsConfig() (*tls.Config, error) {
	if o.CAFile == "" && o.CertFile == "" && o.KeyFile == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("--ca-file %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca-file %s: no certificate in PEM form", o.CAFile)
		}
		c.RootCAs = pool
	}
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, errors.New("--cert-file and --key-file go together")
	}
	if o.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("--cert-file %s: %w", o.CertFile, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func (e *External) Name() string { return "url" }
func (e *External) Kind() string { return "url" }

// Protocol that the cores speak.
func (e *External) Protocol() protocol.Protocol {
	if e.o.speak != nil {
		return e.o.speak
	}
	return cdi.CDI{}
}

// Capabilities: what can be done with cores that somebody else started.
func (e *External) Capabilities() Capabilities {
	off := len(e.o.Off) > 0
	return Capabilities{
		Off: off, NamedOff: off, OneProcess: !off, Instances: len(e.o.On),
		Throttle: e.dial.Throttle, TLS: e.dial.TLS, AlwaysChecks: e.o.AlwaysChecks,
	}
}

// Versions that all cores speak.
func (e *External) Versions(context.Context) ([]string, error) { return slices.Clone(e.spoken), nil }

// Start gives the cores whose flag is as asked. Without Off URLs both are the
// same cores.
func (e *External) Start(_ context.Context, _ int, s Settings) (Deployment, error) {
	urls, pids := e.o.On, e.o.PIDsOn
	if !s.Flag && len(e.o.Off) > 0 {
		urls, pids = e.o.Off, e.o.PIDsOff
	}
	if len(e.o.Off) == 0 && !e.o.Apart {
		pids = nil // one process serves both sides
	}
	d := &deployment{protocol: e.Protocol(), settings: Settings{Flag: s.Flag}, side: sideName(s), dial: e.dial}
	for i, u := range urls {
		x := &externalCore{url: u, endpoints: e.endpoints[u]}
		if len(pids) > i {
			x.pid = pids[i]
		}
		d.add(x)
	}
	return d, nil
}

// Isolated gives ErrUnsupported.
func (e *External) Isolated(context.Context, string) (Target, error) { return nil, ErrUnsupported }

// Divided cannot be had: the database is somebody else's.
func (e *External) Divided(context.Context, string) (*Divided, error) { return nil, ErrUnsupported }

// Database cannot be seen.
func (e *External) Database(context.Context) (meter.Database, error) { return nil, ErrUnsupported }

// Describe says what little is known.
func (e *External) Describe(context.Context) (Description, error) {
	d := Description{CoreProduct: e.o.Name, TLS: "unknown", DatabaseAt: "unknown", Notes: []string{
		"the cores were started by somebody else: their settings, versions and database are not known",
	}}
	switch {
	case len(e.o.Off) == 0:
		d.Notes = append(d.Notes, "the same cores served both sides: their CPU time cannot be told apart, costs are latencies and not gateable")
	case len(e.o.PIDsOn) == 0 || len(e.o.PIDsOff) == 0:
		d.Notes = append(d.Notes, "without --pid-on and --pid-off no CPU time can be read: costs are latencies and not gateable")
	}
	return d, nil
}

// Close stops nothing: nothing was started.
func (e *External) Close(context.Context) error { return nil }

// externalCore is a core that somebody else started.
type externalCore struct {
	url       string
	endpoints map[string]string
	pid       int
}

func (c *externalCore) further() map[string]string { return c.endpoints }

func (c *externalCore) at() (url, inner string) { return c.url, c.url }

func (c *externalCore) meter(name string) meter.Process {
	if c.pid == 0 || !meter.CPUClock {
		return nil
	}
	return meter.PID(name, c.pid)
}

func (c *externalCore) kill(context.Context) error    { return ErrUnsupported }
func (c *externalCore) restart(context.Context) error { return ErrUnsupported }

// each gives how to speak to the core at each URL.
func (e *External) each(urls []string) []protocol.DialOptions {
	list := make([]protocol.DialOptions, len(urls))
	for i, u := range urls {
		list[i] = e.dial
		list[i].BaseURL, list[i].Endpoints = u, e.endpoints[u]
	}
	return list
}
