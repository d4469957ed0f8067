package generator

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/valyala/fasthttp"
)

// line is one caller's way to one core: a client with a single connection.
//
// A kept connection may be closed before anything of an answer has come, as HTTP
// allows at any time between two calls (RFC 9112, 9.3.1). A verify changes nothing,
// so it may be sent again on a new connection. The same on a new connection is a
// call without an answer, and wrong. fasthttp does not tell the two apart, so the
// connection does.
type line struct {
	client *fasthttp.HostClient
	// idleClosed: the last failure was that of a kept connection.
	idleClosed bool
}

func newLine(target string, config *tls.Config) (*line, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("load: connect to %s: %w", target, err)
	}
	l := &line{}
	https := u.Scheme == "https"
	l.client = &fasthttp.HostClient{
		Addr: fasthttp.AddMissingPort(u.Host, https), IsTLS: https, TLSConfig: config,
		MaxConns: 1, ReadTimeout: callTimeout, WriteTimeout: callTimeout,
		MaxResponseBodySize: maxAnswer, NoDefaultUserAgentHeader: true, DisablePathNormalizing: true,
		Dial: l.dial, RetryIfErr: l.again,
	}
	return l, nil
}

func (l *line) dial(addr string) (net.Conn, error) {
	c, err := fasthttp.DialDualStackTimeout(addr, dialTimeout)
	if err != nil {
		return nil, err
	}
	return &keptConn{Conn: c, line: l}, nil
}

// again says whether a call that failed is sent once more.
func (l *line) again(*fasthttp.Request, int, error) (resetTimeout, retry bool) {
	retry = l.idleClosed
	l.idleClosed = false
	return false, retry
}

// keptConn tells a connection that ended between two calls from one that ended
// under a call.
type keptConn struct {
	net.Conn
	line     *line
	served   bool // an answer has come on it before
	answered bool // something of the present answer has come
}

func (c *keptConn) Write(b []byte) (int, error) {
	c.answered = false
	n, err := c.Conn.Write(b)
	c.judge(err)
	return n, err
}

func (c *keptConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.answered, c.served = true, true
	}
	c.judge(err)
	return n, err
}

func (c *keptConn) judge(err error) {
	var timeout net.Error
	if err != nil && c.served && !c.answered && !(errors.As(err, &timeout) && timeout.Timeout()) {
		c.line.idleClosed = true
	}
}

const dialTimeout = 10 * time.Second
