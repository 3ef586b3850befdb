package mssql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	mssqldb "github.com/microsoft/go-mssqldb"

	"github.com/openomt/omt/internal/source"
)

// A part's rows come by bulk copy. Columns into which it is not exact, and tables with an identity column, go through a
// temporary table, and the server converts. A row that it cannot carry, since a sql_variant or half a surrogate pair is
// in it, is inserted by a statement of its own; the copy before it ends and another begins behind it.

// part is how the rows of one part get into a table.
type part struct {
	ref           string
	target        string // of the bulk copy
	cols          []source.Column
	copied        []int // places of the columns that bulk copy carries
	guards        []*guard
	made          ability
	identity      bool
	staged        bool
	before, after []string
}

const staging = "#omt_part"

func newPart(ref string, t source.Table, made ability, guards map[string]*guard) part {
	p := part{ref: ref, target: ref, cols: t.Stored(), made: made}
	for i, c := range p.cols {
		p.staged = p.staged || !direct(c)
		p.identity = p.identity || c.Identity
		p.guards = append(p.guards, guards[c.Name])
		if c.Type.SQL != source.Variant {
			p.copied = append(p.copied, i)
		}
	}
	if p.staged {
		p.stage()
	}
	return p
}

// stage makes the statements around a bulk copy into a temporary table.
func (p *part) stage() {
	p.target = staging
	var defs, names, exprs []string
	for _, c := range p.cols {
		typ, expr := p.made.staged(c)
		if c.Type.SQL == source.Variant {
			expr = "NULL"
		} else {
			defs = append(defs, quote(c.Name)+" "+typ+" NULL")
		}
		names, exprs = append(names, quote(c.Name)), append(exprs, expr)
	}
	p.before = []string{"CREATE TABLE " + staging + " (" + strings.Join(defs, ", ") + ")"}
	p.after = []string{
		p.keepIdentity("INSERT INTO " + p.ref + " (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(exprs, ", ") + " FROM " + staging),
		"DROP TABLE " + staging,
	}
	if len(defs) == 0 { // sql_variant alone: every row but an empty one has a statement of its own
		p.before, p.after = nil, nil
	}
}

// keepIdentity lets a statement insert the values of an identity column.
func (p *part) keepIdentity(q string) string {
	if !p.identity {
		return q
	}
	return "SET IDENTITY_INSERT " + p.ref + " ON; " + q + "; SET IDENTITY_INSERT " + p.ref + " OFF"
}

// load brings the rows in, inside the transaction that is open on the connection. After an error the connection must not
// be used.
func (p *part) load(ctx context.Context, c *sql.Conn, rows iter.Seq2[source.Row, error]) (n int64, err error) {
	raw := c.Raw(func(dc any) error {
		mc, ok := dc.(*mssqldb.Conn)
		if !ok {
			err = fmt.Errorf("bulk copy: unexpected connection %T", dc)
			return driver.ErrBadConn
		}
		if n, err = p.send(ctx, mc, rows); err != nil {
			return driver.ErrBadConn
		}
		return nil
	})
	if err == nil {
		err = raw
	}
	return n, err
}

func (p *part) send(ctx context.Context, mc *mssqldb.Conn, rows iter.Seq2[source.Row, error]) (n int64, err error) {
	for _, q := range p.before {
		if err := execute(ctx, mc, q); err != nil {
			return 0, err
		}
	}
	s := sender{part: p, mc: mc, values: make([]any, len(p.copied))}
	for row, err := range rows {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = s.row(ctx, row)
		}
		if err != nil {
			return n, err
		}
		n++
	}
	if err := s.end(); err != nil {
		return n, err
	}
	for _, q := range p.after {
		if err := execute(ctx, mc, q); err != nil {
			return n, err
		}
	}
	return n, nil
}

// sender sends rows over one connection.
type sender struct {
	part   *part
	mc     *mssqldb.Conn
	bulk   *mssqldb.Bulk // nil: none is open
	copied int64         // rows of the open one
	values []any
	rows   int64
}

func (s *sender) row(ctx context.Context, row source.Row) error {
	p := s.part
	s.rows++
	if len(row) != len(p.cols) {
		return fmt.Errorf("row %d has %d values for %d columns", s.rows, len(row), len(p.cols))
	}
	single := len(p.copied) == 0
	for i, c := range p.cols {
		if err := p.check(i, row[i]); err != nil {
			return fmt.Errorf("row %d, column %q: %w", s.rows, c.Name, err)
		}
		single = single || !carries(c, row[i])
	}
	if single {
		if err := s.end(); err != nil {
			return err
		}
		if err := p.insert(ctx, s.mc, row); err != nil {
			return fmt.Errorf("row %d: %w", s.rows, err)
		}
		return nil
	}
	if s.bulk == nil {
		names := make([]string, len(p.copied))
		for i, at := range p.copied {
			names[i] = p.cols[at].Name
		}
		s.bulk = s.mc.CreateBulkContext(ctx, p.target, names)
		s.bulk.Options = mssqldb.BulkOptions{KeepNulls: true, CheckConstraints: true}
	}
	for i, at := range p.copied {
		s.values[i] = carried(&p.cols[at].Type, row[at])
	}
	s.copied++
	return s.bulk.AddRow(s.values)
}

// carried is what bulk copy takes for a value: texts for what the server casts.
func carried(t *source.Type, v any) any {
	switch v := v.(type) {
	case [16]byte:
		return source.FormatUUID(v)
	case time.Time:
		if t.Kind == source.Clock {
			return isoTime(*t, v)
		}
	}
	return v
}

// end ends the open bulk copy.
func (s *sender) end() error {
	if s.bulk == nil {
		return nil
	}
	done, err := s.bulk.Done()
	if err == nil && done != s.copied {
		err = fmt.Errorf("bulk copy: the server took %d of %d rows", done, s.copied)
	}
	s.bulk, s.copied = nil, 0
	return err
}

// check refuses a value that the column would not keep.
func (p *part) check(i int, v any) error {
	c := &p.cols[i]
	if v == nil {
		if !c.Null {
			return errors.New("NULL in a column that is NOT NULL")
		}
		return nil
	}
	if f, ok := v.(float64); ok && f != f && (c.Type.Kind == source.Float || c.Type.Kind == source.Real) {
		return nil // a NaN: the server decides
	}
	if err := c.Type.Check(v); err != nil {
		return err
	}
	if s, ok := v.(string); ok && p.guards[i] != nil {
		return p.guards[i].check(s)
	}
	return nil
}

// carries reports whether bulk copy brings a value over.
func carries(c source.Column, v any) bool {
	s, ok := v.(string)
	if !ok {
		return c.Type.SQL != source.Variant || c.Null
	}
	return c.Type.SQL != source.Variant && (!c.Type.UTF16() || utf8.ValidString(s))
}

// insert inserts one row by a statement of its own.
func (p *part) insert(ctx context.Context, mc *mssqldb.Conn, row source.Row) error {
	var names, exprs []string
	var args binder
	for i, c := range p.cols {
		expr, err := args.column(p.made, c, row[i])
		if err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
		names, exprs = append(names, quote(c.Name)), append(exprs, expr)
	}
	q := "INSERT INTO " + p.ref + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(exprs, ", ") + ")"
	return execute(ctx, mc, p.keepIdentity(q), args...)
}

// execute runs one statement on the driver's connection.
func execute(ctx context.Context, mc *mssqldb.Conn, q string, args ...driver.NamedValue) error {
	st, err := mc.PrepareContext(ctx, q)
	if err != nil {
		return err
	}
	defer st.Close() //nolint:errcheck // nothing is held by it
	ex, ok := st.(driver.StmtExecContext)
	if !ok {
		return fmt.Errorf("unexpected statement %T", st)
	}
	_, err = ex.ExecContext(ctx, args)
	return err
}
