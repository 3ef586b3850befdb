package source

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Rows yields all rows of t, without computed columns: ordered by its key where that is one integer column, else in no
// particular order, since engines sort other keys each in its own way. A column of a type that is not known is an error
// before anything is read. Where the key is an integer, large values are read in pieces (see Pieces).
func (v *View) Rows(ctx context.Context, t Table) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := refuseUnsupported(t); err != nil {
			yield(nil, err)
			return
		}
		if len(t.Stored()) == 0 {
			yield(nil, fmt.Errorf("reading table %q: it has no column to read", t.Name))
			return
		}
		columns := v.wideColumns(t)
		keys, err := v.largeKeys(ctx, t, columns)
		if err != nil {
			yield(nil, err)
			return
		}
		if len(keys) > 0 {
			v.rowsAround(ctx, t, columns, keys)(yield)
			return
		}
		v.rowsWhere(ctx, t, "")(yield)
	}
}

// rowsWhere yields the rows that a condition holds for, all where it is empty.
func (v *View) rowsWhere(ctx context.Context, t Table, where string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		cols := t.Stored()
		l := v.stored("t", t)
		q := "SELECT " + l.sql() + " FROM " + v.driver.Ref(v.prefix, t.Name) + " t"
		if where != "" {
			q += " WHERE " + where
		}
		if c, ok := t.IntegerKey(); ok {
			q += " ORDER BY t." + v.driver.Quote(c.Name)
		}
		for row, err := range v.query(ctx, t.Name, q, l.readings) {
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

// ErrVictim is a query that the server broke off, since it and others waited for one another: reading under locks, as
// without a snapshot, it may. The same query can be asked again.
var ErrVictim = errors.New("victim of a deadlock")

// errBusy is a question while an answer is still being read.
var errBusy = errors.New("the connection is still reading")

// query runs one query and yields its rows, with a value for each of readings; without any, a value for each column, as
// the engine gives it. Rows are not reused. what names the table in errors. After an error nothing more is yielded.
func (v *View) query(ctx context.Context, what, q string, readings []Reading) iter.Seq2[[]any, error] {
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
		var bad error
		err := v.conn.Stream(ctx, q, func(raw []driver.Value) bool {
			var row []any
			if row, bad = rowOf(raw, readings); bad != nil {
				return false
			}
			return yield(row, nil)
		})
		if err = cmp.Or(bad, err); err != nil {
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

// rowOf makes a row of what the engine gave.
func rowOf(raw []driver.Value, readings []Reading) ([]any, error) {
	if len(readings) == 0 {
		row := make([]any, len(raw))
		for i, v := range raw {
			row[i] = v
		}
		return row, nil
	}
	row := make([]any, len(readings))
	for i := range readings {
		r := &readings[i]
		n := len(r.Exprs)
		if raw[0] != nil {
			if r.Value == nil {
				row[i] = raw[0]
			} else {
				var err error
				if row[i], err = r.Value(raw[:n]); err != nil {
					return nil, err
				}
			}
		}
		raw = raw[n:]
	}
	return row, nil
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
	conn     Conn
	readings []Reading
}

// stored lists all stored columns of the table known as alias.
func (v *View) stored(alias string, t Table) list {
	l := list{conn: v.conn}
	for _, c := range t.Stored() {
		l.column(alias, c)
	}
	return l
}

// column appends a column of the table known as alias.
func (l *list) column(alias string, c Column) {
	l.readings = append(l.readings, l.conn.Reading(alias, c))
}

// add appends columns of p; one that is not there is read as NULL.
func (l *list) add(p probe, columns ...string) {
	for _, name := range columns {
		if c, ok := p.table.Column(name); ok {
			l.column(p.alias, c)
		} else {
			l.raw("NULL")
		}
	}
}

// raw appends an expression whose value needs no conversion.
func (l *list) raw(expr string) {
	l.readings = append(l.readings, Reading{Exprs: []string{expr}})
}

func (l *list) sql() string {
	var exprs []string
	for _, r := range l.readings {
		exprs = append(exprs, r.Exprs...)
	}
	return strings.Join(exprs, ", ")
}

// rowsOf reads columns of one table, ordered by order (columns that are there), where where holds.
func (v *View) rowsOf(ctx context.Context, p probe, where string, order []string, columns ...string) iter.Seq2[[]any, error] {
	l := list{conn: v.conn}
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
	return v.query(ctx, p.table.Name, q, l.readings)
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
