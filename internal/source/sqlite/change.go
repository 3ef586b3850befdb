package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Writer changes the few rows that a freeze needs. It implements freeze.Database and is for one goroutine. The file must
// be there; its journal mode stays what it is, and every commit is synced.
type Writer struct{ d *Driver }

var _ freeze.Database = (*Writer)(nil)

// OpenWriter opens a file to be changed ("sqlite:PATH" or a path).
func OpenWriter(rawURL string) (*Writer, error) {
	d, err := Open(rawURL)
	if err != nil {
		return nil, err
	}
	if err := d.db.Close(); err != nil {
		return nil, d.explain("opening database", err)
	}
	d.db, err = sql.Open("sqlite", dsn(d.path, "mode=rw", "_pragma=busy_timeout(10000)", "_pragma=synchronous(full)"))
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "opening database %q: %w", d.path, err)
	}
	d.db.SetMaxOpenConns(1)
	return &Writer{d}, nil
}

// URL returns "sqlite:" and the file's absolute path.
func (w *Writer) URL() string { return w.d.URL() }

// Catalog lists the tables under prefix.
func (w *Writer) Catalog(ctx context.Context, prefix string) ([]source.Table, error) {
	return w.d.Catalog(ctx, prefix)
}

// Close closes the file.
func (w *Writer) Close() error { return w.d.Close() }

// Change runs fn in one transaction that nobody else writes beside.
func (w *Writer) Change(ctx context.Context, prefix string, fn func(freeze.Tx) error) error {
	c, err := w.d.db.Conn(ctx)
	if err != nil {
		return w.d.explain("opening database", err)
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return w.d.explain("writing to database", err)
	}
	err = fn(&change{conn: conn{c: c, d: w.d}, prefix: prefix})
	if err == nil {
		if _, err = c.ExecContext(ctx, "COMMIT"); err == nil {
			return nil
		}
		err = w.d.explain("writing to database", err)
	}
	_, rerr := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	if rerr != nil && ctx.Err() == nil {
		err = errors.Join(err, rerr)
	}
	return err
}

// change is one transaction that writes.
type change struct {
	conn
	prefix string
}

func (x *change) Rows(ctx context.Context, t source.Table, at *freeze.Key) ([]source.Row, error) {
	cols := t.Stored()
	var exprs []string
	var readings []source.Reading
	for _, c := range cols {
		r := x.Reading("", c)
		exprs, readings = append(exprs, r.Exprs...), append(readings, r)
	}
	q := "SELECT " + strings.Join(exprs, ", ") + " FROM " + x.d.Ref(x.prefix, t.Name)
	if at != nil {
		q += fmt.Sprintf(" WHERE %s = %d", quote(at.Column), at.Value)
	}
	var rows []source.Row
	var bad error
	err := x.Stream(ctx, q, func(v []driver.Value) bool {
		row := make(source.Row, len(v))
		for i := range v {
			if v[i] != nil && bad == nil {
				row[i], bad = readings[i].Value(v[i : i+1])
			}
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
	var names, marks []string
	var args []any
	for i, c := range columns {
		v := row[i]
		if v != nil {
			var err error
			if v, err = bind(c.Type, v); err != nil {
				return fmt.Errorf("table %q, column %q: %w", t.Name, c.Name, err)
			}
		}
		names, marks, args = append(names, quote(c.Name)), append(marks, "?"), append(args, v)
	}
	_, err := x.exec(ctx, "INSERT INTO "+x.d.Ref(x.prefix, t.Name)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...)
	return err
}

func (x *change) Swap(ctx context.Context, t source.Table, at freeze.Key, column string, from, to int64) (bool, error) {
	n, err := x.exec(ctx, "UPDATE "+x.d.Ref(x.prefix, t.Name)+" SET "+quote(column)+" = ? WHERE "+quote(at.Column)+" = ? AND "+quote(column)+" = ?", to, at.Value, from)
	return n == 1, err
}

func (x *change) Delete(ctx context.Context, t source.Table, at freeze.Key) (bool, error) {
	n, err := x.exec(ctx, "DELETE FROM "+x.d.Ref(x.prefix, t.Name)+" WHERE "+quote(at.Column)+" = ?", at.Value)
	return n == 1, err
}

func (x *change) exec(ctx context.Context, q string, args ...any) (int64, error) {
	r, err := x.c.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, x.d.explain("writing to database", err)
	}
	return r.RowsAffected()
}
