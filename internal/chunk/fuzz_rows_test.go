package chunk

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// fuzzTypes are the types that fuzzed bytes choose from.
func fuzzTypes() []string {
	var types []string
	for _, e := range typeEdges() {
		types = append(types, e.sql)
	}
	return types
}

// fuzzColumns chooses up to eight columns.
func fuzzColumns(types []string, choice []byte) []source.Column {
	var names []string
	for _, b := range choice[:min(8, len(choice))] {
		names = append(names, types[int(b)%len(types)])
	}
	return columns(names...)
}

// Whatever is accepted as a row is what AppendRow writes of it.
func FuzzDecodeRow(f *testing.F) {
	types := fuzzTypes()
	for i, e := range typeEdges() {
		for _, v := range []any{nil, e.values[0], e.values[len(e.values)-1]} {
			if b, err := AppendRow(nil, columns(e.sql), source.Row{v}); err == nil && len(b) < 1000 {
				f.Add([]byte{byte(i)}, b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, choice, b []byte) {
		cols := fuzzColumns(types, choice)
		var row source.Row
		var err error
		if n := allocated(func() { row, err = DecodeRow(cols, b) }); n > 1<<20+uint64(8*len(b)) {
			t.Fatalf("decoding %d bytes takes %d", len(b), n)
		}
		if err != nil {
			return
		}
		again, err := AppendRow(nil, cols, row)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x decodes to %v, which encodes to %x (%v)", b, row, again, err)
		}
	})
}

// taker takes values from fuzzed bytes.
type taker []byte

func (k *taker) bytes(n int) []byte {
	b := make([]byte, n)
	*k = (*k)[copy(b, *k):]
	return b
}

func (k *taker) byte() byte     { return k.bytes(1)[0] }
func (k *taker) uint64() uint64 { return binary.LittleEndian.Uint64(k.bytes(8)) }

// value makes a value of a type, mostly one that it holds.
func (k *taker) value(typ source.Type) any {
	if k.byte() == 0 {
		return nil
	}
	switch typ.Kind {
	case source.Bool:
		return k.byte()&1 == 1
	case source.Int:
		v := int64(k.uint64())
		if typ.Bits == 8 {
			return v & 0xFF
		}
		return v << (64 - typ.Bits) >> (64 - typ.Bits)
	case source.Float:
		return math.Float64frombits(k.uint64())
	case source.Real:
		return float64(math.Float32frombits(uint32(k.uint64())))
	case source.Decimal:
		return k.decimal(typ)
	case source.Text:
		b := k.bytes(int(k.byte()))
		if s, ok := source.DecodeUTF16(b); ok && typ.UTF16() && k.byte() > 0 {
			return s
		}
		return string(b)
	case source.Bytes:
		return k.bytes(int(k.byte()))
	case source.UUID:
		return [16]byte(k.bytes(16))
	}
	return k.time(typ)
}

func (k *taker) decimal(typ source.Type) string {
	digits := k.bytes(1 + int(k.byte())%typ.Precision)
	for i := range digits {
		digits[i] = '0' + digits[i]%10
	}
	text := strings.Repeat("0", typ.Scale) + string(digits)
	text = text[:len(text)-typ.Scale] + "." + text[len(text)-typ.Scale:]
	if k.byte()&1 == 1 {
		text = "-" + text
	}
	v, err := source.CanonicalDecimal(typ, text)
	if err != nil {
		return text
	}
	return v
}

func (k *taker) time(typ source.Type) time.Time {
	unit := int64(1)
	for i := typ.Scale; i < 9; i++ {
		unit *= 10
	}
	seconds := firstSecond + int64(k.uint64()%(lastSecond-firstSecond+1))
	switch typ.Kind {
	case source.Date:
		return time.Unix(floorDiv(seconds, secondsPerDay)*secondsPerDay, 0).UTC()
	case source.Clock:
		seconds = int64(uint64(seconds) % secondsPerDay)
	}
	v := time.Unix(seconds, int64(k.uint64()%1e9)/unit*unit).UTC()
	if typ.Kind == source.Offset {
		return v.In(source.Zone(int(k.uint64()%(2*maxOffset+1)) - maxOffset))
	}
	return v
}

// ordered compares values of a type as keys do, by what they mean.
func ordered(typ source.Type, a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(btoi(a != nil), btoi(b != nil))
	}
	switch a := a.(type) {
	case bool:
		return cmp.Compare(btoi(a), btoi(b.(bool)))
	case int64:
		return cmp.Compare(a, b.(int64))
	case float64:
		return orderedFloats(a, b.(float64))
	case []byte:
		return bytes.Compare(a, b.([]byte))
	case [16]byte:
		b := b.([16]byte)
		return bytes.Compare(a[:], b[:])
	case time.Time:
		_, x := a.Zone()
		_, y := b.(time.Time).Zone()
		return cmp.Or(a.Compare(b.(time.Time)), cmp.Compare(x, y))
	}
	if typ.Kind == source.Text {
		return strings.Compare(a.(string), b.(string))
	}
	x, _ := new(big.Rat).SetString(a.(string))
	y, _ := new(big.Rat).SetString(b.(string))
	return x.Cmp(y)
}

// orderedFloats is the total order of IEEE 754.
func orderedFloats(a, b float64) int {
	negative := math.Signbit(a)
	if negative != math.Signbit(b) {
		return 1 - 2*btoi(negative)
	}
	c := cmp.Compare(math.Float64bits(a)&^(1<<63), math.Float64bits(b)&^(1<<63))
	if negative {
		return -c
	}
	return c
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Rows of any columns and values come back from their encoding and from parts, or are refused by both; keys sort as their
// values do, and are equal where those are.
func FuzzRows(f *testing.F) {
	types := fuzzTypes()
	for i := range types {
		f.Add([]byte{byte(i), byte(i + 1), byte(i + 2)}, bytes.Repeat([]byte{1, 2, 0xFF, byte(i)}, 50), byte(i))
	}
	pool := new(Pool)
	f.Fuzz(func(t *testing.T, choice, values []byte, codec byte) {
		cols := fuzzColumns(types, choice)
		if len(cols) == 0 {
			return
		}
		from := taker(values)
		var good []source.Row
		for range 3 {
			row := make(source.Row, len(cols))
			for i, c := range cols {
				row[i] = from.value(c.Type)
			}
			if encoded(t, cols, row) {
				good = append(good, row)
			}
		}
		if len(good) == 0 {
			return
		}
		for i := range cols {
			keysAgree(t, cols, i, good)
		}
		table := manifest.Table{Name: "t"}
		for _, c := range cols {
			table.Columns = append(table.Columns, manifest.Column{Name: c.Name, Type: c.Type.SQL, Null: true})
		}
		b, rec := writePart(t, table, PartOptions{Pool: pool, Codec: codecs[int(codec)%len(codecs)]}, good)
		got, err := readPart(b, table)
		if d := gocmp.Diff(good, got, sameValues); d != "" || err != nil {
			t.Fatalf("from a part: %v (-in +out):\n%s", err, d)
		}
		if err := pool.VerifyPart(bytes.NewReader(b), int64(len(b)), rec, table); err != nil {
			t.Fatal(err)
		}
	})
}

// encoded checks a row's encoding, and reports whether it has one, which is to be so where all its texts are valid.
func encoded(t *testing.T, cols []source.Column, row source.Row) bool {
	valid := true
	for i, v := range row {
		if s, ok := v.(string); ok && cols[i].Type.Kind == source.Text {
			valid = valid && (utf8.ValidString(s) || cols[i].Type.UTF16() && source.ValidText(s))
		}
	}
	b, err := AppendRow(nil, cols, row)
	if _, other := newContent(cols).add(row); (err == nil) != (other == nil) || (err == nil) != valid {
		t.Fatalf("%v is encoded: %v; hashed: %v; valid: %v", row, err, other, valid)
	}
	if err != nil {
		return false
	}
	got, err := DecodeRow(cols, b)
	if d := gocmp.Diff(row, got, sameValues); d != "" || err != nil {
		t.Fatalf("%v (-in +out):\n%s", err, d)
	}
	return true
}

// keysAgree compares keys of one column.
func keysAgree(t *testing.T, cols []source.Column, i int, rows []source.Row) {
	k, err := KeyOf(source.Table{Name: "t", Columns: cols, Key: []string{cols[i].Name}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range rows {
		for _, b := range rows {
			x, errX := k.Append(nil, a)
			y, errY := k.Append(nil, b)
			if errX != nil || errY != nil || bytes.Compare(x, y) != ordered(cols[i].Type, a[i], b[i]) {
				t.Fatalf("%s: %v and %v have the keys %x and %x: %v, %v", cols[i].Type.SQL, a[i], b[i], x, y, errX, errY)
			}
		}
	}
}
