package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreproof/coreproof/internal/adapter"
	"github.com/coreproof/coreproof/internal/adapter/cdi"
	"github.com/coreproof/coreproof/internal/meter"
)

// URLOptions name cores that somebody else started.
type URLOptions struct {
	// On and Off are base URLs: of a core whose flag is on, and of one on the
	// same database whose flag is off. Off may be "" for a core whose flag is in
	// the request.
	On, Off string
	APIKey  string
	// CAFile is trusted besides the system's authorities; CertFile and KeyFile
	// are the client's own certificate.
	CAFile, CertFile, KeyFile string
	// AllowRemote permits hosts that are not loopback.
	AllowRemote bool
	// RateCap bounds the calls per second to remote hosts; 0 is DefaultRateCap.
	RateCap float64
	// PIDOn and PIDOff are the cores' processes on this machine; 0 for none.
	PIDOn, PIDOff int
}

// DefaultRateCap for remote hosts, calls per second.
const DefaultRateCap = 200

// URL is cores that are there already. Only sessions that the harness made are
// touched, and nothing is started or stopped.
type URL struct {
	o      URLOptions
	tls    *tls.Config
	client *http.Client
	remote bool
	on     []string // CDI versions that it speaks
	off    []string
}

var _ Target = (*URL)(nil)

// NewURL asks the cores which versions they speak. Errors are one line that
// names the URL and the mend.
func NewURL(ctx context.Context, o URLOptions) (*URL, error) {
	u := &URL{o: o}
	if o.On == "" {
		return nil, errors.New("--url-on is missing: the base URL of a core whose flag is on")
	}
	for _, p := range []struct{ flag, base string }{{"--url-on", o.On}, {"--url-off", o.Off}} {
		if p.base == "" {
			continue
		}
		remote, err := isRemote(p.base)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", p.flag, p.base, err)
		}
		if remote && !o.AllowRemote {
			return nil, fmt.Errorf("%s %s: the host is not this machine; add --allow-remote if its owner agrees to the load", p.flag, p.base)
		}
		u.remote = u.remote || remote
	}
	var err error
	if u.tls, err = o.tlsConfig(); err != nil {
		return nil, err
	}
	u.client = cdi.NewHTTPClient(u.tls)
	if u.remote {
		cap := o.RateCap
		if cap <= 0 {
			cap = DefaultRateCap
		}
		u.o.RateCap = cap
		u.client.Transport = &limited{next: u.client.Transport, gap: time.Duration(float64(time.Second) / cap)}
	}
	probe := cdi.ProbeOptions{APIKey: o.APIKey, TLS: u.tls}
	if u.on, err = cdi.Probe(ctx, o.On, probe); err != nil {
		return nil, fmt.Errorf("--url-on %w", err)
	}
	if o.Off != "" {
		if u.off, err = cdi.Probe(ctx, o.Off, probe); err != nil {
			return nil, fmt.Errorf("--url-off %w", err)
		}
	}
	return u, nil
}

func isRemote(base string) (bool, error) {
	p, err := url.Parse(base)
	if err != nil || p.Scheme != "http" && p.Scheme != "https" || p.Hostname() == "" {
		return false, errors.New("not a URL of a core; want http://host:port or https://host:port")
	}
	if p.Hostname() == "localhost" {
		return false, nil
	}
	ip := net.ParseIP(p.Hostname())
	return ip == nil || !ip.IsLoopback(), nil
}

func (o URLOptions) tlsConfig() (*tls.Config, error) {
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

// limited spaces requests evenly.
type limited struct {
	next http.RoundTripper
	gap  time.Duration
	mu   sync.Mutex
	free time.Time
}

func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	now := time.Now()
	at := l.free
	if at.Before(now) {
		at = now
	}
	l.free = at.Add(l.gap)
	l.mu.Unlock()
	select {
	case <-time.After(at.Sub(now)):
		return l.next.RoundTrip(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func (u *URL) Name() string { return "url" }
func (u *URL) Kind() string { return "url" }
func (u *URL) Fixed() bool  { return true }

// TLS is how the cores are spoken to; nil is the system's way.
func (u *URL) TLS() *tls.Config { return u.tls }

// RateCap in calls per second; 0 when there is none.
func (u *URL) RateCap() float64 {
	if u.remote {
		return u.o.RateCap
	}
	return 0
}

// HasOff says whether there is a core whose flag is off.
func (u *URL) HasOff() bool { return u.o.Off != "" }

// Speaks says whether all cores speak a version.
func (u *URL) Speaks(p Protocol) bool {
	return slices.Contains(u.on, string(p)) && (u.o.Off == "" || slices.Contains(u.off, string(p)))
}

// Versions that the flag-on core speaks.
func (u *URL) Versions() []string { return u.on }

// Start gives the core whose flag is as asked. Without an Off URL both are the
// same core.
func (u *URL) Start(_ context.Context, _ int, s Settings) (Deployment, error) {
	d := &foreign{u: u, base: u.o.On, pid: u.o.PIDOn, settings: Settings{Flag: s.Flag}, name: "on"}
	if !s.Flag {
		d.name = "off"
		if u.o.Off != "" {
			d.base, d.pid = u.o.Off, u.o.PIDOff
		}
	}
	if u.o.Off == "" || u.o.PIDOn == u.o.PIDOff {
		d.pid = 0 // one process serves both sides: its CPU time cannot be told apart
	}
	return d, nil
}

// Isolated gives ErrUnsupported.
func (u *URL) Isolated(context.Context, string) (Target, error) { return nil, ErrUnsupported }

// Database cannot be seen.
func (u *URL) Database() meter.Database { return nil }

// Describe says what little is known.
func (u *URL) Describe(context.Context) (Description, error) {
	d := Description{CoreProduct: "unknown (by URL)", TLS: "unknown", Notes: []string{
		"the cores were started by somebody else: their settings, versions and database are not known",
	}}
	switch {
	case u.o.Off == "":
		d.Notes = append(d.Notes, "one core served both sides: its CPU time cannot be told apart, costs are latencies and not gateable")
	case u.o.PIDOn == 0 || u.o.PIDOff == 0:
		d.Notes = append(d.Notes, "without --pid-on and --pid-off no CPU time can be read: costs are latencies and not gateable")
	}
	return d, nil
}

// Close does nothing: nothing was started.
func (u *URL) Close(context.Context) error {
	u.client.CloseIdleConnections()
	return nil
}

// foreign is a core that somebody else started.
type foreign struct {
	u        *URL
	name     string
	base     string
	pid      int
	settings Settings
}

func (d *foreign) Clients(p Protocol) []adapter.Core {
	c, err := cdi.New(cdi.Options{Name: d.name, BaseURL: strings.TrimRight(d.base, "/"), Version: string(p), APIKey: d.u.o.APIKey, HTTP: d.u.client})
	if err != nil {
		panic(fmt.Sprintf("target: a client for %s: %v", d.base, err)) // URL and version were checked before
	}
	return []adapter.Core{c}
}

func (d *foreign) Processes() []meter.Process {
	if d.pid == 0 || !meter.CPUClock {
		return nil
	}
	return []meter.Process{meter.PID("core-"+d.name, d.pid)}
}

func (d *foreign) Settings() Settings                 { return d.settings }
func (d *foreign) Kill(context.Context, int) error    { return ErrUnsupported }
func (d *foreign) Restart(context.Context, int) error { return ErrUnsupported }
func (d *foreign) Stop(context.Context) error         { return nil }

// Eras gives the protocols to try on these cores, one an era, and says which
// era is left out and why. usual are tried if the cores speak them.
func (u *URL) Eras(usual ...Protocol) (list []Protocol, notes []string) {
	for _, era := range []adapter.Era{adapter.EraSetting, adapter.EraRequest} {
		if era == adapter.EraSetting && !u.HasOff() {
			notes = append(notes, "CDI ≤ 2.20 was not tried: there the core's setting decides, which needs --url-off as well")
			continue
		}
		var pick Protocol
		for _, v := range u.on {
			p := Protocol(v)
			if cdi.EraOf(v) != era || !u.Speaks(p) || (pick != "" && slices.Contains(usual, pick)) {
				continue
			}
			pick = p // the newest one, unless a usual one came by
		}
		if pick == "" {
			notes = append(notes, fmt.Sprintf("the %s era was not tried: the cores speak none of its CDI versions", era))
			continue
		}
		list = append(list, pick)
	}
	return list, notes
}
