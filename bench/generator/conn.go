package generator

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"
)

// conn is a lean HTTP/1.1 client: prepared bytes out, one buffered reader in.
type conn struct {
	net.Conn
	r      *bufio.Reader
	head   []byte // request line and headers up to the length
	buf    []byte
	answer bytes.Buffer
}

const dialTimeout = 10 * time.Second

func dial(ctx context.Context, config *tls.Config, s Side, target string) (*conn, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", target, err)
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	d := net.Dialer{Timeout: dialTimeout}
	var nc net.Conn
	if u.Scheme == "https" {
		nc, err = (&tls.Dialer{NetDialer: &d, Config: config}).DialContext(ctx, "tcp", address)
	} else {
		nc, err = d.DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", target, err)
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n", s.Method, u.RequestURI(), u.Host)
	if err := s.Header.Write(&head); err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	head.WriteString("Content-Length: ")
	return &conn{Conn: nc, r: bufio.NewReaderSize(nc, 16<<10), head: head.Bytes()}, nil
}

func (c *conn) close() { _ = c.Close() } // nothing was under way

// maxAnswer bounds an answer's body.
const maxAnswer = 1 << 20

// call sends one request and reads its answer; the body is good until the next call.
func (c *conn) call(body []byte, deadline time.Time) (code int, answer []byte, in, out int64, err error) {
	if err := c.SetDeadline(deadline); err != nil {
		return 0, nil, 0, 0, err
	}
	c.buf = append(c.buf[:0], c.head...)
	c.buf = strconv.AppendInt(c.buf, int64(len(body)), 10)
	c.buf = append(c.buf, "\r\n\r\n"...)
	c.buf = append(c.buf, body...)
	if _, err := c.Write(c.buf); err != nil {
		return 0, nil, 0, 0, err
	}
	out = int64(len(c.buf))
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, nil, 0, out, err
	}
	in = int64(len(line))
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return 0, nil, in, out, fmt.Errorf("not an HTTP answer: %.60q", line)
	}
	if code, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, in, out, fmt.Errorf("not an HTTP answer: %.60q", line)
	}
	length, chunked := -1, false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return code, nil, in, out, err
		}
		in += int64(len(line))
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length > maxAnswer {
				return code, nil, in, out, fmt.Errorf("answer of length %s", value)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(bytes.TrimSpace(value), []byte("chunked"))
		case bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(bytes.TrimSpace(value), []byte("close")):
			return code, nil, in, out, errors.New("the core closes its connections")
		}
	}
	c.answer.Reset()
	switch {
	case chunked:
		_, err = io.Copy(&c.answer, io.LimitReader(httputil.NewChunkedReader(c.r), maxAnswer))
		if err == nil {
			_, err = c.r.ReadSlice('\n') // the empty line after the last chunk
		}
	case length >= 0:
		_, err = io.CopyN(&c.answer, c.r, int64(length))
	default:
		err = errors.New("an answer without a length")
	}
	return code, c.answer.Bytes(), in + int64(c.answer.Len()), out, err
}
