package verdict

import (
	"fmt"
	"io/fs"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// Difference is a field of a proof that does not say what the evidence says.
type Difference struct {
	// Path of the field, e.g. "targets[0].conformance.checks[3].outcome".
	Path string
	// Stored is what the proof says, Derived what it would have to.
	Stored, Derived string
}

// String is the difference in one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s: the proof says %s, the evidence says %s", d.Path, d.Stored, d.Derived)
}

// Verify derives all of p anew and names every field that differs, every digest
// that does not fit, every saved history that its file does not bear out, and
// evidence that contradicts itself. files is the folder of the proof; nil where
// there is none, and a saved history is then a difference. No difference means
// that p is what the evidence in it says, not that the evidence is true: a digest
// has no key.
//
// Give os.Root.FS as files rather than os.DirFS, which follows links out of the
// folder.
func Verify(p *proof.Proof, files fs.FS) []Difference {
	all := Compare(p)
	if want, err := proof.DigestOf(p); err != nil {
		all = append(all, Difference{"digest", quoted(p.Digest), "it cannot be made: " + err.Error()})
	} else if p.Digest != want {
		all = append(all, Difference{"digest", quoted(p.Digest), quoted(want)})
	}
	for _, path := range proof.Scrub(proof.Clone(p)) {
		all = append(all, Difference{path, "a credential", "none, since a proof is shown to others"})
	}
	all = append(all, contradictions(p)...)
	return append(all, histories(p, files)...)
}

// Compare derives all of p anew and names every derived field that differs. It
// looks at nothing else than p, and not at its digest.
func Compare(p *proof.Proof) []Difference {
	anew := proof.Clone(p)
	Derive(anew)
	var c comparison
	c.walk("", reflect.ValueOf(*p), reflect.ValueOf(*anew), false)
	return c.found
}

// mostDifferences bounds the list: one edit may move many figures.
const mostDifferences = 1000

type comparison struct{ found []Difference }

func (c *comparison) add(path string, stored, derived reflect.Value) {
	if len(c.found) < mostDifferences {
		c.found = append(c.found, Difference{path, show(stored), show(derived)})
	}
}

// walk goes through a stored proof and one derived anew, and compares what is
// derived.
func (c *comparison) walk(path string, stored, anew reflect.Value, derived bool) {
	switch stored.Kind() {
	case reflect.Struct:
		if stored.Type().PkgPath() != reflect.TypeFor[proof.Proof]().PkgPath() {
			break
		}
		for i := range stored.NumField() {
			f := stored.Type().Field(i)
			if f.Name == "Digest" && stored.Type() == reflect.TypeFor[proof.Proof]() {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if path != "" {
				name = path + "." + name
			}
			c.walk(name, stored.Field(i), anew.Field(i), derived || proof.Derived(f))
		}
		return
	case reflect.Pointer:
		if stored.IsNil() || anew.IsNil() {
			if derived && stored.IsNil() != anew.IsNil() {
				c.add(path, stored, anew)
			}
			return
		}
		c.walk(path, stored.Elem(), anew.Elem(), derived)
		return
	case reflect.Slice:
		if derived && stored.Len() != anew.Len() {
			c.found = append(c.found, Difference{path, strconv.Itoa(stored.Len()) + " entries", strconv.Itoa(anew.Len())})
		}
		for i := range min(stored.Len(), anew.Len()) {
			c.walk(fmt.Sprintf("%s[%d]", path, i), stored.Index(i), anew.Index(i), derived)
		}
		return
	}
	if derived && !same(stored, anew) {
		c.add(path, stored, anew)
	}
}

// same allows figures the difference that processors make in the last digits.
func same(a, b reflect.Value) bool {
	if a.Kind() == reflect.Float64 {
		x, y := a.Float(), b.Float()
		return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-9*math.Max(math.Abs(x), math.Abs(y))
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// show writes a value in one line.
func show(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "nothing"
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return quoted(v.String())
	case reflect.Struct:
		return "a " + strings.ToLower(v.Type().Name())
	}
	return fmt.Sprint(v.Interface())
}

func quoted(s string) string {
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return strconv.Quote(s)
}
