package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// once refuses an object that names a member twice, letters' case aside: readers
// differ in which one they take, so a proof would say one thing to this program and
// another to others.
func once(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []map[string]bool // members of the objects that are open; nil for a list
	key := false               // the next string is a member's name
	for {
		t, err := d.Token()
		if err != nil {
			return nil // the end, or what decode has a better word for
		}
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{':
				open, key = append(open, map[string]bool{}), true
				continue
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
		case string:
			if key {
				members, name := open[len(open)-1], strings.ToLower(t)
				if members[name] {
					return fmt.Errorf("field %q stands twice at byte %d; a proof is not meant to be edited", t, d.InputOffset())
				}
				members[name], key = true, false
				continue
			}
		}
		key = len(open) > 0 && open[len(open)-1] != nil
	}
}
