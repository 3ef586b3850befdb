package source_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// answering is a driver whose connections answer queries of others with what a test wants, or fail.
type answering struct {
	source.Driver
	columns  []source.ResultColumn
	rows     [][]driver.Value
	err      error // of the query
	closeErr error
	beginErr error
	catalogs int
	opened   int
	closed   int
	query    string
}

func (a *answering) Catalog(ctx context.Context, prefix string) ([]source.Table, error) {
	a.catalogs++
	return a.Driver.Catalog(ctx, prefix)
}

func (a *answering) Begin(ctx context.Context) (source.Conn, error) {
	if a.beginErr != nil {
		return nil, a.beginErr
	}
	c, err := a.Driver.Begin(ctx)
	a.opened++
	return &answeringConn{Conn: c, a: a}, err
}

type answeringConn struct {
	source.Conn
	a *answering
}

func (c *answeringConn) Select(_ context.Context, query string, _ int, head func([]source.ResultColumn) error, row func([]driver.Value) bool) error {
	c.a.query = query
	if err := head(c.a.columns); err != nil {
		return err
	}
	for _, r := range c.a.rows {
		if !row(r) {
			return nil
		}
	}
	return c.a.err
}

func (c *answeringConn) Close() error {
	c.a.closed++
	return errors.Join(c.a.closeErr, c.Conn.Close())
}

// answers opens a database over an answering driver.
func answers(t *testing.T, path string, a *answering) *source.Database {
	t.Helper()
	d, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	a.Driver = d
	db, err := source.New(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func column(names ...string) []source.ResultColumn {
	var cols []source.ResultColumn
	for _, n := range names {
		name, typ, _ := strings.Cut(n, " ")
		cols = append(cols, source.ResultColumn{Name: name, Type: typ})
	}
	return cols
}

// Whatever a connection says, there is a whole answer or an error, and the connection is closed.
func TestSelectAnswers(t *testing.T) {
	path := tiny(t, 3, asIs)
	mib := strings.Repeat("x", 1<<20)
	many := make([][]driver.Value, 70)
	for i := range many {
		many[i] = []driver.Value{mib}
	}
	for _, c := range []struct {
		name string
		a    answering
		want string // of the error; empty: one row
	}{
		{"one row", answering{columns: column("A", "b_2"), rows: [][]driver.Value{{"x", nil}}}, ""},
		{"an error behind a row", answering{columns: column("a"), rows: [][]driver.Value{{"x"}}, err: errFault}, "the wire is cut"},
		{"it cannot be opened", answering{beginErr: errFault}, "the wire is cut"},
		{"it cannot be closed", answering{columns: column("a"), closeErr: errFault}, "the wire is cut"},
		{"an error and one of closing", answering{columns: column("a b"), err: errors.New("first"), closeErr: errFault}, "first"},
		{"no columns", answering{}, "it gives no columns"},
		{"a name that is empty", answering{columns: column("a", "")}, "its column 2 has no name"},
		{"a name of digits", answering{columns: column("1a")}, "its column 1 has no name"},
		{"a name of other letters", answering{columns: column("bl\u00e5")}, "its column 1 has no name"},
		{"a name that is long", answering{columns: column(strings.Repeat("a", 129))}, "its column 1 has no name"},
		{"names that differ in case", answering{columns: column("a", "A")}, `two of its columns are called "a"`},
		{"no number", answering{columns: column("a"), rows: [][]driver.Value{{math.NaN()}}}, `its column "a": it is no number`},
		{"no end", answering{columns: column("a"), rows: [][]driver.Value{{math.Inf(-1)}}}, `its column "a": it is no number`},
		{"another type", answering{columns: column("a"), rows: [][]driver.Value{{int32(7)}}}, "the engine gave a int32"},
		{"a long row", answering{columns: column("a", "b"), rows: [][]driver.Value{{mib, "y"}}}, "one of its rows takes 1048577 bytes"},
		{"many long rows", answering{columns: column("a"), rows: many}, "its rows take more than 64 MiB"},
	} {
		a := c.a
		r, err := answers(t, path, &a).Select(t.Context(), source.SelectQuery{SQL: "SELECT 1 AS n FROM {ASSOCIATE} WHERE x = N'y'"})
		switch {
		case c.want == "" && (err != nil || r.Len() != 1 || strings.Join(r.Columns, ",") != "a,b_2"):
			t.Errorf("%s: %d rows of %v, %v", c.name, r.Len(), r.Columns, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if a.opened != a.closed {
			t.Errorf("%s: %d opened, %d closed", c.name, a.opened, a.closed)
		}
		if c.want == "" && a.query != `SELECT 1 AS n FROM  "crm7_associate"  WHERE x =  'y'` {
			t.Errorf("%s: asked %q", c.name, a.query)
		}
		for data := range r.Rows() {
			if c.want == "" && (len(data) != 1 || data["a"] != "x") {
				t.Errorf("%s: row %v", c.name, data)
			}
		}
	}
}

func TestSelectTimes(t *testing.T) {
	path := tiny(t, 1, asIs)
	at := time.Date(2026, 1, 31, 16, 19, 51, 999, time.FixedZone("", -5400))
	a := answering{columns: column("a", "b DATE", "c TIME", "d DATETIMEOFFSET", "e DATETIME2"), rows: [][]driver.Value{{at, at, at, at, at}}}
	r, err := answers(t, path, &a).Select(t.Context(), source.SelectQuery{SQL: "SELECT 1 AS n"})
	if err != nil {
		t.Fatal(err)
	}
	for data := range r.Rows() {
		for k, want := range map[string]string{"a": "2026-01-31 16:19:51", "b": "2026-01-31", "c": "16:19:51", "d": "2026-01-31 16:19:51 -01:30", "e": "2026-01-31 16:19:51"} {
			if data[k] != want {
				t.Errorf("%s is %v, want %q", k, data[k], want)
			}
		}
	}
}

// A server may take seconds for its catalog: however many queries there are, it is read as often as views begin.
func TestSelectReadsNoCatalog(t *testing.T) {
	a, path := answering{columns: column("a")}, tiny(t, 1, asIs)
	db := answers(t, path, &a)
	v, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	before := a.catalogs
	n, err := drain(db.SelectFacts(t.Context(), make([]source.SelectQuery, 5)))
	if n != 5 || err != nil || a.catalogs != before {
		t.Errorf("%d facts, %v, %d catalogs more", n, err, a.catalogs-before)
	}
}

// What went wrong is told in one line, of a length for people, whatever the server said.
func TestSelectReason(t *testing.T) {
	path := tiny(t, 1, asIs)
	long := "first\r\n\tsecond " + strings.Repeat("\u00f8", 600)
	for _, a := range []answering{{beginErr: errors.New(long)}, {columns: column("a"), rows: [][]driver.Value{{"x"}}, err: errors.New(long)}} {
		n := 0
		for f, err := range answers(t, path, &a).SelectFacts(t.Context(), []source.SelectQuery{{Name: "r.q", SQL: "SELECT 1 AS n"}}) {
			reason, _ := f.Data["reason"].(string)
			if n++; err != nil || f.Name != "query" || f.ID != "r.q" || f.Data["status"] != "failed" || f.Data["rows"] != int64(0) ||
				!strings.HasPrefix(reason, "first second \u00f8\u00f8") || len(reason) > 510 || !strings.HasSuffix(reason, "\u00f8…") {
				t.Errorf("the fact is %+v, %v", f, err)
			}
		}
		if n != 1 {
			t.Errorf("%d facts", n)
		}
	}
}

// A SQLite file cannot be changed by what a query would do if it were let through.
func TestSelectCannotWrite(t *testing.T) {
	d, err := sqlite.Open(tiny(t, 3, asIs))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, sql := range []string{"DELETE FROM crm7_associate", "CREATE TEMP TABLE x (a)", "ATTACH ':memory:' AS x", "1) ; DELETE FROM crm7_associate; --"} {
		c, err := d.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Select(t.Context(), sql, 10, func([]source.ResultColumn) error { return nil }, func([]driver.Value) bool { return true }); err == nil {
			t.Errorf("%s: no error", sql)
		}
		if err := c.Close(); err != nil {
			t.Errorf("%s: closing: %v", sql, err)
		}
	}
	db, err := source.New(t.Context(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := db.Select(t.Context(), source.SelectQuery{SQL: "SELECT COUNT(*) AS n FROM {associate}"})
	for data := range r.Rows() {
		if data["n"] != int64(3) {
			t.Errorf("%v users are left", data["n"])
		}
	}
	if err != nil || r.Len() != 1 {
		t.Errorf("%d rows, %v", r.Len(), err)
	}
}
