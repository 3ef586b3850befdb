package source_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// rowsOf is the contents of a table in a test: "name type" of its columns, then rows.
type rowsOf struct {
	table string
	cols  string
	rows  []source.Row
}

// database makes a database of the required tables and some more, and opens a view of it.
func database(t *testing.T, extra ...rowsOf) *source.View {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crm.sqlite")
	l, err := sqlite.OpenLoader(path)
	if err != nil {
		t.Fatal(err)
	}
	all := extra
	for _, name := range []string{"associate", "person", "document", "company"} {
		if !strings.Contains(" "+tableNames(extra)+" ", " "+name+" ") {
			all = append(all, rowsOf{name, name + "_id int", nil})
		}
	}
	var tabs []source.Table
	for _, r := range all {
		tab := source.Table{Name: r.table}
		for col := range strings.SplitSeq(r.cols, ", ") {
			name, typ, _ := strings.Cut(col, " ")
			tab.Columns = append(tab.Columns, source.Column{Name: name, Type: source.ParseType(typ), Null: true})
		}
		tabs = append(tabs, tab)
	}
	if err := l.Begin(t.Context(), "run", "crm7", tabs); err != nil {
		t.Fatal(err)
	}
	for i, r := range all {
		if _, err := l.Load(t.Context(), r.table, tabs[i], func(yield func(source.Row, error) bool) {
			for _, row := range r.rows {
				if !yield(row, nil) {
					return
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := sqlite.Open(path)
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

func tableNames(all []rowsOf) string {
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.table
	}
	return strings.Join(names, " ")
}

func TestIdentityEvidence(t *testing.T) {
	company := rowsOf{"company", "company_id int, version int, revision int, ownerContactName nvarchar(20), serialNo nvarchar(20)",
		[]source.Row{{int64(2), int64(9), int64(9), "second", "2"}, {int64(1), int64(851), int64(7), "Owner", "1"}}}
	product := func(versions ...string) rowsOf {
		r := rowsOf{"ProductVersion", "ProductVersion_id int, ownerName nvarchar(20), version nvarchar(20)", nil}
		for i, s := range versions {
			r.rows = append(r.rows, source.Row{int64(i), "SUPEROFFICE", s})
		}
		return r
	}
	service := func(version string) rowsOf {
		return rowsOf{"config", "id int, version nvarchar(20)", []source.Row{{int64(1), version}}}
	}
	for _, c := range []struct {
		name          string
		tables        []rowsOf
		version, from string
	}{
		{"nothing", []rowsOf{company}, "", "company.version 851, revision 7"},
		{"product", []rowsOf{company, product("8.5.7458")}, "8.5.7458", "ProductVersion.version"},
		{"product before service", []rowsOf{company, product("8.5.7458"), service("8.4")}, "8.5.7458", "ProductVersion.version"},
		{"service", []rowsOf{company, service(" 8.4.1 ")}, "8.4.1", "Service config.version"},
		{"product of no use", []rowsOf{company, product("unknown"), service("8.4.1")}, "8.4.1", "Service config.version"},
		{"products of two releases", []rowsOf{company, product("8.5.1", "10.1.1"), service("8.4.1")}, "8.4.1", "Service config.version"},
		{"nothing to believe", []rowsOf{company, product("8.5.1", "10.1.1"), service("R09")}, "",
			"company.version 851, revision 7; ProductVersion.version 10.1.1, 8.5.1; Service config.version R09"},
		{"empty texts", []rowsOf{company, product(""), service("")}, "", "company.version 851, revision 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := database(t, c.tables...).Identity(t.Context())
			want := source.Identity{Owner: "Owner", Serial: "1", Version: c.version, VersionFrom: c.from}
			if err != nil || got != want {
				t.Errorf("Identity = %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

// Preferences are picked by section or by key, whichever columns there are; without both nothing is said.
func TestPreferences(t *testing.T) {
	for _, c := range []struct {
		cols string
		rows []source.Row
		want int
	}{
		{"userpreference_id int, prefsection nvarchar(30), prefkey nvarchar(30)",
			[]source.Row{{int64(1), "SentryAddonNames", "x"}, {int64(2), "x", "DefaultDocPlugin"}, {int64(3), "x", "y"}, {int64(4), nil, nil}}, 2},
		{"userpreference_id int, prefkey nvarchar(30)", []source.Row{{int64(1), "x"}, {int64(2), "DefaultDocPlugin"}}, 1},
		{"userpreference_id int, prefvalue nvarchar(30)", []source.Row{{int64(1), "DefaultDocPlugin"}}, 0},
	} {
		facts := 0
		for f, err := range database(t, rowsOf{"UserPreference", c.cols, c.rows}).Facts(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if f.Name == "userpreference" {
				facts++
			}
		}
		if facts != c.want {
			t.Errorf("%s: %d facts, want %d", c.cols, facts, c.want)
		}
	}
}

// A text that was cut inside an emoji is Unicode in an answer, whatever is asked, and whole in Rows.
func TestHalfAPair(t *testing.T) {
	const cut, mended = "name \xed\xa0\xbd", "name \uFFFD"
	v := database(t,
		rowsOf{"associate", "associate_id int, name nvarchar(20), person_id int", []source.Row{{int64(1), cut, int64(1)}}},
		rowsOf{"document", "document_id int, name nvarchar(20)", []source.Row{{int64(1), cut}}},
		rowsOf{"SystemEvent", "SystemEvent_id int, eventkey nvarchar(20)", []source.Row{{int64(1), cut}}})
	users, err := v.Users(t.Context())
	if err != nil || len(users) != 1 || users[0].Login != mended {
		t.Errorf("users %+v, %v", users, err)
	}
	for d, err := range v.Documents(t.Context()) {
		if err != nil || d.Name != mended {
			t.Errorf("document %+v, %v", d, err)
		}
	}
	for f, err := range v.Facts(t.Context()) {
		if err != nil || f.Name == "systemevent" && f.Data["eventkey"] != mended {
			t.Errorf("fact %+v, %v", f, err)
		}
	}
	tab, _ := source.FindTable(v.Tables(), "associate")
	for r, err := range v.Rows(t.Context(), tab) {
		if err != nil || r[1] != cut {
			t.Errorf("row %q, %v", r, err)
		}
	}
}

// Documents of a database whose appointments lack columns, or that has none, are not said to be without.
func TestDocumentsWithoutEvidence(t *testing.T) {
	doc := rowsOf{"document", "document_id int, name nvarchar(20), appointment_id int", []source.Row{{int64(1), "a", int64(5)}, {int64(2), "b", int64(0)}}}
	associate := rowsOf{"associate", "associate_id int, name nvarchar(20)", []source.Row{{int64(1), "KK"}}}
	for _, c := range []struct {
		name string
		more []rowsOf
		want []bool // HasAppointment, HasAssociate of both
	}{
		{"no appointments", nil, []bool{true, true, true, true}},
		{"no document_id", []rowsOf{{"appointment", "appointment_id int, associate_id int", []source.Row{{int64(5), int64(1)}}}}, []bool{true, true, true, true}},
		{"no associate_id", []rowsOf{{"appointment", "appointment_id int, document_id int", nil}}, []bool{true, true, true, true}},
		{"no appointment_id", []rowsOf{{"appointment", "document_id int, associate_id int", []source.Row{{int64(2), int64(9)}}}}, []bool{false, true, true, false}},
		{"no keys, twice the same", []rowsOf{{"appointment", "appointment_id int, document_id int, associate_id int",
			[]source.Row{{int64(5), int64(0), int64(1)}, {int64(5), int64(0), int64(9)}, {int64(6), int64(2), int64(1)}}}}, []bool{true, true, true, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := map[int64][2]bool{}
			n := 0
			for d, err := range database(t, append([]rowsOf{doc, associate}, c.more...)...).Documents(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got[d.ID] = [2]bool{d.HasAppointment, d.HasAssociate}
				n++
			}
			want := map[int64][2]bool{1: {c.want[0], c.want[1]}, 2: {c.want[2], c.want[3]}}
			if diff := cmp.Diff(want, got); diff != "" || n != 2 {
				t.Errorf("%d documents (-want +got):\n%s", n, diff)
			}
		})
	}
}

// Views of one database may be used at the same time.
func TestConcurrentViews(t *testing.T) {
	d, err := sqlite.Open(tiny(t, 50, asIs))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	db, err := source.New(t.Context(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			v, err := db.Begin(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer v.Close()
			for name, q := range questions {
				if _, err := q(t.Context(), v); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
}
