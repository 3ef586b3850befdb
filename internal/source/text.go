package source

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The text forms below are the only ones that exist for a value, so that equal values have equal text. An engine
// without types of its own (SQLite) stores them, and they are what people see.
//
//	Date      YYYY-MM-DD
//	Clock     HH:MM:SS[.f]
//	DateTime  YYYY-MM-DD HH:MM:SS[.f]
//	Offset    YYYY-MM-DD HH:MM:SS[.f] ±HH:MM
//	UUID      XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX, upper case as SQL Server prints it
//
// [.f] is a fraction without trailing zeros, absent when it is zero, of at most Scale digits. A datetime's last digit is
// 0, 3 or 7 (its ticks are 1/300 s), a smalldatetime has no seconds.

// AppendTime appends the text form of v, a canonical value of a type with kind Date, Clock, DateTime or Offset.
func AppendTime(dst []byte, t Type, v time.Time) []byte {
	if t.Kind != Clock {
		y, m, d := v.Date()
		dst = append(appendDigits(dst, y, 4), '-')
		dst = append(appendDigits(dst, int(m), 2), '-')
		dst = appendDigits(dst, d, 2)
		if t.Kind == Date {
			return dst
		}
		dst = append(dst, ' ')
	}
	h, m, s := v.Clock()
	dst = append(appendDigits(dst, h, 2), ':')
	dst = append(appendDigits(dst, m, 2), ':')
	dst = appendDigits(dst, s, 2)
	if ns := v.Nanosecond(); ns != 0 {
		dst = appendDigits(append(dst, '.'), ns, 9)
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	if t.Kind != Offset {
		return dst
	}
	_, off := v.Zone()
	sign := byte('+')
	if off < 0 {
		sign, off = '-', -off
	}
	dst = append(appendDigits(append(dst, ' ', sign), off/3600, 2), ':')
	return appendDigits(dst, off/60%60, 2)
}

func appendDigits(dst []byte, n, width int) []byte {
	var b [20]byte
	i := len(b)
	for ; width > 0 || n > 0; width-- {
		i--
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return append(dst, b[i:]...)
}

// ParseTime reads the text form of a value of a type with kind Date, Clock, DateTime or Offset. Anything that AppendTime
// would not have written for a value of that type is an error.
func ParseTime(t Type, s string) (time.Time, error) {
	v, ok := parseTime(t, s)
	if !ok {
		return time.Time{}, fmt.Errorf("%q is not a %s as %q", clip(s), t.SQL, timeForm(t))
	}
	if err := t.Check(v); err != nil {
		return time.Time{}, err
	}
	return v, nil
}

func timeForm(t Type) string {
	switch t.Kind {
	case Date:
		return "YYYY-MM-DD"
	case Clock:
		return "HH:MM:SS[.f]"
	case Offset:
		return "YYYY-MM-DD HH:MM:SS[.f] +HH:MM"
	}
	return "YYYY-MM-DD HH:MM:SS[.f]"
}

func parseTime(t Type, s string) (time.Time, bool) {
	sc := scanner{s: s, ok: true}
	y, mo, d := 1970, 1, 1
	if t.Kind != Clock {
		y = sc.digits(4)
		sc.literal('-')
		mo = sc.digits(2)
		sc.literal('-')
		d = sc.digits(2)
	}
	var h, mi, sec, ns int
	if t.Kind != Date {
		if t.Kind != Clock {
			sc.literal(' ')
		}
		h, mi, sec, ns = sc.clock()
	}
	loc := time.UTC
	if t.Kind == Offset {
		loc = sc.offset()
	}
	if !sc.ok || sc.s != "" || y < 1 {
		return time.Time{}, false
	}
	v := time.Date(y, time.Month(mo), d, h, mi, sec, ns, loc)
	gy, gm, gd := v.Date()
	return v, gy == y && int(gm) == mo && gd == d && h < 24 && mi < 60 && sec < 60
}

// scanner takes fixed pieces from the front of a text.
type scanner struct {
	s  string
	ok bool
}

func (sc *scanner) digits(n int) int {
	if !sc.ok || len(sc.s) < n {
		sc.ok = false
		return 0
	}
	v := 0
	for i := range n {
		c := sc.s[i]
		if c < '0' || c > '9' {
			sc.ok = false
			return 0
		}
		v = v*10 + int(c-'0')
	}
	sc.s = sc.s[n:]
	return v
}

func (sc *scanner) literal(c byte) {
	if !sc.ok || sc.s == "" || sc.s[0] != c {
		sc.ok = false
		return
	}
	sc.s = sc.s[1:]
}

func (sc *scanner) clock() (h, m, s, ns int) {
	h = sc.digits(2)
	sc.literal(':')
	m = sc.digits(2)
	sc.literal(':')
	s = sc.digits(2)
	if !sc.ok || !strings.HasPrefix(sc.s, ".") {
		return h, m, s, 0
	}
	sc.s = sc.s[1:]
	n := 0
	for n < len(sc.s) && n < 9 && sc.s[n] >= '0' && sc.s[n] <= '9' {
		n++
	}
	if n == 0 || sc.s[n-1] == '0' {
		sc.ok = false
		return h, m, s, 0
	}
	ns = sc.digits(n)
	for ; n < 9; n++ {
		ns *= 10
	}
	return h, m, s, ns
}

func (sc *scanner) offset() *time.Location {
	sc.literal(' ')
	sign := 1
	switch {
	case strings.HasPrefix(sc.s, "-"):
		sign = -1
		sc.literal('-')
	default:
		sc.literal('+')
	}
	h := sc.digits(2)
	sc.literal(':')
	m := sc.digits(2)
	if m > 59 || (sign < 0 && h == 0 && m == 0) {
		sc.ok = false
	}
	return Zone(sign * (h*60 + m))
}

// Zone is the location of a canonical Offset value: a fixed offset in minutes east of UTC, UTC itself for 0.
func Zone(minutes int) *time.Location {
	if minutes == 0 {
		return time.UTC
	}
	return time.FixedZone("", minutes*60)
}

// FormatUUID writes the text form of a UUID.
func FormatUUID(u [16]byte) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, 36)
	for i, c := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hex[c>>4], hex[c&15])
	}
	return string(b)
}

// ParseUUID reads what FormatUUID writes.
func ParseUUID(s string) (u [16]byte, err error) {
	n := 0
	for i := 0; i < len(s); i++ {
		if len(s) != 36 {
			break
		}
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return u, fmt.Errorf("%q is not a uniqueidentifier in upper case", clip(s))
			}
			continue
		}
		v := strings.IndexByte("0123456789ABCDEF", s[i])
		if v < 0 {
			return u, fmt.Errorf("%q is not a uniqueidentifier in upper case", clip(s))
		}
		u[n/2] = u[n/2]<<4 | byte(v)
		n++
	}
	if n != 32 {
		return u, fmt.Errorf("%q is not a uniqueidentifier in upper case", clip(s))
	}
	return u, nil
}

// CanonicalDecimal writes a plain decimal number ("-12.5", "7", ".50") with exactly t.Scale digits after the point and
// no superfluous zeros before it. A number with more digits than t holds, or no number, is an error; nothing is rounded.
func CanonicalDecimal(t Type, s string) (string, error) {
	digits := strings.TrimPrefix(s, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	if whole+frac == "" || !allDigits(whole) || !allDigits(frac) {
		return "", fmt.Errorf("%q is not a %s", clip(s), t.SQL)
	}
	whole = strings.TrimLeft(whole, "0")
	frac = strings.TrimRight(frac, "0")
	if len(frac) > t.Scale || len(whole) > t.Precision-t.Scale {
		return "", fmt.Errorf("%q does not fit %s", clip(s), t.SQL)
	}
	sign := ""
	if len(digits) < len(s) && whole+frac != "" {
		sign = "-"
	}
	if whole == "" {
		whole = "0"
	}
	if t.Scale == 0 {
		return sign + whole, nil
	}
	return sign + whole + "." + frac + strings.Repeat("0", t.Scale-len(frac)), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// clip shortens a value for a message.
func clip(s string) string {
	if len(s) <= 40 {
		return s
	}
	return s[:40] + "… (" + strconv.Itoa(len(s)) + " bytes)"
}
