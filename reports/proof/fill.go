package proof

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// filled is a copy of p in which each list that the schema requires is there,
// so that readers in other languages meet [] and never null. Lists that hold
// nothing nested are shared with p.
func filled(p *Proof) *Proof {
	v := reflect.New(reflect.TypeFor[Proof]())
	v.Elem().Set(copied(reflect.ValueOf(*p), false))
	return v.Interface().(*Proof)
}

// copied gives a copy of v with nil slices made empty, except where the field
// may be absent (optional).
func copied(v reflect.Value, optional bool) reflect.Value {
	switch v.Kind() {
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			if holds(f.Type) {
				out.Field(i).Set(copied(v.Field(i), strings.Contains(f.Tag.Get("json"), ",omitempty")))
			}
		}
		return out
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(copied(v.Elem(), false))
		return out
	case reflect.Slice:
		if v.IsNil() {
			if optional {
				return v
			}
			return reflect.MakeSlice(v.Type(), 0, 0)
		}
		if !holds(v.Type().Elem()) {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(copied(v.Index(i), false))
		}
		return out
	default:
		return v
	}
}

// ours is the path of this package.
var ours = reflect.TypeFor[Proof]().PkgPath()

// holds says whether a value of type t may hold a slice or a field of ours.
func holds(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice:
		return true
	case reflect.Pointer:
		return holds(t.Elem())
	case reflect.Struct:
		return t.PkgPath() == ours
	default:
		return false
	}
}

// notFinite gives the path of the first number in p that is NaN or infinite,
// or "". encoding/json would refuse it too, but without saying where.
func notFinite(p *Proof) string {
	return walkFinite(reflect.ValueOf(*p), "")
}

func walkFinite(v reflect.Value, path string) string {
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return path
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return walkFinite(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if s := walkFinite(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); s != "" {
				return s
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if path != "" {
				name = path + "." + name
			}
			if s := walkFinite(v.Field(i), name); s != "" {
				return s
			}
		}
	}
	return ""
}

// index is the path of an element of a list.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
