// Package place says where a core's URL leads to.
package place

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Of says whether a core's URL leads to another machine, and gives the URL with
// its host as every client understands it: names in lower case without a final
// dot, and addresses in the old short forms (127.1) written out.
func Of(base string) (remote bool, canonical string, err error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return false, "", errors.New("not a URL of a core; want http://host:port or https://host:port")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if a, ok := shortIPv4(host); ok {
		host = a.String()
	}
	port := u.Port()
	switch {
	case port != "":
		u.Host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		u.Host = "[" + host + "]"
	default:
		u.Host = host
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return !isLoopback(host), u.String(), nil
}

// Reach gives a function that says whether a call may go where an answer sent it: to this
// machine; to another one where remote allows it, each call after wait where that is not nil.
func Reach(remote bool, wait func(context.Context) error) func(ctx context.Context, at string) error {
	return func(ctx context.Context, at string) error {
		if remote && wait == nil {
			return nil
		}
		switch far, _, err := Of(at); {
		case err != nil:
			return errors.New("an answer leads to what is no URL of a server")
		case !far:
			return nil
		case !remote:
			u, _ := url.Parse(at) // Of has read it
			return fmt.Errorf("an answer leads to %s://%s, which is not this machine, and nobody allowed that (--allow-remote, for a server by its URL)", u.Scheme, u.Host)
		}
		return wait(ctx)
	}
}

// isLoopback says whether every address of a host is this machine's own loopback.
// localhost is by definition (RFC 6761).
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(list) == 0 {
		return false
	}
	for _, a := range list {
		if !a.Unmap().IsLoopback() {
			return false
		}
	}
	return true
}

// shortIPv4 reads an IPv4 address in the forms of inet_aton(3): one to four parts,
// decimal, octal (0…) or hexadecimal (0x…), of which the last fills what is left.
func shortIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 || host == "" {
		return netip.Addr{}, false
	}
	var sum uint64
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 0, 32)
		if err != nil || strings.ContainsAny(p, "_+bBoO") && !strings.HasPrefix(strings.ToLower(p), "0x") {
			return netip.Addr{}, false
		}
		if i < len(parts)-1 {
			if n > 255 {
				return netip.Addr{}, false
			}
			sum |= n << (24 - 8*i)
			continue
		}
		if n >= 1<<(8*(4-i)) {
			return netip.Addr{}, false
		}
		sum |= n
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true
}

// Same says whether two URLs lead to the same core, as far as can be told: loopback
// is one machine however it is named.
func Same(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	if errX != nil || errY != nil {
		return a == b
	}
	host := func(u *url.URL) string {
		if isLoopback(u.Hostname()) {
			return "loopback"
		}
		return u.Hostname()
	}
	port := func(u *url.URL) string {
		if u.Port() != "" {
			return u.Port()
		}
		return map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return host(x) == host(y) && port(x) == port(y) && x.Path == y.Path
}
