package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/compare"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// oddTable is a table that a partner might have made, with its rows.
type oddTable struct {
	source.Table
	rows []source.Row
}

// partner makes a table of columns "name: type", one with "!" behind its name in the key; without "?" behind the type it
// does not allow NULL. Names may hold anything but ": ".
func partner(name string, columns []string, rows ...[]any) oddTable {
	t := oddTable{Table: source.Table{Name: name}}
	for _, c := range columns {
		col, typ, _ := strings.Cut(c, ": ")
		typ, null := strings.CutSuffix(typ, "?")
		col, key := strings.CutSuffix(col, "!")
		t.Columns = append(t.Columns, source.Column{Name: col, Type: source.ParseType(typ), Null: null})
		if key {
			t.Key = append(t.Key, col)
		}
	}
	for _, r := range rows {
		row := make(source.Row, len(r))
		for i, v := range r {
			if n, ok := v.(int); ok {
				v = int64(n)
			}
			row[i] = v
		}
		t.rows = append(t.rows, row)
	}
	return t
}

func row(values ...any) []any { return values }

// oddTables are tables outside the model.
func oddTables() []oddTable {
	day := func(d int) time.Time { return time.Date(1760, 1, d, 0, 0, 0, 0, time.UTC) }
	long := strings.Repeat("Ø", 127) + "文"
	list := []oddTable{
		partner("no key", []string{"a: int?", "b: nvarchar(20)?"}, row(1, "x"), row(1, "x"), row(nil, nil), row(nil, nil), row(1, nil), row(1, "x ")),
		partner(`pair of "keys"`, []string{"what: nvarchar(9)?", "b!: int", "a!: date"},
			row("x", 2, day(1)), row(nil, 1, day(2)), row("y", 2, day(2)), row("z", -1, day(1))),
		// Keys that differ in letter case, in blanks, in accents; a server's collation may take them for equal, their bytes are not.
		partner("Codes.Of [all] kinds", []string{"code!: nvarchar(40)", "n: int"},
			row("a", 1), row("A", 2), row("a ", 3), row(" a", 4), row("", 5), row("å", 6), row("Å", 7), row("A\u030a", 8), row("ß", 9), row("ss", 10),
			row("文", 11), row("🚀", 12), row("a\x00b", 13), row("a\x01b", 14), row("it's", 15), row(`q"q`, 16), row(`a\b/c`, 17), row("1e5", 18), row("NULL", 19)),
		partner("select", []string{"from!: int", "order: nvarchar(9)?", "group by: int?", "[x]: int?", "a]b: int?", `quo"te: int?`, "per%cent: int?", "dot.ted: int?",
			"it's: int?", "semi;colon --: int?", " lead: int?", "tab\there: int?", "ÆØÅ æøå: int?", "rowid: int?", "ab: int?", "a_b: int?"},
			row(1, "desc", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14), row(2)),
		partner(long, []string{strings.Repeat("ü", 128) + "!: bigint", "v: varchar(9)?"}, row(-1<<63, "low"), row(1<<62, nil)),
		partner(`..\..\a/b`, []string{"id!: int"}, row(7)),
		partner("line\nbreak\ttab", []string{"id!: int"}, row(7)),
		partner("it's; DROP TABLE x --", []string{"id!: int"}, row(7)),
		partner("empty", []string{"id!: int", "v: nvarchar(max)?"}),
		partner("empty without key", []string{"v: nvarchar(max)?"}),
		partner("zero", []string{"id!: smallint"}, row(0), row(-32768), row(32767)),
		partner("by guid", []string{"id!: uniqueidentifier", "raw: varbinary(max)?"}, row([16]byte{15: 1}, []byte{}), row([16]byte{1}, []byte{0})),
		partner("by blob", []string{"id!: varbinary(9)", "f: float?"}, row([]byte{}, 0.5), row([]byte{0}, nil), row([]byte{0, 0}, -1.0)),
	}
	list[0].Indexes = []source.Index{{Name: "UX odd.name", On: "[a] DESC,[b]"}, {Name: `ix "b"`, On: "[b]"}}
	return append(list, wide())
}

// wide has as many columns as SQL Server allows in a table.
func wide() oddTable {
	cols, types := []string{"id!: int"}, []string{"int?", "nvarchar(20)?", "datetime?", "smallint?", "varbinary(8)?", "float?"}
	for i := 1; i < 1024; i++ {
		cols = append(cols, fmt.Sprintf("c%04d: %s", i, types[i%len(types)]))
	}
	value := func(n, i int) any {
		if (n+i)%5 == 0 {
			return nil
		}
		return []any{n * i, fmt.Sprint("v", i), time.Date(2000+n, 1, 1+i%28, 0, 0, 0, 0, time.UTC), -n, []byte{byte(i)}, float64(i) / 4}[i%len(types)]
	}
	var rows [][]any
	for n := range 40 {
		r := []any{n * 40_000} // several parts
		for i := 1; i < 1024; i++ {
			r = append(r, value(n, i))
		}
		rows = append(rows, r)
	}
	return partner("wide", cols, rows...)
}

// addTables puts tables into a database that has others under the prefix. A Loader, which writes declarations in the one
// form that comparing asks for, takes none but empty ones, so that they are made in a file of their own and copied.
func (w world) addTables(db, prefix string, list []oddTable) {
	w.t.Helper()
	ctx, side := context.Background(), w.path("side.sqlite")
	l, err := sqlite.OpenLoader(side)
	if err != nil {
		w.t.Fatal(err)
	}
	tables := make([]source.Table, len(list))
	for i, t := range list {
		tables[i] = t.Table
	}
	if err := l.Begin(ctx, "odd", prefix, tables); err != nil {
		w.t.Fatal(err)
	}
	for i, t := range list {
		short := func(yield func(source.Row, error) bool) {
			for _, r := range t.rows {
				if !yield(append(slices.Clone(r), make(source.Row, len(t.Columns)-len(r))...), nil) {
					return
				}
			}
		}
		if _, err := l.Load(ctx, fmt.Sprint(i), t.Table, short); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := errors.Join(l.Finish(ctx), l.Close()); err != nil {
		w.t.Fatal(err)
	}
	from, err := sql.Open("sqlite", side)
	if err != nil {
		w.t.Fatal(err)
	}
	defer from.Close()
	rows, err := from.Query("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC")
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	statements := []string{"ATTACH DATABASE '" + side + "' AS side"}
	for rows.Next() {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			w.t.Fatal(err)
		}
		statements = append(statements, text)
		if kind == "table" {
			statements = append(statements, "INSERT INTO main."+quoted(name)+" SELECT * FROM side."+quoted(name))
		}
	}
	w.exec(db, statements...)
}

// exec runs statements on one connection to a database.
func (w world) exec(db string, statements ...string) {
	w.t.Helper()
	d, err := sql.Open("sqlite", db)
	if err != nil {
		w.t.Fatal(err)
	}
	defer d.Close()
	d.SetMaxOpenConns(1)
	for _, s := range statements {
		if _, err := d.Exec(s); err != nil {
			w.t.Fatalf("%.200s: %v", s, err)
		}
	}
}

// Every row of every odd table arrives, under a prefix with odd characters.
func TestOddTables(t *testing.T) {
	t.Parallel()
	const prefix = "My CRM]7"
	w := sample(t, "--clean", "--prefix", prefix)
	list := oddTables()
	w.addTables(w.path("inst", "crm.sqlite"), prefix, list)
	const computed, unique = prefix + "_computed", prefix + "_unique"
	w.exec(w.path("inst", "crm.sqlite"),
		`CREATE TABLE "`+computed+`" (twice int AS (a * 2) STORED, a int NOT NULL, text nvarchar(20) AS ('n' || a) VIRTUAL, PRIMARY KEY (a))`,
		`INSERT INTO "`+computed+`" (a) VALUES (1), (2), (-7)`,
		`CREATE TABLE "`+unique+`" (a int, b nvarchar(9) NOT NULL UNIQUE)`, `INSERT INTO "`+unique+`" VALUES (1, 'x'), (NULL, 'X'), (2, 'x ')`)
	results := w.pipe(nil, auto()...)
	w.wantAll(results, 0, 0, 0, 0)
	w.write(results[3].out, "done.jsonl")
	w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	w.want(0, unpackStep...)
	got, err := compare.Databases(t.Context(), w.path("inst", "crm.sqlite"), w.path("out.sqlite"), nil, computed, unique)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, o := range list {
		rows += len(o.rows)
	}
	if rows < 80 || got.Rows < int64(rows) || got.Tables < 60 {
		t.Errorf("compared %+v, of which %d rows are odd", got, rows)
	}
	// A computed column's values do not move; its record says so, and the rest of its rows arrives.
	if n := w.rowsOf("out.sqlite", `SELECT group_concat(a, ',') FROM (SELECT a FROM "`+computed+`" ORDER BY a)`); n != "-7,1,2" {
		t.Errorf("of the table with computed columns came %s", n)
	}
	// A unique index is the key where there is none, and becomes one.
	if n := w.rowsOf("out.sqlite", `SELECT group_concat(quote(a) || b, ',') FROM (SELECT a, b FROM "`+unique+`" ORDER BY b)`); n != "NULLX,1x,2x " {
		t.Errorf("of the table with a unique index came %s", n)
	}
	for _, m := range records(t, results[3].out, "table") {
		if m["name"] == "computed" && strings.Count(fmt.Sprint(m["columns"]), "computed:") != 2 {
			t.Errorf("its record does not say which columns are computed: %v", m["columns"])
		}
	}
	w.noLitter()
}

// rowsOf runs a query that gives one text.
func (w world) rowsOf(db, query string) (text string) {
	w.t.Helper()
	d, err := sql.Open("sqlite", w.path(db))
	if err != nil {
		w.t.Fatal(err)
	}
	defer d.Close()
	if err := d.QueryRow(query).Scan(&text); err != nil {
		w.t.Fatal(err)
	}
	return text
}

// More prefixes, found without being named, whatever their characters are.
func TestOddPrefixes(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"crm 7.x", `ÅCRM "文"`, "it's_crm_7", "SELECT", strings.Repeat("p", 128)} {
		w := sample(t, "--clean", "--prefix", prefix)
		results := w.pipe(nil, auto()...)
		w.wantAll(results, 0, 0, 0, 0)
		if _, r := w.moved(results[3].out); r.Rows < 200 {
			t.Errorf("prefix %q: compared %+v", prefix, r)
		}
		if got := records(t, results[3].out, "installation")[0]["prefix"]; got != prefix {
			t.Errorf("the manifest says prefix %q, want %q", got, prefix)
		}
	}
}
