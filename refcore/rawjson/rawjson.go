// Package rawjson takes JSON objects apart into raw members and puts them
// together again, so that user data passes through the core as it was sent:
// numbers keep every digit and nulls stay.
package rawjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

// ErrNotObject says that the text is not one JSON object.
var ErrNotObject = errors.New("not a JSON object")

// Member is one member of an object; Value is its text without surrounding blanks.
type Member struct {
	Key   string
	Value []byte
}

// Object is the members in the order of the text. A repeated key stays where it
// stands; Get and Compact take its last value.
type Object []Member

// Parse splits the top level of a JSON object. Values alias b.
func Parse(b []byte) (Object, error) {
	if !json.Valid(b) {
		return nil, ErrNotObject
	}
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return nil, ErrNotObject
	}
	o := make(Object, 0, 16)
	for i = skipSpace(b, i+1); b[i] != '}'; {
		if b[i] == ',' {
			i = skipSpace(b, i+1)
		}
		end := stringEnd(b, i)
		key := unquote(b[i:end])
		i = skipSpace(b, skipSpace(b, end)+1) // the colon
		start := i
		i = valueEnd(b, i)
		o = append(o, Member{Key: key, Value: b[start:i]})
		i = skipSpace(b, i)
	}
	return o, nil
}

// Get gives the last value under key, nil when there is none.
func (o Object) Get(key string) []byte {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].Key == key {
			return o[i].Value
		}
	}
	return nil
}

// IsObject says whether a raw value is an object.
func IsObject(v []byte) bool { return len(v) > 0 && v[0] == '{' }

// IsNull says whether a raw value is null.
func IsNull(v []byte) bool { return len(v) == 4 && v[0] == 'n' }

// String decodes a raw string value; false when it is no string.
func String(v []byte) (string, bool) {
	if len(v) < 2 || v[0] != '"' {
		return "", false
	}
	return unquote(v), true
}

// AppendCompact appends the object's members, each key once with its last
// value and without blanks between tokens, as "{…}".
func (o Object) AppendCompact(dst []byte) []byte {
	dst = append(dst, '{')
	last := o.lastPlaces()
	first := true
	for i, m := range o {
		if last != nil && last[m.Key] != i || last == nil && repeatedLater(o, i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendString(dst, m.Key)
		dst = append(dst, ':')
		dst = appendCompactValue(dst, m.Value)
	}
	return append(dst, '}')
}

// few members are compared with each other: cheaper than a map.
const few = 32

// lastPlaces says where each key stands last; nil for few members. Comparing
// each of 100,000 members with all others would take minutes.
func (o Object) lastPlaces() map[string]int {
	if len(o) <= few {
		return nil
	}
	places := make(map[string]int, len(o))
	for i, m := range o {
		places[m.Key] = i
	}
	return places
}

func repeatedLater(o Object, i int) bool {
	for j := i + 1; j < len(o); j++ {
		if o[j].Key == o[i].Key {
			return true
		}
	}
	return false
}

func appendCompactValue(dst, v []byte) []byte {
	if bytes.IndexByte(v, ' ') < 0 && bytes.IndexByte(v, '\n') < 0 && bytes.IndexByte(v, '\t') < 0 && bytes.IndexByte(v, '\r') < 0 {
		return append(dst, v...)
	}
	buf := bytes.NewBuffer(dst)
	if err := json.Compact(buf, v); err != nil {
		// Not possible: the value was part of a valid text.
		return append(dst, v...)
	}
	return buf.Bytes()
}

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
			start = i + 1
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// LoneSurrogate says whether a valid JSON text has an escape of half a character,
// e.g. \ud800 without its other half, which no Unicode text can hold.
func LoneSurrogate(b []byte) bool {
	for i := bytes.IndexByte(b, '\\'); i >= 0 && i+1 < len(b); {
		step := 2
		if b[i+1] == 'u' {
			step = 6
			switch hi := escaped(b[i:]); {
			case hi >= 0xdc00 && hi <= 0xdfff:
				return true
			case hi >= 0xd800 && hi <= 0xdbff:
				if lo := escaped(b[i+6:]); lo < 0xdc00 || lo > 0xdfff {
					return true
				}
				step = 12
			}
		}
		if i += step; i >= len(b) {
			break
		}
		next := bytes.IndexByte(b[i:], '\\')
		if next < 0 {
			break
		}
		i += next
	}
	return false
}

// escaped is the code unit of \uXXXX at the beginning of b, -1 if there is none.
func escaped(b []byte) int {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 32)
	if err != nil {
		return -1
	}
	return int(n)
}

// unquote decodes a string that is known to be valid JSON, quotes included.
func unquote(v []byte) string {
	inner := v[1 : len(v)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		return string(inner)
	}
	return s
}

// The scanners below work on text that json.Valid has accepted, so that they
// need no bounds of their own.

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

func stringEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func valueEnd(b []byte, i int) int {
	switch b[i] {
	case '"':
		return stringEnd(b, i)
	case '{', '[':
		depth := 0
		for {
			switch b[i] {
			case '"':
				i = stringEnd(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					return i + 1
				}
			}
			i++
		}
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	return i
}

// Elements splits a raw array value; false when it is no array.
func Elements(v []byte) ([][]byte, bool) {
	if len(v) == 0 || v[0] != '[' {
		return nil, false
	}
	var out [][]byte
	for i := skipSpace(v, 1); v[i] != ']'; {
		if v[i] == ',' {
			i = skipSpace(v, i+1)
		}
		end := valueEnd(v, i)
		out = append(out, v[i:end])
		i = skipSpace(v, end)
	}
	return out, true
}
