package mssql

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"runtime"
	"strings"

	mssqldb "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/openomt/omt/internal/manifest"
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
}

var _ source.Driver = (*Driver)(nil)

// Open prepares a connection to "sqlserver://[LOGIN@]HOST[:PORT][/INSTANCE]?database=NAME" with the login's password; a
// password in the URL is used when the other is empty. Without a login, Windows' own is used there. Nothing is asked of
// the network yet. All errors have status Usage.
func Open(rawURL, password string) (*Driver, error) {
	cfg, clean, err := parseURL(rawURL, password, runtime.GOOS)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(mssqldb.NewConnectorConfig(cfg))
	db.SetMaxOpenConns(4)
	return &Driver{db: db, url: clean, name: cfg.Host + "/" + cfg.Database}, nil
}

// kept are the parameters of a URL that say where the database is and how to reach it; others, which may be secrets,
// are not shown and not recorded.
var kept = [...]string{"database", "encrypt", "TrustServerCertificate", "certificate", "servercertificate",
	"hostNameInCertificate", "tlsmin", "ServerSPN", "ApplicationIntent", "MultiSubnetFailover", "protocol", "packet size",
	"connection timeout", "dial timeout"}

// refused are parameters that would change what values look like, log what is sent, or need what is not built in.
var refused = [...]string{"guid conversion", "timezone", "log", "change password", "fedauth", "columnencryption"}

// parseURL reads a URL without ever putting it into an error, since it may hold a password.
func parseURL(rawURL, password, goos string) (cfg msdsn.Config, clean string, err error) {
	bad := func(format string, args ...any) (msdsn.Config, string, error) {
		return msdsn.Config{}, "", manifest.Errorf(manifest.Usage, "database URL: "+format, args...).
			WithHint("write sqlserver://LOGIN@HOST:PORT?database=NAME, and give the password in OMT_DB_PASSWORD")
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return bad("it is not a URL")
	}
	if u.Scheme+"://" != Scheme || u.Host == "" {
		return bad("it does not begin with sqlserver:// and a host")
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return bad("its parameters cannot be read")
	}
	for _, name := range refused {
		if _, ok := get(params, name); ok {
			return bad("parameter %q is not taken", name)
		}
	}
	if db, _ := get(params, "database"); db == "" {
		return bad("it names no database")
	}
	full := *u
	q := url.Values{}
	for k, v := range params {
		q[k] = v
	}
	if _, ok := get(q, "encrypt"); !ok {
		q.Set("encrypt", "true")
	}
	if _, ok := get(q, "app name"); !ok {
		q.Set("app name", "omt")
	}
	full.RawQuery = q.Encode()
	cfg, err = msdsn.Parse(full.String())
	if err != nil {
		return bad("%s", strings.ReplaceAll(err.Error(), full.String(), "…"))
	}
	if password != "" {
		cfg.Password = password
	}
	if cfg.User == "" && goos != "windows" {
		return bad("it names no login")
	}
	return cfg, cleanURL(u, params), nil
}

// get looks a parameter up without regard to letter case.
func get(q url.Values, name string) (string, bool) {
	for k, v := range q {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0], true
		}
	}
	return "", false
}

// cleanURL is the URL without user info and with kept parameters only, in their order.
func cleanURL(u *url.URL, params url.Values) string {
	var q []string
	for _, name := range kept {
		if v, ok := get(params, name); ok {
			q = append(q, url.QueryEscape(name)+"="+url.QueryEscape(v))
		}
	}
	c := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawQuery: strings.Join(q, "&")}
	return c.String()
}

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

// Begin takes a connection, inside a snapshot where the database allows it.
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
	snapshot := state.Int64 == snapshotOn
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
