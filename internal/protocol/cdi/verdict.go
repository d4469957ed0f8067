package cdi

import "bytes"

// saysOK says whether body is one JSON object whose one top-level "status" is
// "OK". It reads the whole body, so that neither a truncated answer nor the text
// "OK" somewhere inside passes, and it allocates nothing: load generators call
// it for every answer. A body that holds the word UNAUTHORISED anywhere never
// passes: better to miss an acceptance of a strange payload than to invent one.
func saysOK(body []byte) bool {
	s := scan{b: body}
	s.space()
	ok, seen := false, false
	if !s.object(func(key, value []byte) {
		if string(key) != "status" {
			// A name spelled with escapes might be "status" too; refuse to guess.
			if bytes.IndexByte(key, '\\') >= 0 {
				seen, ok = true, false
			}
			return
		}
		ok = !seen && string(value) == `"OK"`
		seen = true
	}) {
		return false
	}
	s.space()
	return ok && s.i == len(body) && !bytes.Contains(body, []byte("UNAUTHORISED"))
}

// scan walks over JSON without building values.
type scan struct {
	b     []byte
	i     int
	depth int
}

const maxDepth = 64

func (s *scan) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

func (s *scan) eat(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// object walks over an object and shows each member; member may be nil.
func (s *scan) object(member func(key, value []byte)) bool {
	if s.depth++; s.depth > maxDepth || !s.eat('{') {
		return false
	}
	s.space()
	if s.eat('}') {
		s.depth--
		return true
	}
	for {
		s.space()
		from := s.i
		if !s.str() {
			return false
		}
		key := s.b[from+1 : s.i-1]
		s.space()
		if !s.eat(':') {
			return false
		}
		s.space()
		from = s.i
		if !s.value() {
			return false
		}
		if member != nil {
			member(key, s.b[from:s.i])
		}
		s.space()
		if s.eat('}') {
			s.depth--
			return true
		}
		if !s.eat(',') {
			return false
		}
	}
}

func (s *scan) array() bool {
	if s.depth++; s.depth > maxDepth || !s.eat('[') {
		return false
	}
	s.space()
	if s.eat(']') {
		s.depth--
		return true
	}
	for {
		s.space()
		if !s.value() {
			return false
		}
		s.space()
		if s.eat(']') {
			s.depth--
			return true
		}
		if !s.eat(',') {
			return false
		}
	}
}

func (s *scan) value() bool {
	if s.i >= len(s.b) {
		return false
	}
	switch s.b[s.i] {
	case '{':
		return s.object(nil)
	case '[':
		return s.array()
	case '"':
		return s.str()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

func (s *scan) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

func (s *scan) str() bool {
	if !s.eat('"') {
		return false
	}
	for s.i < len(s.b) {
		c := s.b[s.i]
		s.i++
		switch {
		case c == '"':
			return true
		case c < 0x20:
			return false
		case c == '\\':
			if !s.escape() {
				return false
			}
		}
	}
	return false
}

func (s *scan) escape() bool {
	if s.i >= len(s.b) {
		return false
	}
	c := s.b[s.i]
	s.i++
	if c != 'u' {
		return bytes.IndexByte([]byte(`"\/bfnrt`), c) >= 0
	}
	for range 4 {
		if s.i >= len(s.b) {
			return false
		}
		h := s.b[s.i] | 0x20
		if (s.b[s.i] < '0' || s.b[s.i] > '9') && (h < 'a' || h > 'f') {
			return false
		}
		s.i++
	}
	return true
}

func (s *scan) number() bool {
	s.eat('-')
	if !s.eat('0') && !s.digits() {
		return false
	}
	if s.eat('.') && !s.digits() {
		return false
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		s.i++
		if !s.eat('+') {
			s.eat('-')
		}
		return s.digits()
	}
	return true
}

func (s *scan) digits() bool {
	from := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}
