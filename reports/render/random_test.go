package render_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
	"github.com/coreproof/coreproof/reports/render/html"
	"github.com/coreproof/coreproof/reports/verdict"
)

// fill gives v any value that its type allows, the awkward ones often. Words
// that mean something to a renderer are among the texts.
func fill(r *rand.Rand, v reflect.Value) {
	pick := func(n int) bool { return r.IntN(n) == 0 }
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"", "pass", "fail", "skip", "error", "vacuous", "incomplete", "on", "off", "cost", "floor", "saturated", "setting", "request", "verify", "x", "a long text of many words",
			"\x1b[31m\x00\r\n::error::x", "<script>|`@x ]]> %", "ä\u202e\uFFFE\xff", "none", "ratio", "ms", "linearizable", "::x", "##[x]"}[r.IntN(26)])
	case reflect.Bool:
		v.SetBool(pick(2))
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 0, 1, 2, 17, 2000, -1, math.MaxInt64, math.MinInt64}[r.IntN(9)])
	case reflect.Uint64:
		v.SetUint(r.Uint64())
	case reflect.Float64:
		v.SetFloat([]float64{0, 0, 1, 0.5, 0.99, 1.35, 61.4, -1, 1e-308, 1e308, -1e308, math.MaxFloat64, 5e-324}[r.IntN(13)])
	case reflect.Pointer:
		if !pick(4) {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(3) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key)
			fill(r, value)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(r.Int32()), 0).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	default:
		panic("no value for " + v.Type().String())
	}
}

// Proofs that no run would make are still rendered, and harmlessly.
func TestRandomProofs(t *testing.T) {
	t.Parallel()
	n := 80
	if testing.Short() {
		n = 30
	}
	for seed := range uint64(n) {
		var p proof.Proof
		fill(rand.New(rand.NewPCG(seed, 1)), reflect.ValueOf(&p).Elem())
		p.SchemaVersion = proof.SchemaVersion
		for _, f := range render.Formats {
			var b bytes.Buffer
			if err := f.Render(&b, &p); err != nil {
				t.Fatalf("seed %d: %s: %v", seed, f.Name, err)
			}
			harmless(t, f.Name, b.String())
		}
		q := proof.Clone(&p)
		verdict.Derive(q)
		agrees(t, q)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// harmless checks what a format must never do, whatever a core said.
func harmless(t testing.TB, format, out string) {
	t.Helper()
	switch format {
	case "html":
		inspect(t, out)
		if len(out) > html.MaxBytes {
			t.Errorf("the page has %d bytes", len(out))
		}
	case "terminal":
		if strings.ContainsAny(out, "\x1b\r\x00") {
			t.Error("control characters in the terminal's text")
		}
		for _, l := range strings.Split(out, "\n") {
			if strings.HasPrefix(strings.TrimSpace(l), "::") {
				t.Errorf("the terminal's text gives a command to the runner: %q", l)
			}
		}
	case "github":
		for _, l := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
			if !strings.HasPrefix(l, "::notice ") && !strings.HasPrefix(l, "::warning ") && !strings.HasPrefix(l, "::error ") {
				t.Errorf("no annotation: %q", l)
			}
		}
	case "junit":
		readJUnit(t, out)
	}
}
