package source

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

const (
	// largeValue is the length in bytes from which a value is read in pieces where that is possible: a database driver
	// that reads ahead would hold several of them, and each twice while its length is not known.
	largeValue = 8 << 20
	pieceBytes = 4 << 20
)

// Pieces says how a value that may be large is read in pieces.
type Pieces struct {
	Stored string                        // expression: how many bytes the server keeps, which costs little to ask; NULL where the value is
	Length string                        // expression: how many bytes the pieces have together
	Piece  func(from, length int) string // expression: bytes of it, from 1 on
}

// large is the condition that a value is read in pieces.
func (p Pieces) large() string { return p.Stored + " >= " + strconv.Itoa(largeValue) }

// wide is a column whose large values are read in pieces.
type wide struct {
	at     int // place among the stored columns
	pieces Pieces
}

// wideColumns are the columns of a table whose large values can be read in pieces. That takes an integer key, and a view of
// one moment, since a row is asked for several times.
func (v *View) wideColumns(t Table) []wide {
	if _, ok := t.IntegerKey(); !ok || !v.Consistent() {
		return nil
	}
	var out []wide
	for i, c := range t.Stored() {
		if p, ok := v.conn.Pieces("t", c); ok {
			out = append(out, wide{i, p})
		}
	}
	return out
}

// largeKeys lists the keys of the rows with a large value, in their order.
func (v *View) largeKeys(ctx context.Context, t Table, columns []wide) (keys []int64, err error) {
	if len(columns) == 0 {
		return nil, nil
	}
	key, _ := t.IntegerKey()
	k := "t." + v.driver.Quote(key.Name)
	long := make([]string, len(columns))
	for i, w := range columns {
		long[i] = w.pieces.large()
	}
	q := "SELECT " + k + " FROM " + v.driver.Ref(v.prefix, t.Name) + " t WHERE " + strings.Join(long, " OR ") + " ORDER BY " + k
	for r, err := range v.query(ctx, t.Name, q, nil) {
		if err != nil {
			return nil, err
		}
		keys = append(keys, number64(r[0]))
	}
	return keys, nil
}

// rowsAround yields all rows in the order of the key: those between large ones by one query each, and each large one by
// itself, in pieces.
func (v *View) rowsAround(ctx context.Context, t Table, columns []wide, keys []int64) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		key, _ := t.IntegerKey()
		k := "t." + v.driver.Quote(key.Name)
		above := ""
		for _, n := range keys {
			below := k + " < " + strconv.FormatInt(n, 10)
			if !v.some(ctx, t, join(above, below), yield) {
				return
			}
			row, err := v.largeRow(ctx, t, columns, k+" = "+strconv.FormatInt(n, 10))
			if !yield(row, err) || err != nil {
				return
			}
			above = k + " > " + strconv.FormatInt(n, 10)
		}
		v.some(ctx, t, above, yield)
	}
}

func join(conditions ...string) string {
	var some []string
	for _, c := range conditions {
		if c != "" {
			some = append(some, c)
		}
	}
	return strings.Join(some, " AND ")
}

// some yields the rows that a condition holds for, and reports whether more are wanted.
func (v *View) some(ctx context.Context, t Table, where string, yield func(Row, error) bool) bool {
	for row, err := range v.rowsWhere(ctx, t, where) {
		if !yield(row, err) || err != nil {
			return false
		}
	}
	return true
}

// largeRow reads one row: first its other columns and the lengths, then the large values.
func (v *View) largeRow(ctx context.Context, t Table, columns []wide, where string) (Row, error) {
	cols := t.Stored()
	l := v.stored("t", t)
	full := append([]Reading{}, l.readings...)
	for _, w := range columns { // a large value is left out here
		r := &l.readings[w.at]
		r.Exprs = append([]string{}, r.Exprs...)
		for i, e := range r.Exprs {
			r.Exprs[i] = "CASE WHEN " + w.pieces.large() + " THEN NULL ELSE " + e + " END"
		}
		l.raw("CASE WHEN " + w.pieces.large() + " THEN " + w.pieces.Length + " END")
	}
	from := " FROM " + v.driver.Ref(v.prefix, t.Name) + " t WHERE " + where
	var row []any
	for r, err := range v.query(ctx, t.Name, "SELECT "+l.sql()+from, l.readings) {
		if err != nil {
			return nil, err
		}
		row = r
	}
	if row == nil {
		return nil, fmt.Errorf("reading table %q: the row where %s has gone while it was read", t.Name, where)
	}
	for i, w := range columns {
		n := number64(row[len(cols)+i])
		if n == 0 {
			continue // it came with the row
		}
		raw, err := v.value(ctx, t, w.pieces, int(n), from)
		if err != nil {
			return nil, err
		}
		if row[w.at], err = full[w.at].Value([]driver.Value{raw}); err != nil {
			return nil, fmt.Errorf("reading table %q: %w", t.Name, err)
		}
	}
	row = row[:len(cols):len(cols)]
	return row, refuseNull(t.Name, cols, row)
}

// value reads one value in pieces.
func (v *View) value(ctx context.Context, t Table, p Pieces, n int, from string) ([]byte, error) {
	out := make([]byte, 0, n)
	for len(out) < n {
		before := len(out)
		q := "SELECT " + p.Piece(before+1, min(pieceBytes, n-before)) + from
		for r, err := range v.query(ctx, t.Name, q, nil) {
			if err != nil {
				return nil, err
			}
			b, _ := r[0].([]byte)
			out = append(out, b...)
		}
		if len(out) == before || len(out) > n {
			return nil, fmt.Errorf("reading table %q: a value of %d bytes came with %d", t.Name, n, len(out))
		}
	}
	return out, nil
}
