package pack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// blinkered is a database of which the login sees or reads a part.
type blinkered struct {
	source.Reader
	tables  []string
	refused []string
	uncount []string
	lists   []source.TableList
	broken  error
}

func (b blinkered) Tables() (list []source.Table) {
	for _, name := range append([]string{"appointment", "contact", "DocTmpl", "email", "FunctionRight", "FunctionRightRoleLink", "LicenseAssocLink",
		"ModuleLicense", "Role", "sequence", "UserGroup", "UserRoleLink"}, b.tables...) {
		list = append(list, source.Table{Name: name, Columns: []source.Column{{Name: "id", Type: source.ParseType("int")}}})
	}
	return list
}

func (b blinkered) Unreadable() (list []source.Unreadable) {
	for _, name := range b.refused {
		list = append(list, source.Unreadable{Table: source.Table{Name: name}, Err: errors.New("SELECT denied on " + name)})
	}
	return list
}

func (b blinkered) TableLists(context.Context) ([]source.TableList, error) { return b.lists, b.broken }

func (b blinkered) Count(_ context.Context, table string) (int64, error) {
	if slices.Contains(b.uncount, table) {
		return 0, &source.Unreadable{Table: source.Table{Name: table}, Err: errors.New("offline")}
	}
	return 7, nil
}

// looked runs lookAtTables over a database, with what the input says of it.
func looked(t *testing.T, b blinkered, o Options, in *intake) (*run, error) {
	t.Helper()
	in.header.Phase = "full"
	if o.Remark == nil {
		o.Remark = func(string, ...any) {}
	}
	o.Now, o.Tool = func() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) }, "omt-pack 0.1.0"
	r := &run{o: o, in: in, src: Source{Reader: b, Installation: manifest.Installation{Prefix: "crm7", Areas: manifest.Areas[:]}}}
	return r, r.lookAtTables(t.Context())
}

// subjects are the findings of a rule, each as severity and subjects.
func (r *run) subjects(rule string) (list []string) {
	for _, f := range r.in.said.Findings {
		if f.Rule == rule {
			list = append(list, fmt.Sprintf("%s %s", f.Severity, strings.Join(f.Subjects, ",")))
		}
	}
	return list
}

// What this run's own view lacks blocks before anything is packed, whatever the scan saw: a table that the scan listed, one
// that refuses to be read, one that cannot be counted, one that the database names.
func TestTablesThatAreMissing(t *testing.T) {
	b := blinkered{tables: []string{"y_stays", "y_offline"}, refused: []string{"Y_Denied"}, uncount: []string{"y_offline"},
		lists: []source.TableList{{Place: source.InModel, Absent: []source.AbsentTable{{Name: "y_named"}}}}}
	list := []string{"Y_STAYS", "y_offline", "y_denied", "y_gone", "Email"}
	was := manifest.Finding{Rule: "table-missing", Severity: manifest.SeverityError, Subjects: []string{"table:back_again"}}
	other := manifest.Finding{Rule: "column-type", Severity: manifest.SeverityInfo, Subjects: []string{"table:x"}}
	r, err := looked(t, b, Options{}, &intake{tables: list, said: manifest.Results{Checks: []manifest.Check{{Rule: "column-type", Status: manifest.CheckDone}}, Findings: []manifest.Finding{was, other}}})
	if manifest.StatusOf(err) != manifest.Refused ||
		!strings.Contains(err.Error(), "blocked by table-missing (4: table:y_denied, table:y_gone, table:y_named, table:y_offline)") {
		t.Fatalf("%v", err)
	}
	want := []string{"error table:y_denied", "error table:y_gone", "error table:y_named", "error table:y_offline"}
	if d := cmp.Diff(want, r.subjects("table-missing")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"info table:x"}, r.subjects("column-type")); d != "" {
		t.Errorf("a rule that was not looked after: %s", d)
	}
	var counted []string
	for _, c := range r.counted {
		counted = append(counted, c.Name)
	}
	if len(counted) != 13 || counted[12] != "y_stays" || r.counted[12].Rows != 7 {
		t.Errorf("counted %q", counted)
	}

	// Waived, each for itself or all of them, they are left out, and the run says which.
	for _, waivers := range [][]manifest.Waiver{
		{{Rule: "table-missing", Subject: "table:y_denied", Reason: "a"}, {Rule: "table-missing", Subject: "table:y_gone", Reason: "a"},
			{Rule: "table-missing", Subject: "table:y_named", Reason: "a"}, {Rule: "table-missing", Subject: "table:y_offline", Reason: "a"}},
		{{Rule: "table-missing", Reason: "all", Covers: 4}},
	} {
		said := ""
		o := Options{Remark: func(format string, args ...any) { said += fmt.Sprintf(format, args...) }}
		r, err := looked(t, b, o, &intake{tables: list, waivers: waivers})
		if err != nil {
			t.Fatal(err)
		}
		if r.leftOut(); !strings.Contains(said, "4 tables are left out") || !strings.Contains(said, "table:y_denied, table:y_gone, table:y_named, table:y_offline") {
			t.Errorf("it says %q", said)
		}
	}
	if _, err := looked(t, b, Options{}, &intake{tables: list, waivers: []manifest.Waiver{{Rule: "table-missing", Reason: "fewer", Covers: 3}}}); manifest.StatusOf(err) != manifest.Refused {
		t.Errorf("a waiver of fewer tables: %v", err)
	}
}

// A part that goes ahead is not blocked, and one without the database is not looked at.
func TestMissingTablesOfAPreseed(t *testing.T) {
	b := blinkered{refused: []string{"y_denied"}}
	r, err := looked(t, b, Options{Only: []manifest.Area{manifest.Database}}, &intake{})
	if err != nil || len(r.subjects("table-missing")) != 1 || len(r.counted) != 12 {
		t.Errorf("%v, %v, %d tables", err, r.subjects("table-missing"), len(r.counted))
	}
	said := false
	r, err = looked(t, blinkered{broken: errors.New("not to be asked")}, Options{Only: []manifest.Area{manifest.Document}, Remark: func(string, ...any) { said = true }},
		&intake{said: manifest.Results{Findings: []manifest.Finding{{Rule: "table-missing", Severity: manifest.SeverityError, Subjects: []string{"table:x"}}}}})
	if r.leftOut(); err != nil || len(r.subjects("table-missing")) != 1 || r.counted != nil || said {
		t.Errorf("%v, %v, %d tables, said %v", err, r.subjects("table-missing"), len(r.counted), said)
	}
}

func TestTablesCannotBeLookedAt(t *testing.T) {
	broken := errors.New("the wire is cut")
	if _, err := looked(t, blinkered{broken: broken}, Options{}, &intake{}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, err := looked(t, blinkered{refused: []string{"Document"}}, Options{}, &intake{}); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "SELECT denied on Document") {
		t.Errorf("a table without which there is no database: %v", err)
	}
}
