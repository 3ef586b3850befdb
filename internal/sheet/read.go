package sheet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// separators are tried in this order: of two that fit equally the first is taken.
var separators = [...]rune{';', ',', '\t'}

// Options are the choices of Read.
type Options struct {
	File     string   // what problems call the file
	Encoding string   // see Decode; empty: told from the bytes
	Columns  []string // the known columns, lower case without spaces
	Required []string // those of them that must be there
}

// Table is a table that was read.
type Table struct {
	Rows      []Row
	Encoding  string // as Decode names it
	Separator rune
	columns   map[string]int
}

// Row is one row that is not blank.
type Row struct {
	At    Place // file and row number
	cells []string
	table *Table
}

// Has reports whether the header names column.
func (t *Table) Has(column string) bool {
	_, ok := t.columns[column]
	return ok
}

// Cell returns the row's text under column without space around it; empty when row or table have no such cell.
func (r Row) Cell(column string) string {
	i, ok := r.table.columns[column]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

// Read reads a table. The error is a *Problems that names everything that is wrong with the file's form.
func Read(r io.Reader, o Options) (*Table, error) {
	text, used, err := Decode(r, o.Encoding)
	if err != nil {
		var p Problems
		p.Add(Place{File: o.File}, "%w", err)
		return nil, p.Err()
	}
	return Parse(text, used, o)
}

// Parse is Read for text that Decode has read.
func Parse(text, used string, o Options) (*Table, error) {
	s := &scanner{options: o, table: &Table{Encoding: used}}
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	text, sep := cutSep(text)
	if sep == 0 {
		sep = guess(text, o.Columns)
	}
	s.table.Separator = sep
	s.csv = newCSV(text, sep)
	s.read()
	if err := s.problems.Err(); err != nil {
		return nil, err
	}
	return s.table, nil
}

// cutSep takes Excel's line "sep=;" off.
func cutSep(text string) (rest string, sep rune) {
	first, rest, _ := strings.Cut(text, "\n")
	first = strings.Trim(strings.TrimSuffix(first, "\r"), `"`)
	if len(first) >= 5 && strings.EqualFold(first[:4], "sep=") && strings.ContainsAny(first[4:5], ";,\t") {
		return rest, rune(first[4])
	}
	return text, 0
}

// newCSV makes a reader that leaves the number of cells to us.
func newCSV(text string, sep rune) *csv.Reader {
	c := csv.NewReader(strings.NewReader(text))
	c.Comma = sep
	c.FieldsPerRecord = -1
	return c
}

// guess tells the separator from the header: the one under which most known columns are named, then the one that gives
// most cells.
func guess(text string, known []string) rune {
	best, bestKnown, bestCells := separators[0], -1, -1
	for _, sep := range separators {
		head, err := headerOf(newCSV(text, sep))
		if errors.Is(err, io.EOF) {
			return sep // nothing but separators
		}
		n := 0
		for _, cell := range head {
			if slices.Contains(known, fold(cell)) {
				n++
			}
		}
		if n > bestKnown || n == bestKnown && len(head) > bestCells {
			best, bestKnown, bestCells = sep, n, len(head)
		}
	}
	return best
}

// headerOf reads up to the first row that is not blank.
func headerOf(c *csv.Reader) ([]string, error) {
	for {
		cells, err := c.Read()
		if err != nil || !blank(cells) {
			return cells, err
		}
	}
}

// fold brings a column's name into the form in which names are compared.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// blank reports whether no cell holds anything.
func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
}

// scanner reads one table.
type scanner struct {
	options  Options
	csv      *csv.Reader
	table    *Table
	width    int // cells of the header
	inside   int // line ends inside cells so far
	problems Problems
}

// read reads header and rows.
func (s *scanner) read() {
	for {
		cells, at, err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			if s.table.columns == nil {
				s.problems.Add(Place{File: s.options.File}, "it is empty; want a header with the columns %s",
					strings.Join(s.options.Columns, ", "))
			}
			return
		case err != nil:
			s.problems.Add(at, "%w", err)
			if s.table.columns == nil {
				return
			}
		case blank(cells):
		case s.table.columns == nil:
			if !s.header(cells, at) {
				return
			}
		default:
			s.row(cells, at)
		}
	}
}

// next reads one row and tells its number.
func (s *scanner) next() ([]string, Place, error) {
	cells, err := s.csv.Read()
	at := Place{File: s.options.File, Unit: "row"}
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax):
		at.N = syntax.StartLine - s.inside
		s.inside += syntax.Line - syntax.StartLine
		return nil, at, s.explain(syntax)
	case err != nil:
		return nil, at, err
	}
	line, _ := s.csv.FieldPos(0)
	at.N = line - s.inside
	for _, c := range cells {
		s.inside += strings.Count(c, "\n")
	}
	return cells, at, nil
}

// explain says what is wrong with the quotes of a row.
func (s *scanner) explain(e *csv.ParseError) error {
	switch {
	case errors.Is(e.Err, csv.ErrBareQuote):
		return errors.New(`a quote inside a cell that does not begin with one; write "a ""b"" c" for a "b" c`)
	case errors.Is(e.Err, csv.ErrQuote):
		return errors.New(`a quoted cell does not end before the separator or the end of the row; double the quotes inside it`)
	}
	return e.Err
}

// header takes the names of the columns; false means that the rows make no sense.
func (s *scanner) header(cells []string, at Place) bool {
	before := s.problems.Len()
	s.width = len(cells)
	s.table.columns = make(map[string]int, len(s.options.Columns))
	for i, cell := range cells {
		name := fold(cell)
		if !slices.Contains(s.options.Columns, name) {
			continue
		}
		if s.table.Has(name) {
			s.problems.Add(at.In(name), "it stands twice in the header")
		}
		s.table.columns[name] = i
	}
	if len(s.table.columns) == 0 {
		s.problems.Add(at, "no column of the header is known: %s; want %s", excerpt(cells),
			strings.Join(s.options.Columns, ", "))
		return false
	}
	for _, name := range s.options.Required {
		if !s.table.Has(name) {
			s.problems.Add(at, "the header has no column %q", name)
		}
	}
	return s.problems.Len() == before
}

// excerpt shows the first cells of a row.
func excerpt(cells []string) string {
	const most = 8
	tail := ""
	if len(cells) > most {
		cells, tail = cells[:most], ", …"
	}
	quoted := make([]string, len(cells))
	for i, c := range cells {
		if r := []rune(c); len(r) > 40 {
			c = string(r[:40]) + "…"
		}
		quoted[i] = fmt.Sprintf("%q", c)
	}
	return strings.Join(quoted, ", ") + tail
}

// row takes one row.
func (s *scanner) row(cells []string, at Place) {
	if len(cells) > s.width && !blank(cells[s.width:]) {
		s.problems.Add(at, "it has %d cells, the header %d; put quotes around a cell that holds a separator (%q)",
			len(cells), s.width, s.table.Separator)
		return
	}
	s.table.Rows = append(s.table.Rows, Row{At: at, cells: cells, table: s.table})
}
