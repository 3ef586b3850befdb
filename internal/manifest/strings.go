package manifest

import (
	"reflect"
	"unicode/utf8"
)

// checkStrings finds a string anywhere in v that is not valid UTF-8. encoding/json would write U+FFFD in place of its
// bad bytes and thus lose them silently.
func checkStrings(v any) error { return checkValue(reflect.ValueOf(v)) }

func checkValue(v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); !utf8.ValidString(s) {
			return notUnicode(s)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return checkValue(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if err := checkValue(v.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := checkValue(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if err := checkValue(it.Key()); err != nil {
				return err
			}
			if err := checkValue(it.Value()); err != nil {
				return err
			}
		}
	}
	return nil
}
