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

func (t *Type) want(k Kind, v any) error {
	if t.Kind != k {
		return fmt.Errorf("a %T is no value of %s", v, t.SQL)
	}
	return nil
}

func (t *Type) checkInt(v int64) error {
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

func (t *Type) checkFloat(v float64) error {
	if t.Kind != Float && t.Kind != Real {
		return fmt.Errorf("a float64 is no value of %s", t.SQL)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) || (t.Kind == Real && v != float64(float32(v))) {
		return fmt.Errorf("%v does not fit %s", v, t.SQL)
	}
	return nil
}

func (t *Type) checkDecimal(v string) error {
	c, err := CanonicalDecimal(*t, v)
	if err == nil && c != v {
		err = fmt.Errorf("%q is not written as %s is: %q", clip(v), t.SQL, clip(c))
	}
	return err
}

func (t *Type) checkText(v string) error {
	switch {
	case t.Kind != Text:
		return fmt.Errorf("a text is no value of %s", t.SQL)
	case !utf8.ValidString(v) && (!t.UTF16() || !ValidText(v)):
		return fmt.Errorf("a text of %d bytes is not valid UTF-8", len(v))
	case t.Length < 0 || len(v) <= t.Length:
		return nil
	}
	if n := t.characters(v); n > t.Length {
		return fmt.Errorf("a text of %d characters does not fit %s", n, t.SQL)
	}
	return nil
}

// characters counts as the type's length does: UTF-16 units, or characters of a code page.
func (t *Type) characters(v string) int {
	n := 0
	for len(v) > 0 {
		r, size := utf8.DecodeRuneInString(v)
		if r == utf8.RuneError && size == 1 {
			size = 3 // half a surrogate pair
		}
		if n++; r > 0xFFFF && t.UTF16() {
			n++
		}
		v = v[size:]
	}
	return n
}

func (t *Type) checkBytes(v []byte) error {
	if t.Kind != Bytes {
		return fmt.Errorf("bytes are no value of %s", t.SQL)
	}
	if t.Length >= 0 && len(v) > t.Length {
		return fmt.Errorf("%d bytes do not fit %s", len(v), t.SQL)
	}
	return nil
}

func (t *Type) checkTime(v time.Time) error {
	if t.Kind != Date && t.Kind != Clock && t.Kind != DateTime && t.Kind != Offset {
		return fmt.Errorf("a time is no value of %s", t.SQL)
	}
	if !t.holdsFraction(v) || !t.holdsZone(v) || !inCalendar(v) || !t.holdsTime(v) {
		return fmt.Errorf("%s does not fit %s", v.Format("2006-01-02 15:04:05.999999999 -07:00"), t.SQL)
	}
	return nil
}

const (
	year1    = -62_135_596_800 // in seconds since 1970, as all of these
	year1753 = -6_847_804_800
	year9999 = 253_402_300_799 // its last second
)

func inCalendar(v time.Time) bool {
	_, off := v.Zone()
	s := v.Unix() + int64(off)
	return s >= year1 && s <= year9999
}

// holdsFraction reports whether v has no finer fraction of a second than the type.
func (t *Type) holdsFraction(v time.Time) bool {
	unit := 1
	for i := t.Scale; i < 9; i++ {
		unit *= 10
	}
	return v.Nanosecond()%unit == 0
}

// holdsZone reports whether v is in UTC, or for an Offset in whole minutes up to 14 hours, with its UTC in the calendar.
func (t *Type) holdsZone(v time.Time) bool {
	_, off := v.Zone()
	if t.Kind != Offset {
		return off == 0
	}
	return off%60 == 0 && off >= -14*3600 && off <= 14*3600 && inCalendar(v.UTC())
}

// holdsTime knows what is particular to a type.
func (t *Type) holdsTime(v time.Time) bool {
	switch t.Kind {
	case Date:
		h, m, s := v.Clock()
		return h+m+s == 0
	case Clock:
		return v.Year() == 1970 && v.YearDay() == 1
	case DateTime:
		return t.holdsDateTime(v)
	}
	return true
}

// holdsDateTime knows the ranges and steps of the two older types.
func (t *Type) holdsDateTime(v time.Time) bool {
	switch t.SQL {
	case "datetime":
		last := v.Nanosecond() / 1e6 % 10
		return v.Unix() >= year1753 && (last == 0 || last == 3 || last == 7)
	case "smalldatetime":
		last := time.Date(2079, 6, 6, 23, 59, 0, 0, time.UTC)
		return v.Second() == 0 && v.Nanosecond() == 0 && v.Year() >= 1900 && !v.After(last)
	}
	return true
}
