package source

import (
	"fmt"
	"strconv"
	"strings"
)

// Variant is the type whose values have types of their own. A value is kept as text: its type, a colon, the value.
const Variant = "sql_variant"

// maxPrecision is the largest precision of decimal and numeric on SQL Server.
const maxPrecision = 38

// ParseType reads a column type in SQL Server's spelling, in any letter case, and returns it in the one spelling that
// manifests hold: lower case, no blanks, omitted lengths and scales as SQL Server fills them in ("decimal" is
// "decimal(18,0)", "datetime2" is "datetime2(7)", "nvarchar" is "nvarchar(1)"). Synonyms become the type they stand
// for. A type that is not known, or whose arguments are out of range, has the kind Other and keeps its text.
func ParseType(text string) Type {
	name, args, ok := splitType(text)
	if !ok {
		return otherType(text)
	}
	if s, ok := typeSynonym(name); ok {
		name = s
	}
	var t Type
	if len(args) == 0 {
		t, ok = plainType(name)
	}
	if len(args) > 0 || !ok {
		t, ok = sizedType(name, args)
	}
	if !ok {
		return otherType(text)
	}
	return t
}

func otherType(text string) Type {
	return Type{SQL: strings.ToLower(strings.TrimSpace(text)), Kind: Other}
}

// splitType cuts "Decimal( 19, 4 )" into "decimal" and ["19" "4"].
func splitType(text string) (name string, args []string, ok bool) {
	name, rest, found := strings.Cut(strings.ToLower(strings.TrimSpace(text)), "(")
	name = strings.Join(strings.Fields(name), " ")
	if !found {
		return name, nil, name != ""
	}
	rest, tail, found := strings.Cut(rest, ")")
	if !found || strings.TrimSpace(tail) != "" || name == "" {
		return "", nil, false
	}
	for a := range strings.SplitSeq(rest, ",") {
		args = append(args, strings.TrimSpace(a))
	}
	return name, args, true
}

func typeSynonym(name string) (string, bool) {
	switch name {
	case "dec":
		return "decimal", true
	case "integer":
		return "int", true
	case "double precision":
		return "float", true
	case "timestamp":
		return "rowversion", true
	case "character":
		return "char", true
	case "character varying", "char varying":
		return "varchar", true
	case "national character", "national char":
		return "nchar", true
	case "national character varying", "national char varying":
		return "nvarchar", true
	case "binary varying":
		return "varbinary", true
	}
	return "", false
}

// plainTypes are the types that are written without arguments.
var plainTypes = [...]Type{
	{SQL: "bit", Kind: Bool},
	{SQL: "tinyint", Kind: Int, Bits: 8},
	{SQL: "smallint", Kind: Int, Bits: 16},
	{SQL: "int", Kind: Int, Bits: 32},
	{SQL: "bigint", Kind: Int, Bits: 64},
	{SQL: "float", Kind: Float},
	{SQL: "real", Kind: Real},
	{SQL: "money", Kind: Decimal, Precision: 19, Scale: 4},
	{SQL: "smallmoney", Kind: Decimal, Precision: 10, Scale: 4},
	{SQL: "text", Kind: Text, Length: -1},
	{SQL: "ntext", Kind: Text, Length: -1},
	{SQL: "xml", Kind: Text, Length: -1},
	{SQL: Variant, Kind: Text, Length: -1},
	{SQL: "image", Kind: Bytes, Length: -1},
	{SQL: "rowversion", Kind: Bytes, Length: 8},
	{SQL: "hierarchyid", Kind: Bytes, Length: 892},
	{SQL: "geography", Kind: Bytes, Length: -1},
	{SQL: "geometry", Kind: Bytes, Length: -1},
	{SQL: "date", Kind: Date},
	{SQL: "datetime", Kind: DateTime, Scale: 3},
	{SQL: "smalldatetime", Kind: DateTime},
	{SQL: "uniqueidentifier", Kind: UUID},
}

func plainType(name string) (Type, bool) {
	if name == "sysname" {
		return Type{SQL: "nvarchar(128)", Kind: Text, Length: 128}, true
	}
	for _, t := range plainTypes {
		if t.SQL == name {
			return t, true
		}
	}
	return Type{}, false
}

// sizedType knows the types that take arguments, and their defaults.
func sizedType(name string, args []string) (Type, bool) {
	switch name {
	case "char", "varchar", "binary", "varbinary":
		return lengthType(name, args, 8000)
	case "nchar", "nvarchar":
		return lengthType(name, args, 4000)
	case "decimal", "numeric":
		return decimalType(name, args)
	case "float":
		n, ok := oneNumber(args, 53, 1, 53)
		if ok && n <= 24 {
			return Type{SQL: "real", Kind: Real}, true
		}
		return Type{SQL: "float", Kind: Float}, ok
	case "time", "datetime2", "datetimeoffset":
		n, ok := oneNumber(args, 7, 0, 7)
		kind := map[string]Kind{"time": Clock, "datetime2": DateTime, "datetimeoffset": Offset}[name]
		return Type{SQL: fmt.Sprintf("%s(%d)", name, n), Kind: kind, Scale: n}, ok
	}
	return Type{}, false
}

func lengthType(name string, args []string, longest int) (Type, bool) {
	kind := Text
	if strings.HasSuffix(name, "binary") {
		kind = Bytes
	}
	if len(args) == 1 && args[0] == "max" && strings.Contains(name, "var") {
		return Type{SQL: name + "(max)", Kind: kind, Length: -1}, true
	}
	n, ok := oneNumber(args, 1, 1, longest)
	return Type{SQL: fmt.Sprintf("%s(%d)", name, n), Kind: kind, Length: n}, ok
}

func decimalType(name string, args []string) (Type, bool) {
	p, s := 18, 0
	ok := len(args) <= 2
	if ok && len(args) > 0 {
		p, ok = number(args[0], 1, maxPrecision)
	}
	if ok && len(args) > 1 {
		s, ok = number(args[1], 0, p)
	}
	return Type{SQL: fmt.Sprintf("%s(%d,%d)", name, p, s), Kind: Decimal, Precision: p, Scale: s}, ok
}

func oneNumber(args []string, def, low, high int) (int, bool) {
	if len(args) == 0 {
		return def, true
	}
	if len(args) > 1 {
		return 0, false
	}
	return number(args[0], low, high)
}

func number(s string, low, high int) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil && int(n) >= low && int(n) <= high
}
