package sample

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/openomt/omt/internal/dbmodel"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// viewOf writes a sample's rows and opens them.
func viewOf(t *testing.T, o Options) *source.View {
	t.Helper()
	dir := t.TempDir()
	o.Dir, o.Prefix, o.Users, o.Progress = filepath.Join(dir, "inst"), "crm7", 3, progress.None{}
	url := "sqlite:" + filepath.Join(dir, "crm.sqlite")
	if _, err := Write(t.Context(), o, func(context.Context) (source.Loader, error) { return sqlite.OpenLoader(url) }); err != nil {
		t.Fatal(err)
	}
	d, err := sqlite.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	db, err := source.New(t.Context(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// What the sample's own lists name is there, so that its tables are no odd case; a table that was made by hand is in none.
func TestEveryTableIsThere(t *testing.T) {
	for _, clean := range []bool{false, true} {
		v := viewOf(t, Options{DB: "sqlite:crm.sqlite", Documents: 5, Clean: clean})
		lists, err := v.TableLists(t.Context())
		if err != nil || len(lists) != 2 || lists[0].Place != source.InSequence || lists[1].Place != source.InModel {
			t.Fatalf("%+v, %v", lists, err)
		}
		for _, l := range lists {
			if l.Problem != "" || l.Tables != len(v.Tables())-1 || len(l.Absent)+l.Unnamed > 0 {
				t.Errorf("clean %v: %d tables, and a list says %+v", clean, len(v.Tables()), l)
			}
		}
	}
}

// Every type that SQL Server has is in some column, with a value; in a sample for SQL Server, all that its loader takes.
func TestEveryType(t *testing.T) {
	types := strings.Fields("bit tinyint smallint int bigint float real decimal numeric money smallmoney char varchar nchar nvarchar text ntext xml " +
		"binary varbinary image date time datetime smalldatetime datetime2 datetimeoffset uniqueidentifier")
	only := strings.Fields("sql_variant hierarchyid geography geometry rowversion")
	for db, want := range map[string][]string{"sqlite:crm.sqlite": append(only, types...), "sqlserver://sql1?database=crm": types} {
		v := viewOf(t, Options{DB: db, Documents: 5})
		with, cut := map[string]bool{}, 0
		for _, tab := range v.Tables() {
			cols := tab.Stored()
			for row, err := range v.Rows(t.Context(), tab) {
				if err != nil {
					t.Fatal(err)
				}
				for i, c := range cols {
					name, _, _ := strings.Cut(c.Type.SQL, "(")
					with[name] = with[name] || row[i] != nil
					if text, ok := row[i].(string); ok && !utf8.ValidString(text) {
						cut++
					}
				}
			}
		}
		for _, name := range want {
			if !with[name] {
				t.Errorf("%s: no value of type %s", db, name)
			}
		}
		if only := strings.HasPrefix(db, "sqlite:"); only != (cut == 1) {
			t.Errorf("%s: %d texts are cut inside an emoji", db, cut)
		}
		if len(with) != len(want) {
			t.Errorf("%s: %d types, want %d", db, len(with), len(want))
		}
	}
}

func TestModelData(t *testing.T) {
	tables, err := parseSchema()
	if err != nil {
		t.Fatal(err)
	}
	blob, err := modelData(tables)
	if err != nil {
		t.Fatal(err)
	}
	names, how, err := dbmodel.Tables(bytes.NewReader(blob), "associate", "person", "document", "company")
	if err != nil || how != "gzip, UTF-8, Tables[].Name" || len(names) != len(tables)-1 || slices.Contains(names, handmade) {
		t.Errorf("%d names of %d tables, %q, %v", len(names), len(tables), how, err)
	}
}
