package mssql

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/source"
)

// readOne reads one value as a column of that name and type does.
func readOne(name, typ string, v ...driver.Value) (any, error) {
	return (&conn{utf16: true}).Reading("t", source.Column{Name: name, Type: source.ParseType(typ)}).Value(v)
}

func TestConvert(t *testing.T) {
	oslo := time.FixedZone("", 3600)
	at := time.Date(2024, 2, 29, 12, 30, 0, 5, oslo)
	for _, c := range []struct {
		typ  string
		v    driver.Value
		want any
	}{
		{"int", int64(5), int64(5)},
		{"bit", true, true},
		{"float", 1.5, 1.5},
		{"real", float32(0.1), float64(float32(0.1))},
		{"nvarchar(5)", "x", "x"},
		{"nvarchar(5)", []byte{'a', 0, 0x3D, 0xD8}, "a\xED\xA0\xBD"},
		{"ntext", []byte{}, ""},
		{"hierarchyid", []byte{0x58}, []byte{0x58}},
		{"decimal(5,2)", []byte("1.5"), "1.50"},
		{"decimal(5,2)", "-.5", "-0.50"},
		{"money", []byte("12.5000"), "12.5000"},
		{"varbinary(5)", []byte(nil), []byte{}},
		{"image", []byte{1}, []byte{1}},
		{"date", at, time.Date(2024, 2, 29, 12, 30, 0, 5, time.UTC)},
		{"datetime2(7)", at, time.Date(2024, 2, 29, 12, 30, 0, 5, time.UTC)},
		{"time(7)", time.Date(1, 1, 1, 12, 30, 0, 5, oslo), time.Date(1970, 1, 1, 12, 30, 0, 5, time.UTC)},
		{"uniqueidentifier", []byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF},
			[16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}},
	} {
		got, err := readOne("c", c.typ, c.v)
		if err != nil || fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", c.want, c.want) {
			t.Errorf("%s %v: %T %v, %v", c.typ, c.v, got, got, err)
		}
	}
	off, err := readOne("c", "datetimeoffset(7)", at)
	if x, ok := off.(time.Time); err != nil || !ok || !x.Equal(at) || x.Format("-07:00") != "+01:00" {
		t.Errorf("datetimeoffset: %v, %v", off, err)
	}
	for _, c := range []struct {
		typ string
		v   driver.Value
	}{
		{"int", "5"}, {"nvarchar(5)", int64(5)}, {"bit", int64(1)}, {"int", true}, {"int", at}, {"int", 1.5}, {"decimal(5,2)", []byte("x")},
		{"decimal(5,2)", []byte("1000")}, {"uniqueidentifier", []byte{1}}, {"nvarchar(5)", []byte("x")}, {"varchar(5)", []byte("x")}, {"point", []byte{1}},
		{"int", struct{}{}}, {"float", float32(1)},
	} {
		if got, err := readOne("col", c.typ, c.v); err == nil || !strings.Contains(err.Error(), `column "col"`) {
			t.Errorf("%s %v is taken as %v, %v", c.typ, c.v, got, err)
		}
	}
}

func TestReading(t *testing.T) {
	for _, c := range []struct{ typ, plain, utf16 string }{
		{"int", "t.[a]]b]", ""},
		{"xml", "t.[a]]b]", ""},
		{"decimal(9,2)", "t.[a]]b]", ""},
		{"varbinary(max)", "t.[a]]b]", ""},
		{"varchar(20)", "CAST(t.[a]]b] AS nvarchar(20))", ""},
		{"char(5000)", "CAST(t.[a]]b] AS nvarchar(max))", ""},
		{"text", "CAST(t.[a]]b] AS nvarchar(max))", ""},
		{"nvarchar(20)", "t.[a]]b]", "CAST(t.[a]]b] AS varbinary(40))"},
		{"nchar(4000)", "t.[a]]b]", "CAST(t.[a]]b] AS varbinary(8000))"},
		{"nvarchar(max)", "t.[a]]b]", "CAST(t.[a]]b] AS varbinary(max))"},
		{"ntext", "t.[a]]b]", "CAST(CAST(t.[a]]b] AS nvarchar(max)) AS varbinary(max))"},
		{"hierarchyid", "CAST(t.[a]]b] AS varbinary(892))", ""},
		{"geography", "CAST(t.[a]]b] AS varbinary(max))", ""},
		{"geometry", "CAST(t.[a]]b] AS varbinary(max))", ""},
	} {
		col := source.Column{Name: "a]b", Type: source.ParseType(c.typ)}
		if got := (&conn{}).Reading("t", col).Exprs; len(got) != 1 || got[0] != c.plain {
			t.Errorf("%s: %q, want %q", c.typ, got, c.plain)
		}
		if got := (&conn{utf16: true}).Reading("t", col).Exprs; len(got) != 1 || got[0] != cmp.Or(c.utf16, c.plain) {
			t.Errorf("%s as UTF-16: %q, want %q", c.typ, got, cmp.Or(c.utf16, c.plain))
		}
	}
	if got := (&conn{}).Reading("", source.Column{Name: "a", Type: source.ParseType("int")}).Exprs[0]; got != "[a]" {
		t.Errorf("without an alias: %s", got)
	}
}

func TestPieces(t *testing.T) {
	for _, c := range []struct{ typ, stored, length, piece string }{
		{"varbinary(max)", "DATALENGTH(t.[a])", "DATALENGTH(t.[a])", "SUBSTRING(CAST(t.[a] AS varbinary(max)), 5, 7)"},
		{"image", "DATALENGTH(t.[a])", "DATALENGTH(t.[a])", "SUBSTRING(CAST(t.[a] AS varbinary(max)), 5, 7)"},
		{"nvarchar(max)", "DATALENGTH(t.[a])", "DATALENGTH(t.[a])", "SUBSTRING(CAST(t.[a] AS varbinary(max)), 5, 7)"},
		{"text", "DATALENGTH(t.[a])", "DATALENGTH(CAST(t.[a] AS nvarchar(max)))", "SUBSTRING(CAST(CAST(t.[a] AS nvarchar(max)) AS varbinary(max)), 5, 7)"},
		{"ntext", "DATALENGTH(t.[a])", "DATALENGTH(CAST(t.[a] AS nvarchar(max)))", "SUBSTRING(CAST(CAST(t.[a] AS nvarchar(max)) AS varbinary(max)), 5, 7)"},
	} {
		col := source.Column{Name: "a", Type: source.ParseType(c.typ)}
		p, ok := (&conn{utf16: true}).Pieces("t", col)
		if !ok || p.Stored != c.stored || p.Length != c.length || p.Piece(5, 7) != c.piece {
			t.Errorf("%s: %v, %q, %q", c.typ, ok, p.Stored, p.Length)
		}
		if _, ok := (&conn{}).Pieces("t", col); ok != (col.Type.Kind == source.Bytes) {
			t.Errorf("%s where the bytes of a text are not its UTF-16: %v", c.typ, ok)
		}
		if got, err := readOne("a", c.typ, []byte{'x', 0}); err != nil || got != "x" && col.Type.Kind == source.Text {
			t.Errorf("%s of the bytes of its pieces: %v, %v", c.typ, got, err)
		}
	}
	for _, typ := range []string{"int", "varbinary(8000)", "nvarchar(4000)", "xml", "sql_variant", "geography", "hierarchyid"} {
		if _, ok := (&conn{utf16: true}).Pieces("t", source.Column{Name: "a", Type: source.ParseType(typ)}); ok {
			t.Errorf("%s is read in pieces", typ)
		}
	}
}

func TestVariant(t *testing.T) {
	for _, c := range []struct {
		values []driver.Value
		want   string
	}{
		{[]driver.Value{int64(42), "int", int64(10), int64(0), int64(4), nil, nil}, "int:42"},
		{[]driver.Value{[]byte("12.5"), "DECIMAL", int64(9), int64(2), int64(5), nil, nil}, "decimal(9,2):12.50"},
		{[]driver.Value{[]byte("0.001"), "numeric", int64(0), int64(3), int64(5), nil, nil}, "numeric(38,3):0.001"},
		{[]driver.Value{"tekst", "varchar", int64(0), int64(0), int64(20), "Danish_Norwegian_CI_AS", nil}, "varchar(20) COLLATE Danish_Norwegian_CI_AS:tekst"},
		{[]driver.Value{"a\uFFFD", "nvarchar", int64(0), int64(0), int64(10), nil, []byte{'a', 0, 0x3D, 0xD8}}, "nvarchar(5):a\xED\xA0\xBD"},
		{[]driver.Value{"x", "nvarchar", int64(0), int64(0), int64(65535), nil, nil}, "nvarchar(4000):x"},
		{[]driver.Value{"x", "varchar", int64(0), int64(0), int64(-1), nil, nil}, "varchar(8000):x"},
		{[]driver.Value{[]byte{1}, "binary", int64(0), int64(0), int64(1), nil, nil}, "binary(1):01"},
		{[]driver.Value{[]byte{1, 2}, "binary", int64(0), int64(0), int64(65535), nil, nil}, "binary(2):0102"},
		{[]driver.Value{"a ", "char", int64(0), int64(0), int64(-1), nil, nil}, "char(2):a "},
		{[]driver.Value{"a ", "nchar", int64(0), int64(0), nil, nil, nil}, "nchar(2):a "},
		{[]driver.Value{time.Date(2024, 1, 1, 0, 0, 0, 100, time.UTC), "datetime2", int64(27), int64(7), int64(8), nil, nil}, "datetime2(7):2024-01-01 00:00:00.0000001"},
	} {
		if got, err := readOne("v", "sql_variant", c.values...); err != nil || got != c.want {
			t.Errorf("%v: %q, %v; want %q", c.values, got, err, c.want)
		}
	}
	for _, v := range [][]driver.Value{
		{int64(42), nil, nil, nil, nil, nil, nil},
		{"x", "point", nil, nil, int64(4), nil, nil},
		{int64(70000), "smallint", nil, nil, int64(2), nil, nil},
	} {
		if got, err := readOne("v", "sql_variant", v...); err == nil || !strings.Contains(err.Error(), `column "v"`) {
			t.Errorf("%v is taken as %v, %v", v, got, err)
		}
	}
}
