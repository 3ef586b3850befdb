package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/openomt/omt/internal/source"
)

// errRow is wrapped by errors of bytes that are no canonical row.
var errRow = errors.New("not a canonical row")

// DecodeRow is the inverse of AppendRow. It accepts exactly what AppendRow writes. The row shares no memory with b.
func DecodeRow(cols []source.Column, b []byte) (source.Row, error) {
	row := make(source.Row, 0, len(cols))
	for c := range cols {
		col := &cols[c]
		if col.Computed != "" {
			continue
		}
		if len(b) == 0 || b[0] > tagValue {
			return nil, fmt.Errorf("%w: no value of column %q", errRow, col.Name)
		}
		tag := b[0]
		b = b[1:]
		if tag == tagNull {
			row = append(row, nil)
			continue
		}
		v, rest, ok := decodeValue(&col.Type, b)
		if !ok {
			return nil, fmt.Errorf("%w: no value of %q in column %q", errRow, col.Type.SQL, col.Name)
		}
		row, b = append(row, v), rest
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("%w: %d bytes follow the last column", errRow, len(b))
	}
	return row, nil
}

// decodeValue cuts a value that is not NULL from the front of b.
func decodeValue(t *source.Type, b []byte) (v any, rest []byte, ok bool) {
	switch t.Kind {
	case source.Text, source.Bytes:
		return decodeBytes(t, b)
	case source.Date, source.Clock, source.DateTime, source.Offset:
		return decodeTime(t, b)
	}
	n := fixedSize(t)
	if n == 0 || len(b) < n {
		return nil, nil, false
	}
	be := binary.BigEndian
	rest = b[n:]
	switch t.Kind {
	case source.Bool:
		return b[0] == 1, rest, b[0] <= 1
	case source.Int:
		i := int64(be.Uint64(b))
		return i, rest, fitsInt(i, t.Bits)
	case source.Float:
		return math.Float64frombits(be.Uint64(b)), rest, true
	case source.Real:
		bits := be.Uint32(b)
		f := float64(math.Float32frombits(bits))
		return f, rest, math.Float32bits(float32(f)) == bits
	case source.Decimal:
		d := decimalOf(b[1:n])
		return d.format(t.Scale), rest, int(b[0]) == t.Scale && d.fits(t.Precision)
	case source.UUID:
		return [16]byte(b[:16]), rest, true
	}
	return nil, nil, false
}

// fixedSize returns the bytes that a value takes, 0 where that varies or the type is not known.
func fixedSize(t *source.Type) int {
	switch t.Kind {
	case source.Bool:
		return 1
	case source.Real, source.Date:
		return 4
	case source.Int, source.Float, source.Clock, source.DateTime:
		return 8
	case source.Offset:
		return 10
	case source.UUID:
		return 16
	case source.Decimal:
		return 17
	}
	return 0
}

func decodeBytes(t *source.Type, b []byte) (v any, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) || k > 1 && b[k-1] == 0 { // the last: not the shortest form
		return nil, nil, false
	}
	value, rest := b[k:k+int(n)], b[k+int(n):]
	if t.Kind == source.Text {
		text := string(value)
		return text, rest, validText(t, text)
	}
	return append([]byte{}, value...), rest, true
}

// validText reports whether a text is one of a type of texts: UTF-8, or the one form of UTF-16 that is no Unicode.
func validText(t *source.Type, s string) bool {
	return utf8.ValidString(s) || t.UTF16() && source.ValidText(s)
}

func decodeTime(t *source.Type, b []byte) (v any, rest []byte, ok bool) {
	n := fixedSize(t)
	if len(b) < n {
		return nil, nil, false
	}
	be := binary.BigEndian
	rest = b[n:]
	if t.Kind == source.Date {
		d := timeOf(0).AddDate(0, 0, int(int32(be.Uint32(b))))
		_, ok := daysOf(d)
		return d, rest, ok
	}
	ticks := int64(be.Uint64(b))
	d := timeOf(ticks)
	if t.Kind == source.Offset {
		minutes := int16(be.Uint16(b[8:]))
		if minutes < -maxOffset || minutes > maxOffset {
			return nil, nil, false
		}
		d = zoned(d, minutes)
	}
	again, ok := ticksOf(t, d)
	return d, rest, ok && again == ticks
}
