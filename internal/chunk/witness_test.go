package chunk

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Here parts are read with another program's reader of Parquet, and compared with values that are worked out here, by
// nothing of this package.

// witness says what the leaves of a column hold for a value that is not NULL: the value's own under "", those of its
// companions under their suffixes.
func witness(t source.Type, v any) map[string]string {
	switch v := v.(type) {
	case bool:
		return map[string]string{"": fmt.Sprint(v)}
	case int64:
		return map[string]string{"": fmt.Sprint(v)}
	case float64:
		if t.SQL == "real" {
			return map[string]string{"": fmt.Sprintf("%08x", math.Float32bits(float32(v)))}
		}
		return map[string]string{"": fmt.Sprintf("%016x", math.Float64bits(v))}
	case []byte:
		return map[string]string{"": hex.EncodeToString(v)}
	case [16]byte:
		return map[string]string{"": hex.EncodeToString(v[:])}
	case string:
		if t.Kind == source.Decimal {
			n, ok := new(big.Int).SetString(strings.Replace(v, ".", "", 1), 10)
			if !ok {
				panic(v)
			}
			return map[string]string{"": n.String()}
		}
		return witnessText(v)
	case time.Time:
		return witnessTime(t, v)
	}
	panic(fmt.Sprintf("%T", v))
}

func witnessText(s string) map[string]string {
	if utf8.ValidString(s) {
		return map[string]string{"": hex.EncodeToString([]byte(s))}
	}
	var plain, units []byte
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 { // half a pair: 1110xxxx 10xxxxxx 10xxxxxx
			plain = append(plain, "\uFFFD"...)
			units = binary.LittleEndian.AppendUint16(units, uint16(s[0]&15)<<12|uint16(s[1]&63)<<6|uint16(s[2]&63))
			s = s[3:]
			continue
		}
		plain = append(plain, s[:n]...)
		if s = s[n:]; r >= 0x10000 {
			r -= 0x10000
			units = binary.LittleEndian.AppendUint16(units, 0xD800|uint16(r>>10))
			r = 0xDC00 | r&0x3FF
		}
		units = binary.LittleEndian.AppendUint16(units, uint16(r))
	}
	return map[string]string{"": hex.EncodeToString(plain), "$utf16": hex.EncodeToString(units)}
}

func witnessTime(t source.Type, v time.Time) map[string]string {
	seconds, nanos := v.Unix(), int64(v.Nanosecond())
	if t.SQL == "date" {
		return map[string]string{"": fmt.Sprint(int64(math.Floor(float64(seconds) / 86400)))}
	}
	m := map[string]string{"": fmt.Sprint(seconds*1e6 + nanos/1000)}
	if t.Scale == 7 {
		m["$ticks"] = fmt.Sprint(nanos / 100 % 10)
	}
	if t.Kind == source.Offset {
		_, ahead := v.Zone()
		m["$offset"] = fmt.Sprint(ahead / 60)
	}
	return m
}

// shown writes a value that parquet-go read as witness does.
func shown(t source.Type, suffix string, v parquet.Value) string {
	switch v.Kind() {
	case parquet.Boolean:
		return fmt.Sprint(v.Boolean())
	case parquet.Int32:
		return fmt.Sprint(v.Int32())
	case parquet.Int64:
		return fmt.Sprint(v.Int64())
	case parquet.Float:
		return fmt.Sprintf("%08x", math.Float32bits(v.Float()))
	case parquet.Double:
		return fmt.Sprintf("%016x", math.Float64bits(v.Double()))
	}
	b := v.ByteArray()
	if t.Kind != source.Decimal || suffix != "" {
		return hex.EncodeToString(b)
	}
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n.String()
}

// parquetRows reads a part with parquet-go, as the values of each leaf by name.
func parquetRows(t *testing.T, b []byte) (*parquet.File, []map[string]parquet.Value) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	names := f.Schema().Columns()
	var all []map[string]parquet.Value
	r := parquet.NewReader(f)
	defer r.Close()
	buf := make([]parquet.Row, 10)
	for err == nil {
		var n int
		n, err = r.ReadRows(buf)
		for _, row := range buf[:n] {
			m := map[string]parquet.Value{}
			for i, v := range row {
				m[names[i][0]] = v.Clone()
			}
			all = append(all, m)
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return f, all
}

// Another reader of Parquet agrees on every value and every NULL, whatever the codec, and finds the table in the metadata.
func TestPartsAreReadByParquetGo(t *testing.T) {
	for _, make := range []func() (manifest.Table, []source.Row){edgeTable, typeTable, largeTable, halfTable} {
		table, rows := make()
		stored := source.FromRecord(table).Stored()
		for _, codec := range []Codec{Zstd, Snappy, Gzip} {
			b, _ := writePart(t, table, PartOptions{Codec: codec}, rows)
			f, got := parquetRows(t, b)
			if v, ok := f.Lookup(tableKey); !ok || !strings.HasPrefix(v, `{"name":"`+table.Name+`","columns":[{"name":"id","type":"`) {
				t.Errorf("metadata: %.100s", v)
			}
			if len(got) != len(rows) {
				t.Fatalf("%s, %s: parquet-go reads %d rows of %d", table.Name, codec, len(got), len(rows))
			}
			compared := 0
			for i, row := range rows {
				for k, c := range stored {
					compared += agreeOn(t, c, row[k], got[i])
				}
				if t.Failed() {
					t.Fatalf("%s, %s: row %d", table.Name, codec, i)
				}
			}
			if n := len(rows) * len(f.Schema().Columns()); compared != n {
				t.Errorf("%s, %s: compared %d values of %d", table.Name, codec, compared, n)
			}
		}
	}
}

// agreeOn compares what the leaves of a column hold in a row, and returns how many there are.
func agreeOn(t *testing.T, c source.Column, v any, row map[string]parquet.Value) (n int) {
	t.Helper()
	want := map[string]string{}
	if v != nil {
		want = witness(c.Type, v)
	}
	for _, suffix := range []string{"", "$ticks", "$offset", "$utf16"} {
		got, ok := row[c.Name+suffix]
		w, value := want[suffix]
		if !ok {
			if value {
				t.Errorf("column %q: no leaf %q", c.Name, suffix)
			}
			continue
		}
		n++
		if got.IsNull() == value {
			t.Errorf("column %q, leaf %q: NULL is %v", c.Name, suffix, got.IsNull())
		} else if value && shown(c.Type, suffix, got) != w {
			t.Errorf("column %q, leaf %q: parquet-go reads %.200s, want %.200s", c.Name, suffix, shown(c.Type, suffix, got), w)
		}
	}
	return n
}

// A few values are written out here, as they were worked out by other means.
func TestValuesInParquet(t *testing.T) {
	for _, c := range []struct {
		sql  string
		v    any
		want string
	}{
		{"datetime2(7)", moment(1, 1, 1, 0, 0, 0, 100), "-62135596800000000 $ticks=1"},
		{"datetime2(6)", day(1753, 1, 1), "-6847804800000000"},
		{"datetime", day(1760, 1, 1), "-6626966400000000"},
		{"datetime", moment(1969, 12, 31, 23, 59, 59, 997_000_000), "-3000"},
		{"datetime2(7)", moment(9999, 12, 31, 23, 59, 59, 999_999_900), "253402300799999999 $ticks=9"},
		{"datetimeoffset(0)", moment(1970, 1, 1, 0, 0, 0, 0).In(source.Zone(-14 * 60)), "0 $offset=-840"},
		{"datetimeoffset(7)", moment(1969, 12, 31, 23, 59, 59, 999_999_900).In(source.Zone(345)), "-1 $ticks=9 $offset=345"},
		{"time(7)", moment(1970, 1, 1, 23, 59, 59, 999_999_900), "86399999999 $ticks=9"},
		{"date", day(1, 1, 1), "-719162"},
		{"date", day(9999, 12, 31), "2932896"},
		{"tinyint", int64(255), "255"},
		{"money", "-922337203685477.5808", "ff8000000000000000"},
		{"smallmoney", "-214748.3648", "-2147483648"},
		{"decimal(9,9)", "-0.999999999", "-999999999"},
		{"decimal(18,0)", "999999999999999999", "999999999999999999"},
		{"decimal(19,0)", "-9999999999999999999", "ff7538dcfb76180001"},
		{"decimal(28,28)", "-0.0000000000000000000000000001", "ffffffffffffffffffffffff"},
		{"decimal(38,19)", strings.Repeat("9", 19) + "." + strings.Repeat("9", 19), "4b3b4ca85a86c47a098a223fffffffff"},
		{"decimal(38,38)", "-0." + strings.Repeat("9", 38), "b4c4b357a5793b85f675ddc000000001"},
		{"uniqueidentifier", [16]byte{0: 0x6F, 1: 0x96, 15: 0xFF}, "6f9600000000000000000000000000ff"},
		{"nvarchar(5)", "a" + firstHalf, "61efbfbd $utf16=61003dd8"},
		{"nchar(2)", secondHalf + firstHalf, "efbfbdefbfbd $utf16=00de3dd8"},
		{"ntext", "\uFFFD", "efbfbd"},
		{"ntext", wholePair, "f09f9880"},
		{"sql_variant", "nvarchar(1):" + firstHalf, "6e766172636861722831293aefbfbd $utf16=6e0076006100720063006800610072002800310029003a003dd8"},
		{"hierarchyid", []byte{0x5A, 0xC0}, "5ac0"},
	} {
		table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "id", Type: c.sql}}}
		b, _ := writePart(t, table, PartOptions{}, []source.Row{{c.v}})
		_, rows := parquetRows(t, b)
		got := ""
		for _, name := range []string{"id", "id$ticks", "id$offset", "id$utf16"} {
			v, ok := rows[0][name]
			if !ok || v.IsNull() {
				continue
			}
			if name != "id" {
				got += " " + strings.TrimPrefix(name, "id") + "="
			}
			got += shown(source.Type{}, name, v)
		}
		if got != c.want {
			t.Errorf("%s %v: Parquet holds %s, want %s", c.sql, c.v, got, c.want)
		}
	}
}
