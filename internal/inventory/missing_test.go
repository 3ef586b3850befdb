package inventory

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// all is every table that the rule asks for, and more.
func all(more ...string) (list []source.Table) {
	for _, n := range needed {
		list = append(list, source.Table{Name: n.table})
	}
	for _, m := range more {
		list = append(list, source.Table{Name: m})
	}
	return list
}

func refused(table, words string) source.Unreadable {
	return source.Unreadable{Table: source.Table{Name: table}, Err: errors.New(words)}
}

const missing = "it is missing, or the database login may not see it, and its rows would not move"

func TestMissing(t *testing.T) {
	sound := source.TableList{Place: source.InSequence, How: "column TableName", Tables: 5}
	absent := func(place string, past bool, names ...string) source.TableList {
		l := source.TableList{Place: place, How: "x", Past: past}
		for _, n := range names {
			l.Absent = append(l.Absent, source.AbsentTable{Name: n})
		}
		return l
	}
	for _, c := range []struct {
		name  string
		fake  fake
		known []string
		want  []string
	}{
		{"all there", fake{tables: all("Y_Partner"), lists: []source.TableList{sound}}, []string{"y_partner", "EMAIL"}, nil},
		{"named by lists", fake{tables: all(), lists: []source.TableList{absent(source.InSequence, false, "y_lost"), absent(source.InModel, false, "x", "y_lost")}}, nil, []string{
			`table-missing error [table:x]: table "x" cannot be seen under the prefix "crm7" (the database model names it): ` + missing,
			`table-missing error [table:y_lost]: table "y_lost" cannot be seen under the prefix "crm7" (the table of keys names it; the database model names it): ` + missing,
		}},
		{"named by the past", fake{tables: all(), lists: []source.TableList{absent(source.InModel, false, "y"), absent(source.InPhysical, true, "x", "y")}}, nil, []string{
			`table-missing warning [table:x]: table "x" cannot be seen under the prefix "crm7" (the dictionary of older versions names it): ` + missing,
			`table-missing error [table:y]: table "y" cannot be seen under the prefix "crm7" (the database model names it; the dictionary of older versions names it): ` + missing,
		}},
		{"named by an old version's dictionary", fake{tables: all(), lists: []source.TableList{absent(source.InConcepts, false, "x")}}, nil, []string{
			`table-missing error [table:x]: table "x" cannot be seen under the prefix "crm7" (the dictionary of older versions names it): ` + missing,
		}},
		{"seen before", fake{tables: all(), lists: []source.TableList{sound}}, []string{"Y_Gone"}, []string{
			`table-missing error [table:y_gone]: table "y_gone" cannot be seen under the prefix "crm7" (the manifest lists it): ` + missing,
		}},
		{"needed", fake{tables: all()[1:11], lists: []source.TableList{absent(source.InModel, false, "appointment")}}, nil, []string{
			`table-missing error [table:appointment]: table "appointment" cannot be seen under the prefix "crm7" (the database model names it; without it nothing says which documents belong to an activity): ` + missing,
			`table-missing error [table:userrolelink]: table "userrolelink" cannot be seen under the prefix "crm7" (without it nothing says the roles of users): ` + missing,
		}},
		{"refused", fake{tables: all()[1:], refused: []source.Unreadable{refused("appointment", "denied \xff"), refused("Y_Log", "also denied")}, lists: []source.TableList{sound}},
			[]string{"y_log"}, []string{
				`table-missing error [table:appointment]: table "appointment" is there and cannot be read (without it nothing says which documents belong to an activity), so that its rows would not move: denied ` + "\uFFFD",
				`table-missing error [table:y_log]: table "y_log" is there and cannot be read (the manifest lists it), so that its rows would not move: also denied`,
			}},
		{"lists that say little", fake{tables: all(), lists: []source.TableList{{Place: source.InSequence, Unnamed: 3, Tables: 7}, {Place: source.InModel, Problem: "it is odd"}}}, nil, []string{
			`table-missing info [table:sequence]: 3 rows of table "sequence" name no table: whether the database login may see what they stand for cannot be told`,
			`table-missing warning [table:databasemodel]: which tables there should be cannot be told from DatabaseModel: it is odd; a table that the database login may not see is noticed only where another list names it`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.o.Reader, w.o.Installation.Prefix = &c.fake, "crm7"
			i := New(w.o)
			if err := i.Missing(t.Context(), c.known...); err != nil {
				t.Fatal(err)
			}
			w.wantFindings(i, c.want...)
			checks, _ := i.Results()
			if len(checks) != 1 || checks[0].Rule != "table-missing" {
				t.Errorf("checks %+v", checks)
			}
		})
	}
	w := newWorld(t)
	w.fake.fail = errors.New("the wire is cut")
	if err := New(w.o).Missing(t.Context()); !errors.Is(err, w.fake.fail) || !strings.Contains(err.Error(), "which tables there should be") {
		t.Errorf("a database that breaks: %v", err)
	}
}

// A table that cannot be counted for a reason of its own is a finding, and the others are counted; where nobody looks
// for tables that are missing, it is an error.
func TestTablesThatRefuse(t *testing.T) {
	w := newWorld(t)
	w.fake.tables = all("Y_Old", "z")
	w.fake.counts = map[string]int64{"Y_Old": -1, "z": 7}
	for _, n := range needed {
		w.fake.counts[n.table] = 1
	}
	i := New(w.o)
	if _, err := i.Tables(t.Context()); err == nil || !strings.Contains(err.Error(), `counting the rows of table "Y_Old": the filegroup is offline`) {
		t.Errorf("nobody looks: %v", err)
	}
	if err := i.Missing(t.Context()); err != nil {
		t.Fatal(err)
	}
	tables, err := i.Tables(t.Context())
	if err != nil || len(tables) != len(needed)+1 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	if d := cmp.Diff(manifest.Table{Name: "z", Rows: 7, Key: []string{}}, tables[len(tables)-1]); d != "" {
		t.Error(d)
	}
	w.wantFindings(i, `table-missing error [table:y_old]: table "y_old" is there and cannot be read, so that its rows would not move: the filegroup is offline`)
	delete(w.fake.counts, "z")
	if _, err := i.Tables(t.Context()); err == nil || !strings.Contains(err.Error(), "invalid object name") {
		t.Errorf("an error that is no table's own: %v", err)
	}
}
