package mssql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/source"
)

// Writer changes the few rows that a freeze needs. It implements freeze.Database and is for one goroutine. The login
// needs INSERT, UPDATE and DELETE on the tables SystemEvent and sequence besides what a Driver needs.
type Writer struct{ d *Driver }

var _ freeze.Database = (*Writer)(nil)

// OpenWriter prepares a connection as Open does, with the same options.
func OpenWriter(rawURL, password string, options ...Option) (*Writer, error) {
	d, err := Open(rawURL, password, options...)
	if err != nil {
		return nil, err
	}
	return &Writer{d}, nil
}

// URL returns the URL without user info.
func (w *Writer) URL() string { return w.d.URL() }

// Catalog lists the tables under prefix.
func (w *Writer) Catalog(ctx context.Context, prefix string) ([]source.Table, error) {
	return w.d.Catalog(ctx, prefix)
}

// Close closes all connections.
func (w *Writer) Close() error { return w.d.Close() }

// Change runs fn in one transaction on a connection of its own, which is not used again.
func (w *Writer) Change(ctx context.Context, prefix string, fn func(freeze.Tx) error) error {
	c, err := w.d.db.Conn(ctx)
	if err != nil {
		return w.d.explain("connecting to", err)
	}
	x := &change{conn: conn{c: c, d: w.d}, prefix: prefix}
	err = x.probeUTF16(ctx)
	if err == nil {
		_, err = x.exec(ctx, "BEGIN TRANSACTION")
	}
	if err == nil {
		err = fn(x)
	}
	if err == nil {
		_, err = x.exec(ctx, "COMMIT TRANSACTION")
	}
	return errors.Join(err, discard(c)) // the server rolls back what was not committed
}

// change is one transaction that writes.
type change struct {
	conn
	prefix string
}

// Rows reads with a lock that keeps others from changing the row until the transaction ends, where one row is asked for.
func (x *change) Rows(ctx context.Context, t source.Table, at *freeze.Key) ([]source.Row, error) {
	var exprs []string
	var readings []source.Reading
	for _, c := range t.Stored() {
		r := x.Reading("", c)
		exprs, readings = append(exprs, r.Exprs...), append(readings, r)
	}
	q := "SELECT " + strings.Join(exprs, ", ") + " FROM " + x.d.Ref(x.prefix, t.Name)
	if at != nil {
		q += fmt.Sprintf(" WITH (UPDLOCK, ROWLOCK) WHERE %s = %d", quote(at.Column), at.Value)
	}
	var rows []source.Row
	var bad error
	err := x.Stream(ctx, q, func(v []driver.Value) bool {
		row := make(source.Row, len(readings))
		for i, r := range readings {
			n := len(r.Exprs)
			switch {
			case v[0] == nil || bad != nil:
			case r.Value == nil:
				row[i] = v[0]
			default:
				row[i], bad = r.Value(v[:n])
			}
			v = v[n:]
		}
		rows = append(rows, row)
		return bad == nil
	})
	if err == nil && bad != nil {
		err = fmt.Errorf("reading table %q: %w", t.Name, bad)
	}
	return rows, err
}

func (x *change) Insert(ctx context.Context, t source.Table, columns []source.Column, row source.Row) error {
	var b binder
	var names, values []string
	for i, c := range columns {
		expr, err := b.column(ability{}, c, row[i])
		if err != nil {
			return fmt.Errorf("table %q, column %q: %w", t.Name, c.Name, err)
		}
		names, values = append(names, quote(c.Name)), append(values, expr)
	}
	args := make([]any, len(b))
	for i, p := range b {
		args[i] = sql.Named(p.Name, p.Value)
	}
	_, err := x.exec(ctx, "INSERT INTO "+x.d.Ref(x.prefix, t.Name)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")", args...)
	return err
}

func (x *change) Swap(ctx context.Context, t source.Table, at freeze.Key, column string, from, to int64) (bool, error) {
	n, err := x.exec(ctx, fmt.Sprintf("UPDATE %s SET %s = @p1 WHERE %s = @p2 AND %[2]s = @p3", x.d.Ref(x.prefix, t.Name), quote(column), quote(at.Column)),
		to, at.Value, from)
	return n == 1, err
}

func (x *change) Delete(ctx context.Context, t source.Table, at freeze.Key) (bool, error) {
	n, err := x.exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s = @p1", x.d.Ref(x.prefix, t.Name), quote(at.Column)), at.Value)
	return n == 1, err
}

func (x *change) exec(ctx context.Context, q string, args ...any) (int64, error) {
	r, err := x.c.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, x.d.explain("writing to", err)
	}
	return r.RowsAffected()
}
