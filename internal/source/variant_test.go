package source

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestVariant(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 30, 0, 123456700, time.UTC)
	for _, c := range []struct {
		typ, collation string
		v              any
		want           string
	}{
		{"bit", "", true, "bit:1"},
		{"tinyint", "", int64(255), "tinyint:255"},
		{"bigint", "", int64(math.MinInt64), "bigint:-9223372036854775808"},
		{"float", "", 5e-324, "float:5e-324"},
		{"float", "", math.Copysign(0, -1), "float:-0"},
		{"real", "", float64(float32(0.1)), "real:0.1"},
		{"decimal(9,2)", "", "-12.50", "decimal(9,2):-12.50"},
		{"money", "", "0.0001", "money:0.0001"},
		{"varchar(20)", "Danish_Norwegian_CI_AS", "a:b", "varchar(20) COLLATE Danish_Norwegian_CI_AS:a:b"},
		{"nvarchar(20)", "", "", "nvarchar(20):"},
		{"nvarchar(5)", "", "a\xED\xA0\xBD", "nvarchar(5):a\xED\xA0\xBD"},
		{"nchar(3)", "X", "a  ", "nchar(3) COLLATE X:a  "},
		{"varbinary(4)", "", []byte{0, 255, 1}, "varbinary(4):00FF01"},
		{"date", "", time.Date(1760, 1, 1, 0, 0, 0, 0, time.UTC), "date:1760-01-01"},
		{"time(7)", "", time.Date(1970, 1, 1, 23, 59, 59, 100, time.UTC), "time(7):23:59:59.0000001"},
		{"datetime2(7)", "", at, "datetime2(7):2024-02-29 12:30:00.1234567"},
		{"datetimeoffset(7)", "", at.In(Zone(-210)), "datetimeoffset(7):2024-02-29 09:00:00.1234567 -03:30"},
		{"uniqueidentifier", "", [16]byte{15: 1}, "uniqueidentifier:00000000-0000-0000-0000-000000000001"},
	} {
		typ := ParseType(c.typ)
		got, err := FormatVariant(typ, c.collation, c.v)
		if err != nil || got != c.want {
			t.Errorf("FormatVariant(%s, %v) = %q, %v; want %q", c.typ, c.v, got, err, c.want)
		}
		back, collation, v, err := ParseVariant(c.want)
		if err != nil || back != typ || collation != c.collation || cmp.Diff(c.v, v) != "" {
			t.Errorf("ParseVariant(%q) = %v, %q, %v, %v", c.want, back, collation, v, err)
		}
		if z, ok := v.(float64); ok && math.Signbit(z) != math.Signbit(c.v.(float64)) {
			t.Errorf("ParseVariant(%q) lost the sign", c.want)
		}
	}
}

func TestVariantRefused(t *testing.T) {
	for _, s := range []string{
		"", "int", "int:", "int:042", "int:+1", "INT:1", "bit:2", "float:1.50", "float:NaN", "real:0.10000000149011612", "xml:<a/>", "nvarchar(max):x",
		"sql_variant:int:1", "rowversion:0000000000000000", "varbinary(2):00ff", "varbinary(1):0000", "point:00", "decimal(3,1):1", "date:1760-1-1",
		"int COLLATE X:1", "varchar(1):ab", "uniqueidentifier:00000000-0000-0000-0000-00000000000a", "smallint:40000",
	} {
		if typ, _, v, err := ParseVariant(s); err == nil {
			t.Errorf("%q is taken as %v of %s", s, v, typ.SQL)
		}
	}
	for _, c := range []struct {
		typ string
		v   any
		say string
	}{
		{"nvarchar(max)", "x", "holds no nvarchar(max)"},
		{"int", nil, "no NULL"},
		{"int", "x", "no value of int"},
		{"smallint", int64(70000), "does not fit"},
	} {
		if got, err := FormatVariant(ParseType(c.typ), "", c.v); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s %v: %q, %v; want %q", c.typ, c.v, got, err, c.say)
		}
	}
}

func FuzzVariant(f *testing.F) {
	for _, s := range []string{"int:42", "varchar(20) COLLATE X:a:b", "datetime2(7):2024-02-29 12:30:00.1234567", "real:0.1", "varbinary(4):00FF"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ, collation, v, err := ParseVariant(s)
		if err != nil {
			return
		}
		if again, err := FormatVariant(typ, collation, v); err != nil || again != s {
			t.Errorf("%q became %q, %v", s, again, err)
		}
	})
}
