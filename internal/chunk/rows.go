package chunk

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"slices"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Tags before every value of a canonical row or key. NULL sorts first.
const (
	tagNull  = 0
	tagValue = 1
)

const (
	ticksPerSecond = 10_000_000 // of 100 ns, the finest step that SQL Server keeps
	ticksPerMicro  = 10
	ticksPerDay    = 86_400 * ticksPerSecond
	secondsPerDay  = 86_400
	firstSecond    = -62_135_596_800 // 0001-01-01
	lastSecond     = 253_402_300_799 // the last one of 9999
	maxOffset      = 14 * 60         // minutes, of a datetimeoffset
)

// AppendRow appends the canonical encoding of a row, as the package comment specifies it. cols are the columns of the
// table; computed ones have no value in the row. A value that has no encoding in its column's type is an error that names
// the column.
func AppendRow(dst []byte, cols []source.Column, row source.Row) ([]byte, error) {
	return appendRow(dst, cols, row, &aside{})
}

// aside is what of a row is handled by itself.
type aside struct {
	apart  bool // large values are left out of the encoding
	blobs  []blob
	halves int // texts that are no Unicode
}

// blob is a large value that a row's encoding leaves out: it belongs at a position of the other bytes.
type blob struct {
	at   int
	data []byte
}

// bigValue is the length from which a text or byte value is handled by itself, without copies of it.
const bigValue = 1 << 20

// appendRow appends the encoding of a row, and to a what is handled by itself.
func appendRow(dst []byte, cols []source.Column, row source.Row, a *aside) ([]byte, error) {
	i := 0
	for c := range cols {
		col := &cols[c]
		if col.Computed != "" {
			continue
		}
		if i == len(row) {
			return dst, fmt.Errorf("row of %d values, but column %q is one more", len(row), col.Name)
		}
		var err error
		if dst, err = appendColumn(dst, col, row[i], a); err != nil {
			return dst, err
		}
		i++
	}
	if i != len(row) {
		return dst, fmt.Errorf("row of %d values for %d columns", len(row), i)
	}
	return dst, nil
}

// appendColumn appends the encoding of one value.
func appendColumn(dst []byte, col *source.Column, v any, a *aside) ([]byte, error) {
	if v == nil {
		return append(dst, tagNull), nil
	}
	dst = append(dst, tagValue)
	var ok bool
	if b := bytesOf(v); a.apart && len(b) >= bigValue {
		dst = binary.AppendUvarint(dst, uint64(len(b)))
		a.blobs = append(a.blobs, blob{len(dst), b})
		ok = isBlob(&col.Type, v)
	} else {
		dst, ok = appendValue(dst, &col.Type, v)
	}
	if ok {
		return dst, nil
	}
	if !halved(&col.Type, v) {
		return dst, valueError(col, v)
	}
	a.halves++
	return dst, nil
}

// bytesOf returns the bytes of a text or byte value without copying them; they must not be changed.
func bytesOf(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return unsafe.Slice(unsafe.StringData(v), len(v))
	}
	return nil
}

// isBlob reports whether a large value is one of its type, and Unicode if it is a text.
func isBlob(t *source.Type, v any) bool {
	if s, text := v.(string); text {
		return t.Kind == source.Text && utf8.ValidString(s)
	}
	return t.Kind == source.Bytes
}

// halved reports whether v is a text that is no Unicode since it holds halves of surrogate pairs, and its type holds such
// texts.
func halved(t *source.Type, v any) bool {
	s, text := v.(string)
	return text && t.UTF16() && source.ValidText(s) && !utf8.ValidString(s)
}

// withoutLarge is a row without its large values, none of which is in a key.
func withoutLarge(row source.Row) source.Row {
	out := slices.Clone(row)
	for i, v := range out {
		if len(bytesOf(v)) >= bigValue {
			out[i] = nil
		}
	}
	return out
}

// valueError says why a value has no canonical encoding.
func valueError(col *source.Column, v any) error {
	err := col.Type.Check(v)
	if err == nil {
		err = fmt.Errorf("a %T cannot be written exactly as %q", v, col.Type.SQL)
	}
	return fmt.Errorf("column %q: %w", col.Name, err)
}

// appendValue appends the encoding of a value that is not NULL; false means that the type does not hold it, or that it is a
// text that is not UTF-8.
func appendValue(dst []byte, t *source.Type, v any) ([]byte, bool) {
	be := binary.BigEndian
	switch v := v.(type) {
	case int64:
		return be.AppendUint64(dst, uint64(v)), t.Kind == source.Int && fitsInt(v, t.Bits)
	case string:
		if t.Kind == source.Decimal {
			return appendDecimal(dst, t, v)
		}
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		return append(dst, v...), t.Kind == source.Text && utf8.ValidString(v)
	case time.Time:
		return appendTime(dst, t, v)
	case bool:
		if v {
			return append(dst, 1), t.Kind == source.Bool
		}
		return append(dst, 0), t.Kind == source.Bool
	case []byte:
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		return append(dst, v...), t.Kind == source.Bytes
	case float64:
		if t.Kind == source.Real {
			f := float32(v)
			return be.AppendUint32(dst, math.Float32bits(f)), math.Float64bits(float64(f)) == math.Float64bits(v)
		}
		return be.AppendUint64(dst, math.Float64bits(v)), t.Kind == source.Float
	case [16]byte:
		return append(dst, v[:]...), t.Kind == source.UUID
	}
	return dst, false
}

func fitsInt(v int64, bits int) bool {
	switch bits {
	case 8:
		return v >= 0 && v <= math.MaxUint8
	case 16:
		return v == int64(int16(v))
	case 32:
		return v == int64(int32(v))
	}
	return bits == 64
}

func appendDecimal(dst []byte, t *source.Type, v string) ([]byte, bool) {
	n, ok := parseDecimal(v, t.Precision, t.Scale)
	dst = append(dst, byte(t.Scale))
	return n.append(dst), ok
}

func appendTime(dst []byte, t *source.Type, v time.Time) ([]byte, bool) {
	be := binary.BigEndian
	if t.Kind == source.Date {
		days, ok := daysOf(v)
		return be.AppendUint32(dst, uint32(days)), ok
	}
	ticks, ok := ticksOf(t, v)
	dst = be.AppendUint64(dst, uint64(ticks))
	if t.Kind == source.Offset {
		dst = be.AppendUint16(dst, uint16(offsetOf(v)))
	}
	return dst, ok
}

// daysOf returns the days since 1970-01-01 of a date at midnight UTC.
func daysOf(v time.Time) (int32, bool) {
	s := v.Unix()
	_, off := v.Zone()
	ok := off == 0 && v.Nanosecond() == 0 && s%secondsPerDay == 0 && s >= firstSecond && s <= lastSecond
	return int32(s / secondsPerDay), ok
}

// offsetOf returns the minutes that a time's zone is ahead of UTC.
func offsetOf(v time.Time) int16 {
	_, off := v.Zone()
	return int16(off / 60)
}

// ticksOf returns a time as steps of 100 ns since 1970-01-01 00:00 UTC.
func ticksOf(t *source.Type, v time.Time) (int64, bool) {
	s, ns := v.Unix(), v.Nanosecond()
	_, off := v.Zone()
	ticks := s*ticksPerSecond + int64(ns)/100
	ok := s >= firstSecond && s <= lastSecond && ns%100 == 0 && (t.Scale >= 7 || ns%1000 == 0)
	switch t.Kind {
	case source.Clock:
		ok = ok && off == 0 && ticks >= 0 && ticks < ticksPerDay
	case source.DateTime:
		ok = ok && off == 0
	case source.Offset:
		ok = ok && off%60 == 0 && off >= -maxOffset*60 && off <= maxOffset*60
	default:
		ok = false
	}
	return ticks, ok
}

func timeOf(ticks int64) time.Time {
	s := floorDiv(ticks, ticksPerSecond)
	return time.Unix(s, (ticks-s*ticksPerSecond)*100).UTC()
}

// zoned puts a time at an offset of minutes.
func zoned(t time.Time, minutes int16) time.Time {
	if minutes == 0 {
		return t
	}
	return t.In(time.FixedZone("", int(minutes)*60))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// RowDigest returns the digest by which rows of a table without key are sorted: SHA-256 over the canonical encoding.
func RowDigest(canonical []byte) manifest.Digest { return sha256.Sum256(canonical) }

// content computes the content digest of rows as they pass: SHA-256 over every row's length, eight bytes with the
// highest first, and its canonical encoding.
type content struct {
	cols  []source.Column
	hash  hash.Hash
	buf   []byte // rows not hashed yet
	last  int    // where the last row begins in buf
	aside        // of the last row
	raw   int64
	rows  int64
}

// hashEvery is how many bytes are hashed at once, since hashing row by row costs more than the hashing.
const hashEvery = 64 << 10

func newContent(cols []source.Column) *content {
	return &content{cols: cols, hash: sha256.New(), buf: make([]byte, 0, hashEvery+4<<10), aside: aside{apart: true}}
}

// add takes a row and returns the length of its canonical encoding.
func (c *content) add(row source.Row) (int64, error) {
	buf, err := appendRow(c.begin(), c.cols, row, &c.aside)
	if err != nil {
		c.blobs = c.blobs[:0]
		return 0, err
	}
	return c.end(buf), nil
}

// large reports whether the last row has values that are handled by themselves.
func (c *content) large() bool { return len(c.blobs) > 0 }

// begin returns the buffer to which the encoding of a row is appended.
func (c *content) begin() []byte {
	if len(c.buf) >= hashEvery || len(c.blobs) > 0 {
		c.flush()
	}
	c.halves = 0
	return append(c.buf, 0, 0, 0, 0, 0, 0, 0, 0)
}

// end takes the row whose encoding was appended to what begin returned, and returns its length.
func (c *content) end(buf []byte) int64 {
	at := len(c.buf)
	size := int64(len(buf) - at - 8)
	for _, b := range c.blobs {
		size += int64(len(b.data))
	}
	binary.BigEndian.PutUint64(buf[at:], uint64(size))
	c.buf, c.last = buf, at
	c.raw += size + 8
	c.rows++
	return size
}

// flush hashes what is held.
func (c *content) flush() {
	c.pour(c.hash, 0)
	clear(c.blobs)
	c.buf, c.blobs = c.buf[:0], c.blobs[:0]
}

// pour writes what is held from a position on, large values in their places.
func (c *content) pour(h hash.Hash, from int) {
	for _, b := range c.blobs {
		h.Write(c.buf[from:b.at])
		h.Write(b.data)
		from = b.at
	}
	h.Write(c.buf[from:])
}

// rowDigest returns the RowDigest of the row that was added last.
func (c *content) rowDigest() manifest.Digest {
	h := sha256.New()
	c.pour(h, c.last+8)
	var d manifest.Digest
	h.Sum(d[:0])
	return d
}

func (c *content) sum() manifest.Digest {
	c.flush()
	var d manifest.Digest
	c.hash.Sum(d[:0])
	return d
}
