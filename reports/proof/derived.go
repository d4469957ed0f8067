package proof

import "reflect"

// derivedTag marks the fields that follow from others: `derived:"true"`.
const derivedTag = "derived"

// Clear empties every field of p that is tagged as derived, wherever it stands,
// and the digest, so that what is left is evidence.
func Clear(p *Proof) {
	clearDerived(reflect.ValueOf(p).Elem())
	p.Digest = ""
}

func clearDerived(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			clearDerived(v.Elem())
		}
	case reflect.Slice:
		if holds(v.Type().Elem()) {
			for i := range v.Len() {
				clearDerived(v.Index(i))
			}
		}
	case reflect.Struct:
		if !holds(v.Type()) {
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case !f.IsExported():
			case Derived(f):
				v.Field(i).SetZero()
			default:
				clearDerived(v.Field(i))
			}
		}
	}
}

// Derived says whether a field of a type of this package is derived.
func Derived(f reflect.StructField) bool { return f.Tag.Get(derivedTag) == "true" }

// Clone is a copy of p that shares nothing with it.
func Clone(p *Proof) *Proof {
	out := new(Proof)
	clone(reflect.ValueOf(out).Elem(), reflect.ValueOf(*p))
	return out
}

func clone(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			clone(to.Elem(), from.Elem())
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				clone(to.Index(i), from.Index(i))
			}
		}
	case reflect.Map:
		if !from.IsNil() {
			to.Set(reflect.MakeMapWithSize(from.Type(), from.Len()))
			for it := from.MapRange(); it.Next(); {
				value := reflect.New(from.Type().Elem()).Elem()
				clone(value, it.Value())
				to.SetMapIndex(it.Key(), value)
			}
		}
	case reflect.Struct:
		to.Set(from) // unexported fields, as time.Time has them
		if from.Type().PkgPath() != ours {
			return
		}
		for i := range from.NumField() {
			clone(to.Field(i), from.Field(i))
		}
	default:
		to.Set(from)
	}
}
