package cdi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
)

// ShapeError says that a core answered, but not as CDI says: the core's own
// breach of the protocol, not trouble of the harness.
type ShapeError struct{ What string }

func (e *ShapeError) Error() string { return "the answer breaks the protocol: " + e.What }

// Violation tells what is wrong with the answer.
func (e *ShapeError) Violation() string { return e.What }

func shapeErrorf(format string, args ...any) error {
	return &ShapeError{What: fmt.Sprintf(format, args...)}
}

// decode fills in Status, Message and Raw from HTTPStatus and Text. Any status
// but 200 is an answer (HTTPError); a 200 must be a JSON object with a status.
func decode(r *protocol.Reply) error {
	if r.HTTPStatus != http.StatusOK {
		r.Status = protocol.HTTPError
		r.Message = oneLine(r.Text)
		return nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.Text), &raw); err != nil {
		return shapeErrorf("HTTP 200 with a body that is not a JSON object: %s", oneLine(r.Text))
	}
	if raw == nil {
		return shapeErrorf("HTTP 200 with body null")
	}
	r.Raw = raw
	o := object{fields: raw}
	r.Status = protocol.Status(o.text("status"))
	if o.err == nil && r.Status == "" {
		return shapeErrorf("status is empty")
	}
	if m, ok := raw["message"]; ok {
		// For the report only: a message of another type is no matter of ours.
		_ = json.Unmarshal(m, &r.Message)
	}
	return o.err
}

// oneLine is the beginning of s without line breaks.
func oneLine(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// object reads fields of a JSON object by their exact names (encoding/json would
// ignore case) and keeps the first error.
type object struct {
	where  string
	fields map[string]json.RawMessage
	err    error
}

func (o *object) read(name string, v any, want string) {
	if o.err != nil {
		return
	}
	raw, ok := o.fields[name]
	switch {
	case !ok:
		o.err = shapeErrorf("field %s%s is missing", o.where, name)
	case string(raw) == "null":
		o.err = shapeErrorf("field %s%s is null, want %s", o.where, name, want)
	case json.Unmarshal(raw, v) != nil:
		o.err = shapeErrorf("field %s%s is not %s: %s", o.where, name, want, oneLine(string(raw)))
	}
}

func (o *object) has(name string) bool { _, ok := o.fields[name]; return ok }

func (o *object) text(name string) (s string) { o.read(name, &s, "a string"); return s }

func (o *object) number(name string) (n int64) { o.read(name, &n, "an integer"); return n }

func (o *object) flag(name string) (b bool) { o.read(name, &b, "a boolean"); return b }

func (o *object) texts(name string) (s []string) { o.read(name, &s, "an array of strings"); return s }

func (o *object) raw(name string) json.RawMessage {
	var fields map[string]json.RawMessage
	o.read(name, &fields, "an object")
	if o.err != nil {
		return nil
	}
	return o.fields[name]
}

// inner opens a field that is itself an object.
func (o *object) inner(name string) *object {
	in := &object{where: o.where + name + "."}
	o.read(name, &in.fields, "an object")
	in.err = o.err
	return in
}

// absorb takes over the first error of an inner object.
func (o *object) absorb(in *object) {
	if o.err == nil {
		o.err = in.err
	}
}

func (o *object) token(name string) protocol.Token {
	in := o.inner(name)
	t := protocol.Token{Value: in.text("token"), Expiry: in.number("expiry"), Created: in.number("createdTime")}
	o.absorb(in)
	if o.err == nil && t.Value == "" {
		o.err = shapeErrorf("field %s%s.token is empty", o.where, name)
	}
	return t
}

// identity reads the members that a session has at the client's version. Its
// handle is called "handle" in most answers and "sessionHandle" in one.
func (c *Client) identity(o *object, handle string) protocol.Session {
	s := protocol.Session{
		Handle:  o.text(handle),
		UserID:  o.text("userId"),
		Payload: o.raw("userDataInJWT"),
	}
	if c.atLeast("3.0") {
		s.TenantID = o.text("tenantId")
	}
	if c.atLeast("4.0") {
		s.RecipeUserID = o.text("recipeUserId")
	}
	if o.err == nil && s.Handle == "" {
		o.err = shapeErrorf("field %s%s is empty", o.where, handle)
	}
	return s
}

func (c *Client) session(o *object) protocol.Session {
	in := o.inner("session")
	s := c.identity(in, "handle")
	o.absorb(in)
	return s
}
