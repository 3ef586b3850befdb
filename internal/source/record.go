package source

import (
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// ToRecord makes the manifest's record of a table with its row count. Key is never nil in it.
func ToRecord(t Table, rows int64) manifest.Table {
	r := manifest.Table{Name: t.Name, Rows: rows, Key: append([]string{}, t.Key...)}
	for _, c := range t.Columns {
		r.Columns = append(r.Columns, manifest.Column{
			Name: c.Name, Type: c.Type.SQL, Null: c.Null, Collation: c.Collation,
			Identity: c.Identity, Computed: c.Computed, Default: c.Default,
		})
	}
	for _, x := range t.Indexes {
		r.Indexes = append(r.Indexes, manifest.Index(x))
	}
	return r
}

// FromRecord makes a table of its record. A column type that is not known has the kind Other: see Table.Unsupported.
func FromRecord(r manifest.Table) Table {
	t := Table{Name: r.Name}
	if len(r.Key) > 0 {
		t.Key = append([]string{}, r.Key...)
	}
	for _, c := range r.Columns {
		t.Columns = append(t.Columns, Column{
			Name: c.Name, Type: ParseType(c.Type), Null: c.Null, Collation: c.Collation,
			Identity: c.Identity, Computed: c.Computed, Default: c.Default,
		})
	}
	for _, x := range r.Indexes {
		t.Indexes = append(t.Indexes, Index(x))
	}
	return t
}

// Stored returns the columns whose values are read and loaded: all but computed ones, in order.
func (t Table) Stored() []Column {
	cols := make([]Column, 0, len(t.Columns))
	for _, c := range t.Columns {
		if c.Computed == "" {
			cols = append(cols, c)
		}
	}
	return cols
}

// Unsupported returns the stored columns whose type is not known, so that a caller can name them before any row is
// read.
func (t Table) Unsupported() []Column {
	var cols []Column
	for _, c := range t.Stored() {
		if c.Type.Kind == Other {
			cols = append(cols, c)
		}
	}
	return cols
}

// Column returns the column with that name, compared without regard to letter case where none has the very name.
func (t Table) Column(name string) (Column, bool) {
	found := -1
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return t.Columns[i], true
		}
		if found < 0 && strings.EqualFold(t.Columns[i].Name, name) {
			found = i
		}
	}
	if found < 0 {
		return Column{}, false
	}
	return t.Columns[found], true
}

// IntegerKey returns the key where it is one integer column.
func (t Table) IntegerKey() (Column, bool) {
	if len(t.Key) != 1 {
		return Column{}, false
	}
	c, ok := t.Column(t.Key[0])
	return c, ok && c.Type.Kind == Int
}

// refuseUnsupported is the error for a table with columns that cannot be read.
func refuseUnsupported(t Table) error {
	cols := t.Unsupported()
	if len(cols) == 0 {
		return nil
	}
	return manifest.Errorf(manifest.Failed, "table %q: column %q has type %q, which is not known",
		t.Name, cols[0].Name, cols[0].Type.SQL).
		WithHint("its values cannot be moved without loss; convert the column or leave the table out")
}

// Part is one column of an index.
type Part struct {
	Column     string
	Descending bool
}

// FormatOn writes the columns of an index as SQL Server does: "[a],[b] DESC". A closing bracket in a name is doubled.
func FormatOn(parts []Part) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("[" + strings.ReplaceAll(p.Column, "]", "]]") + "]")
		if p.Descending {
			b.WriteString(" DESC")
		}
	}
	return b.String()
}

// ParseOn reads what FormatOn writes, with blanks around names and an optional ASC allowed.
func ParseOn(on string) ([]Part, error) {
	var parts []Part
	for rest := on; ; {
		rest = strings.TrimLeft(rest, " ")
		name, tail, ok := bracketed(rest)
		if !ok {
			return nil, fmt.Errorf("index on %q: want columns as \"[a],[b] DESC\"", on)
		}
		word, after, more := strings.Cut(tail, ",")
		p := Part{Column: name}
		switch strings.ToUpper(strings.TrimSpace(word)) {
		case "", "ASC":
		case "DESC":
			p.Descending = true
		default:
			return nil, fmt.Errorf("index on %q: %q after a column: want \"DESC\" or nothing", on, strings.TrimSpace(word))
		}
		parts = append(parts, p)
		if !more {
			return parts, nil
		}
		rest = after
	}
}

// bracketed reads a name in brackets from the front of s.
func bracketed(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, "[") {
		return "", "", false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != ']' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) || s[i+1] != ']' {
			return b.String(), s[i+1:], b.Len() > 0
		}
		b.WriteByte(']')
		i++
	}
	return "", "", false
}
