package httpapi

import (
	"math"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/rawjson"
)

// fields reads the members of a request in the order in which the handler asks
// for them; the first bad one is kept and the rest are not looked at. What
// counts as bad, the accidents of the real core included, is the table of
// section 1.7 of the specification.
type fields struct {
	object     rawjson.Object
	maxPayload int // bytes of userDataInJWT
	err        error
}

func (f *fields) bad(name string) {
	if f.err == nil {
		f.err = refcore.BadInput("Field name '" + name + "' is invalid in JSON input")
	}
}

// raw gives the value of a field that is there; null is bad everywhere.
func (f *fields) raw(name string, n need) []byte {
	if f.err != nil || n == ignored {
		return nil
	}
	v := f.object.Get(name)
	if v == nil && n == required || v != nil && rawjson.IsNull(v) {
		f.bad(name)
		return nil
	}
	return v
}

func (f *fields) string(name string) string {
	if s := f.stringPtr(name, required); s != nil {
		return *s
	}
	return ""
}

func (f *fields) optString(name string) *string { return f.stringPtr(name, optional) }

func (f *fields) stringPtr(name string, n need) *string {
	v := f.raw(name, n)
	if v == nil {
		return nil
	}
	s, ok := rawjson.String(single(v))
	if !ok {
		f.bad(name)
		return nil
	}
	return &s
}

// single unwraps an array of one element.
func single(v []byte) []byte {
	if e, ok := rawjson.Elements(v); ok && len(e) == 1 {
		return e[0]
	}
	return v
}

func (f *fields) bool(name string) bool {
	b := f.boolPtr(name, required)
	return b != nil && *b
}

func (f *fields) boolPtr(name string, n need) *bool {
	v := f.raw(name, n)
	if v == nil {
		return nil
	}
	v = single(v)
	var b bool
	switch c := v[0]; {
	case c == 't':
		b = true
	case c == 'f', c == '-', c >= '0' && c <= '9': // a number counts as false
	default:
		f.bad(name)
		return nil
	}
	return &b
}

func (f *fields) optLong(name string, n need) *int64 {
	v := f.raw(name, n)
	if v == nil {
		return nil
	}
	text := string(single(v))
	if s, ok := rawjson.String([]byte(text)); ok {
		text = s
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return &i
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.Abs(x) >= 1<<63 {
		f.bad(name)
		return nil
	}
	i := int64(x)
	return &i
}

func (f *fields) jsonObject(name string, n need) rawjson.Object {
	v := f.raw(name, n)
	if v == nil {
		return nil
	}
	if !rawjson.IsObject(v) {
		f.bad(name)
		return nil
	}
	o, err := rawjson.Parse(v)
	if err != nil {
		f.bad(name)
	}
	return o
}

// strings reads an optional array of strings; given is false when it is absent.
func (f *fields) strings(name string) (list []string, given bool) {
	v := f.raw(name, optional)
	if v == nil {
		return nil, false
	}
	elements, ok := rawjson.Elements(v)
	if !ok {
		f.bad(name)
		return nil, false
	}
	for _, e := range elements {
		s, ok := rawjson.String(e)
		if !ok {
			f.bad(name)
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// isTrue is how query parameters are read: any text but true is false.
func isTrue(s string) bool { return strings.EqualFold(s, "true") }
