package httpapi

import (
	"bytes"
	"io"
	"mime"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/rawjson"
)

// payloadShare of the largest body is what userDataInJWT may take: it comes back
// in base64 in an access token, and regenerate is sent that token and a payload
// of the same size. So what create accepts no later call refuses for its size.
const (
	payloadParts, payloadWhole = 3, 8
	// drainMost is how much of a body that is too large is read before it is
	// refused: a connection that is closed under a caller who still sends is reset,
	// and the answer lost.
	drainMost = 64 << 20
)

// readBody reads and parses a JSON object where the handler wants one.
func (s *Server) readBody(c *call, buf *bytes.Buffer) error {
	if c.http.ContentLength <= s.maxBody {
		if _, err := buf.ReadFrom(io.LimitReader(c.http.Body, s.maxBody+1)); err != nil {
			return bad("The request body could not be read")
		}
	}
	if c.http.ContentLength > s.maxBody || int64(buf.Len()) > s.maxBody {
		_, _ = io.CopyN(io.Discard, c.http.Body, drainMost)
		return errTooLarge
	}
	c.out = make([]byte, 0, 1024)
	b, err := toUTF8(buf.Bytes(), c.http.Header["Content-Type"])
	if err != nil {
		return err
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	// What is no Unicode is refused: replaced by U+FFFD, different user ids would
	// become one.
	if c.fields.object, err = rawjson.Parse(b); err != nil || !utf8.Valid(b) || rawjson.LoneSurrogate(b) {
		c.fields.object = nil
		c.fields.err = bad("Invalid Json Input")
	}
	c.fields.maxPayload = int(s.maxBody * payloadParts / payloadWhole)
	return nil
}

// toUTF8 decodes a body whose Content-Type names a charset; without one it is UTF-8.
func toUTF8(b []byte, contentType []string) ([]byte, error) {
	if len(contentType) == 0 || !mayNameCharset(contentType[0]) {
		return b, nil
	}
	_, params, err := mime.ParseMediaType(contentType[0])
	if err != nil || params["charset"] == "" {
		return b, nil
	}
	enc, err := ianaindex.MIME.Encoding(params["charset"])
	if err != nil || enc == nil {
		return nil, bad("charset " + params["charset"] + " is not supported")
	}
	if enc == encoding.Nop {
		return b, nil
	}
	if b, err = enc.NewDecoder().Bytes(b); err != nil {
		return nil, bad("Invalid Json Input")
	}
	return b, nil
}

// mayNameCharset spares the usual headers the parsing.
func mayNameCharset(contentType string) bool {
	switch contentType {
	case "application/json", "application/json; charset=utf-8", "application/json;charset=utf-8", "application/json; charset=UTF-8", "application/json;charset=UTF-8":
		return false
	}
	return true
}

// payload is the object userDataInJWT, within its size.
func (f *fields) payload(n need) rawjson.Object {
	const name = "userDataInJWT"
	o := f.jsonObject(name, n)
	if o != nil && len(f.object.Get(name)) > f.maxPayload {
		f.err = errPayload
		return nil
	}
	return o
}

var errPayload = refcore.BadInput("userDataInJWT is too large: an access token with it could not be sent back")
