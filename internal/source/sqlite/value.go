package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/openomt/omt/internal/source"
)

// Reading reads a column strictly: see the package comment for what is stored. A unary plus leaves every value as it is
// and takes the declared type from the result: by it alone the driver would turn texts of date columns into times, and
// texts that are no dates into others.
func (c *conn) Reading(alias string, col source.Column) source.Reading {
	expr := "+" + quote(col.Name)
	if alias != "" {
		expr = "+" + alias + "." + quote(col.Name)
	}
	read := reader(col.Type)
	name := col.Name
	return source.Reading{Exprs: []string{expr}, Value: func(v []driver.Value) (any, error) {
		out, err := read(v[0])
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", name, err)
		}
		return out, nil
	}}
}

// Pieces has none: SQLite reads one row at a time.
func (c *conn) Pieces(string, source.Column) (source.Pieces, bool) { return source.Pieces{}, false }

// reader is the reader of a type. NULL is not given to it.
func reader(t source.Type) func(v any) (any, error) {
	switch t.Kind {
	case source.Bool:
		return func(v any) (any, error) {
			if n, ok := v.(int64); ok && (n == 0 || n == 1) {
				return n == 1, nil
			}
			return nil, mismatch(t, v)
		}
	case source.Int, source.Text:
		return func(v any) (any, error) { return readPlain(&t, v) }
	case source.Float, source.Real:
		return func(v any) (any, error) { return readFloat(t, v) }
	case source.Decimal:
		return func(v any) (any, error) { return readDecimal(t, v) }
	case source.Bytes:
		return func(v any) (any, error) { return readBytes(t, v) }
	case source.Date, source.Clock, source.DateTime, source.Offset:
		return func(v any) (any, error) {
			if s, ok := v.(string); ok {
				return source.ParseTime(t, s)
			}
			return nil, mismatch(t, v)
		}
	case source.UUID:
		return func(v any) (any, error) {
			if s, ok := v.(string); ok {
				return source.ParseUUID(s)
			}
			return nil, mismatch(t, v)
		}
	}
	return func(v any) (any, error) { return nil, fmt.Errorf("type %q is not known", t.SQL) }
}

// mismatch says that a column holds another class of value than its type. Numbers are shown, contents are not.
func mismatch(t source.Type, v any) error {
	switch v := v.(type) {
	case int64:
		return fmt.Errorf("the integer %d is no value of %s", v, t.SQL)
	case float64:
		return fmt.Errorf("the number %v is no value of %s", v, t.SQL)
	case string:
		return fmt.Errorf("a text of %d bytes is no value of %s", len(v), t.SQL)
	case []byte:
		return fmt.Errorf("a blob of %d bytes is no value of %s", len(v), t.SQL)
	}
	return fmt.Errorf("a %T is no value of %s", v, t.SQL)
}

func readPlain(t *source.Type, v any) (any, error) {
	if b, ok := v.([]byte); ok && t.Kind == source.Text && numericAffinity(*t) {
		v = string(b) // a text that would have become a number: see bind
	}
	if err := t.Check(v); err != nil {
		if _, ok := v.(string); ok && t.Kind == source.Text {
			return nil, err
		}
		if n, ok := v.(int64); ok && t.Kind == source.Int {
			return nil, fmt.Errorf("%d does not fit %s", n, t.SQL)
		}
		return nil, mismatch(*t, v)
	}
	return v, nil
}

// negativeZero is how -0 is stored: SQLite keeps a REAL that is a whole number as an integer.
const negativeZero = "-0"

func readFloat(t source.Type, v any) (any, error) {
	if b, ok := v.([]byte); ok && string(b) == negativeZero {
		return math.Copysign(0, -1), nil
	}
	if n, ok := v.(int64); ok && n > -1<<53 && n < 1<<53 {
		v = float64(n)
	}
	if f, ok := v.(float64); ok {
		return f, t.Check(f)
	}
	return nil, mismatch(t, v)
}

func readBytes(t source.Type, v any) (any, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, mismatch(t, v)
	}
	if b == nil {
		b = []byte{}
	}
	return b, t.Check(b)
}

// maxExact is how many significant digits of any decimal number survive a float64.
const maxExact = 15

// readDecimal undoes bindDecimal. A float64 stands for the shortest number that it is nearest to; one with more digits
// than maxExact was not stored by bindDecimal, and what number was meant cannot be told.
func readDecimal(t source.Type, v any) (any, error) {
	var text string
	switch v := v.(type) {
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		if math.IsInf(v, 0) || significant(strconv.FormatFloat(v, 'f', -1, 64)) > maxExact {
			return nil, fmt.Errorf("the number %v has more than %d digits and cannot be told exactly", v, maxExact)
		}
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case []byte:
		text = string(v)
		if err := t.Check(text); err != nil {
			return nil, err
		}
		return text, nil
	default:
		return nil, mismatch(t, v)
	}
	return source.CanonicalDecimal(t, text)
}

// significant counts the significant digits of a plain decimal number.
func significant(s string) int {
	whole, frac, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	digits := whole + strings.TrimRight(frac, "0")
	if !point || strings.TrimRight(frac, "0") == "" {
		digits = strings.TrimRight(whole, "0")
	}
	return len(strings.TrimLeft(digits, "0"))
}

// bind turns a canonical value into what is stored. SQLite converts a text that looks like a number in a column whose
// declared type has NUMERIC affinity, and would lose digits or leading zeros: such values are stored as blobs.
func bind(t source.Type, v any) (any, error) {
	f, isFloat := v.(float64)
	if isFloat && math.IsNaN(f) {
		return nil, errors.New("NaN cannot be stored: SQLite would make NULL of it")
	}
	if err := t.Check(v); err != nil {
		return nil, err
	}
	if isFloat && f == 0 && math.Signbit(f) {
		return []byte(negativeZero), nil
	}
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		var b [40]byte
		return string(source.AppendTime(b[:0], t, v)), nil
	case [16]byte:
		return source.FormatUUID(v), nil
	case string:
		if t.Kind == source.Decimal {
			return bindDecimal(v), nil
		}
		if numericAffinity(t) && likeNumber(v) {
			return []byte(v), nil
		}
	}
	return v, nil
}

// bindDecimal stores a number that fits as INTEGER, else as REAL when that keeps all digits, else its text as a blob.
func bindDecimal(v string) any {
	whole, frac, _ := strings.Cut(v, ".")
	if strings.Trim(frac, "0") == "" {
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return n
		}
	}
	if significant(v) <= maxExact {
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f
		}
	}
	return []byte(v)
}

// numericAffinity reports whether SQLite turns number-like text into numbers in a column declared with this type; of
// the text types only these have neither CHAR nor TEXT in their names.
func numericAffinity(t source.Type) bool { return t.SQL == "xml" || t.SQL == source.Variant }

// likeNumber reports whether SQLite might read a text as a number; it errs on the side of yes.
func likeNumber(s string) bool {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	return s != "" && strings.IndexByte("+-.0123456789", s[0]) >= 0
}
