package restore

import (
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/source"
)

// pairing is what of a table can be compared: the columns that both sides have, in the order of the migration's.
type pairing struct {
	was  source.Table // the migration's, with the columns that are compared and the key, if all of that is
	is   source.Table // the database's, in its own letter case
	pick []int        // places of those columns in a row of the migration; nil: all
	// resort is set where the parts' order says nothing any more, since a column of what rows are sorted by is not compared.
	resort      bool
	differences []string      // in words
	kept        []source.Note // columns of another type that keeps all values
}

// whole reports whether every stored column is compared, so that digests of parts can be.
func (p *pairing) whole() bool { return p.pick == nil }

// pair finds out what of a table can be compared. Computed columns are of no concern, on either side.
func pair(t, live source.Table) pairing {
	p := pairing{was: source.Table{Name: t.Name}, is: source.Table{Name: live.Name}}
	named := map[string]bool{}
	for i, c := range t.Columns {
		named[strings.ToLower(c.Name)] = true
		if c.Computed != "" {
			continue
		}
		if l, ok := p.column(c, live); ok {
			p.was.Columns, p.is.Columns = append(p.was.Columns, c), append(p.is.Columns, l)
			p.pick = append(p.pick, i-computedBefore(t, i))
		}
	}
	for _, c := range live.Columns {
		if c.Computed == "" && !named[strings.ToLower(c.Name)] {
			p.differences = append(p.differences, fmt.Sprintf("column %q (%s) is not in the migration", c.Name, c.Type.SQL))
		}
	}
	if len(p.pick) == len(t.Stored()) {
		p.pick = nil
	}
	p.keys(t)
	return p
}

func computedBefore(t source.Table, i int) (n int) {
	for _, c := range t.Columns[:i] {
		if c.Computed != "" {
			n++
		}
	}
	return n
}

// column finds a column of the migration in the database. ok is false where its values cannot be compared.
func (p *pairing) column(c source.Column, live source.Table) (source.Column, bool) {
	differs := func(format string, args ...any) {
		p.differences = append(p.differences, fmt.Sprintf("column %q ", c.Name)+fmt.Sprintf(format, args...))
	}
	l, ok := columnNamed(live, c.Name)
	switch {
	case !ok:
		differs("(%s) is missing", c.Type.SQL)
		return l, false
	case l.Computed != "":
		differs("is computed in the database, so that its values are not compared")
		return l, false
	case l.Type.SQL == c.Type.SQL:
		return l, l.Type.Kind != source.Other
	case keeps(l.Type, c.Type):
		p.kept = append(p.kept, source.Note{Thing: "column", What: "of type " + c.Type.SQL + " held as " + l.Type.SQL + ", which keeps all values",
			Name: p.was.Name + "." + c.Name})
		return l, true
	case !alike(l.Type, c.Type):
		differs("is %s, and %s in the migration, so that its values are not compared", l.Type.SQL, c.Type.SQL)
		return l, false
	}
	differs("is %s, and %s in the migration", l.Type.SQL, c.Type.SQL)
	return l, true
}

// columnNamed finds a column by its own name, or without regard to letter case.
func columnNamed(t source.Table, name string) (source.Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return t.Column(name)
}

// keys gives both tables the key, if all of its columns are compared. Without it rows are told apart by their digests.
func (p *pairing) keys(t source.Table) {
	was, is := make([]string, len(t.Key)), make([]string, len(t.Key))
	for i, k := range t.Key {
		at := -1
		for j, c := range p.was.Columns {
			if c.Name == k || at < 0 && strings.EqualFold(c.Name, k) {
				at = j
			}
		}
		if at < 0 {
			p.resort = true
			return
		}
		was[i], is[i] = p.was.Columns[at].Name, p.is.Columns[at].Name
	}
	if len(t.Key) == 0 {
		p.resort = !p.whole()
		return
	}
	p.was.Key, p.is.Key = was, is
}

// alike reports whether values of two types are compared by their canonical encoding.
func alike(a, b source.Type) bool {
	return a.Kind == b.Kind && a.Kind != source.Other && (a.Kind != source.Decimal || a.Scale == b.Scale)
}

// keeps reports whether a column of the type is holds every value of the type was as it is, so that one made in place of
// the other loses nothing: rowversion and binary(8), int and bigint, ntext and nvarchar(max).
func keeps(is, was source.Type) bool {
	if !alike(is, was) {
		return false
	}
	switch is.Kind {
	case source.Int:
		return is.Bits >= was.Bits
	case source.Decimal:
		return is.Precision >= was.Precision
	case source.Text:
		return keepsText(is, was)
	case source.Bytes:
		return longEnough(is, was) && (!padded(is) || is.Length == was.Length && padded(was))
	case source.DateTime:
		return is.Scale >= was.Scale && (is.SQL == "datetime" && was.SQL == "smalldatetime" || strings.HasPrefix(is.SQL, "datetime2"))
	case source.Clock, source.Offset:
		return is.Scale >= was.Scale
	}
	return true
}

// keepsText knows that a server may write xml otherwise than it was given, that a fixed length pads, and that one byte for
// a character does not hold all characters.
func keepsText(is, was source.Type) bool {
	if is.SQL == "xml" || is.SQL == source.Variant || padded(is) && (!padded(was) || is.Length != was.Length) {
		return false
	}
	return longEnough(is, was) && (is.UTF16() || !was.UTF16() && was.SQL != "xml")
}

func longEnough(is, was source.Type) bool {
	return is.Length < 0 || was.Length >= 0 && is.Length >= was.Length
}

// padded reports whether values shorter than the column's length are filled up.
func padded(t source.Type) bool {
	name, _, _ := strings.Cut(t.SQL, "(")
	switch name {
	case "char", "nchar", "binary", "rowversion":
		return true
	}
	return false
}
