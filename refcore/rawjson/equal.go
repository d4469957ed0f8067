package rawjson

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Equal compares two valid JSON texts by value: the order of members and the
// spelling of numbers and strings do not matter (1, 1.0 and 1e0 are equal), and
// no digit of a large integer is lost.
func Equal(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, err := decode(a)
	if err != nil {
		return false
	}
	y, err := decode(b)
	if err != nil {
		return false
	}
	return equalValue(x, y)
}

func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

func equalValue(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !equalValue(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equalValue(x[i], y[i]) {
				return false
			}
		}
		return true
	case json.Number:
		y, ok := b.(json.Number)
		return ok && normal(string(x)) == normal(string(y))
	default:
		return a == b
	}
}

// decimal is a number as 0.digits × 10^exp without leading or trailing zeros:
// comparing it costs no memory however large the exponent is.
type decimal struct {
	neg    bool
	digits string
	exp    int64
	rest   string // the exponent's own text when it does not fit exp
}

func normal(s string) decimal {
	var d decimal
	s, d.neg = strings.CutPrefix(s, "-")
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	whole, frac, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+frac, "0")
	point := int64(len(whole) - (len(whole) + len(frac) - len(digits)))
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return decimal{} // zero, of either sign
	}
	d.digits = digits
	if exponent != "" {
		e, err := strconv.ParseInt(exponent, 10, 62)
		if err != nil {
			d.rest = exponent
		}
		d.exp = e
	}
	d.exp += point
	return d
}
