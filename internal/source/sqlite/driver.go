package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	sqlite3 "modernc.org/sqlite" // also registers the driver "sqlite"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Scheme is what a URL of this engine begins with.
const Scheme = "sqlite:"

// progressTable is where a Loader keeps what it has loaded; it is never part of a catalog.
const progressTable = "omt_unpack"

// Driver reads one SQLite file. It implements source.Driver and is safe for concurrent use.
type Driver struct {
	db   *sql.DB
	path string
}

var _ source.Driver = (*Driver)(nil)

// Open opens a file for reading only: "sqlite:PATH" or a path. The file must be there; nothing is ever created or
// written beside it, unless the file is in WAL mode, whose readers need a shared-memory file.
func Open(rawURL string) (*Driver, error) {
	path, err := Path(rawURL)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err != nil {
		return nil, manifest.Errorf(manifest.Usage, "opening database %q: %w", path, reason(err))
	} else if info.IsDir() {
		return nil, manifest.Errorf(manifest.Usage, "opening database %q: it is a folder, not a file", path)
	}
	db, err := sql.Open("sqlite", dsn(path, "mode=ro", "_pragma=query_only(1)", "_pragma=busy_timeout(10000)"))
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "opening database %q: %w", path, err)
	}
	return &Driver{db: db, path: path}, nil
}

// Path takes the absolute path out of "sqlite:PATH", "sqlite:///PATH" or a plain path.
func Path(rawURL string) (string, error) {
	path := strings.TrimPrefix(rawURL, Scheme)
	if path != rawURL && strings.HasPrefix(path, "//") {
		path = strings.TrimPrefix(path, "//")
	}
	if path == "" || strings.Contains(path, "\x00") {
		return "", manifest.Errorf(manifest.Usage, "database %q names no file", rawURL).WithHint("write sqlite:PATH")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", manifest.Errorf(manifest.Usage, "database %q: %w", rawURL, err)
	}
	return abs, nil
}

// dsn is the driver's name for a file: a URI, so that no character of the path means anything.
func dsn(path string, params ...string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/x is written /C:/x in a URI
	}
	u := url.URL{Scheme: "file", Path: p, RawQuery: strings.Join(params, "&")}
	return u.String()
}

// reason is the cause of a file error without the path, which the message has already.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// explain says what SQLite's error means where its own text leaves that open.
func (d *Driver) explain(doing string, err error) error {
	var e *sqlite3.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s %q: %w", doing, d.path, err)
	}
	switch e.Code() & 0xff {
	case 26: // SQLITE_NOTADB
		return manifest.Errorf(manifest.Usage, "%s %q: it is no SQLite database", doing, d.path)
	case 5: // SQLITE_BUSY
		return manifest.Errorf(manifest.Failed, "%s %q: another program holds it locked", doing, d.path).
			WithHint("end that program and run this again")
	case 14, 3: // SQLITE_CANTOPEN, SQLITE_PERM
		return manifest.Errorf(manifest.Usage, "%s %q: it cannot be opened for reading: %w", doing, d.path, err)
	}
	return fmt.Errorf("%s %q: %w", doing, d.path, err)
}

// Engine returns "sqlite".
func (d *Driver) Engine() string { return "sqlite" }

// URL returns "sqlite:" and the file's absolute path.
func (d *Driver) URL() string { return Scheme + d.path }

// Ref quotes the full name of a table: "crm7_associate".
func (d *Driver) Ref(prefix, table string) string { return quote(prefix + "_" + table) }

// Quote quotes one identifier.
func (d *Driver) Quote(name string) string { return quote(name) }

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Close closes the file.
func (d *Driver) Close() error { return d.db.Close() }

// Begin opens a read transaction on a connection of its own: all it reads is the state at this moment.
func (d *Driver) Begin(ctx context.Context) (source.Conn, error) {
	c, err := d.db.Conn(ctx)
	if err != nil {
		return nil, d.explain("opening database", err)
	}
	// BEGIN alone takes no lock: the moment is that of the first read.
	for _, q := range []string{"BEGIN", "SELECT COUNT(*) FROM sqlite_master"} {
		if _, err := c.ExecContext(ctx, q); err != nil {
			c.Close()
			return nil, d.explain("reading database", err)
		}
	}
	return &conn{c: c, d: d}, nil
}

// conn is one read transaction.
type conn struct {
	c *sql.Conn
	d *Driver
}

// Stream runs one query.
func (c *conn) Stream(ctx context.Context, query string, row func([]driver.Value) bool) error {
	if err := source.StreamRows(ctx, c.c, query, row); err != nil {
		return c.d.explain("reading database", err)
	}
	return nil
}

// Consistent is true: it is one transaction.
func (c *conn) Consistent() bool { return true }

// Close ends the transaction.
func (c *conn) Close() error {
	_, err := c.c.ExecContext(context.Background(), "ROLLBACK")
	return errors.Join(err, c.c.Close())
}
