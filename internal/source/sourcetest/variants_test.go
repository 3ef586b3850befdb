package sourcetest

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// loose writes the modern database without keys and with every column allowing NULL, so that any column can be dropped,
// and any be emptied.
func loose(t *testing.T, all []*content) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crm.sqlite")
	for _, c := range all {
		c.table.Key, c.table.Indexes = nil, nil
		for i := range c.table.Columns {
			c.table.Columns[i].Null, c.table.Columns[i].Identity = true, false
		}
	}
	l, err := sqlite.OpenLoader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer done(t, l)
	begin(t, l, "run", "crm7", all)
	for _, c := range all {
		fill(t, l, c)
	}
	if err := l.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return path
}

// answersOf copies a database, changes the copy, and asks it everything.
func answersOf(t *testing.T, path, change string) (answers map[string][]string, asked []string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "crm.sqlite")
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+copied+"?_pragma=synchronous(off)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(change); err != nil {
		t.Fatalf("%s: %v", change, err)
	}
	done(t, db)
	d, err := sqlite.Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer done(t, d)
	catalog, err := d.Catalog(t.Context(), "crm7")
	if err != nil {
		t.Fatal(err)
	}
	h := &hiding{Driver: d, catalog: catalog}
	answers, err = askAll(t, h)
	if err != nil {
		t.Errorf("%s: %v", change, err)
	}
	return answers, h.asked
}

// unlike are the questions to whose answers a column that is not there does something else than one that is NULL in every
// row: what the table of keys and the model then do not tell, and that nothing is counted by a column that is not there.
// Without evidence of appointments documents are not said to be without: see TestNoEvidence.
var unlike = map[string][]string{
	"associate.associate_id":     {"Documents"},
	"appointment.document_id":    {"Documents"},
	"appointment.associate_id":   {"Documents"},
	"associate.type":             {"Facts"},
	"associate.deleted":          {"Facts"},
	"document.archiveprovider":   {"Facts"},
	"sequence.tablename":         {"Facts"},
	"databasemodel.modeldata":    {"Facts"},
	"travelgeneratedtransaction": {"Facts"},
}

// Each column that a question reads may not be there: then it reads as NULL, and nothing fails.
func TestEachColumnMissing(t *testing.T) {
	path := loose(t, modern())
	_, asked := answersOf(t, path, "SELECT 1")
	all := strings.Join(asked, "\n")
	looked := 0
	for _, c := range modern() {
		for _, col := range c.table.Columns {
			if !strings.Contains(all, `"`+col.Name+`"`) || len(c.table.Columns) == 1 {
				continue
			}
			looked++
			table, name := `"crm7_`+c.table.Name+`"`, strings.ToLower(c.table.Name+"."+col.Name)
			dropped, _ := answersOf(t, path, "ALTER TABLE "+table+` DROP COLUMN "`+col.Name+`"`)
			null, _ := answersOf(t, path, "UPDATE "+table+` SET "`+col.Name+`" = NULL`)
			compareAnswers(t, name, dropped, null, append(unlike[name], unlike[strings.ToLower(c.table.Name)]...))
		}
	}
	if looked < 100 {
		t.Errorf("only %d columns were dropped: this proves too little", looked)
	}
}

// compareAnswers compares all answers but those to some questions. Facts of text columns count the columns there are, and a
// table that is not there is not outside the model either.
func compareAnswers(t *testing.T, what string, got, want map[string][]string, but []string) {
	t.Helper()
	for _, m := range []map[string][]string{got, want} {
		m["Facts"] = slices.DeleteFunc(slices.Clone(m["Facts"]), func(f string) bool {
			return strings.HasPrefix(f, "text-columns") || strings.HasPrefix(f, "table-outside "+what+" ")
		})
		for _, q := range but {
			delete(m, q)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s is not there (-want +got):\n%s", what, d)
	}
}

// Each table that may be missing may be: then it has no rows, and nothing fails.
func TestEachTableMissing(t *testing.T) {
	path := loose(t, modern())
	for _, c := range modern() {
		low := strings.ToLower(c.table.Name)
		if slices.Contains([]string{"associate", "person", "document", "company"}, low) {
			continue
		}
		dropped, _ := answersOf(t, path, `DROP TABLE "crm7_`+c.table.Name+`"`)
		empty, _ := answersOf(t, path, `DELETE FROM "crm7_`+c.table.Name+`"`)
		var but []string
		switch low {
		case "appointment": // nothing can be said of appointments
			but = []string{"Documents"}
			for _, d := range dropped["Documents"] {
				if !strings.Contains(d, "HasAppointment:true") || !strings.Contains(d, "HasAssociate:true") {
					t.Errorf("without the table: %s", d)
				}
			}
		case "contact", "sequence", "databasemodel": // the lists of tables say what they can no longer see
			but = []string{"Facts"}
		}
		compareAnswers(t, low, dropped, empty, but)
	}
}

// Without evidence nothing is said against a document.
func TestNoEvidence(t *testing.T) {
	path := loose(t, modern())
	for _, column := range []string{"associate.associate_id", "appointment.document_id", "appointment.associate_id"} {
		table, name, _ := strings.Cut(column, ".")
		answers, _ := answersOf(t, path, `ALTER TABLE "crm7_`+table+`" DROP COLUMN `+name)
		if len(answers["Documents"]) != 8 {
			t.Errorf("without %s: %d documents", column, len(answers["Documents"]))
		}
		for _, d := range answers["Documents"] {
			if !strings.Contains(d, "HasAppointment:true") || !strings.Contains(d, "HasAssociate:true") {
				t.Errorf("without %s: %s", column, d)
			}
		}
	}
}

// Dates may be seconds, as before 7.0: those that say when something was are the same moments.
func TestDatesAsSeconds(t *testing.T) {
	seconds := modern()
	dates := 0
	for _, c := range seconds {
		for i := range c.table.Columns {
			col := &c.table.Columns[i]
			if col.Type.Kind != source.DateTime {
				continue
			}
			col.Type = source.ParseType("int")
			for _, r := range c.rows {
				if at, ok := r[i].(time.Time); ok {
					dates++
					r[i] = max(at.Unix(), 0) // 1760 is the successor of 0
				}
			}
		}
	}
	if dates < 20 {
		t.Fatalf("only %d dates", dates)
	}
	was, _ := answersOf(t, loose(t, modern()), "SELECT 1")
	is, _ := answersOf(t, loose(t, seconds), "SELECT 1")
	notSet, epoch := "1760-01-01 00:00:00 +0000 UTC", "1970-01-01 00:00:00 +0000 UTC"
	for i, d := range was["Documents"] {
		was["Documents"][i] = strings.ReplaceAll(strings.ReplaceAll(d, notSet, epoch), "23:30:00.003", "23:30:00")
	}
	for i, f := range was["Facts"] { // facts are as the database has them
		was["Facts"][i] = strings.NewReplacer("2024-05-06 07:08:09", fmt.Sprint(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC).Unix()),
			"2026-01-31 16:19:51", fmt.Sprint(time.Date(2026, 1, 31, 16, 19, 51, 0, time.UTC).Unix())).Replace(f)
	}
	same(t, "answers", is, was)
}
