package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	_ "github.com/microsoft/go-mssqldb" // to make and drop the test's database

	"github.com/openomt/omt/internal/compare"
)

// TestSQLServer takes the whole road from a SQL Server database: the sample is written into one, with another prefix than
// usual, moved in one pipe, proved, and unpacked. What comes out is compared, row by row and file by file, with the same
// sample written into SQLite, so that nothing that reads SQL Server has a say in it. It runs when OMT_TEST_SQLSERVER
// names a server by a URL with login and password, and makes and drops a database of its own there.
func TestSQLServer(t *testing.T) {
	server := os.Getenv("OMT_TEST_SQLSERVER")
	if server == "" {
		t.Skip("OMT_TEST_SQLSERVER names no server")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("OMT_TEST_SQLSERVER is no URL")
	}
	name := fmt.Sprintf("omt_e2e_%d", os.Getpid())
	db, err := sql.Open("sqlserver", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP DATABASE " + name); err != nil {
			t.Error(err)
		}
		db.Close()
	})

	s := newSite(t)
	password, _ := u.User.Password()
	s.env = []string{"OMT_DB_PASSWORD=" + password}
	u.User = url.User(u.User.Username())
	q := u.Query()
	q.Set("database", name)
	u.RawQuery = q.Encode()
	at := u.String()

	sample := []string{"omt-scan", "sample", "--prefix", "crm5", "--documents", documents, "--dir"}
	s.want(0, append(sample, "inst", "--db", at)...)
	s.want(0, append(sample, "reference")...)
	lite, err := sql.Open("sqlite", s.path("reference", "crm.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lite.Exec("DROP TABLE crm5_y_partner_shape"); err != nil { // only a sample in SQLite has it
		t.Fatal(err)
	}
	lite.Close()
	s.want(3, append(scanStep, "--db", at)...)
	s.want(0, assignStep...)
	s.want(0, append(packStep, "--db", at)...)
	s.want(3, pushStep...)
	s.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	s.want(0, unpackStep...)

	files, err := compare.FilesOf(s.path("done.jsonl"), s.path("out"))
	if err != nil {
		t.Fatal(err)
	}
	if files.Same < 100 {
		t.Errorf("only %d files were compared", files.Same)
	}
	gone, err := compare.Gone(s.path("done.jsonl"), "crm5")
	if err != nil {
		t.Fatal(err)
	}
	var except []string
	var version string
	if err := db.QueryRow("SELECT @@VERSION").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(version, "Babelfish") {
		except = append(except, "crm5_y_partner_tick") // it keeps six digits of datetime2(7)
	}
	rows, err := compare.Databases(context.Background(), s.path("reference", "crm.sqlite"), s.path("out.sqlite"), gone, except...)
	if err != nil {
		t.Fatal(err)
	}
	if rows.Rows < 500 || rows.Gone == 0 {
		t.Errorf("compared %+v", rows)
	}
	manifest, err := os.ReadFile(s.path("done.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{`"prefix":"crm5"`, `"engine":"mssql"`, `/so_arc2"`, `\u00c5SE/`} {
		if !strings.Contains(string(manifest), must) {
			t.Errorf("the manifest does not hold %s", must)
		}
	}
	if strings.Contains(string(manifest), password) {
		t.Error("the manifest holds the password")
	}
}
