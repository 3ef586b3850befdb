package chunk

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// edge is a type with values at its limits, in rising order of keys.
type edge struct {
	sql    string
	values []any
}

// typeNames are the types that SQL Server has, without their arguments.
var typeNames = strings.Fields(`bit tinyint smallint int bigint float real decimal numeric money smallmoney char varchar nchar
	nvarchar text ntext xml sql_variant binary varbinary image rowversion hierarchyid geography geometry date time datetime
	smalldatetime datetime2 datetimeoffset uniqueidentifier`)

// Halves of a surrogate pair in WTF-8, and what a pair of both is.
const (
	firstHalf  = "\xED\xA0\xBD"
	secondHalf = "\xED\xB8\x80"
	wholePair  = "\U0001F600"
)

// halfTexts are texts with halves in every place, with pairs, NUL, and U+FFFD itself.
var halfTexts = []any{
	"", "\x00" + firstHalf, "a" + firstHalf, "a" + firstHalf + "b", "a\uFFFD", "a" + wholePair, "\uD7FF",
	"\xED\xA0\x80", firstHalf, firstHalf + "a" + secondHalf, firstHalf + firstHalf, firstHalf + wholePair,
	secondHalf, secondHalf + "\x00", secondHalf + firstHalf, "\xED\xBF\xBF", "\uE000", "\uFFFD", "\uFFFD" + firstHalf,
	"\uFFFF", wholePair, wholePair + secondHalf,
}

// typeEdges are limits of every type at every precision and scale that is stored in another way than the one before.
func typeEdges() []edge {
	all := []edge{
		{"bit", []any{false, true}},
		{"tinyint", []any{int64(0), int64(255)}},
		{"smallint", []any{int64(math.MinInt16), int64(0), int64(math.MaxInt16)}},
		{"int", []any{int64(math.MinInt32), int64(0), int64(math.MaxInt32)}},
		{"bigint", []any{int64(math.MinInt64), int64(math.MinInt64 + 1), int64(0), int64(math.MaxInt64)}},
		{"float", floats()},
		{"real", reals()},
		{"money", []any{"-922337203685477.5808", "-0.0001", "0.0000", "0.0001", "922337203685477.5807"}},
		{"smallmoney", []any{"-214748.3648", "-0.0001", "0.0000", "0.0001", "214748.3647"}},
		{"char(5)", []any{"     ", "a\x00   ", "a    ", "abcde"}},
		{"varchar(10)", []any{"", " ", "a", "a ", "\u0080", "\u009F\u00A0", "\u00E6\u00F8\u00E5", "\u00FF", "\u20AC", "\u2122"}},
		{"varchar(max)", []any{"", "\x00", strings.Repeat("\u00E6", 70_000)}},
		{"text", []any{"", "old"}},
		{"xml", []any{"", "007", "<a b=\"1\">\u00F8</a>"}},
		{"nchar(4)", []any{"\x00" + firstHalf + "  ", "a   ", "a" + firstHalf + "  ", firstHalf + "   "}},
		{"nvarchar(20)", halfTexts},
		{"nvarchar(max)", append([]any{strings.Repeat("a", 70_000), strings.Repeat("a", 70_000) + firstHalf}, halfTexts[7:]...)},
		{"ntext", halfTexts},
		{"sql_variant", []any{"bigint:-1", "datetime2(7):0001-01-01 00:00:00.0000001", "decimal(38,2):1.00", "nvarchar(4000):", "nvarchar(4000):" + firstHalf, "varbinary(8000):00ff"}},
		{"binary(3)", []any{[]byte{0, 0, 0}, []byte{0, 1, 0}, []byte{255, 255, 255}}},
		{"varbinary(8000)", []any{[]byte{}, []byte{0}, []byte{0, 0}, bytes.Repeat([]byte{0xFF}, 8000)}},
		{"image", []any{[]byte{}, []byte{0}, bytes.Repeat([]byte{7}, 70_000)}},
		{"rowversion", []any{make([]byte, 8), []byte{0, 0, 0, 0, 0, 0, 7, 0xD1}, bytes.Repeat([]byte{0xFF}, 8)}},
		{"hierarchyid", []any{[]byte{}, []byte{0x58}, []byte{0x5A, 0xC0}, []byte{0x5B, 0x40}}},
		{"geography", []any{[]byte{}, []byte{0xE6, 0x10, 0, 0, 1, 0x0C, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0x40}}},
		{"geometry", []any{[]byte{0, 0, 0, 0, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0}}},
		{"uniqueidentifier", []any{[16]byte{}, [16]byte{15: 1}, [16]byte{0: 1, 15: 2}, [16]byte{0: 0x80}, [16]byte(bytes.Repeat([]byte{0xFF}, 16))}},
		{"date", []any{day(1, 1, 1), day(1753, 1, 1), day(1760, 1, 1), day(1969, 12, 31), day(1970, 1, 1), day(2000, 2, 29), day(9999, 12, 31)}},
		{"datetime", []any{day(1753, 1, 1), moment(1753, 1, 1, 0, 0, 0, 3_000_000), day(1760, 1, 1), moment(1969, 12, 31, 23, 59, 59, 997_000_000), moment(9999, 12, 31, 23, 59, 59, 997_000_000)}},
		{"smalldatetime", []any{day(1900, 1, 1), moment(2079, 6, 6, 23, 59, 0, 0)}},
	}
	for scale := range 8 {
		all = append(all, times(scale)...)
	}
	for _, p := range []int{1, 2, 9, 10, 18, 19, 28, 29, 37, 38} {
		for _, s := range []int{0, 1, p / 2, p - 1, p} {
			all = append(all, decimals("decimal", p, s))
		}
	}
	return append(all, decimals("numeric", 38, 19), decimals("numeric", 18, 0), decimals("numeric", 9, 9))
}

func floats() []any {
	var all []any
	for _, bits := range []uint64{
		0xFFFFFFFFFFFFFFFF, 0xFFF8000000000001, 0xFFF8000000000000, 0xFFF0000000000001, // NaNs, the last one signalling
		0xFFF0000000000000, 0xFFEFFFFFFFFFFFFF, 0xBFF0000000000000, 0x8010000000000000, 0x8000000000000001, 0x8000000000000000,
		0x0000000000000000, 0x0000000000000001, 0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x3FB999999999999A, 0x3FF0000000000000,
		0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0x7FF0000000000001, 0x7FF8000000000000, 0x7FF8DEADBEEF0001, 0x7FFFFFFFFFFFFFFF,
	} {
		all = append(all, math.Float64frombits(bits))
	}
	return all
}

func reals() []any {
	var all []any
	for _, bits := range []uint32{
		0xFFFFFFFF, 0xFFC00001, 0xFFC00000, 0xFF800000, 0xFF7FFFFF, 0xBF800000, 0x80800000, 0x80000001, 0x80000000,
		0x00000000, 0x00000001, 0x007FFFFF, 0x00800000, 0x3DCCCCCD, 0x3F800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0x7FC12345, 0x7FFFFFFF,
	} {
		all = append(all, float64(math.Float32frombits(bits)))
	}
	return all
}

// times are the types of one scale, with its finest step.
func times(scale int) []edge {
	step := 1_000_000_000
	for range scale {
		step /= 10
	}
	last := 1_000_000_000 - step
	first := step % 1_000_000_000 // with scale 0 the finest step is a second, which is tried otherwise
	minutes := func(h, m int) *time.Location { return source.Zone(60*h + m) }
	local := func(z *time.Location, y, mo, d, h, mi, s, ns int) time.Time {
		return time.Date(y, time.Month(mo), d, h, mi, s, ns, z)
	}
	clock := []any{moment(1970, 1, 1, 0, 0, 0, 0)}
	moments := []any{day(1, 1, 1)}
	if first > 0 {
		clock = append(clock, moment(1970, 1, 1, 0, 0, 0, first))
		moments = append(moments, moment(1, 1, 1, 0, 0, 0, first))
	}
	clock = append(clock, moment(1970, 1, 1, 0, 0, 1, 0), moment(1970, 1, 1, 23, 59, 59, last))
	moments = append(moments, day(1753, 1, 1), moment(1760, 1, 1, 0, 0, 0, last), moment(1969, 12, 31, 23, 59, 59, last), day(1970, 1, 1),
		moment(2000, 2, 29, 12, 30, 30, last), moment(9999, 12, 31, 23, 59, 59, last))
	offsets := []any{
		local(minutes(0, 0), 1, 1, 1, 0, 0, 0, 0), local(minutes(14, 0), 1, 1, 1, 14, 0, 0, 0), local(minutes(0, 0), 1, 1, 1, 0, 0, 1, 0),
		local(minutes(-14, 0), 1752, 12, 31, 10, 0, 0, 0), local(minutes(14, 0), 1760, 1, 1, 0, 0, 0, last),
		local(minutes(-3, -30), 1969, 12, 31, 20, 29, 59, last), local(minutes(0, -1), 1969, 12, 31, 23, 59, 0, 0), local(minutes(0, 0), 1970, 1, 1, 0, 0, 0, 0),
		local(minutes(0, 1), 1970, 1, 1, 0, 1, 0, 0), local(minutes(5, 45), 1970, 1, 1, 5, 45, 0, 0), local(minutes(13, 59), 2000, 2, 29, 12, 0, 0, last),
		local(minutes(14, 0), 9999, 12, 31, 23, 59, 59, last), local(minutes(-14, 0), 9999, 12, 31, 9, 59, 59, last), local(minutes(0, 0), 9999, 12, 31, 23, 59, 59, last),
	}
	return []edge{
		{fmt.Sprintf("time(%d)", scale), clock}, {fmt.Sprintf("datetime2(%d)", scale), moments}, {fmt.Sprintf("datetimeoffset(%d)", scale), offsets},
	}
}

// decimals are the outermost values and those around zero.
func decimals(name string, p, s int) edge {
	write := func(digits string) string {
		for len(digits) < s+1 {
			digits = "0" + digits
		}
		if s == 0 {
			return digits
		}
		return digits[:len(digits)-s] + "." + digits[len(digits)-s:]
	}
	var low, high []any
	for _, digits := range []string{strings.Repeat("9", p), "1" + strings.Repeat("0", p-1), "1"} {
		text := write(digits)
		if len(low) > 0 && low[len(low)-1] == "-"+text { // with one digit they are the same
			continue
		}
		low, high = append(low, "-"+text), append([]any{text}, high...)
	}
	return edge{fmt.Sprintf("%s(%d,%d)", name, p, s), append(append(low, write("0")), high...)}
}

// typeTable has a column of every type with and without NULLs; its rows hold all edges, and the same ones in other order.
func typeTable() (manifest.Table, []source.Row) {
	table := manifest.Table{Name: "types", Key: []string{"id"}, Columns: []manifest.Column{{Name: "id", Type: "int"}}}
	var all []edge
	seen, most := map[string]bool{}, 0
	for _, e := range typeEdges() {
		if seen[e.sql] {
			continue
		}
		seen[e.sql] = true
		all, most = append(all, e), max(most, len(e.values))
		table.Columns = append(table.Columns,
			manifest.Column{Name: e.sql, Type: e.sql}, manifest.Column{Name: e.sql + " null", Type: e.sql, Null: true})
	}
	var rows []source.Row
	for i := range 2*most + 1 {
		row := source.Row{int64(i)}
		for _, e := range all {
			row = append(row, e.values[i%len(e.values)])
			if k := i % (len(e.values) + 1); k < len(e.values) {
				row = append(row, e.values[k])
			} else {
				row = append(row, nil)
			}
		}
		rows = append(rows, row)
	}
	return table, rows
}

// Every type has edges here, and they are what the type holds.
func TestTypeEdgesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range typeEdges() {
		name, _, _ := strings.Cut(e.sql, "(")
		seen[name] = true
		typ := source.ParseType(e.sql)
		if typ.SQL != e.sql {
			t.Errorf("%s is %s", e.sql, typ.SQL)
		}
		for _, v := range e.values {
			if f, ok := v.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
				continue // no server has them, and they are kept nevertheless
			}
			if err := typ.Check(v); err != nil {
				t.Errorf("%s: %v", e.sql, err)
			}
		}
	}
	for _, name := range typeNames {
		if !seen[name] {
			t.Errorf("%s has no edges", name)
		}
	}
}

// Rows of every type come back from their encoding, different values have different bytes, and keys sort as values do.
func TestTypesRoundTrip(t *testing.T) {
	for _, e := range typeEdges() {
		cols := columns(e.sql)
		key := mustKey(t, keyTable([]string{"c0"}, e.sql))
		seen, before := map[string]bool{}, []byte(nil)
		for _, v := range append([]any{nil}, e.values...) {
			b, err := AppendRow(nil, cols, source.Row{v})
			if err != nil {
				t.Fatalf("%s: %v", e.sql, err)
			}
			if seen[string(b)] {
				t.Errorf("%s: %.50q has the bytes of another value", e.sql, v)
			}
			seen[string(b)] = true
			got, err := DecodeRow(cols, b)
			if d := cmp.Diff(source.Row{v}, got, sameValues); d != "" || err != nil {
				t.Errorf("%s: %v (-in +out):\n%.300s", e.sql, err, d)
			}
			k, err := key.Append(nil, source.Row{v})
			if err != nil || bytes.Compare(before, k) >= 0 {
				t.Errorf("%s: the key of %.50q is %x, behind %x: %v", e.sql, v, k, before, err)
			}
			before = k
		}
	}
}

// Parts of every codec and level give back every value of every type, and have the same content.
func TestTypesInParts(t *testing.T) {
	table, rows := typeTable()
	pool := new(Pool)
	var content *manifest.Digest
	for _, codec := range []Codec{"", Zstd, Snappy, Gzip} {
		for level := minLevel; level <= maxLevel; level++ {
			b, rec := writePart(t, table, PartOptions{Codec: codec, Level: level, Pool: pool}, rows)
			got, err := readPart(b, table)
			if d := cmp.Diff(rows, got, sameValues); d != "" || err != nil {
				t.Fatalf("codec %q, level %d: %v (-in +out):\n%.2000s", codec, level, err, d)
			}
			if err := pool.VerifyPart(bytes.NewReader(b), int64(len(b)), rec, table); err != nil {
				t.Errorf("codec %q, level %d: %v", codec, level, err)
			}
			if content == nil {
				content = rec.Content
			}
			if *rec.Content != *content {
				t.Errorf("codec %q, level %d: content %s, want %s", codec, level, rec.Content, content)
			}
		}
	}
}
