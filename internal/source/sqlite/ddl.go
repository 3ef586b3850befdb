package sqlite

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/openomt/omt/internal/source"
)

// createTable is the statement that makes a table, which may be there already.
func createTable(prefix string, t source.Table) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE IF NOT EXISTS " + quote(prefix+"_"+t.Name) + " (")
	for i, c := range t.Stored() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(c.Name) + " " + declared(t, c))
		if !c.Null {
			b.WriteString(" NOT NULL")
		}
		if lit, ok := literal(c.Default); ok {
			b.WriteString(" DEFAULT (" + lit + ")")
		}
	}
	for i, k := range t.Key {
		if i == 0 {
			b.WriteString(", PRIMARY KEY (")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(quote(k))
	}
	if len(t.Key) > 0 {
		b.WriteString(")")
	}
	b.WriteString(")")
	return b.String()
}

// declared is a column's declared type. SQLite's grammar knows no (max), but takes any text in quotes as a type. An int
// that is the whole key is called by its other name, which makes it the row's number: the table is then in its order.
func declared(t source.Table, c source.Column) string {
	typ := c.Type.SQL
	if typ == "int" && len(t.Key) == 1 && strings.EqualFold(t.Key[0], c.Name) && !c.Identity {
		return "integer"
	}
	if c.Identity {
		typ += identitySuffix
	}
	if strings.Contains(typ, "(max)") {
		typ = quote(typ)
	}
	return typ
}

var literalForm = regexp.MustCompile(`^(?:[-+]?[0-9]+(?:\.[0-9]+)?|N?'(?:[^']|'')*'|(?i:null))$`)

// literal is a default that means the same in both languages: a number, a text or NULL, in any number of parentheses.
func literal(def string) (string, bool) {
	s := strings.TrimSpace(def)
	for strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	if !literalForm.MatchString(s) {
		return "", false
	}
	if !strings.HasPrefix(s, "N'") {
		return def, true
	}
	return s[1:], true
}

func createIndex(prefix string, t source.Table, x source.Index) (string, error) {
	parts, err := source.ParseOn(x.On)
	if err != nil {
		return "", fmt.Errorf("table %q: index %q: %w", t.Name, x.Name, err)
	}
	var b strings.Builder
	b.WriteString("CREATE ")
	if x.Unique {
		b.WriteString("UNIQUE ")
	}
	full := prefix + "_" + t.Name
	b.WriteString("INDEX " + quote(full+"_"+x.Name) + " ON " + quote(full) + " (")
	for i, p := range parts {
		if _, ok := t.Column(p.Column); !ok {
			return "", fmt.Errorf("table %q: index %q: there is no column %q", t.Name, x.Name, p.Column)
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(p.Column))
		if p.Descending {
			b.WriteString(" DESC")
		}
	}
	b.WriteString(")")
	return b.String(), nil
}

// insert is the statement that inserts n rows.
func insert(prefix string, t source.Table, n int) string {
	cols := t.Stored()
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = quote(c.Name)
	}
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(cols)), ",") + ")"
	return "INSERT INTO " + quote(prefix+"_"+t.Name) + " (" + strings.Join(names, ", ") + ") VALUES " +
		strings.TrimSuffix(strings.Repeat(row+",", n), ",")
}
