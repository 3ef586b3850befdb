package e2e

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/microsoft/go-mssqldb" // to make, fill and read the test's databases
)

func bracketed(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

// types are the types of random tables on a server, with those that SQLite has no form of its own for.
func (srv *server) types() []randomType {
	finest := 7
	if srv.babelfish {
		finest = 6 // it keeps no more
	}
	all := types(finest)
	of := func(name string, n int, alphabet, collation string) {
		typ := texts(name, n, alphabet, false)
		typ.name, typ.key = name+" COLLATE "+collation, false
		all = append(all, typ)
	}
	of("varchar(20)", 20, "abcЖЯйц", "Cyrillic_General_CI_AS")
	of("varchar(40)", 20, "abcξάΩ", "Greek_CI_AS")
	of("nvarchar(20)", 20, people, "Latin1_General_CS_AS")
	variants := slices.Clone(all)
	all = append(all, randomType{"sql_variant", false, func(r *rand.Rand) value {
		for {
			typ := variants[r.IntN(len(variants))]
			switch kind, _, _ := strings.Cut(typ.name, " COLLATE"); {
			case strings.HasSuffix(kind, "(max)"), kind == "text", kind == "ntext", kind == "image", kind == "xml":
				continue
			case srv.babelfish && strings.HasPrefix(kind, "decimal(38"), srv.babelfish && strings.Contains(kind, "char("):
				continue // it keeps neither the digits nor the length of such a value
			}
			kind, collation, _ := strings.Cut(typ.name, " COLLATE ")
			if collation != "" {
				continue
			}
			return value{"CAST(CAST(" + typ.value(r).mssql + " AS " + kind + ") AS sql_variant)", ""}
		}
	}})
	return all
}

// spell makes names simpler where the server at hand cannot read doubled brackets, nor keep identity values of tables
// with odd names.
func (srv *server) spell(t *randomTable) {
	if !srv.babelfish {
		return
	}
	strip := func(name *string) {
		*name = strings.NewReplacer("[", "", "]", "", ";", "_", "--", "_", ".", "_", "'", "", `"`, "", " ", "_").Replace(*name)
	}
	strip(&t.name)
	for i := range t.columns {
		strip(&t.columns[i].name)
	}
	for i := range t.key {
		strip(&t.key[i])
	}
	for i := range t.index {
		strip(&t.index[i])
	}
}

// fillServer makes the table in a schema and inserts its rows.
func (t *randomTable) fillServer(ctx context.Context, db *sql.DB, schema string) error {
	var defs, names []string
	for _, c := range t.columns {
		d := bracketed(c.name) + " " + c.typ.name
		if c.identity {
			d += " IDENTITY(1,1)"
		}
		if c.null {
			d += " NULL"
		} else {
			d += " NOT NULL"
		}
		defs, names = append(defs, d), append(names, bracketed(c.name))
	}
	var keys []string
	for _, k := range t.key {
		keys = append(keys, bracketed(k))
	}
	full := bracketed(schema) + "." + bracketed(t.name)
	if len(keys) > 0 && !t.unique {
		defs = append(defs, "PRIMARY KEY ("+strings.Join(keys, ", ")+")")
	}
	defs = append(defs, "[rv] rowversion", "[twice] AS (LEN('ab') * 2)")
	all := []string{"CREATE TABLE " + full + " (" + strings.Join(defs, ", ") + ")"}
	if len(keys) > 0 && t.unique {
		all = append(all, "CREATE UNIQUE INDEX [ux] ON "+full+" ("+strings.Join(keys, ", ")+")")
	}
	if len(t.index) > 0 {
		all = append(all, "CREATE INDEX [ix] ON "+full+" ("+bracketed(t.index[0])+")")
	}
	for _, q := range all {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	identity := slices.ContainsFunc(t.columns, func(c randomColumn) bool { return c.identity })
	for rows := range slices.Chunk(t.rows, 10) {
		var values []string
		for _, row := range rows {
			lits := make([]string, len(row))
			for i, v := range row {
				lits[i] = v.mssql
			}
			values = append(values, "("+strings.Join(lits, ", ")+")")
		}
		q := "INSERT INTO " + full + " (" + strings.Join(names, ", ") + ") VALUES " + strings.Join(values, ", ")
		if identity {
			q = "SET IDENTITY_INSERT " + full + " ON; " + q + "; SET IDENTITY_INSERT " + full + " OFF"
		}
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%.2000s: %w", q, err)
		}
	}
	return nil
}

// contents reads a table through the server's own driver: its columns as it describes them, and its rows, sorted.
// Without computed, the column that has an expression is left out.
func contents(ctx context.Context, db *sql.DB, schema string, t randomTable, computed bool) (columns, rows []string, err error) {
	var names []string
	for _, c := range t.columns {
		names = append(names, bracketed(c.name))
	}
	names = append(names, "[rv]")
	if computed {
		names = append(names, "[twice]")
	}
	got, err := db.QueryContext(ctx, "SELECT "+strings.Join(names, ", ")+" FROM "+bracketed(schema)+"."+bracketed(t.name))
	if err != nil {
		return nil, nil, err
	}
	defer got.Close()
	types, err := got.ColumnTypes()
	if err != nil {
		return nil, nil, err
	}
	values, into := make([]any, len(types)), make([]any, len(types))
	for i, c := range types {
		length, _ := c.Length()
		precision, scale, _ := c.DecimalSize()
		d := fmt.Sprintf("%s %s %d %d %d", c.Name(), c.DatabaseTypeName(), length, precision, scale)
		if strings.EqualFold(c.Name(), "rv") {
			d = "rv" // a rowversion comes back as binary(8)
		}
		columns, into[i] = append(columns, d), &values[i]
	}
	for got.Next() {
		if err := got.Scan(into...); err != nil {
			return nil, nil, err
		}
		var b strings.Builder
		for _, v := range values {
			switch v := v.(type) {
			case []byte:
				b.WriteString("bytes " + hex.EncodeToString(v))
			case time.Time:
				b.WriteString("time " + v.Format(time.RFC3339Nano))
			default:
				fmt.Fprintf(&b, "%T %q", v, fmt.Sprint(v))
			}
			b.WriteString("; ")
		}
		rows = append(rows, b.String())
	}
	slices.Sort(rows)
	return columns, rows, got.Err()
}

// TestRandomTablesSQLServer moves tables of random types, keys and values from SQL Server to SQL Server, and by way of
// SQLite to a third database, and compares what the server's own driver reads from all three.
func TestRandomTablesSQLServer(t *testing.T) {
	srv := theServer(t)
	s := newSite(t)
	s.env = srv.env()
	ctx := context.Background()
	at := srv.create(t, "was")
	db := srv.open(t, at)
	if srv.babelfish {
		srv.execute(t, at, "EXEC sp_babelfish_configure 'escape_hatch_rowversion', 'ignore', 'server'")
	}
	s.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", "20", "--clean", "--prefix", "crm5", "--db", at)
	r := rand.New(rand.NewPCG(seed(t), 1))
	var tables []randomTable
	var foreign []string // with texts of a code page that only their collation says
	made := 0
	for n := range 25 {
		tab := makeTable(r, n, srv.types())
		srv.spell(&tab)
		if err := tab.fillServer(ctx, db, "crm5"); err != nil {
			t.Fatal(err)
		}
		tables, made = append(tables, tab), made+len(tab.rows)
		if slices.ContainsFunc(tab.columns, func(c randomColumn) bool {
			return strings.HasPrefix(c.typ.name, "varchar") && strings.Contains(c.typ.name, "COLLATE")
		}) {
			foreign = append(foreign, tab.name)
		}
	}
	road := func(at, dest, to string, args ...string) string {
		t.Helper()
		s.want(0, append(scanStep, args...)...)
		s.want(0, "omt-assign", "--in", "scan.jsonl", "--users", "inst/users.csv", "--out", "assigned.jsonl")
		s.want(0, "omt-pack", "--in", "assigned.jsonl", "--spool", dest+"-spool", "--out", "packed.jsonl", "--db", at)
		s.want(0, "omt-push", "--in", "packed.jsonl", "--spool", dest+"-spool", "--to", dest, "--out", "done.jsonl")
		s.want(0, "omt-pack", "verify", "--from", dest, "--depth", "content")
		return s.want(0, "omt-pack", "unpack", "--from", dest, "--db", to).err
	}
	second := srv.create(t, "is")
	db2 := srv.open(t, second)
	said := road(at, "dest", second, "--db", at, "--prefix", "crm5")
	if !strings.Contains(said, "of type rowversion made binary(8)") {
		t.Errorf("unpack does not say what became of rowversion: %s", said)
	}
	s.want(0, "omt-pack", "unpack", "--from", "dest", "--db", "sqlite:out.sqlite")
	dropTables(t, s.path("out.sqlite"), "crm5", foreign) // SQLite keeps no collation
	third := srv.create(t, "again")
	db3 := srv.open(t, third)
	road("sqlite:out.sqlite", "dest2", third, "--db", "sqlite:out.sqlite", "--prefix", "crm5")
	compared := 0
	for _, tab := range tables {
		for which, other := range map[string]*sql.DB{"unpacked": db2, "by way of SQLite": db3} {
			if other == db3 && slices.Contains(foreign, tab.name) {
				continue
			}
			columns, want, err := contents(ctx, db, "crm5", tab, other == db2)
			if err != nil {
				t.Fatal(err)
			}
			made, rows, err := contents(ctx, other, "crm5", tab, other == db2)
			if err != nil {
				t.Fatalf("%s: %v", which, err)
			}
			same(t, tab.name+" "+which+": columns", columns, made)
			same(t, tab.name+" "+which, want, rows)
			compared += len(rows)
		}
	}
	if compared < made || made < 300 {
		t.Errorf("%d rows were made and %d compared", made, compared)
	}
	t.Logf("%d tables, %d rows made, %d compared", len(tables), made, compared)
}

// dropTables takes tables out of a SQLite file.
func dropTables(t *testing.T, path, prefix string, names []string) {
	t.Helper()
	for _, name := range names {
		execLite(t, path, "DROP TABLE "+quoted(prefix+"_"+name))
	}
}

// execLite changes a SQLite file.
func execLite(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
