package proof_test

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// fill gives v a value in which nothing is empty.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x" + string(rune('a'+r.IntN(26))))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1 + r.Int64N(9))
	case reflect.Uint64:
		v.SetUint(1 + r.Uint64N(9))
	case reflect.Float64:
		v.SetFloat(1 + r.Float64())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf("v"))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	default:
		panic("no value for " + v.Type().String())
	}
}

// Clear empties what is derived, wherever it stands, and nothing else.
func TestV2ClearLeavesEvidence(t *testing.T) {
	t.Parallel()
	var p proof.Proof
	fill(rand.New(rand.NewPCG(1, 2)), reflect.ValueOf(&p).Elem())
	proof.Clear(&p)
	derived, evidence := 0, 0
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				f := v.Type().Field(i)
				at := path + "." + f.Name
				switch {
				case !f.IsExported():
				case proof.Derived(f) || at == ".Digest":
					derived++
					if !v.Field(i).IsZero() {
						t.Errorf("%s is derived and still there", at)
					}
				default:
					walk(at, v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(path, v.Index(i))
			}
		case reflect.Pointer:
			if v.IsNil() {
				t.Errorf("%s is evidence and was emptied", path)
				return
			}
			walk(path, v.Elem())
		default:
			evidence++
			if v.IsZero() {
				t.Errorf("%s is evidence and was emptied", path)
			}
		}
	}
	walk("", reflect.ValueOf(p))
	if derived < 20 || evidence < 100 {
		t.Errorf("saw %d derived fields and %d pieces of evidence: the walk missed most", derived, evidence)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	t.Parallel()
	var p proof.Proof
	fill(rand.New(rand.NewPCG(3, 4)), reflect.ValueOf(&p).Elem())
	c := proof.Clone(&p)
	if !reflect.DeepEqual(*c, p) {
		t.Fatal("the clone differs")
	}
	fill(rand.New(rand.NewPCG(5, 6)), reflect.ValueOf(&c.Targets[0].Conformance.Checks[0]).Elem())
	c.Targets[0].Database.Settings["k"] = "other"
	c.Targets[1].Bench[0].Rounds[0].Windows[0].Calls = 99
	var again proof.Proof
	fill(rand.New(rand.NewPCG(3, 4)), reflect.ValueOf(&again).Elem())
	if !reflect.DeepEqual(p, again) {
		t.Error("an edit of the clone shows in the original")
	}
}
