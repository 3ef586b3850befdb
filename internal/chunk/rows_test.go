package chunk

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func moment(y int, m time.Month, d, h, min, s, ns int) time.Time {
	return time.Date(y, m, d, h, min, s, ns, time.UTC)
}

// edges are the values at the limits of every type, in rising order of keys.
var edges = []edge{
	{"bit", []any{false, true}},
	{"tinyint", []any{int64(0), int64(1), int64(127), int64(128), int64(255)}},
	{"smallint", []any{int64(-32768), int64(-1), int64(0), int64(32767)}},
	{"int", []any{int64(math.MinInt32), int64(-1), int64(0), int64(1), int64(math.MaxInt32)}},
	{"bigint", []any{int64(math.MinInt64), int64(-1), int64(0), int64(math.MaxInt64)}},
	{"float", []any{math.Inf(-1), -math.MaxFloat64, -1.0, -math.SmallestNonzeroFloat64, math.Copysign(0, -1), 0.0,
		math.SmallestNonzeroFloat64, 0.1, math.MaxFloat64, math.Inf(1)}},
	{"real", []any{float64(-math.MaxFloat32), math.Copysign(0, -1), 0.0, float64(math.SmallestNonzeroFloat32), float64(float32(0.1)), float64(math.MaxFloat32)}},
	{"decimal(1,0)", []any{"-9", "0", "9"}},
	{"decimal(9,2)", []any{"-9999999.99", "-0.01", "0.00", "0.01", "1.00", "9999999.99"}},
	{"decimal(18,18)", []any{"-0.999999999999999999", "0.000000000000000000", "0.999999999999999999"}},
	{"decimal(19,4)", []any{"-999999999999999.9999", "-1.0000", "0.0000", "999999999999999.9999"}},
	{"decimal(38,0)", []any{"-" + strings.Repeat("9", 38), "-18446744073709551616", "-1", "0", "18446744073709551615", "18446744073709551616", strings.Repeat("9", 38)}},
	{"decimal(38,38)", []any{"-0." + strings.Repeat("9", 38), "0." + strings.Repeat("0", 38), "0." + strings.Repeat("0", 37) + "1"}},
	{"money", []any{"-922337203685477.5808", "-0.0001", "0.0000", "922337203685477.5807"}},
	{"smallmoney", []any{"-214748.3648", "0.0000", "214748.3647"}},
	{"nvarchar(100)", []any{"", "\x00", "\x00a", " ", "a", "a\x00", "a\x00b", "aa", "b ", "Ärger", "ø", "漢字", "\U0010FFFF"}},
	{"nchar(3)", []any{"a\xED\xA0\x80b", "\xED\xA0\xBD", "\xED\xB8\x80\xED\xA0\xBD", "\U0001F600"}},
	{"sql_variant", []any{"int:1", "nvarchar(5):\xED\xA0\xBD"}},
	{"hierarchyid", []any{[]byte{}, []byte{0x5A, 0xC0}}},
	{"varchar(max)", []any{"", strings.Repeat("long ", 50_000)}},
	{"varbinary(max)", []any{[]byte{}, []byte{0}, []byte{0, 0}, []byte{0, 1}, []byte{0xFF}, bytes.Repeat([]byte{0xFF}, 300_000)}},
	{"uniqueidentifier", []any{[16]byte{}, [16]byte{0: 1}, [16]byte{15: 0xFF, 0: 2}}},
	{"date", []any{day(1, 1, 1), day(1760, 1, 1), day(1969, 12, 31), day(1970, 1, 1), day(9999, 12, 31)}},
	{"time(7)", []any{moment(1970, 1, 1, 0, 0, 0, 0), moment(1970, 1, 1, 0, 0, 0, 100), moment(1970, 1, 1, 23, 59, 59, 999_999_900)}},
	{"time(0)", []any{moment(1970, 1, 1, 0, 0, 0, 0), moment(1970, 1, 1, 23, 59, 59, 0)}},
	{"datetime", []any{day(1753, 1, 1), day(1760, 1, 1), moment(1969, 12, 31, 23, 59, 59, 997_000_000), day(1970, 1, 1), moment(9999, 12, 31, 23, 59, 59, 997_000_000)}},
	{"smalldatetime", []any{day(1900, 1, 1), moment(2079, 6, 6, 23, 59, 0, 0)}},
	{"datetime2(7)", []any{day(1, 1, 1), moment(1, 1, 1, 0, 0, 0, 100), moment(1760, 1, 1, 0, 0, 0, 900), moment(1969, 12, 31, 23, 59, 59, 999_999_900),
		day(1970, 1, 1), moment(9999, 12, 31, 23, 59, 59, 999_999_900)}},
	{"datetime2(3)", []any{day(1, 1, 1), moment(2020, 2, 29, 12, 0, 0, 123_000_000)}},
	{"datetimeoffset(7)", []any{day(1, 1, 2), moment(2020, 1, 1, 12, 0, 0, 100).In(time.FixedZone("", -14*3600)), moment(2020, 1, 1, 12, 0, 0, 100),
		moment(2020, 1, 1, 12, 0, 0, 100).In(time.FixedZone("", 330*60)), moment(9999, 12, 31, 9, 59, 59, 999_999_900).In(time.FixedZone("", 14*3600))}},
	{"datetimeoffset(0)", []any{moment(1760, 1, 1, 0, 0, 0, 0).In(time.FixedZone("", 60)), day(2020, 1, 1)}},
}

func columns(types ...string) []source.Column {
	cols := make([]source.Column, len(types))
	for i, s := range types {
		cols[i] = source.Column{Name: fmt.Sprintf("c%d", i), Type: source.ParseType(s), Null: true}
	}
	return cols
}

// sameValues compares rows, times by instant and offset.
var sameValues = cmp.Options{
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && offsetOf(a) == offsetOf(b) }),
	cmp.Comparer(func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }),
	cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
}

func TestEdgesAreValuesOfTheirTypes(t *testing.T) {
	for _, e := range edges {
		typ := source.ParseType(e.sql)
		for _, v := range e.values {
			if f, ok := v.(float64); ok && math.IsInf(f, 0) {
				continue // kept exactly, though SQL Server has none
			}
			if err := typ.Check(v); err != nil {
				t.Errorf("%s: %v", e.sql, err)
			}
		}
	}
}

func TestRowRoundTrip(t *testing.T) {
	for _, e := range edges {
		cols := columns(e.sql)
		seen := map[string]bool{}
		for _, v := range append([]any{nil}, e.values...) {
			b, err := AppendRow([]byte("before"), cols, source.Row{v})
			if err != nil {
				t.Errorf("%s: %v", e.sql, err)
				continue
			}
			b = b[len("before"):]
			if seen[string(b)] {
				t.Errorf("%s: %v has the bytes of another value", e.sql, v)
			}
			seen[string(b)] = true
			got, err := DecodeRow(cols, b)
			if err != nil {
				t.Errorf("%s: %v: %v", e.sql, v, err)
			} else if d := cmp.Diff(source.Row{v}, got, sameValues); d != "" {
				t.Errorf("%s (-in +out):\n%.200s", e.sql, d)
			}
			for n := range min(len(b), 100) {
				if _, err := DecodeRow(cols, b[:n]); err == nil {
					t.Errorf("%s: %v cut to %d bytes is accepted", e.sql, v, n)
				}
			}
			if _, err := DecodeRow(cols, append(bytes.Clone(b), 0)); err == nil {
				t.Errorf("%s: %v with a byte more is accepted", e.sql, v)
			}
		}
	}
}

// The encoding is a contract: other programs check content digests with it.
func TestRowBytes(t *testing.T) {
	cols := columns("bit", "int", "float", "real", "decimal(9,2)", "nvarchar(10)", "varbinary(10)", "date", "time(7)", "datetime", "datetimeoffset(7)", "uniqueidentifier", "int")
	row := source.Row{
		true, int64(-2), 1.5, 1.5, "-1.25", "ø", []byte{7}, day(1969, 12, 31), moment(1970, 1, 1, 0, 0, 1, 100),
		day(1970, 1, 2), moment(1970, 1, 1, 1, 0, 0, 0).In(time.FixedZone("", -3600)), [16]byte{0: 1, 15: 2}, nil,
	}
	want := strings.Join([]string{
		"01" + "01",
		"01" + "fffffffffffffffe",
		"01" + "3ff8000000000000",
		"01" + "3fc00000",
		"01" + "02" + "ffffffffffffffffffffffffffffff83",
		"01" + "02" + "c3b8",
		"01" + "01" + "07",
		"01" + "ffffffff",
		"01" + "0000000000989681",
		"01" + "000000c92a69c000",
		"01" + "0000000861c46800" + "ffc4",
		"01" + "01000000000000000000000000000002",
		"00",
	}, "")
	b, err := AppendRow(nil, cols, row)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(b); got != want {
		t.Errorf("row is encoded as\n%s, want\n%s", got, want)
	}
}

func TestEqualValuesHaveEqualBytes(t *testing.T) {
	instant := moment(2020, 6, 1, 12, 30, 0, 0)
	for _, c := range []struct {
		sql  string
		a, b any
	}{
		{"datetime2(7)", instant, instant.In(time.FixedZone("GMT", 0))},
		{"date", day(2020, 6, 1), day(2020, 6, 1).In(time.FixedZone("", 0))},
		{"datetimeoffset(3)", instant.In(time.FixedZone("A", 7200)), instant.In(time.FixedZone("B", 7200))},
		{"varbinary(5)", []byte{}, []byte(nil)},
	} {
		a, errA := AppendRow(nil, columns(c.sql), source.Row{c.a})
		b, errB := AppendRow(nil, columns(c.sql), source.Row{c.b})
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %x (%v) and %x (%v)", c.sql, a, errA, b, errB)
		}
	}
}

func TestComputedColumnsHaveNoValue(t *testing.T) {
	cols := columns("int", "int", "int")
	cols[1].Computed = "c0+1"
	b, err := AppendRow(nil, cols, source.Row{int64(1), int64(3)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeRow(cols, b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(source.Row{int64(1), int64(3)}, got); d != "" {
		t.Error(d)
	}
}

func TestRowRefused(t *testing.T) {
	for _, c := range []struct {
		sql, want string
		v         any
	}{
		{"int", "", int64(1 << 31)},
		{"int", "", "1"},
		{"int", "", 1},
		{"tinyint", "256 does not fit tinyint", int64(256)},
		{"tinyint", "", int64(-1)},
		{"smallint", "", int64(40000)},
		{"bit", "", int64(1)},
		{"bit", "", "x"},
		{"real", "does not fit real", 0.1},
		{"float", "", "0.1"},
		{"decimal(5,2)", "", "1000.00"},
		{"decimal(5,2)", "", "1.0"},
		{"decimal(5,2)", "", "1.000"},
		{"decimal(5,2)", "", "01.00"},
		{"decimal(5,2)", "", ".50"},
		{"decimal(5,2)", "", "+1.00"},
		{"decimal(5,2)", "", "-0.00"},
		{"decimal(5,2)", "", "1,00"},
		{"decimal(5,2)", "", "1.0e"},
		{"decimal(5,2)", "", ""},
		{"decimal(5,0)", "", "-"},
		{"decimal(5,2)", "", 1.0},
		{"nvarchar(5)", "not valid UTF-8", "a\xff"},
		{"nvarchar(5)", "not valid UTF-8", "\xED\xA0\xBD\xED\xB8\x80"}, // a pair in the form of two halves
		{"nvarchar(5)", "not valid UTF-8", "\xED\xA0"},
		{"varchar(5)", "not valid UTF-8", "\xED\xA0\xBD"},
		{"xml", "not valid UTF-8", "\xED\xA0\xBD"},
		{"nvarchar(max)", "not valid UTF-8", strings.Repeat("a", bigValue) + "\xED\xA0\xBD\xED\xB8\x80"},
		{"varchar(max)", "not valid UTF-8", strings.Repeat("a", bigValue) + "\xED\xA0\xBD"},
		{"nvarchar(5)", "", []byte("a")},
		{"varbinary(5)", "", "a"},
		{"date", "", moment(2020, 1, 1, 1, 0, 0, 0)},
		{"date", "", day(2020, 1, 1).In(time.FixedZone("", 3600))},
		{"date", "", day(10000, 1, 1)},
		{"datetime2(3)", "does not fit datetime2(3)", moment(2020, 1, 1, 0, 0, 0, 100)},
		{"datetime2(7)", "", moment(2020, 1, 1, 0, 0, 0, 1)},
		{"datetime2(7)", "", day(2020, 1, 1).In(time.FixedZone("", 3600))},
		{"datetime2(7)", "", day(0, 1, 1)},
		{"time(7)", "", moment(1970, 1, 2, 0, 0, 0, 0)},
		{"time(7)", "", moment(1969, 12, 31, 23, 0, 0, 0)},
		{"datetimeoffset(7)", "", day(2020, 1, 1).In(time.FixedZone("", 15*3600))},
		{"datetimeoffset(7)", "", day(2020, 1, 1).In(time.FixedZone("", 30))},
		{"int", "", day(2020, 1, 1)},
		{"uniqueidentifier", "", []byte("0123456789abcdef")},
		{"point", "", []byte{1}},
		{"int", "", struct{}{}},
	} {
		_, err := AppendRow(nil, columns(c.sql), source.Row{c.v})
		if err == nil || !strings.HasPrefix(err.Error(), `column "c0": `) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: got %v, want %q", c.sql, c.v, err, c.want)
		}
		if _, err := newContent(columns(c.sql)).add(source.Row{c.v}); err == nil {
			t.Errorf("%s: %v is hashed", c.sql, c.v)
		}
	}
	for _, row := range []source.Row{{}, {int64(1), int64(2)}} {
		if _, err := AppendRow(nil, columns("int"), row); err == nil {
			t.Errorf("a row of %d values for one column is accepted", len(row))
		}
	}
}

func TestDecodeRowRefused(t *testing.T) {
	for _, c := range []struct{ sql, b string }{
		{"bit", ""},
		{"bit", "02"},
		{"bit", "0102"},
		{"bit", "01"},
		{"tinyint", "010000000000000100"},
		{"smallint", "010000000000008000"},
		{"int", "01ffffffff7fffffff"},
		{"int", "0100000000000000"},
		{"real", "017fa00000"}, // a signalling NaN, which no float64 keeps
		{"decimal(5,2)", "0103" + strings.Repeat("00", 16)},
		{"decimal(5,2)", "0102" + strings.Repeat("00", 13) + "0186a0"},
		{"decimal(5,2)", "0102" + strings.Repeat("00", 15)},
		{"nvarchar(5)", "018000"}, // a length that is not in its shortest form
		{"nvarchar(5)", "0101ff"},
		{"nvarchar(5)", "0106eda0bdedb880"}, // a pair in the form of two halves
		{"nvarchar(5)", "0102eda0"},
		{"varchar(5)", "0103eda0bd"},
		{"nvarchar(5)", "010261"},
		{"varbinary(5)", "01ffffffffffffffffff01"},
		{"varbinary(5)", "01ffffffffffffffffffff01"},
		{"date", "017fffffff"},
		{"time(7)", "01" + "000000c92a69c000"},
		{"time(7)", "01" + "ffffffffffffffff"},
		{"time(3)", "01" + "0000000000000001"},
		{"datetime2(7)", "01" + "7fffffffffffffff"},
		{"datetimeoffset(7)", "01" + "0000000000000000" + "0349"},
		{"datetimeoffset(7)", "01" + "0000000000000000" + "03"},
		{"point", "0100"},
	} {
		b, err := hex.DecodeString(c.b)
		if err != nil {
			t.Fatal(err)
		}
		if row, err := DecodeRow(columns(c.sql), b); !errors.Is(err, errRow) {
			t.Errorf("%s: %s decodes to %v, %v", c.sql, c.b, row, err)
		}
	}
}

// The digest of contents is over lengths and rows, and large values that are handled apart do not change it.
func TestContentDigest(t *testing.T) {
	cols := columns("int", "varchar(max)", "varbinary(max)", "int")
	var rows []source.Row
	for i := range 300 {
		row := source.Row{int64(i), strings.Repeat("x", i*100), noise(uint64(i), i*10), nil}
		switch i {
		case 7:
			row[1] = strings.Repeat("y", bigValue)
		case 100:
			row[1], row[2] = strings.Repeat("y", bigValue+1), noise(1, 2*bigValue)
		case 299:
			row[2] = noise(1, bigValue)
		}
		rows = append(rows, row)
	}
	want, raw := sha256.New(), int64(0)
	c := newContent(cols)
	var last []byte
	for _, row := range rows {
		b, err := AppendRow(nil, cols, row)
		if err != nil {
			t.Fatal(err)
		}
		want.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		want.Write(b)
		raw += int64(len(b)) + 8
		last = b
		if n, err := c.add(row); err != nil || n != int64(len(b)) {
			t.Fatalf("add = %d, %v; want %d", n, err, len(b))
		}
		if c.rowDigest() != RowDigest(b) {
			t.Fatal("the last row's digest differs")
		}
	}
	if c.rowDigest() != RowDigest(last) || c.raw != raw || c.rows != int64(len(rows)) {
		t.Errorf("%d rows of %d bytes, want %d of %d", c.rows, c.raw, len(rows), raw)
	}
	if got := c.sum(); got != manifest.Digest(want.Sum(nil)) {
		t.Errorf("digest %s, want %x", got, want.Sum(nil))
	}
}

func TestDecimals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		precision := 1 + r.IntN(38)
		scale := r.IntN(precision + 1)
		n := 1 + r.IntN(precision)
		digits := make([]byte, n)
		for i := range digits {
			digits[i] = '0' + byte(r.IntN(10))
		}
		text := strings.TrimLeft(string(digits), "0")
		for len(text) < scale+1 {
			text = "0" + text
		}
		if scale > 0 {
			text = text[:len(text)-scale] + "." + text[len(text)-scale:]
		}
		if r.IntN(2) == 0 && strings.Trim(text, "0.") != "" {
			text = "-" + text
		}
		d, ok := parseDecimal(text, precision, scale)
		if !ok || d.format(scale) != text || !d.fits(precision) {
			t.Fatalf("%q as decimal(%d,%d): %v, %q", text, precision, scale, ok, d.format(scale))
		}
		if few := len(strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(text), "0")) <= 19; d.below(precision) != few || n > 1 && d.below(0) && d != (int128{}) {
			t.Fatalf("%q is below 10^%d: %v", text, precision, !few)
		}
		if again := decimalOf(d.append(nil)); again != d {
			t.Fatalf("%q: bytes give %+v, want %+v", text, again, d)
		}
	}
}
