package mssql

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/openomt/omt/internal/source"
)

// binder collects the parameters of a statement.
type binder []driver.NamedValue

// add gives a value a parameter and returns its name.
func (b *binder) add(v any) string {
	n := len(*b) + 1
	name := fmt.Sprintf("p%d", n)
	*b = append(*b, driver.NamedValue{Name: name, Ordinal: n, Value: v})
	return "@" + name
}

// column is the expression of a column's value. Numbers that the driver has no type for, times and uniqueidentifiers go as
// text that means the same in every language of the server, and are cast there.
func (b *binder) column(made ability, c source.Column, v any) (string, error) {
	if v == nil {
		return "NULL", nil
	}
	if c.Type.SQL == source.Variant {
		return b.variant(made, v)
	}
	expr := b.value(c.Type, v)
	switch stored := made.stored(c.Type); {
	case c.Type.Kind == source.Bytes && stored == c.Type.SQL && (stored == "hierarchyid" || strings.HasPrefix(stored, "geo")),
		c.Type.SQL == "xml":
		return "CAST(" + expr + " AS " + c.Type.SQL + ")", nil
	}
	return expr, nil
}

// value is the expression of a value of a type, which has the type where it could have another.
func (b *binder) value(t source.Type, v any) string {
	cast := func(text any) string { return "CAST(" + b.add(text) + " AS " + t.SQL + ")" }
	switch v := v.(type) {
	case [16]byte:
		return cast(source.FormatUUID(v))
	case time.Time:
		return cast(isoTime(t, v))
	case string:
		if t.Kind == source.Decimal {
			return cast(v)
		}
		if !utf8.ValidString(v) {
			return "CAST(CAST(" + b.add(source.AppendUTF16(nil, v)) + " AS varbinary(max)) AS nvarchar(max))"
		}
	}
	return b.add(v)
}

// isoTime writes a time so that it does not depend on the session's language.
func isoTime(t source.Type, v time.Time) string {
	s := string(source.AppendTime(nil, t, v))
	if t.Kind == source.DateTime || t.Kind == source.Offset {
		s = strings.Replace(s, " ", "T", 1)
	}
	return strings.Replace(s, " ", "", 1)
}

// variant is the expression of a sql_variant: its value cast to its own type.
func (b *binder) variant(made ability, v any) (string, error) {
	text, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("a %T is no sql_variant", v)
	}
	t, collation, value, err := source.ParseVariant(text)
	if err != nil {
		return "", err
	}
	expr := b.value(t, value)
	if t.Kind == source.Text {
		expr = "CAST(" + expr + " AS nvarchar(max))"
		if collation != "" && plain(collation) && made.collations[strings.ToLower(collation)] {
			expr += " COLLATE " + collation
		}
	}
	return "CAST(CAST(" + expr + " AS " + t.SQL + ") AS sql_variant)", nil
}

// plain reports whether a name is letters, digits and underscores.
func plain(name string) bool {
	for _, r := range name {
		if r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return name != ""
}
