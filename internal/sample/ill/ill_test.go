package ill

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/compare"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/sample"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

func install(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "inst")
	o := sample.Options{Dir: dir, Users: 8, Documents: 20, Seed: 1, DB: "sqlite:crm.sqlite", Prefix: "crm7", Files: true, Tiny: true, Progress: progress.None{}}
	if _, err := sample.Write(t.Context(), o, func(context.Context) (source.Loader, error) {
		return sqlite.OpenLoader(filepath.Join(dir, "crm.sqlite"))
	}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func text(t *testing.T, dir, query string) (s string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "crm.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// What Make changes in the database Heal takes back, to the last value and declaration.
func TestIllAndWell(t *testing.T) {
	dir := install(t)
	was := filepath.Join(t.TempDir(), "was.sqlite")
	b, err := os.ReadFile(filepath.Join(dir, "crm.sqlite"))
	if err == nil {
		err = os.WriteFile(was, b, 0o644)
	}
	if err == nil {
		err = Make(t.Context(), dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT serialNo FROM crm7_company":                                     "1709240001",
		"SELECT group_concat(version) FROM crm7_ProductVersion":                 "6.2.1034,3.1",
		"SELECT version FROM crm7_config":                                       "6.2.1034",
		"SELECT systemlevel FROM crm7_travelcurrent":                            "9",
		"SELECT count(*) FROM sqlite_master WHERE name IN ('crm7_area','area')": "0",
	} {
		if got := text(t, dir, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if err := Heal(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if got, err := compare.Databases(t.Context(), was, filepath.Join(dir, "crm.sqlite"), nil); err != nil || got.Rows < 200 {
		t.Errorf("compared %+v: %v", got, err)
	}
	if err := Heal(t.Context(), dir); err == nil {
		t.Error("what is well was healed: nothing would tell that Make had not been there")
	}
}

// The tables keep what they do not change, and the sample's own stay.
func TestTables(t *testing.T) {
	dir := install(t)
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	plans, users := read("plans.csv"), read("users.csv")
	if err := Make(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if plans != read("plans.csv") || users != read("users.csv") {
		t.Error("a table of the sample was changed")
	}
	for file, rows := range map[string][]string{
		Plans: {"SalesPREM;Sales Premium;ten-sales;1;false", "ServicePREM;Service Premium;ten-service;31;false"},
		Users: {"1;ADM0;-;adm0@docklock.example;true", "2;BOB;?;bob@docklock.example;true", "4;KN;ServicePREM;kn@docklock.example;true", "16;JD;ServicePREM;;true"},
	} {
		for _, row := range rows {
			if got := read(file); !strings.Contains(got, "\n"+row+"\r\n") {
				t.Errorf("%s has no row %q:\n%s", file, row, got)
			}
		}
	}
}
