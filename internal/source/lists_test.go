package source_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// gzipped is a model as a database might hold it.
func gzipped(t *testing.T, json string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(json)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// modelOf is a model that names tables besides those that every database has.
func modelOf(more ...string) string {
	var parts []string
	for _, n := range append([]string{"associate", "person", "document", "company"}, more...) {
		parts = append(parts, fmt.Sprintf(`{"Name":%q,"Fields":[{"Name":"secret_column"}]}`, n))
	}
	return `{"Tables":[` + strings.Join(parts, ",") + `],"Secret":"secret-of-the-model"}`
}

func sequence(rows ...source.Row) rowsOf {
	return rowsOf{"sequence", "id int, next_id int, TableName nvarchar(255), TableNumber int", rows}
}

// key is a row of the table of keys. A number of nil is NULL.
func key(id int64, name, number any) source.Row {
	if n, ok := number.(int); ok {
		number = int64(n)
	}
	return source.Row{id, int64(1), name, number}
}

func databaseModel(blobs ...any) rowsOf {
	r := rowsOf{"DatabaseModel", "databasemodel_id int, ModelVersion nvarchar(128), ModelData varbinary(max)", nil}
	for i, b := range blobs {
		r.rows = append(r.rows, source.Row{int64(i + 1), "1.0", b})
	}
	return r
}

// four are the rows of a dictionary's table, name second, for the tables that every database has and more.
func four(more ...string) (rows []source.Row) {
	for i, n := range append([]string{"Associate", "PERSON", "document ", "company"}, more...) {
		rows = append(rows, source.Row{int64(i), n, "description of " + n})
	}
	return rows
}

// said writes a list as a line.
func said(l source.TableList) string {
	s := fmt.Sprintf("%s/%d %d", l.Place, l.Row, l.Tables)
	for _, t := range l.Absent {
		s += fmt.Sprintf(" -%s(%d,%d)", t.Name, t.ID, t.Number)
	}
	if l.Unnamed > 0 {
		s += fmt.Sprintf(" unnamed %d", l.Unnamed)
	}
	if l.Past {
		s += " past"
	}
	return s + ": " + l.How + l.Problem
}

const noModel = "DatabaseModel/0 0: it is not there, nor is the dictionary of older versions"

func TestTableLists(t *testing.T) {
	dictionary := rowsOf{"PHYSICALTABLE", "id int, NAME nvarchar(99), text nvarchar(99)", four("Y_OLD")}
	for _, c := range []struct {
		name   string
		tables []rowsOf
		want   []string
	}{
		{"nothing", nil, []string{noModel}},
		{"names that are there, in any letter case", []rowsOf{sequence(key(11, "COMPANY", 1), key(12, "Associate", 2), key(13, "person", 3))},
			[]string{"sequence/0 3: column TableName", noModel}},
		{"names that are not", []rowsOf{sequence(key(500, "Y_LOST", 490), key(501, " y_Blåbær  ", 491), key(9, "COMPANY", 1), key(502, "y_lost", 492))},
			[]string{"sequence/0 3 -y_blåbær(501,491) -y_lost(500,490): column TableName", noModel}},
		{"rows without a name", []rowsOf{sequence(key(1, nil, 7), key(2, "", 8), key(3, "   ", nil), key(4, "COMPANY", nil), key(5, "GONE", nil))},
			[]string{"sequence/0 2 -gone(5,0) unnamed 3: column TableName", noModel}},
		{"no name at all", []rowsOf{sequence(key(1, nil, 7))}, []string{"sequence/0 0 unnamed 1: it names no table", noModel}},
		{"no row", []rowsOf{sequence()}, []string{"sequence/0 0: it names no table", noModel}},
		{"no column", []rowsOf{{"sequence", "id int, next_id int", nil}}, []string{`sequence/0 0: it has no column "TableName"`, noModel}},
		{"no numbers", []rowsOf{{"sequence", "TableName nvarchar(20)", []source.Row{{"GONE"}}}},
			[]string{"sequence/0 1 -gone(0,0): column TableName", noModel}},
		{"a prefix in front", []rowsOf{sequence(key(1, "CRM7.COMPANY", 1), key(2, "[crm7].[Y_LOST]", 2), key(3, "crm5.person", 3), key(4, "crm7.", 4), key(5, "crm7_person", 5))},
			[]string{"sequence/0 5 -crm5.person(3,3) -crm7.(4,4) -crm7_person(5,5) -y_lost(2,2): column TableName", noModel}},

		// The rows of the dictionary with negative numbers are for versions without a model.
		{"the dictionary of an old version", []rowsOf{sequence(key(2, "CONCEPTUALTABLE", -2), key(6, "PHYSICALTABLE", -6)), dictionary},
			[]string{"sequence/0 2 -conceptualtable(2,-2): column TableName", `PHYSICALTABLE/0 5 -y_old(0,0): column "NAME"`}},
		{"the dictionary of a new version", []rowsOf{sequence(key(2, "CONCEPTUALTABLE", -2), key(11, "COMPANY", 1)), databaseModel([]byte(modelOf()))},
			[]string{"sequence/0 1: column TableName", "DatabaseModel/1 4: ModelData: plain, UTF-8, Tables[].Name"}},
		{"a model that cannot be seen", []rowsOf{sequence(key(2, "CONCEPTUALTABLE", -2), key(466, "DATABASEMODEL", 456))},
			[]string{"sequence/0 1 -databasemodel(466,456): column TableName", noModel}},

		{"a model", []rowsOf{databaseModel(gzipped(t, modelOf("crm7.Y_Lost", "crm5.other")))},
			[]string{"DatabaseModel/1 6 -crm5.other(0,0) -y_lost(0,0): ModelData: gzip, UTF-8, Tables[].Name"}},
		{"two models", []rowsOf{databaseModel([]byte("sample"), gzipped(t, modelOf()))},
			[]string{"DatabaseModel/1 0: ModelData: it is JSON in none of the forms that were tried: plain, gzip, zlib, zip and raw deflate, as it is and behind up to 8 bytes, in UTF-8 and UTF-16",
				"DatabaseModel/2 4: ModelData: gzip, UTF-8, Tables[].Name"}},
		{"no model in it", []rowsOf{databaseModel(nil)}, []string{"DatabaseModel/1 0: ModelData: it is empty"}},
		{"no row in it", []rowsOf{databaseModel()}, []string{"DatabaseModel/0 0: it has no row"}},
		{"no column in it", []rowsOf{{"DatabaseModel", "databasemodel_id int", []source.Row{{int64(1)}}}}, []string{`DatabaseModel/0 0: it has no column "ModelData"`}},
		{"a column of another type", []rowsOf{{"DatabaseModel", "ModelData int", []source.Row{{int64(1)}}}}, []string{`DatabaseModel/0 0: ModelData is of type "int"`}},
		{"a model in a text", []rowsOf{{"DatabaseModel", "ModelData nvarchar(max)", []source.Row{{modelOf("Y_LOST")}}}},
			[]string{"DatabaseModel/0 5 -y_lost(0,0): ModelData: plain, UTF-8, Tables[].Name"}},
		{"a model that is too large", []rowsOf{databaseModel(make([]byte, 32<<20+1), []byte(modelOf()))},
			[]string{"DatabaseModel/0 0: ModelData has 33554433 bytes, and up to 33554432 are looked at"}},

		{"a dictionary beside a model", []rowsOf{databaseModel([]byte(modelOf())), dictionary},
			[]string{"DatabaseModel/1 4: ModelData: plain, UTF-8, Tables[].Name", `PHYSICALTABLE/0 5 -y_old(0,0) past: column "NAME"`}},
		{"the second column like a name", []rowsOf{{"physicaltable", "id int, longname nvarchar(99), tablename varchar(99)",
			[]source.Row{{int64(1), "Company", "associate"}, {int64(1), "Person", "person"}, {int64(1), "x", "document"}, {int64(1), nil, "company"}, {int64(1), "y", nil}}}},
			[]string{`PHYSICALTABLE/0 4: column "tablename"`}},
		{"conceptual tables alone", []rowsOf{{"CONCEPTUALTABLE", "id int, NAME nvarchar(99), text nvarchar(99)", four()}},
			[]string{`CONCEPTUALTABLE/0 4: column "NAME"`}},
		{"physical ones without names", []rowsOf{{"PHYSICALTABLE", "id int, x nvarchar(9)", nil}, {"CONCEPTUALTABLE", "id int, NAME nvarchar(99), text nvarchar(99)", four()}},
			[]string{`CONCEPTUALTABLE/0 4: column "NAME"`}},
		{"no names anywhere", []rowsOf{{"PHYSICALTABLE", "id int, x nvarchar(9)", nil}, {"CONCEPTUALTABLE", "id int, NAME nvarchar(99)", nil}},
			[]string{"PHYSICALTABLE/0 0: it has no column of text that is called like a name"}},
		{"names of something else", []rowsOf{{"PHYSICALTABLE", "id int, NAME nvarchar(99), FileName nvarchar(9)", []source.Row{{int64(1), "associate", "x"}}}},
			[]string{`PHYSICALTABLE/0 0: no column that is called like a name ("NAME", "FileName") names associate, person, document, company`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := database(t, c.tables...)
			lists, err := v.TableLists(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range lists {
				got = append(got, said(l))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("lists (-want +got):\n%s", d)
			}
		})
	}
}

// What the lists say becomes facts, and nothing else of the model does.
func TestListFacts(t *testing.T) {
	v := database(t, sequence(key(500, "Y_LOST", 490), key(501, nil, nil)), databaseModel(gzipped(t, modelOf("Y_LOST", "Z_LOST")), []byte("secret-of-the-model")))
	var got []string
	for f, err := range v.Facts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s %v", f.Name, f.ID, f.Data)
		if strings.Contains(line, "secret") {
			t.Errorf("a fact holds what it must not: %s", line)
		}
		if strings.HasPrefix(f.Name, "table-") {
			got = append(got, line)
		}
	}
	want := []string{
		"table-list sequence map[absent:1 how:column TableName tables:1 unnamed:1]",
		"table-absent 500 map[by:sequence number:490 table:y_lost]",
		"table-list databasemodel/1 map[absent:2 how:ModelData: gzip, UTF-8, Tables[].Name tables:6]",
		"table-absent y_lost map[by:databasemodel table:y_lost]",
		"table-absent z_lost map[by:databasemodel table:z_lost]",
		"table-outside databasemodel map[of:databasemodel/1 table:databasemodel]",
		"table-outside sequence map[of:databasemodel/1 table:sequence]",
		"table-list databasemodel/2 map[absent:0 problem:ModelData: it is JSON in none of the forms that were tried: plain, gzip, zlib, zip and raw deflate, as it is and behind up to 8 bytes, in UTF-8 and UTF-16 tables:0]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("facts (-want +got):\n%s", d)
	}
}

// A table of that name under another prefix is not the one that is named.
func TestAnotherPrefix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crm.sqlite")
	for prefix, more := range map[string]string{"crm5": "y_lost", "crm7": "sequence"} {
		l, err := sqlite.OpenLoader(path)
		if err != nil {
			t.Fatal(err)
		}
		var tabs []source.Table
		for _, name := range []string{"associate", "person", "document", "company", more} {
			tabs = append(tabs, source.Table{Name: name, Columns: []source.Column{
				{Name: "id", Type: source.ParseType("int")}, {Name: "TableName", Type: source.ParseType("nvarchar(20)"), Null: true},
			}})
		}
		if err := l.Begin(t.Context(), "run", prefix, tabs); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Load(t.Context(), "part", tabs[4], func(yield func(source.Row, error) bool) {
			yield(source.Row{int64(1), "Y_LOST"}, nil)
		}); err != nil {
			t.Fatal(err)
		}
		if err := l.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	d, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	db, err := source.New(t.Context(), d, "crm7")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	lists, err := v.TableLists(t.Context())
	if err != nil || len(lists) == 0 || said(lists[0]) != "sequence/0 1 -y_lost(1,0): column TableName" {
		t.Errorf("%+v, %v", lists, err)
	}
}

// Where letter case matters to a server, names may differ in it alone: the very name goes before one in other letter case.
func TestTheVeryName(t *testing.T) {
	tabs := []source.Table{{Name: "Log", Columns: []source.Column{{Name: "Id"}, {Name: "ID"}}}, {Name: "LOG"}}
	for name, want := range map[string]string{"LOG": "LOG", "Log": "Log", "log": "Log"} {
		if got, ok := source.FindTable(tabs, name); !ok || got.Name != want {
			t.Errorf("table %q: %q, %v", name, got.Name, ok)
		}
	}
	for name, want := range map[string]string{"ID": "ID", "Id": "Id", "id": "Id"} {
		if got, ok := tabs[0].Column(name); !ok || got.Name != want {
			t.Errorf("column %q: %q, %v", name, got.Name, ok)
		}
	}
}
