package source

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// StreamRows runs one query on a connection and hands each row's values to row, as Conn.Stream does. It asks the driver
// itself and not database/sql, whose rows copy every value once more: of a value of 100 MB there is one.
func StreamRows(ctx context.Context, c *sql.Conn, query string, row func([]driver.Value) bool) error {
	return StreamResult(ctx, c, query, nil, row)
}

// StreamResult does what StreamRows does, and tells head the columns before the first row; an error of head ends it.
func StreamResult(ctx context.Context, c *sql.Conn, query string, head func([]ResultColumn) error, row func([]driver.Value) bool) error {
	return c.Raw(func(dc any) (err error) {
		rows, done, err := ask(ctx, dc, query)
		if err != nil {
			return err
		}
		defer done()
		if head != nil {
			if err := head(resultColumns(rows)); err != nil {
				return err
			}
		}
		values := make([]driver.Value, len(rows.Columns()))
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := rows.Next(values); err != nil {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			if !row(values) {
				return nil
			}
			clear(values)
		}
	})
}

// ask sends the query. done ends the rows and what belongs to them.
func ask(ctx context.Context, dc any, query string) (rows driver.Rows, done func(), err error) {
	if q, ok := dc.(driver.QueryerContext); ok {
		rows, err = q.QueryContext(ctx, query, nil)
		if err == nil {
			return rows, func() { rows.Close() }, nil //nolint:errcheck // it was only read
		}
		if !errors.Is(err, driver.ErrSkip) {
			return nil, nil, err
		}
	}
	p, ok := dc.(driver.ConnPrepareContext)
	if !ok {
		return nil, nil, fmt.Errorf("the database driver %T cannot be asked directly", dc)
	}
	stmt, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	s, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		stmt.Close() //nolint:errcheck // it was not used
		return nil, nil, fmt.Errorf("the database driver's statement %T cannot be asked directly", stmt)
	}
	if rows, err = s.QueryContext(ctx, nil); err != nil {
		stmt.Close() //nolint:errcheck // the first error is the one to tell
		return nil, nil, err
	}
	return rows, func() {
		rows.Close() //nolint:errcheck // it was only read
		stmt.Close() //nolint:errcheck // likewise
	}, nil
}

// resultColumns are the columns of an answer.
func resultColumns(rows driver.Rows) []ResultColumn {
	typed, _ := rows.(driver.RowsColumnTypeDatabaseTypeName)
	names := rows.Columns()
	cols := make([]ResultColumn, len(names))
	for i, name := range names {
		cols[i].Name = name
		if typed != nil {
			cols[i].Type = typed.ColumnTypeDatabaseTypeName(i)
		}
	}
	return cols
}
