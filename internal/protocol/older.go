package protocol

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// oldProto is what older sends.
const oldProto = "HTTP/1.0"

// dialTimeout bounds the making of a connection.
const dialTimeout = 5 * time.Second

// Client sends requests in the manner: c itself, or one like it where the manner asks for
// another transport.
func (m Manner) Client(c *http.Client) *http.Client {
	if m != MannerOlder {
		return c
	}
	another := *c
	transport := older{}
	if t, ok := c.Transport.(*http.Transport); ok {
		transport.tls = t.TLSClientConfig
	}
	another.Transport = transport
	return &another
}

// older sends each request as HTTP/1.0 over a connection of its own, as proxies do by
// default (nginx to this day). net/http itself sends HTTP/1.1 only.
type older struct{ tls *tls.Config }

// RoundTrip implements http.RoundTripper.
func (o older) RoundTrip(req *http.Request) (_ *http.Response, err error) {
	var b bytes.Buffer
	req = req.Clone(req.Context())
	req.Close = true
	if err := req.Write(&b); err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	conn, err := o.dial(req)
	if err != nil {
		return nil, err
	}
	// ctx bounds the exchange; until the body is closed.
	stop := context.AfterFunc(req.Context(), func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	end := func() error { stop(); return conn.Close() }
	defer func() {
		if err != nil {
			_ = end() // the first error tells more
			err = cmp.Or(req.Context().Err(), err)
		}
	}()
	if _, err := conn.Write(bytes.Replace(b.Bytes(), []byte(" HTTP/1.1\r\n"), []byte(" "+oldProto+"\r\n"), 1)); err != nil {
		return nil, fmt.Errorf("send the request: %w", err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	res.Body = closing{res.Body, end}
	return res, nil
}

func (o older) dial(req *http.Request) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialTimeout}
	if req.URL.Scheme == "https" {
		return (&tls.Dialer{NetDialer: d, Config: o.tls}).DialContext(req.Context(), "tcp", withPort(req, "443"))
	}
	return d.DialContext(req.Context(), "tcp", withPort(req, "80"))
}

func withPort(req *http.Request, usual string) string {
	return net.JoinHostPort(req.URL.Hostname(), cmp.Or(req.URL.Port(), usual))
}

// closing ends the connection with the body.
type closing struct {
	io.ReadCloser
	end func() error
}

func (c closing) Close() error { return c.end() }
