package scan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/scan/scantest"
	"github.com/openomt/omt/internal/source"
)

// findings returns the findings of a rule as "severity subject: message".
func findings(t *testing.T, w *world, rule string) (list []string) {
	t.Helper()
	for _, f := range records[manifest.Finding](t, w, manifest.KindFinding) {
		if f.Rule == rule {
			list = append(list, string(f.Severity)+" "+strings.Join(f.Subjects, " ")+": "+f.Message)
		}
	}
	return list
}

func has(list []string, parts ...string) bool {
	return slices.ContainsFunc(list, func(s string) bool {
		return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(s, p) })
	})
}

// A table that the model names blocks like one that the table of keys names, in a part of an installation too.
func TestModelNamesATable(t *testing.T) {
	for _, only := range [][]manifest.Area{nil, {manifest.Document}} {
		s := small(t)
		s.Table("DatabaseModel").Rows = [][]any{{1, "1.0", 1,
			[]byte(`{"Tables":[{"Name":"associate"},{"Name":"person"},{"Name":"document"},{"Name":"company"},{"Name":"Y_GONE"}],"x":"secret-of-the-model"}`)}}
		w := open(t, s)
		w.o.Only = only
		err := w.run(t)
		if manifest.StatusOf(err) != manifest.Remarks || !strings.Contains(err.Error(), "table-missing (1: table:y_gone)") {
			t.Fatalf("only %v: %v", only, err)
		}
		if list := findings(t, w, "table-missing"); len(list) != 1 || !has(list, "error table:y_gone: ", "the database model names it", "its rows would not move") {
			t.Errorf("only %v: %q", only, list)
		}
		if strings.Contains(string(w.bytes)+w.log.String(), "secret-of-the-model") {
			t.Error("the model is in the manifest or the log")
		}
	}
}

// A model that cannot be read is said once, with what was tried, and does not block.
func TestModelOfUnknownForm(t *testing.T) {
	s := small(t)
	s.Table("DatabaseModel").Rows = [][]any{{1, "1.0", 1, []byte("\x01\x02\x03\x04secret-of-the-model")}}
	w := open(t, s)
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	list := findings(t, w, "table-missing")
	if len(list) != 1 || !has(list, "warning table:databasemodel: ", "ModelData: it is JSON in none of the forms that were tried: plain, gzip, zlib, zip and raw deflate") {
		t.Errorf("%q", list)
	}
	if len(w.remarks) != 1 || !has(w.remarks, "table-missing (a warning): which tables there should be cannot be told from DatabaseModel") {
		t.Errorf("remarks %q", w.remarks)
	}
	if strings.Contains(string(w.bytes)+w.log.String()+strings.Join(w.remarks, ""), "secret-of-the-model") {
		t.Error("the model is in the manifest or the log")
	}
}

// limited is a reader whose login may not read some tables.
type limited struct {
	source.Reader
	tables []string
}

func (l limited) denied(name string) bool {
	return slices.ContainsFunc(l.tables, func(t string) bool { return strings.EqualFold(t, name) })
}

func (l limited) Tables() []source.Table {
	return slices.DeleteFunc(slices.Clone(l.Reader.Tables()), func(t source.Table) bool { return l.denied(t.Name) })
}

func (l limited) Unreadable() (list []source.Unreadable) {
	for _, t := range l.Reader.Tables() {
		if l.denied(t.Name) {
			list = append(list, source.Unreadable{Table: t, Err: errors.New("SELECT denied on " + t.Name)})
		}
	}
	return list
}

// Every table that may not be read is a finding of its own, and everything else is listed.
func TestTablesThatMayNotBeRead(t *testing.T) {
	w := open(t, shared)
	w.o.Reader = limited{w.o.Reader, []string{"travelcurrent", "PersPos", "phone"}}
	err := w.run(t)
	if manifest.StatusOf(err) != manifest.Remarks || !strings.Contains(err.Error(), "table-missing (3: table:perspos, table:phone, table:travelcurrent)") {
		t.Fatalf("%v", err)
	}
	list := findings(t, w, "table-missing")
	for _, table := range []string{"PersPos", "phone", "travelcurrent"} {
		if !has(list, "error table:"+strings.ToLower(table)+": ", "is there and cannot be read", "SELECT denied on "+table) {
			t.Errorf("%s is not told: %q", table, list)
		}
	}
	if n := len(records[manifest.Table](t, w, manifest.KindTable)); n != len(w.site.Tables)-3 {
		t.Errorf("%d tables are listed of %d", n, len(w.site.Tables))
	}
	if !has(w.remarks, "SELECT denied on phone") {
		t.Errorf("remarks %q", w.remarks)
	}
}

func TestRequiredTableMayNotBeRead(t *testing.T) {
	w := open(t, shared)
	w.o.Reader = limited{w.o.Reader, []string{"phone", "document"}}
	wantError(t, w, w.run(t), manifest.Usage, `without table "document" nothing can be done`, "SELECT denied on document", `"document", "phone"`)
}

// A database that is not a Unicode one is told as such, with collations and code pages.
func TestANSI(t *testing.T) {
	say := func(change func(s *scantest.Site)) []string {
		t.Helper()
		s := small(t)
		change(s)
		w := open(t, s)
		if err := w.run(t); err != nil {
			t.Fatal(err)
		}
		checks := records[manifest.Check](t, w, manifest.KindCheck)
		list := findings(t, w, "ansi-text")
		if i := slices.IndexFunc(checks, func(c manifest.Check) bool { return c.Rule == "ansi-text" }); i < 0 || checks[i].Findings != len(list) {
			t.Errorf("checks %+v for %d findings", checks, len(list))
		}
		return list
	}
	varchar := func(table, column string) func(s *scantest.Site) {
		return func(s *scantest.Site) {
			cols := s.Table(table).Columns
			for i := range cols {
				if name, typ, _ := strings.Cut(cols[i], " "); name == column {
					cols[i] = name + " " + strings.TrimPrefix(typ, "n")
				}
			}
		}
	}
	if list := say(func(*scantest.Site) {}); list != nil {
		t.Errorf("a Unicode database: %q", list)
	}
	if list := say(varchar("config", "text_path")); list != nil {
		t.Errorf("a column of a table that is none of the core: %q", list)
	}
	if list := say(varchar("associate", "name")); len(list) != 1 || !has(list, "info table:databasemodel: ", "names are kept in char or varchar",
		"1 columns of a collation that is not told; ", " columns of Unicode") {
		t.Errorf("names in varchar: %q", list)
	}
	if list := say(func(s *scantest.Site) {
		s.Add("DatabaseModel", 1, "1.0", 0, []byte(`["associate","person","document","company"]`))
	}); len(list) != 1 || !has(list, "IsDatabaseUnicode is 0") {
		t.Errorf("the model says so: %q", list)
	}
}

// collated gives the text columns of two tables collations.
type collated struct{ source.Reader }

func (c collated) Tables() []source.Table {
	list := slices.Clone(c.Reader.Tables())
	for i := range list {
		list[i].Columns = slices.Clone(list[i].Columns)
		for j := range list[i].Columns {
			col := &list[i].Columns[j]
			switch {
			case col.Type.Kind != source.Text:
			case list[i].Name == "associate":
				col.Type, col.Collation = source.ParseType("varchar(239)"), "Danish_Norwegian_CI_AS"
			case list[i].Name == "person":
				col.Type, col.Collation = source.ParseType("varchar(99)"), "Klingon_CI_AS"
			default:
				col.Collation = "Latin1_General_CI_AS"
			}
		}
	}
	return list
}

func TestCollations(t *testing.T) {
	w := open(t, shared)
	w.o.Reader = collated{w.o.Reader}
	if err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if list := findings(t, w, "ansi-text"); len(list) != 1 || !has(list, "2 columns of collation Danish_Norwegian_CI_AS (code page 1252); 2 columns of collation Klingon_CI_AS; ",
		" columns of Unicode, collation Latin1_General_CI_AS") {
		t.Errorf("%q", list)
	}
}
