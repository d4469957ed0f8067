package calls

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Tolerance says what two cores may differ in.
type Tolerance struct {
	// Lives: access token lives are drawn at random up to this share below the
	// setting (access_token_validity_jitter); 0 where the cores were told not to.
	Lives float64
	// Texts leaves what messages say out; that there is one is compared.
	Texts bool
}

// slack is how far apart two moments may lie: the calls were sent one after the other,
// tokens count whole seconds, and the machine may be busy.
const slack = 5 * time.Second

// Differs says where two meanings differ, as a path and both values; "" when they agree.
func (t Tolerance) Differs(left, right map[string]any) (path, l, r string) {
	return t.differs("", left, right)
}

func (t Tolerance) differs(at string, left, right any) (path, l, r string) {
	switch x := left.(type) {
	case map[string]any:
		y, ok := right.(map[string]any)
		if !ok {
			return at, show(left), show(right)
		}
		keys := slices.Sorted(maps.Keys(x))
		for k := range y {
			if _, has := x[k]; !has {
				keys = append(keys, k)
			}
		}
		slices.SortFunc(keys, first)
		for _, k := range keys {
			a, hasL := x[k]
			b, hasR := y[k]
			here := k
			if at != "" {
				here = at + "." + k
			}
			switch {
			case !hasL:
				return here, "(absent)", show(b)
			case !hasR:
				return here, show(a), "(absent)"
			}
			if p, l, r := t.differs(here, a, b); p != "" {
				return p, l, r
			}
		}
		return "", "", ""
	case []any:
		y, ok := right.([]any)
		if !ok || len(x) != len(y) {
			return at, show(left), show(right)
		}
		for i := range x {
			if p, l, r := t.differs(fmt.Sprintf("%s[%d]", at, i), x[i], y[i]); p != "" {
				return p, l, r
			}
		}
		return "", "", ""
	case Moment:
		if y, ok := right.(Moment); ok && t.near(at, x, y) {
			return "", "", ""
		}
		return at, show(left), show(right)
	}
	if reflect.DeepEqual(left, right) {
		return "", "", ""
	}
	a, text1 := left.(string)
	b, text2 := right.(string)
	if text1 && text2 && a != "" && b != "" && message(at) && (t.Texts || a == AnyMessage || b == AnyMessage) {
		return "", "", ""
	}
	return at, show(left), show(right)
}

// message says whether a path is one of free text.
func message(path string) bool { return path == "body.message" || path == "text" }

// first orders the parts of an answer: the status tells more than what follows from it.
func first(a, b string) int {
	rank := func(s string) int {
		switch s {
		case "status":
			return 0
		case "type":
			return 1
		}
		return 2
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	if a < b {
		return -1
	}
	return 1
}

// near says whether two moments at a path are as good as one. Only access tokens have
// lives that are drawn.
func (t Tolerance) near(at string, a, b Moment) bool {
	x, y := time.Duration(a), time.Duration(b)
	gap := (x - y).Abs()
	drawn := t.Lives > 0 && strings.HasPrefix(at, "body.accessToken.")
	return gap <= slack || drawn && x > 0 && y > 0 && float64(gap) <= t.Lives*float64(max(x, y))+float64(slack)
}

func show(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
