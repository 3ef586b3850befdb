package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// converter is what Conn.Converter returns.
type converter = func(v any) (any, error)

// Rows yields all rows of t ordered by its key (in no particular order without one), without computed columns. A column
// of a type that is not known is an error before anything is read.
func (v *View) Rows(ctx context.Context, t Table) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := refuseUnsupported(t); err != nil {
			yield(nil, err)
			return
		}
		cols := t.Stored()
		if len(cols) == 0 {
			yield(nil, fmt.Errorf("reading table %q: it has no column to read", t.Name))
			return
		}
		list := make([]string, len(cols))
		conv := make([]converter, len(cols))
		for i, c := range cols {
			list[i], conv[i] = v.conn.Select("t", c), v.conn.Converter(c)
		}
		q := "SELECT " + strings.Join(list, ", ") + " FROM " + v.driver.Ref(v.prefix, t.Name) + " t"
		for i, k := range t.Key {
			sep := ", "
			if i == 0 {
				sep = " ORDER BY "
			}
			q += sep + "t." + v.driver.Quote(k)
		}
		for row, err := range v.query(ctx, t.Name, q, conv) {
			if err == nil {
				err = refuseNull(t.Name, cols, row)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// refuseNull finds a NULL in a column that is declared not to hold any, as SQLite lets a key do.
func refuseNull(table string, cols []Column, row Row) error {
	for i := range cols {
		if row[i] == nil && !cols[i].Null {
			return fmt.Errorf("reading table %q: column %q holds NULL, although it is in the key or NOT NULL", table, cols[i].Name)
		}
	}
	return nil
}

// errBusy is a question while an answer is still being read.
var errBusy = errors.New("the connection is still reading")

// query runs one query and yields its rows, converted where conv has a function. Rows are not reused. what names the
// table in errors. After an error nothing more is yielded.
func (v *View) query(ctx context.Context, what, q string, conv []converter, args ...any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		if !v.busy.CompareAndSwap(nil, &what) {
			open := "another table"
			if p := v.busy.Load(); p != nil {
				open = strconv.Quote(*p)
			}
			yield(nil, fmt.Errorf("reading table %q: %w %s", what, errBusy, open))
			return
		}
		defer v.busy.Store(nil)
		if err := v.stream(ctx, q, conv, args, yield); err != nil {
			yield(nil, fmt.Errorf("reading table %q: %w", what, err))
		}
	}
}

// single runs a query that gives one number.
func (v *View) single(ctx context.Context, what, q string) (n int64, err error) {
	for r, err := range v.query(ctx, what, q, nil) {
		if err != nil {
			return 0, err
		}
		n = number64(r[0])
	}
	return n, nil
}

// stream yields rows until they end, the caller has enough, or something fails.
func (v *View) stream(ctx context.Context, q string, conv []converter, args []any, yield func([]any, error) bool) error {
	rows, err := v.conn.QueryContext(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	n := len(names)
	dest := make([]any, n)
	for rows.Next() {
		row := make([]any, n)
		for i := range row {
			dest[i] = &row[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i, f := range conv {
			if f == nil || row[i] == nil {
				continue
			}
			if row[i], err = f(row[i]); err != nil {
				return err
			}
		}
		if !yield(row, nil) {
			return nil
		}
	}
	return rows.Err()
}

// probe is a table that a question reads, with the columns that are there.
type probe struct {
	view  *View
	table *Table
	alias string
}

// probe looks for a table; ok is false when it is not there.
func (v *View) probe(name, alias string) (probe, bool) {
	t := findTable(v.tables, name)
	return probe{view: v, table: t, alias: alias}, t != nil
}

// from is the table with its alias, for FROM and JOIN.
func (p probe) from() string {
	return p.view.driver.Ref(p.view.prefix, p.table.Name) + " " + p.alias
}

// has reports whether the table has the column.
func (p probe) has(column string) bool {
	_, ok := p.table.Column(column)
	return ok
}

// keyIs reports whether a column alone is the table's key.
func (p probe) keyIs(column string) bool {
	return len(p.table.Key) == 1 && strings.EqualFold(p.table.Key[0], column)
}

// col is the quoted column with its alias, or NULL when it is not there.
func (p probe) col(column string) string {
	if c, ok := p.table.Column(column); ok {
		return p.alias + "." + p.view.driver.Quote(c.Name)
	}
	return "NULL"
}

// number is the column as a number that is never NULL, or 0 when it is not there.
func (p probe) number(column string) string {
	if p.has(column) {
		return "COALESCE(" + p.col(column) + ", 0)"
	}
	return "0"
}

// list is a SELECT list in the making.
type list struct {
	exprs []string
	conv  []converter
}

// add appends columns of p; one that is not there is read as NULL.
func (l *list) add(p probe, columns ...string) {
	for _, name := range columns {
		c, ok := p.table.Column(name)
		if !ok {
			l.raw("NULL")
			continue
		}
		l.exprs = append(l.exprs, p.view.conn.Select(p.alias, c))
		l.conv = append(l.conv, p.view.conn.Converter(c))
	}
}

// raw appends an expression whose value needs no conversion.
func (l *list) raw(expr string) {
	l.exprs = append(l.exprs, expr)
	l.conv = append(l.conv, nil)
}

func (l *list) sql() string { return strings.Join(l.exprs, ", ") }

// rowsOf reads columns of one table, ordered by order (columns that are there), where where holds.
func (v *View) rowsOf(ctx context.Context, p probe, where string, order []string, columns ...string) iter.Seq2[[]any, error] {
	var l list
	l.add(p, columns...)
	q := "SELECT " + l.sql() + " FROM " + p.from()
	if where != "" {
		q += " WHERE " + where
	}
	var by []string
	for _, o := range order {
		if p.has(o) {
			by = append(by, p.col(o))
		}
	}
	if len(by) > 0 {
		q += " ORDER BY " + strings.Join(by, ", ")
	}
	return v.query(ctx, p.table.Name, q, l.conv)
}

// number64 reads a number from a cell: NULL is 0, a bit 0 or 1, a text its integer or 0.
func number64(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case bool:
		if v {
			return 1
		}
	case float64:
		return int64(v)
	case string:
		whole, _, _ := strings.Cut(v, ".")
		n, _ := strconv.ParseInt(strings.TrimSpace(whole), 10, 64)
		return n
	case []byte:
		return number64(string(v))
	}
	return 0
}

// words reads a text from a cell: NULL is "". Answers are Unicode, whatever the column holds.
func words(v any) string {
	switch v := v.(type) {
	case string:
		return Unicode(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

// moment reads a time from a cell: NULL is the zero time. Before 7.0 times are seconds since 1970, in UTC.
func moment(v any) time.Time {
	switch v := v.(type) {
	case time.Time:
		return v
	case int64:
		return time.Unix(v, 0).UTC()
	}
	return time.Time{}
}
