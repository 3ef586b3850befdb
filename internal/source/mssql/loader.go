package mssql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"

	mssqldb "github.com/microsoft/go-mssqldb"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Loader fills a schema of an existing database. It implements source.Loader and is for one goroutine.
type Loader struct {
	d      *Driver
	id     string
	prefix string
	tables []source.Table
	able   ability
}

var _ source.Loader = (*Loader)(nil)

// OpenLoader prepares a connection as Open does, with the same options. The login needs CREATE TABLE and CREATE SCHEMA.
func OpenLoader(rawURL, password string, options ...Option) (*Loader, error) {
	d, err := Open(rawURL, password, options...)
	if err != nil {
		return nil, err
	}
	return &Loader{d: d}, nil
}

// URL returns the URL without user info.
func (l *Loader) URL() string { return l.d.URL() }

// Close closes all connections. What was loaded stays.
func (l *Loader) Close() error { return l.d.Close() }

// progress is the full name of the progress table.
func (l *Loader) progress() string { return l.d.Ref(l.prefix, progressTable) }

// Begin makes schema and tables, or goes on with an unfinished run of the same id.
func (l *Loader) Begin(ctx context.Context, id, prefix string, tables []source.Table) error {
	if prefix == "" {
		return manifest.Errorf(manifest.Usage, "loading needs a prefix, the schema of the tables")
	}
	for _, t := range tables {
		if strings.EqualFold(t.Name, progressTable) {
			return manifest.Errorf(manifest.Refused, "table %q cannot be made: the name is taken", t.Name)
		}
		if err := source.Loadable(t); err != nil {
			return err
		}
	}
	l.id, l.prefix, l.tables = id, prefix, tables
	there, err := l.existing(ctx)
	if err != nil {
		return err
	}
	if err := l.claim(ctx, there); err != nil {
		return err
	}
	if l.able, err = l.lookAtServer(ctx); err != nil {
		return err
	}
	for _, t := range tables {
		if there[strings.ToLower(t.Name)] {
			continue
		}
		q, err := createTable(l.d.Ref(prefix, t.Name), t, l.able)
		if err != nil {
			return err
		}
		if _, err := l.d.db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("making table %q: %w", t.Name, l.d.explain("writing to", err))
		}
	}
	return nil
}

// existing lists the lower-cased names of the tables in the schema.
func (l *Loader) existing(ctx context.Context) (map[string]bool, error) {
	names, err := each(ctx, l.d, "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = @p1",
		func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) }, l.prefix)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, n := range names {
		out[strings.ToLower(n)] = true
	}
	return out, nil
}

// claim makes the progress table for this run, or finds that it is this run's. A schema with other tables is refused.
func (l *Loader) claim(ctx context.Context, there map[string]bool) error {
	if !there[progressTable] {
		if len(there) > 0 {
			return manifest.Errorf(manifest.Refused, "database %q already holds %d tables in schema %q", l.d.name, len(there), l.prefix).
				WithHint("give an empty database, or another prefix")
		}
		return l.makeProgress(ctx)
	}
	runs, err := each(ctx, l.d, "SELECT run FROM "+l.progress()+" WHERE part = ''",
		func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) })
	if err != nil {
		return err
	}
	if len(runs) == 1 && runs[0] == l.id {
		return nil
	}
	return manifest.Errorf(manifest.Refused, "database %q holds another unfinished load in schema %q (%s)",
		l.d.name, l.prefix, strings.Join(runs, ", ")).WithHint("finish that one, or give an empty database")
}

func (l *Loader) makeProgress(ctx context.Context) error {
	schemas, err := each(ctx, l.d, "SELECT name FROM sys.schemas WHERE name = @p1",
		func(r *sql.Rows) (s string, err error) { return s, r.Scan(&s) }, l.prefix)
	if err != nil {
		return err
	}
	if len(schemas) == 0 {
		if _, err := l.d.db.ExecContext(ctx, "CREATE SCHEMA "+quote(l.prefix)); err != nil {
			return fmt.Errorf("making schema %q: %w", l.prefix, l.d.explain("writing to", err))
		}
	}
	// The row with part '' stands for the run itself. Table and row come together, so that no table is without it.
	return l.inTx(ctx, func(c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "CREATE TABLE "+l.progress()+
			" (run nvarchar(100) NOT NULL, part nvarchar(300) NOT NULL, PRIMARY KEY (run, part))")
		if err != nil {
			return err
		}
		return l.record(ctx, c, "")
	})
}

func (l *Loader) record(ctx context.Context, c *sql.Conn, part string) error {
	_, err := c.ExecContext(ctx, "INSERT INTO "+l.progress()+" (run, part) VALUES (@p1, @p2)", l.id, part)
	return err
}

// Notes says what the tables were made with otherwise than the source had it.
func (l *Loader) Notes() []source.Note { return l.able.notes(l.prefix, l.tables) }

// inTx runs fn in a transaction on a connection of its own, which is thrown away when anything fails: the server then
// rolls back, whatever was in the middle of being sent.
func (l *Loader) inTx(ctx context.Context, fn func(c *sql.Conn) error) error {
	c, err := l.d.db.Conn(ctx)
	if err != nil {
		return l.d.explain("connecting to", err)
	}
	run := func() error {
		if _, err := c.ExecContext(ctx, "BEGIN TRANSACTION"); err != nil {
			return err
		}
		if err := fn(c); err != nil {
			return err
		}
		_, err := c.ExecContext(ctx, "COMMIT TRANSACTION")
		return err
	}
	if err := run(); err != nil {
		var se mssqldb.Error
		if errors.As(err, &se) {
			err = l.d.explain("writing to", err)
		}
		return errors.Join(err, discard(c))
	}
	return c.Close()
}

// Loaded reports whether the part was loaded already.
func (l *Loader) Loaded(ctx context.Context, part string) (bool, error) {
	n, err := each(ctx, l.d, "SELECT COUNT(*) FROM "+l.progress()+" WHERE run = @p1 AND part = @p2",
		func(r *sql.Rows) (n int64, err error) { return n, r.Scan(&n) }, l.id, part)
	return err == nil && n[0] > 0, err
}

// Load inserts the rows and records the part, or does nothing. A part that was loaded already is an error.
func (l *Loader) Load(ctx context.Context, part string, t source.Table, rows iter.Seq2[source.Row, error]) (n int64, err error) {
	if part == "" {
		return 0, errors.New("loading a part without a name")
	}
	guards, err := l.guards(ctx, t)
	if err != nil {
		return 0, err
	}
	p := newPart(l.d.Ref(l.prefix, t.Name), t, l.able, guards)
	err = l.inTx(ctx, func(c *sql.Conn) error {
		if err := l.record(ctx, c, part); err != nil {
			return fmt.Errorf("part %q: %w", part, err)
		}
		n, err = p.load(ctx, c, rows)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("loading table %q: %w", t.Name, err)
	}
	return n, nil
}

// RemoveAddress deletes the e-mail rows of a person that hold the address, compared without regard to letter case and
// surrounding blanks.
func (l *Loader) RemoveAddress(ctx context.Context, person int64, email string) (n int64, err error) {
	t, ok := source.FindTable(l.tables, "email")
	if !ok {
		return 0, errors.New("removing an address: there is no table \"email\"")
	}
	q, err := source.AddressQuery(l.d, l.prefix, t)
	if err != nil {
		return 0, err
	}
	err = l.inTx(ctx, func(c *sql.Conn) error {
		ids, err := source.MatchAddresses(ctx, c, q.Select, person, email)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := c.ExecContext(ctx, q.Delete, sql.Named("p1", id)); err != nil {
				return err
			}
		}
		n = int64(len(ids))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("removing an address of person %d: %w", person, err)
	}
	return n, nil
}

// Finish builds the indexes, each in one transaction with its progress record, and drops the progress table.
func (l *Loader) Finish(ctx context.Context) error {
	for _, t := range l.tables {
		for i, x := range t.Indexes {
			part := fmt.Sprintf("index %d of %s", i, t.Name)
			done, err := l.Loaded(ctx, part)
			if err != nil {
				return err
			}
			if done {
				continue
			}
			q, err := createIndex(l.d.Ref(l.prefix, t.Name), t, x)
			if err != nil {
				return err
			}
			err = l.inTx(ctx, func(c *sql.Conn) error {
				if err := l.record(ctx, c, part); err != nil {
					return err
				}
				_, err := c.ExecContext(ctx, q)
				return err
			})
			if err != nil {
				return fmt.Errorf("building index %q of table %q: %w", x.Name, t.Name, err)
			}
		}
	}
	if _, err := l.d.db.ExecContext(ctx, "DROP TABLE "+l.progress()); err != nil {
		return l.d.explain("writing to", err)
	}
	return nil
}
