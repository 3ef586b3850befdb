package mssql

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/source"
)

// Scheme is what a URL of this engine begins with.
const Scheme = "sqlserver://"

// snapshotOn is the state of a database that allows SNAPSHOT isolation; there are others on the way to it and back.
const snapshotOn = 1

// progressTable is where a Loader keeps what it has loaded; it is never part of a catalog.
const progressTable = "omt_unpack"

// Driver reads one database on a server. It implements source.Driver and is safe for concurrent use.
type Driver struct {
	db   *sql.DB
	url  string // without user info
	name string // host and database, for messages

	adrift bool // no snapshot is asked for
}

var _ source.Driver = (*Driver)(nil)

// Engine returns "mssql".
func (d *Driver) Engine() string { return "mssql" }

// URL returns the URL without user info.
func (d *Driver) URL() string { return d.url }

// Ref quotes a table's full name: [crm7].[associate].
func (d *Driver) Ref(prefix, table string) string { return quote(prefix) + "." + quote(table) }

// Quote quotes one identifier.
func (d *Driver) Quote(name string) string { return quote(name) }

func quote(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

// Close closes all connections.
func (d *Driver) Close() error { return d.db.Close() }

// Begin takes a connection, inside a snapshot where the database allows it and the URL does not say snapshot=off.
func (d *Driver) Begin(ctx context.Context) (source.Conn, error) {
	c, err := d.db.Conn(ctx)
	if err != nil {
		return nil, d.explain("connecting to", err)
	}
	var state sql.NullInt64
	err = c.QueryRowContext(ctx, "SELECT snapshot_isolation_state FROM sys.databases WHERE name = DB_NAME()").Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, errors.Join(d.explain("reading from", err), discard(c))
	}
	snapshot := state.Int64 == snapshotOn && !d.adrift
	if snapshot {
		for _, q := range []string{"SET TRANSACTION ISOLATION LEVEL SNAPSHOT", "BEGIN TRANSACTION"} {
			if _, err := c.ExecContext(ctx, q); err != nil {
				return nil, errors.Join(d.explain("beginning a snapshot of", err), discard(c))
			}
		}
	}
	conn := &conn{c: c, d: d, consistent: snapshot}
	if err := conn.probeUTF16(ctx); err != nil {
		return nil, errors.Join(err, discard(c))
	}
	return conn, nil
}

// discard closes a connection instead of giving it back, whatever state it is in; the server rolls back.
func discard(c *sql.Conn) error {
	err := c.Raw(func(any) error { return driver.ErrBadConn })
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

// conn is one connection that reads.
type conn struct {
	c          *sql.Conn
	d          *Driver
	consistent bool
	utf16      bool // the bytes of an nvarchar are its UTF-16 units, as SQL Server has them
}

// Stream runs one query.
func (c *conn) Stream(ctx context.Context, query string, row func([]driver.Value) bool) error {
	if err := source.StreamRows(ctx, c.c, query, row); err != nil {
		return c.d.explain("reading from", err)
	}
	return nil
}

// Select runs one query. What the driver gives as bytes and is none becomes text.
func (c *conn) Select(ctx context.Context, query string, _ int, head func([]source.ResultColumn) error, row func([]driver.Value) bool) error {
	var types []string
	var bad error
	err := source.StreamResult(ctx, c.c, query, func(cols []source.ResultColumn) error {
		for _, col := range cols {
			types = append(types, col.Type)
		}
		return head(cols)
	}, func(v []driver.Value) bool {
		for i := range v {
			if v[i], bad = selected(types[i], v[i]); bad != nil {
				return false
			}
		}
		return row(v)
	})
	if err = cmp.Or(bad, err); err != nil {
		return c.d.explain("reading from", err)
	}
	return nil
}

// selected is a value of a type, in the form that Conn.Select promises.
func selected(typ string, v driver.Value) (driver.Value, error) {
	switch v := v.(type) {
	case float32:
		return float64(v), nil
	case []byte:
		switch typ {
		case "DECIMAL", "MONEY", "SMALLMONEY":
			return string(v), nil
		case "UNIQUEIDENTIFIER":
			if u, ok := swapUUID(v); ok {
				return source.FormatUUID(u.([16]byte)), nil
			}
			return nil, fmt.Errorf("a uniqueidentifier of %d bytes", len(v))
		}
	}
	return v, nil
}

// Consistent is true inside a snapshot.
func (c *conn) Consistent() bool { return c.consistent }

// Close ends the transaction with its connection, which is not used again: its isolation level would stay.
func (c *conn) Close() error { return discard(c.c) }

// probeUTF16 asks whether the bytes of an nvarchar are its UTF-16 units.
func (c *conn) probeUTF16(ctx context.Context) error {
	const sample = "aø😀"
	var got []byte
	err := c.c.QueryRowContext(ctx, "SELECT CAST(CAST(N'"+sample+"' AS nvarchar(10)) AS varbinary(20))").Scan(&got)
	if err != nil {
		return c.d.explain("reading from", err)
	}
	c.utf16 = bytes.Equal(got, source.AppendUTF16(nil, sample))
	return nil
}
