package source

import (
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// Check reports why v is not a canonical value of the type: another Go type than its kind has, or a value that the
// type does not hold. nil is a value of every type. Texts are not shown in the error.
func (t Type) Check(v any) error {
	switch v := v.(type) {
	case nil:
		return nil
	case bool:
		return t.want(Bool, v)
	case int64:
		return t.checkInt(v)
	case float64:
		return t.checkFloat(v)
	case string:
		if t.Kind == Decimal {
			return t.checkDecimal(v)
		}
		return t.checkText(v)
	case []byte:
		return t.checkBytes(v)
	case time.Time:
		return t.checkTime(v)
	case [16]byte:
		return t.want(UUID, v)
	}
	return fmt.Errorf("a %T is no value of %s", v, t.SQL)
}

func (t Type) want(k Kind, v any) error {
	if t.Kind != k {
		return fmt.Errorf("a %T is no value of %s", v, t.SQL)
	}
	return nil
}

func (t Type) checkInt(v int64) error {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch t.Bits {
	case 8:
		low, high = 0, math.MaxUint8
	case 16:
		low, high = math.MinInt16, math.MaxInt16
	case 32:
		low, high = math.MinInt32, math.MaxInt32
	}
	if t.Kind == Int && v >= low && v <= high {
		return nil
	}
	if t.Kind != Int {
		return t.want(Int, v)
	}
	return fmt.Errorf("%d does not fit %s", v, t.SQL)
}

func (t Type) checkFloat(v float64) error {
	if t.Kind != Float && t.Kind != Real {
		return fmt.Errorf("a float64 is no value of %s", t.SQL)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) || (t.Kind == Real && v != float64(float32(v))) {
		return fmt.Errorf("%v does not fit %s", v, t.SQL)
	}
	return nil
}

func (t Type) checkDecimal(v string) error {
	c, err := CanonicalDecimal(t, v)
	if err == nil && c != v {
		err = fmt.Errorf("%q is not written as %s is: %q", clip(v), t.SQL, clip(c))
	}
	return err
}

func (t Type) checkText(v string) error {
	switch {
	case t.Kind != Text:
		return fmt.Errorf("a text is no value of %s", t.SQL)
	case !utf8.ValidString(v):
		return fmt.Errorf("a text of %d bytes is not valid UTF-8", len(v))
	case t.Length < 0 || len(v) <= t.Length:
		return nil
	}
	n := 0
	for _, r := range v {
		n++
		if r > 0xFFFF && t.SQL[0] == 'n' {
			n++ // a surrogate pair
		}
	}
	if n > t.Length {
		return fmt.Errorf("a text of %d characters does not fit %s", n, t.SQL)
	}
	return nil
}

func (t Type) checkBytes(v []byte) error {
	if t.Kind != Bytes {
		return fmt.Errorf("bytes are no value of %s", t.SQL)
	}
	if t.Length >= 0 && len(v) > t.Length {
		return fmt.Errorf("%d bytes do not fit %s", len(v), t.SQL)
	}
	return nil
}

func (t Type) checkTime(v time.Time) error {
	unit := 1
	for i := t.Scale; i < 9; i++ {
		unit *= 10
	}
	_, off := v.Zone()
	y := v.Year()
	ok := y >= 1 && y <= 9999
	switch t.Kind {
	case Date:
		h, m, s := v.Clock()
		ok = ok && h+m+s+v.Nanosecond() == 0 && off == 0
	case Clock:
		ok = ok && y == 1970 && v.YearDay() == 1 && off == 0 && v.Nanosecond()%unit == 0
	case DateTime:
		ok = ok && off == 0 && v.Nanosecond()%unit == 0 && t.holdsDateTime(v)
	case Offset:
		uy := v.UTC().Year()
		ok = ok && off%60 == 0 && off >= -14*3600 && off <= 14*3600 && v.Nanosecond()%unit == 0 && uy >= 1 && uy <= 9999
	default:
		return fmt.Errorf("a time is no value of %s", t.SQL)
	}
	if !ok {
		return fmt.Errorf("%s does not fit %s", v.Format("2006-01-02 15:04:05.999999999 -07:00"), t.SQL)
	}
	return nil
}

// holdsDateTime knows the ranges and steps of the two older types.
func (t Type) holdsDateTime(v time.Time) bool {
	switch t.SQL {
	case "datetime":
		last := v.Nanosecond() / 1e6 % 10
		return v.Year() >= 1753 && (last == 0 || last == 3 || last == 7)
	case "smalldatetime":
		last := time.Date(2079, 6, 6, 23, 59, 0, 0, time.UTC)
		return v.Second() == 0 && v.Nanosecond() == 0 && v.Year() >= 1900 && !v.After(last)
	}
	return true
}
