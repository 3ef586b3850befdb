package mssql

import (
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// createTable is the statement that makes a table with its key on a server.
func createTable(ref string, t source.Table, made ability) (string, error) {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + ref + " (")
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		def, err := made.columnDef(c)
		if err != nil {
			return "", fmt.Errorf("table %q: %w", t.Name, err)
		}
		b.WriteString(def)
	}
	if len(t.Key) > 0 {
		keys := make([]string, len(t.Key))
		for i, k := range t.Key {
			keys[i] = quote(k)
		}
		b.WriteString(", PRIMARY KEY (" + strings.Join(keys, ", ") + ")")
	}
	return b.String() + ")", nil
}

func (t ability) columnDef(c source.Column) (string, error) {
	if c.Computed != "" {
		if !closed(c.Computed) {
			return "", manifest.Errorf(manifest.Refused, "column %q: its expression is not one closed expression", c.Name)
		}
		return quote(c.Name) + " AS (" + c.Computed + ")", nil
	}
	s := quote(c.Name) + " " + t.stored(c.Type)
	if t.collates(c) {
		s += " COLLATE " + c.Collation
	}
	if c.Identity {
		s += " IDENTITY(1,1)"
	}
	if c.Null {
		s += " NULL"
	} else {
		s += " NOT NULL"
	}
	if !keepsDefault(c) {
		return s, nil
	}
	if !closed(c.Default) {
		return "", manifest.Errorf(manifest.Refused, "column %q: its default is not one closed expression", c.Name)
	}
	return s + " DEFAULT (" + c.Default + ")", nil
}

func collatable(t source.Type) bool { return t.Kind == source.Text && t.SQL != "xml" }

// closed reports whether text stays one expression wherever it is put between parentheses: its parentheses are
// balanced, its quotes closed, and no statement ends or comment begins in it.
func closed(text string) bool {
	plain, ok := stripQuoted(text)
	if !ok || strings.ContainsAny(plain, ";\x00") || strings.Contains(plain, "--") || strings.Contains(plain, "/*") {
		return false
	}
	depth := 0
	for _, r := range plain {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0 && strings.TrimSpace(plain) != ""
}

// outside is the text without what stands in quotes.
func outside(text string) string {
	plain, _ := stripQuoted(text)
	return plain
}

// stripQuoted replaces what stands in quotes and brackets by a question mark; ok is false when a quote is not closed.
func stripQuoted(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		end := text[i]
		switch end {
		case '\'', '"':
		case '[':
			end = ']'
		default:
			b.WriteByte(text[i])
			continue
		}
		// A doubled closing quote ends one quoted piece and begins the next, or for a bracket stands for itself.
		for i++; i < len(text) && (text[i] != end || (end == ']' && i+1 < len(text) && text[i+1] == ']')); i++ {
			if text[i] == end {
				i++
			}
		}
		if i == len(text) {
			return "", false
		}
		b.WriteByte('?')
	}
	return b.String(), true
}

func createIndex(ref string, t source.Table, x source.Index) (string, error) {
	parts, err := source.ParseOn(x.On)
	if err != nil {
		return "", fmt.Errorf("table %q: index %q: %w", t.Name, x.Name, err)
	}
	unique := ""
	if x.Unique {
		unique = "UNIQUE "
	}
	q := "CREATE " + unique + "INDEX " + quote(x.Name) + " ON " + ref + " (" + columnList(parts) + ")"
	if x.Include != "" {
		more, err := source.ParseOn(x.Include)
		if err != nil {
			return "", fmt.Errorf("table %q: index %q: %w", t.Name, x.Name, err)
		}
		q += " INCLUDE (" + columnList(more) + ")"
	}
	if x.Where != "" {
		if !closed(x.Where) {
			return "", manifest.Errorf(manifest.Refused, "table %q: index %q: its condition is not one closed expression", t.Name, x.Name)
		}
		q += " WHERE (" + inner(x.Where) + ")"
	}
	return q, nil
}

// inner takes the parentheses off that stand around the whole of a closed expression, as a server shows it.
func inner(text string) string {
	plain, _ := stripQuoted(text)
	if !strings.HasPrefix(plain, "(") || !strings.HasSuffix(plain, ")") || !closed(text[1:len(text)-1]) {
		return text
	}
	return text[1 : len(text)-1]
}

func columnList(parts []source.Part) string {
	return strings.ReplaceAll(source.FormatOn(parts), "],[", "], [")
}

// direct reports whether bulk copy into a column is exact on every server. Other columns, and all of a table with an
// identity column, go through a temporary table.
func direct(c source.Column) bool {
	switch c.Type.Kind {
	case source.Bool, source.Int, source.Float, source.Real, source.Date, source.DateTime, source.Offset:
		return !c.Identity
	case source.Text:
		return !c.Identity && strings.HasPrefix(c.Type.SQL, "nvarchar")
	case source.Bytes:
		return strings.HasPrefix(c.Type.SQL, "varbinary")
	}
	return false
}

// staged is the type that a column has in the temporary table, and the expression that reads it there. Texts are not
// cast: a cast would take them through the code page of the temporary table.
func (t ability) staged(c source.Column) (typ, expr string) {
	name := quote(c.Name)
	switch {
	case direct(source.Column{Type: c.Type}):
		return c.Type.SQL, name
	case c.Type.Kind == source.Bytes:
		if s := t.stored(c.Type); s == c.Type.SQL && (s == "hierarchyid" || strings.HasPrefix(s, "geo")) {
			return "varbinary(max)", "CAST(" + name + " AS " + s + ")"
		}
		return "varbinary(max)", name
	case c.Type.Kind == source.Text && c.Type.SQL != "xml":
		return "nvarchar(max)", name
	case c.Type.Kind == source.Text:
		return "nvarchar(max)", "CAST(" + name + " AS xml)"
	}
	return "nvarchar(60)", "CAST(" + name + " AS " + c.Type.SQL + ")" // decimals, times and uniqueidentifiers
}
