package mssql

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/openomt/omt/internal/source"
)

// Reading reads a column so that nothing of its values is lost on the way. Texts of code pages are turned into UTF-16 by
// the server, which knows them all: the driver's tables have U+FFFD for bytes that a code page leaves open, and none for
// UTF-8 collations. UTF-16 comes as bytes, since the driver puts U+FFFD in place of half a surrogate pair. The driver has
// no name for the type of a sql_variant's value, so that comes beside it.
func (c *conn) Reading(alias string, col source.Column) source.Reading {
	name := quote(col.Name)
	if alias != "" {
		name = alias + "." + name
	}
	r := source.Reading{Exprs: []string{c.expression(name, col.Type)}, Value: func(v []driver.Value) (any, error) {
		return canonical(&col.Type, v[0])
	}}
	if col.Type.SQL == source.Variant {
		r = variant(name)
	}
	read := r.Value
	r.Value = func(v []driver.Value) (any, error) {
		out, err := read(v)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", col.Name, err)
		}
		return out, nil
	}
	return r
}

// expression reads a column of a type.
func (c *conn) expression(name string, t source.Type) string {
	if t.Kind == source.Bytes && t.SQL == "hierarchyid" {
		return "CAST(" + name + " AS varbinary(892))"
	}
	if t.SQL == "geography" || t.SQL == "geometry" {
		return "CAST(" + name + " AS varbinary(max))"
	}
	if t.Kind != source.Text || t.SQL == "xml" {
		return name
	}
	if !t.UTF16() {
		return "CAST(" + name + " AS nvarchar(" + sized(t.Length, 4000) + "))"
	}
	if !c.utf16 {
		return name
	}
	if t.SQL == "ntext" {
		name = "CAST(" + name + " AS nvarchar(max))"
	}
	return "CAST(" + name + " AS varbinary(" + sized(2*t.Length, 8000) + "))"
}

// Pieces reads columns without a limit on their length by SUBSTRING of their bytes: those of binary types, and where the
// bytes of an nvarchar are its UTF-16 units, those of text types.
func (c *conn) Pieces(alias string, col source.Column) (source.Pieces, bool) {
	t := col.Type
	if t.Length >= 0 || t.SQL == "xml" || t.SQL == source.Variant || strings.HasPrefix(t.SQL, "geo") || t.Kind == source.Text && !c.utf16 {
		return source.Pieces{}, false
	}
	name := quote(col.Name)
	if alias != "" {
		name = alias + "." + name
	}
	stored := "DATALENGTH(" + name + ")"
	if t.Kind == source.Text && t.SQL != "nvarchar(max)" {
		name = "CAST(" + name + " AS nvarchar(max))"
	}
	return source.Pieces{Stored: stored, Length: "DATALENGTH(" + name + ")", Piece: func(from, n int) string {
		return fmt.Sprintf("SUBSTRING(CAST(%s AS varbinary(max)), %d, %d)", name, from, n)
	}}, true
}

// sized is a length in a type, or max where it is longer than the type can be declared.
func sized(n, longest int) string {
	if n < 0 || n > longest {
		return "max"
	}
	return fmt.Sprint(n)
}

// canonical makes the canonical value of what the driver gives for a column of a type. The server has checked the values.
// A value that is canonical already is returned as it came, since putting it into an interface anew would allocate.
func canonical(t *source.Type, v driver.Value) (any, error) {
	out, ok := convert(t, v)
	if !ok {
		return nil, fmt.Errorf("the driver gave a %T for %s", v, t.SQL)
	}
	if t.Kind == source.Decimal {
		if s, text := out.(string); text {
			return source.CanonicalDecimal(*t, s)
		}
	}
	return out, nil
}

// convert maps the driver's types.
func convert(t *source.Type, v driver.Value) (any, bool) {
	switch x := v.(type) {
	case int64:
		return v, t.Kind == source.Int
	case string:
		return v, t.Kind == source.Text || t.Kind == source.Decimal
	case float64:
		return v, t.Kind == source.Float || t.Kind == source.Real
	case float32:
		return float64(x), t.Kind == source.Real
	case bool:
		return v, t.Kind == source.Bool
	case time.Time:
		if x.Location() == time.UTC && (t.Kind == source.DateTime || t.Kind == source.Date) {
			return v, true
		}
		return convertTime(t, x)
	case []byte:
		return convertBytes(t, x)
	}
	return nil, false
}

func convertBytes(t *source.Type, v []byte) (any, bool) {
	switch t.Kind {
	case source.Text: // of a code page only in pieces, which the server has turned into UTF-16
		if !t.UTF16() && t.Length >= 0 {
			return nil, false
		}
		return source.DecodeUTF16(v)
	case source.Decimal:
		return string(v), true
	case source.UUID:
		return swapUUID(v)
	case source.Bytes:
		if v == nil {
			v = []byte{}
		}
		return v, true
	}
	return nil, false
}

func convertTime(t *source.Type, v time.Time) (any, bool) {
	switch t.Kind {
	case source.Offset:
		_, off := v.Zone()
		return v.In(source.Zone(off / 60)), true
	case source.Clock:
		h, m, s := v.Clock()
		return time.Date(1970, 1, 1, h, m, s, v.Nanosecond(), time.UTC), true
	case source.Date, source.DateTime:
		y, mo, d := v.Date()
		h, m, s := v.Clock()
		return time.Date(y, mo, d, h, m, s, v.Nanosecond(), time.UTC), true
	}
	return nil, false
}

// swapUUID turns SQL Server's bytes, whose first three groups are little-endian, into the order of the text form.
func swapUUID(v []byte) (any, bool) {
	if len(v) != 16 {
		return nil, false
	}
	u := [16]byte(v)
	u[0], u[1], u[2], u[3] = u[3], u[2], u[1], u[0]
	u[4], u[5] = u[5], u[4]
	u[6], u[7] = u[7], u[6]
	return u, true
}

// variant reads a sql_variant with the type of each value: the value, what SQL_VARIANT_PROPERTY says of it, and its
// UTF-16 where it is an nchar or nvarchar.
func variant(name string) source.Reading {
	property := func(p, as string) string {
		return "CAST(SQL_VARIANT_PROPERTY(" + name + ", '" + p + "') AS " + as + ")"
	}
	return source.Reading{
		Exprs: []string{
			name, property("BaseType", "nvarchar(128)"), property("Precision", "int"), property("Scale", "int"),
			property("MaxLength", "int"), property("Collation", "nvarchar(128)"),
			"CASE WHEN " + property("BaseType", "nvarchar(128)") + " IN (N'nchar', N'nvarchar') THEN CAST(CAST(" + name +
				" AS nvarchar(4000)) AS varbinary(8000)) END",
		},
		Value: variantValue,
	}
}

func variantValue(v []driver.Value) (any, error) {
	base, ok := v[1].(string)
	if !ok {
		return nil, errors.New("the server does not say which type a sql_variant holds")
	}
	number := func(i int) int64 { n, _ := v[i].(int64); return n }
	base = strings.ToLower(base)
	t := source.ParseType(spell(base, longest(base, number(4), v[0]), number(2), number(3)))
	collation, _ := v[5].(string)
	value := v[0]
	if raw, ok := v[6].([]byte); ok && len(raw) >= 2 && t.UTF16() {
		if text, ok := source.DecodeUTF16(raw); ok {
			value = text
		}
	}
	out, err := canonical(&t, value)
	if err != nil {
		return nil, err
	}
	return source.FormatVariant(t, collation, out)
}

// spell writes the type of a sql_variant's value as a declaration does; bytes is the longest that it may be.
func spell(base string, bytes, precision, scale int64) string {
	switch base {
	case "nchar", "nvarchar":
		return fmt.Sprintf("%s(%d)", base, bytes/2)
	case "char", "varchar", "binary", "varbinary":
		return fmt.Sprintf("%s(%d)", base, bytes)
	case "decimal", "numeric":
		if precision < max(1, scale) {
			precision = 38 // a server that counts the digits of the value itself
		}
		return fmt.Sprintf("%s(%d,%d)", base, precision, scale)
	case "time", "datetime2", "datetimeoffset":
		return fmt.Sprintf("%s(%d)", base, scale)
	}
	return base
}

// longest is the length in bytes that a sql_variant's value may have. Where a server does not say it, one of a fixed length
// has its own, and others may have the longest that there is.
func longest(base string, bytes int64, v driver.Value) int64 {
	const most = 8000
	if bytes >= 1 && bytes <= most {
		return bytes
	}
	switch v := v.(type) {
	case []byte:
		if base == "binary" {
			return int64(len(v))
		}
	case string:
		n := int64(len(source.AppendUTF16(nil, v)))
		if base == "nchar" {
			return n
		}
		if base == "char" {
			return n / 2
		}
	}
	return most
}
