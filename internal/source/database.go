package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/openomt/omt/internal/manifest"
)

// required are the tables without which a schema is no SuperOffice database.
var required = [...]string{"associate", "person", "document", "company"}

// Database is a SuperOffice database: a driver and the prefix of its tables. It is safe for concurrent use.
type Database struct {
	driver Driver
	prefix string
	fresh  atomic.Pointer[[]Table] // the catalog that New has just read, for the first view: reading one may take seconds
	last   atomic.Pointer[[]Table] // the catalog that was read last, for Select
}

// New looks for the tables of a SuperOffice database. An empty prefix is found when there is exactly one; a given one is
// matched without regard to letter case and used in its own. A prefix that is not there, and a schema that lacks one of
// the tables that everything rests on, are errors with status Usage. d stays the caller's to close.
func New(ctx context.Context, d Driver, prefix string) (*Database, error) {
	prefixes, err := d.Prefixes(ctx)
	if err != nil {
		return nil, err
	}
	found, err := choosePrefix(d, prefix, prefixes)
	if err != nil {
		return nil, err
	}
	db := &Database{driver: d, prefix: found}
	tables, err := d.Catalog(ctx, found)
	if err != nil {
		return nil, err
	}
	if err := checkRequired(found, tables); err != nil {
		return nil, err
	}
	if err := refuseUserTable(found, tables); err != nil {
		return nil, err
	}
	db.fresh.Store(&tables)
	db.last.Store(&tables)
	return db, nil
}

// At takes what lies under a prefix, whatever tables are there: to compare them, not to ask them anything. The prefix is
// prefix or, where that is empty, usual; where there is nothing under usual either, the only one there is. That nothing
// is there is an error with status Usage.
func At(ctx context.Context, d Driver, prefix, usual string) (*Database, error) {
	prefixes, err := d.Prefixes(ctx)
	if err != nil {
		return nil, err
	}
	for _, want := range []string{prefix, usual} {
		if want == "" {
			continue
		}
		if found, err := choosePrefix(d, want, prefixes); err == nil {
			return &Database{driver: d, prefix: found}, nil
		}
		// A prefix that lacks associate is no prefix by itself; it is one when it is called so.
		switch tables, err := d.Catalog(ctx, want); {
		case err != nil:
			return nil, err
		case len(tables) > 0:
			return &Database{driver: d, prefix: want}, nil
		case want == prefix:
			return nil, manifest.Errorf(manifest.Usage, "no table under prefix %q in %s", prefix, d.URL()).
				WithHint("prefixes that are there: %s", orNone(quoteAll(prefixes)))
		}
	}
	found, err := choosePrefix(d, "", prefixes)
	if err != nil {
		return nil, err
	}
	return &Database{driver: d, prefix: found}, nil
}

func orNone(list string) string {
	if list == "" {
		return "none"
	}
	return list
}

func choosePrefix(d Driver, prefix string, prefixes []string) (string, error) {
	if len(prefixes) == 0 {
		return "", manifest.Errorf(manifest.Usage, "%s holds no SuperOffice database: no table is called associate", d.URL()).
			WithHint("check the database's name, and that the login may see its tables")
	}
	var match []string
	for _, p := range prefixes {
		if p == prefix {
			return p, nil
		}
		if prefix == "" || strings.EqualFold(p, prefix) {
			match = append(match, p)
		}
	}
	switch {
	case len(match) == 1:
		return match[0], nil
	case len(match) > 1:
		return "", manifest.Errorf(manifest.Usage, "%s holds several SuperOffice databases: %s", d.URL(), quoteAll(match)).
			WithHint("name one with --prefix")
	}
	return "", manifest.Errorf(manifest.Usage, "no table %q under prefix %q in %s", "associate", prefix, d.URL()).
		WithHint("prefixes that are there: %s", quoteAll(prefixes))
}

func quoteAll(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}

func checkRequired(prefix string, tables []Table) error {
	var missing []string
	for _, name := range required {
		if findTable(tables, name) == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return manifest.Errorf(manifest.Usage, "prefix %q lacks %s: not a SuperOffice database", prefix, quoteAll(missing)).
		WithHint("check the prefix, and that the login may see all tables under it")
}

// findTable prefers the very name: where letter case matters to a server, two tables may differ in it alone.
func findTable(tables []Table, name string) *Table {
	var found *Table
	for i := range tables {
		if tables[i].Name == name {
			return &tables[i]
		}
		if found == nil && strings.EqualFold(tables[i].Name, name) {
			found = &tables[i]
		}
	}
	return found
}

// Prefix is the prefix in its own letter case.
func (db *Database) Prefix() string { return db.prefix }

// Engine is the driver's engine.
func (db *Database) Engine() string { return db.driver.Engine() }

// URL is the driver's URL, without user info.
func (db *Database) URL() string { return db.driver.URL() }

// catalog is the tables as they are declared now, or were when New looked.
func (db *Database) catalog(ctx context.Context) ([]Table, error) {
	if fresh := db.fresh.Swap(nil); fresh != nil {
		return *fresh, nil
	}
	tables, err := db.driver.Catalog(ctx, db.prefix)
	if err == nil {
		db.last.Store(&tables)
	}
	return tables, err
}

// declared is the tables as they were declared when the last view began; without any, as they are now.
func (db *Database) declared(ctx context.Context) ([]Table, error) {
	if last := db.last.Load(); last != nil {
		return *last, nil
	}
	return db.catalog(ctx)
}

// Begin opens a view of the database as it is now, which stays the same until Close as far as Consistent says so.
func (db *Database) Begin(ctx context.Context) (*View, error) {
	tables, err := db.catalog(ctx)
	if err != nil {
		return nil, err
	}
	bad, err := db.reach(ctx, tables)
	if err != nil {
		return nil, err
	}
	conn, err := db.driver.Begin(ctx)
	if err != nil {
		return nil, err
	}
	v := &View{driver: db.driver, conn: conn, prefix: db.prefix, tables: without(tables, bad), unreadable: bad}
	if v.began, err = v.depth(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return v, nil
}

// View answers all questions from one connection. It implements Reader. One answer is read at a time: a stream must be
// ended (read out, or its loop left) before the next question, else that question is an error.
type View struct {
	driver Driver
	conn   Conn
	prefix string
	tables []Table
	began  int64                  // transactions that were open at the beginning
	busy   atomic.Pointer[string] // what is being read

	unreadable []Unreadable
	lists      []TableList // once they were asked for
	markers    *markers    // once a mark was taken
}

var _ Reader = (*View)(nil)

// Close ends the view.
func (v *View) Close() error { return v.conn.Close() }

// Consistent reports whether all answers come from one moment.
func (v *View) Consistent() bool { return v.conn.Consistent() }

// Tables lists all tables under the prefix whose rows can be read, and those without which there is no database. The
// result is shared: it must not be changed.
func (v *View) Tables() []Table { return v.tables }

// Count counts the rows of a table, named without regard to letter case. An error that concerns this table alone, so
// that the view still answers, is an Unreadable.
func (v *View) Count(ctx context.Context, table string) (int64, error) {
	t := findTable(v.tables, table)
	if t == nil {
		return 0, fmt.Errorf("counting rows: no table %q under prefix %q", table, v.prefix)
	}
	count := "COUNT(*)"
	if v.driver.Engine() == "mssql" {
		count = "COUNT_BIG(*)"
	}
	n, err := v.single(ctx, t.Name, "SELECT "+count+" FROM "+v.driver.Ref(v.prefix, t.Name))
	return n, v.explain(ctx, *t, err)
}
