package cdi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
)

// moreText is what a newer library says beyond what the core knows, in bytes: more
// than servers take in at one reading.
const moreText = 70 << 10

// defaultTenant is a path's prefix that means what is meant without it.
const defaultTenant = "/public"

// Manners are all that there are.
func (c *Client) Manners() []protocol.Manner {
	return []protocol.Manner{
		protocol.MannerSDK, protocol.MannerProxied, protocol.MannerGateway, protocol.MannerNewer, protocol.MannerOlder, protocol.MannerTenants,
	}
}

// put words a request in a manner: what else callers send, and in which order they
// name what CDI asks for. Nothing of it has a meaning in CDI. It gives the body, and
// sets the request's length.
func put(m protocol.Manner, req *http.Request, body []byte) []byte {
	h := req.Header
	length := func() int64 { return int64(len(body)) }
	switch m {
	case protocol.MannerSDK: // as SDKs on Node.js do
		h["User-Agent"] = []string{"node"}
		h["Accept"] = []string{"*/*"}
		h["Accept-Language"] = []string{"*"}
		h["Sec-Fetch-Mode"] = []string{"cors"}
		body = reversed(body)
	case protocol.MannerProxied:
		h["User-Agent"] = []string{"Mozilla/5.0 (X11; Linux x86_64)"}
		h["X-Forwarded-For"] = []string{"192.0.2.7, 198.51.100.2"}
		h["X-Forwarded-Proto"] = []string{"https"}
		h["Via"] = []string{"1.1 proxy.example"}
		h["Cookie"] = []string{"theme=dark"}
	case protocol.MannerGateway:
		h["User-Agent"] = []string{"gateway/1.0"}
		delete(h, "Rid")
		req.Host = "sessions.example"
		req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&request=7", "&")
		if len(body) > 0 {
			length = func() int64 { return -1 } // in chunks
		}
	case protocol.MannerOlder: // how it is sent is the transport's
		h["User-Agent"] = []string{"node"}
		h["X-Real-Ip"] = []string{"192.0.2.7"}
	case protocol.MannerTenants:
		h["User-Agent"] = []string{"node"}
		if at := strings.LastIndex(req.URL.Path, "/recipe/"); at >= 0 { // after the base path
			req.URL.Path = req.URL.Path[:at] + defaultTenant + req.URL.Path[at:]
		}
	case protocol.MannerNewer:
		h["User-Agent"] = []string{"node"}
		body = saying(body, `"sdkVersion":"99.0","context":{"trace":"`+strings.Repeat(" ", moreText)+`"}`)
	}
	req.ContentLength = length()
	return body
}

// saying adds members to an object. What is no object stays as it is.
func saying(body []byte, members string) []byte {
	inner, isObject := bytes.CutSuffix(body, []byte("}"))
	switch {
	case !isObject || !bytes.HasPrefix(body, []byte("{")):
		return body
	case len(inner) > 1:
		members = "," + members
	}
	return slices.Concat(inner, []byte(members), []byte("}"))
}

// reversed names the members of an object in the opposite order. What is no object
// stays as it is.
func reversed(body []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return body
	}
	var members [][]byte
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return body
		}
		name, err := marshal(key)
		if err != nil {
			return body
		}
		members = append(members, append(append(name, ':'), value...))
	}
	slices.Reverse(members)
	return slices.Concat([]byte("{"), bytes.Join(members, []byte(",")), []byte("}"))
}
