package source

import (
	"strings"
	"testing"
)

func TestParseType(t *testing.T) {
	for _, c := range []struct {
		text string
		want Type
	}{
		{"bit", Type{SQL: "bit", Kind: Bool}},
		{"tinyint", Type{SQL: "tinyint", Kind: Int, Bits: 8}},
		{"SmallInt", Type{SQL: "smallint", Kind: Int, Bits: 16}},
		{" INT ", Type{SQL: "int", Kind: Int, Bits: 32}},
		{"INTEGER", Type{SQL: "int", Kind: Int, Bits: 32}},
		{"bigint", Type{SQL: "bigint", Kind: Int, Bits: 64}},
		{"float", Type{SQL: "float", Kind: Float}},
		{"float(53)", Type{SQL: "float", Kind: Float}},
		{"float(25)", Type{SQL: "float", Kind: Float}},
		{"float(24)", Type{SQL: "real", Kind: Real}},
		{"real", Type{SQL: "real", Kind: Real}},
		{"double  precision", Type{SQL: "float", Kind: Float}},
		{"decimal", Type{SQL: "decimal(18,0)", Kind: Decimal, Precision: 18}},
		{"dec(5)", Type{SQL: "decimal(5,0)", Kind: Decimal, Precision: 5}},
		{"Decimal( 19 , 4 )", Type{SQL: "decimal(19,4)", Kind: Decimal, Precision: 19, Scale: 4}},
		{"numeric(38,38)", Type{SQL: "numeric(38,38)", Kind: Decimal, Precision: 38, Scale: 38}},
		{"money", Type{SQL: "money", Kind: Decimal, Precision: 19, Scale: 4}},
		{"smallmoney", Type{SQL: "smallmoney", Kind: Decimal, Precision: 10, Scale: 4}},
		{"nvarchar", Type{SQL: "nvarchar(1)", Kind: Text, Length: 1}},
		{"nvarchar(239)", Type{SQL: "nvarchar(239)", Kind: Text, Length: 239}},
		{"NVARCHAR(MAX)", Type{SQL: "nvarchar(max)", Kind: Text, Length: -1}},
		{"national character varying(7)", Type{SQL: "nvarchar(7)", Kind: Text, Length: 7}},
		{"varchar(8000)", Type{SQL: "varchar(8000)", Kind: Text, Length: 8000}},
		{"character varying(9)", Type{SQL: "varchar(9)", Kind: Text, Length: 9}},
		{"char", Type{SQL: "char(1)", Kind: Text, Length: 1}},
		{"character(3)", Type{SQL: "char(3)", Kind: Text, Length: 3}},
		{"nchar(4000)", Type{SQL: "nchar(4000)", Kind: Text, Length: 4000}},
		{"national char(2)", Type{SQL: "nchar(2)", Kind: Text, Length: 2}},
		{"sysname", Type{SQL: "nvarchar(128)", Kind: Text, Length: 128}},
		{"text", Type{SQL: "text", Kind: Text, Length: -1}},
		{"ntext", Type{SQL: "ntext", Kind: Text, Length: -1}},
		{"xml", Type{SQL: "xml", Kind: Text, Length: -1}},
		{"binary(16)", Type{SQL: "binary(16)", Kind: Bytes, Length: 16}},
		{"varbinary(max)", Type{SQL: "varbinary(max)", Kind: Bytes, Length: -1}},
		{"binary varying(4)", Type{SQL: "varbinary(4)", Kind: Bytes, Length: 4}},
		{"image", Type{SQL: "image", Kind: Bytes, Length: -1}},
		{"Hierarchyid", Type{SQL: "hierarchyid", Kind: Bytes, Length: 892}},
		{"geography", Type{SQL: "geography", Kind: Bytes, Length: -1}},
		{"geometry", Type{SQL: "geometry", Kind: Bytes, Length: -1}},
		{"SQL_VARIANT", Type{SQL: "sql_variant", Kind: Text, Length: -1}},
		{"timestamp", Type{SQL: "rowversion", Kind: Bytes, Length: 8}},
		{"rowversion", Type{SQL: "rowversion", Kind: Bytes, Length: 8}},
		{"date", Type{SQL: "date", Kind: Date}},
		{"time", Type{SQL: "time(7)", Kind: Clock, Scale: 7}},
		{"time(0)", Type{SQL: "time(0)", Kind: Clock}},
		{"datetime", Type{SQL: "datetime", Kind: DateTime, Scale: 3}},
		{"smalldatetime", Type{SQL: "smalldatetime", Kind: DateTime}},
		{"datetime2", Type{SQL: "datetime2(7)", Kind: DateTime, Scale: 7}},
		{"datetime2(3)", Type{SQL: "datetime2(3)", Kind: DateTime, Scale: 3}},
		{"datetimeoffset(1)", Type{SQL: "datetimeoffset(1)", Kind: Offset, Scale: 1}},
		{"uniqueidentifier", Type{SQL: "uniqueidentifier", Kind: UUID}},
	} {
		got := ParseType(c.text)
		if got != c.want {
			t.Errorf("ParseType(%q) = %+v, want %+v", c.text, got, c.want)
		}
		if again := ParseType(got.SQL); again != got {
			t.Errorf("ParseType(%q) = %+v, which is not what it was made of: %+v", got.SQL, again, got)
		}
	}
}

func TestParseTypeUnknown(t *testing.T) {
	for _, text := range []string{
		"", "point", "crm7.Place", "vector(3)", "sql_variant(5)", "cursor", "int(4)", "bit(1)", "nvarchar(0)", "nvarchar(4001)",
		"varchar(8001)", "char(max)", "binary(max)", "nvarchar(-1)", "nvarchar(1,2)", "nvarchar(a)", "nvarchar(", "nvarchar)",
		"nvarchar(1) x", "decimal(0)", "decimal(39)", "decimal(5,6)", "decimal(1,2,3)", "float(0)", "float(54)", "time(8)",
		"datetime2(-1)", "datetime(3)", "money(1)", "(3)", "varchar()", "xml(max)",
	} {
		got := ParseType(text)
		if got.Kind != Other || got.SQL != strings.ToLower(text) {
			t.Errorf("ParseType(%q) = %+v, want the kind Other and the text", text, got)
		}
	}
}

func FuzzParseType(f *testing.F) {
	for _, s := range []string{"int", "decimal(19,4)", "nvarchar(max)", "float(3)", "x(", "time(9)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := ParseType(s)
		if again := ParseType(got.SQL); got.Kind != Other && again != got {
			t.Errorf("ParseType(%q) = %+v, and of its text %+v", s, got, again)
		}
	})
}
