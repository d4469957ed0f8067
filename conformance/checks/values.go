package checks

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strings"
)

// number is a JSON number by its value.
type number string

// sameJSON compares by value: numbers as numbers, members in any order.
func sameJSON(a, b []byte) bool {
	var x, y any
	decode := func(raw []byte, v *any) error {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(v); err != nil {
			return err
		}
		*v = plain(*v)
		return nil
	}
	return decode(a, &x) == nil && decode(b, &y) == nil && reflect.DeepEqual(x, y)
}

// plain writes numbers as exact fractions, so that 1 and 1.0 are equal.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		// With an exponent a short text may be a huge fraction, and a core may
		// write any number that way; no number sent here needs that precision.
		if r, ok := new(big.Rat).SetString(v.String()); ok && len(v) < 100 && !strings.ContainsAny(v.String(), "eE") {
			return number(r.RatString())
		}
		f, _ := v.Float64()
		return number(new(big.Rat).SetFloat64(min(max(f, -math.MaxFloat64), math.MaxFloat64)).RatString())
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}
