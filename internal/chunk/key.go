package chunk

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/openomt/omt/internal/source"
)

// Key finds the key of a table in its rows. The zero Key is that of a table without one.
type Key struct {
	cols []source.Column
	at   []int // their places in a row
}

// KeyOf returns the key of a table. A table without one gives an empty Key.
func KeyOf(t source.Table) (Key, error) {
	var k Key
	stored := t.Stored()
	for _, name := range t.Key {
		at := -1
		for i, c := range stored {
			if c.Name == name || at < 0 && strings.EqualFold(c.Name, name) {
				at = i
			}
		}
		if at < 0 {
			return Key{}, fmt.Errorf("table %q: its key names column %q, which has no stored values", t.Name, name)
		}
		k.cols, k.at = append(k.cols, stored[at]), append(k.at, at)
	}
	return k, nil
}

// Empty reports whether the table has no key.
func (k Key) Empty() bool { return len(k.at) == 0 }

// Values returns the values of the row's key, which are a row of KeyTable.
func (k Key) Values(row source.Row) source.Row {
	out := make(source.Row, len(k.at))
	for i, at := range k.at {
		if at < len(row) {
			out[i] = row[at]
		}
	}
	return out
}

// Integer reports whether the key is one integer column, so that Int works.
func (k Key) Integer() bool { return len(k.at) == 1 && k.cols[0].Type.Kind == source.Int }

// Int returns the value of an integer key.
func (k Key) Int(row source.Row) (int64, error) {
	if k.Integer() && k.at[0] < len(row) {
		if v, ok := row[k.at[0]].(int64); ok {
			return v, nil
		}
	}
	return 0, fmt.Errorf("row has no integer key")
}

// Append appends the row's key in an encoding whose byte order is the order of keys: column by column, NULL first;
// numbers, dates and times by value, texts and bytes by their bytes, uniqueidentifiers by their text form. No key's
// encoding is the beginning of another's.
func (k Key) Append(dst []byte, row source.Row) ([]byte, error) {
	for i := range k.cols {
		col := &k.cols[i]
		if k.at[i] >= len(row) {
			return dst, fmt.Errorf("row of %d values has no column %q", len(row), col.Name)
		}
		v := row[k.at[i]]
		if v == nil {
			dst = append(dst, tagNull)
			continue
		}
		var ok bool
		if dst, ok = appendKeyValue(append(dst, tagValue), &col.Type, v); !ok {
			return dst, valueError(col, v)
		}
	}
	return dst, nil
}

func appendKeyValue(dst []byte, t *source.Type, v any) ([]byte, bool) {
	at := len(dst)
	switch t.Kind {
	case source.Text:
		text, ok := v.(string)
		return appendEscaped(dst, bytesOf(text)), ok && validText(t, text)
	case source.Bytes:
		b, ok := v.([]byte)
		return appendEscaped(dst, b), ok
	case source.Float, source.Real:
		f, ok := v.(float64)
		bits := math.Float64bits(f)
		if bits>>63 == 1 {
			bits = ^bits
		} else {
			bits |= 1 << 63
		}
		return binary.BigEndian.AppendUint64(dst, bits), ok
	}
	dst, ok := appendValue(dst, t, v)
	if !ok {
		return dst, false
	}
	switch t.Kind {
	case source.Decimal:
		dst[at+1] ^= 0x80 // the sign, behind the scale
	case source.Int, source.Date, source.Clock, source.DateTime:
		dst[at] ^= 0x80
	case source.Offset:
		dst[at] ^= 0x80
		dst[at+8] ^= 0x80
	}
	return dst, true
}

// appendEscaped ends a value of any length with 00 01, and writes a zero byte in it as 00 FF.
func appendEscaped(dst, b []byte) []byte {
	for _, c := range b {
		if c == 0 {
			dst = append(dst, 0, 0xFF)
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst, 0, 1)
}

// Text returns the row's key for people: its values with commas between, texts quoted where there are several values.
func (k Key) Text(row source.Row) string {
	var b strings.Builder
	for i := range k.cols {
		if i > 0 {
			b.WriteByte(',')
		}
		if k.at[i] < len(row) {
			b.WriteString(valueText(&k.cols[i].Type, row[k.at[i]], len(k.cols) > 1))
		}
	}
	return b.String()
}

func valueText(t *source.Type, v any, quoted bool) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		if v {
			return "1"
		}
		return "0"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		if quoted && t.Kind == source.Text {
			return strconv.Quote(v)
		}
		return v
	case []byte:
		return hex.EncodeToString(v)
	case [16]byte:
		s := hex.EncodeToString(v[:])
		return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
	case time.Time:
		switch t.Kind {
		case source.Date:
			return v.Format("2006-01-02")
		case source.Clock:
			return v.Format("15:04:05.9999999")
		case source.Offset:
			return v.Format("2006-01-02 15:04:05.9999999 -07:00")
		}
		return v.Format("2006-01-02 15:04:05.9999999")
	}
	return fmt.Sprintf("%v", v)
}
