package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/source"
)

// Select runs one query. The driver can end a query in its first step alone, so that all rows are made in it: MATERIALIZED
// keeps as many as are wanted. A column of a table is read by its declared type, so that it gives what a server gives.
func (c *conn) Select(ctx context.Context, query string, limit int, head func([]source.ResultColumn) error, row func([]driver.Value) bool) error {
	q := fmt.Sprintf("WITH omt_result AS MATERIALIZED (SELECT * FROM (%s) LIMIT %d) SELECT * FROM omt_result", query, limit)
	var readers []func(any) (any, error)
	var bad error
	err := source.StreamResult(ctx, c.c, q, func(cols []source.ResultColumn) error {
		for i, col := range cols {
			readers = append(readers, readerOf(col.Type))
			cols[i].Type, _, _ = strings.Cut(col.Type, "(")
			cols[i].Name, _, _ = strings.Cut(col.Name, ":") // "id:1" is how SQLite calls a second id
		}
		return head(cols)
	}, func(v []driver.Value) bool {
		for i, read := range readers {
			if read == nil || v[i] == nil {
				continue
			}
			if v[i], bad = read(v[i]); bad != nil {
				return false
			}
		}
		return row(v)
	})
	if err = cmp.Or(bad, err); err != nil {
		return c.d.explain("reading database", err)
	}
	return nil
}

// readerOf is the reader of a type whose stored form is not that of its values; nil where it is. The database driver has
// already made times of what it knows as times.
func readerOf(typ string) func(any) (any, error) {
	t := source.ParseType(strings.ToLower(typ))
	read := reader(t)
	switch t.Kind {
	case source.Bool, source.Float, source.Real, source.Decimal:
		return read
	case source.Date, source.Clock, source.DateTime, source.Offset:
		return func(v any) (any, error) {
			if _, ok := v.(string); !ok {
				return v, nil
			}
			return read(v)
		}
	}
	return nil
}
