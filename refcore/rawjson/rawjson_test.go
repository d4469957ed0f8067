package rawjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		want     map[string]string
		bad      bool
	}{
		{"empty", `{}`, map[string]string{}, false},
		{"blanks", " { \"a\" : 1 ,\n\"b\":[1, {\"c\":\"}\"}] } ", map[string]string{"a": "1", "b": `[1, {"c":"}"}]`}, false},
		{"escaped key", `{"\u0061\"":true}`, map[string]string{`a"`: "true"}, false},
		{"last value wins", `{"a":1,"a":2}`, map[string]string{"a": "2"}, false},
		{"string with quote and backslash", `{"a":"x\\\"}","b":null}`, map[string]string{"a": `"x\\\"}"`, "b": "null"}, false},
		{"array", `[]`, nil, true},
		{"string", `"x"`, nil, true},
		{"null", `null`, nil, true},
		{"nothing", ``, nil, true},
		{"trailing text", `{} x`, nil, true},
		{"truncated", `{"a":`, nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o, err := Parse([]byte(tc.in))
			if (err != nil) != tc.bad {
				t.Fatalf("Parse(%q) error = %v, want an error: %v", tc.in, err, tc.bad)
			}
			if err != nil {
				return
			}
			got := map[string]string{}
			for _, m := range o {
				got[m.Key] = string(o.Get(m.Key))
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("Parse(%q) = %v, want %v", tc.in, got, tc.want)
			}
		})
	}
}

func TestAppendCompact(t *testing.T) {
	t.Parallel()
	o, err := Parse([]byte(` {"b": 1, "a": [1, 2, " x y "], "b": 12345678901234567890.10 } `))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(o.AppendCompact(nil)), `{"a":[1,2," x y "],"b":12345678901234567890.10}`; got != want {
		t.Errorf("AppendCompact = %s, want %s", got, want)
	}
}

// TestAppendCompactMany: a large object is taken apart as a small one is, and in
// no more than linear time: quadratic, this test would run for minutes.
func TestAppendCompactMany(t *testing.T) {
	t.Parallel()
	const n = 100_000
	var o Object
	for i := range n {
		o = append(o, Member{Key: fmt.Sprintf("%06d", i%(n/2)), Value: strconv.AppendInt(nil, int64(i), 10)})
	}
	got := o.AppendCompact(nil)
	var m map[string]int
	if err := json.Unmarshal(got, &m); err != nil {
		t.Fatal(err)
	}
	if back, err := Parse(got); err != nil || len(back) != n/2 || len(m) != n/2 || m["000000"] != n/2 {
		t.Errorf("%d members, %d keys, first %d, %v", len(back), len(m), m["000000"], err)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		{`1`, `1.0`, true},
		{`1`, `1e0`, true},
		{`100`, `1e2`, true},
		{`0.001`, `1e-3`, true},
		{`-0`, `0`, true},
		{`9007199254740993`, `9007199254740992`, false},
		{`12345678901234567890`, `12345678901234567891`, false},
		{`1e999999999`, `1e999999998`, false},
		{`1e99999999999999999999`, `1e99999999999999999998`, false},
		{`"a"`, `"\u0061"`, true},
		{`[1,2]`, `[2,1]`, false},
		{`{"a":null}`, `{}`, false},
		{`{"a":null}`, `{"b":null}`, false},
		{`true`, `"true"`, false},
		{`1`, `-1`, false},
		{`10`, `1`, false},
	} {
		if got := Equal([]byte(tc.a), []byte(tc.b)); got != tc.want {
			t.Errorf("Equal(%s, %s) = %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":{"b":[1,2,"}"]},"a":"\u00e9"}`, `{"":""}`, ` {"x" : -1.5e+7 } `, `{"a":"\ud800"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := Parse(b)
		var ref map[string]json.RawMessage
		refErr := json.Unmarshal(b, &ref)
		if refErr == nil && ref == nil {
			refErr = ErrNotObject // the text null
		}
		if (err != nil) != (refErr != nil) {
			t.Fatalf("Parse(%q) = %v, encoding/json = %v", b, err, refErr)
		}
		if err != nil {
			return
		}
		compact := o.AppendCompact(nil)
		if !json.Valid(compact) {
			t.Fatalf("AppendCompact(%q) = %q is not valid JSON", b, compact)
		}
		if len(ref) > 0 && !bytes.Contains(b, []byte(`\`)) {
			for k, v := range ref {
				if got := o.Get(k); !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(v)) {
					t.Fatalf("%q: member %q = %q, want %q", b, k, got, v)
				}
			}
		}
	})
}
