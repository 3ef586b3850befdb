package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/microsoft/go-mssqldb" // to make and drop the test's database

	"github.com/openomt/omt/internal/compare"
)

// serverDatabase makes a database on the server that OMT_TEST_SQLSERVER names, and drops it after the test. It returns a
// connection to the server, the database's URL with the login, and the login's password.
func serverDatabase(t *testing.T) (db *sql.DB, at, password string) {
	t.Helper()
	server := os.Getenv("OMT_TEST_SQLSERVER")
	if server == "" {
		t.Skip("OMT_TEST_SQLSERVER names no server")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("OMT_TEST_SQLSERVER is no URL")
	}
	name := fmt.Sprintf("omt_e2e_%d_%d", os.Getpid(), databases.Add(1))
	if db, err = sql.Open("sqlserver", server); err != nil {
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
	password, _ = u.User.Password()
	u.User = url.User(u.User.Username())
	q := u.Query()
	q.Set("database", name)
	u.RawQuery = q.Encode()
	return db, u.String(), password
}

// databases counts the databases that were made.
var databases atomic.Int64

// TestSQLServer takes the whole road from a SQL Server database: the sample is written into one, with another prefix than
// usual, moved in one pipe, proved, and unpacked. What comes out is compared, row by row and file by file, with the same
// sample written into SQLite, so that nothing that reads SQL Server has a say in it. It runs when OMT_TEST_SQLSERVER
// names a server by a URL with login and password, and makes and drops a database of its own there.
func TestSQLServer(t *testing.T) {
	db, at, password := serverDatabase(t)
	s := newSite(t)
	s.env = []string{"OMT_DB_PASSWORD=" + password}

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

// as is a database's URL with another login, and the password in it where one is given.
func as(t *testing.T, at, login, password string) string {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	if u.User = url.User(login); password != "" {
		u.User = url.UserPassword(login, password)
	}
	return u.String()
}

// TestRightsOnAllButTwo scans and packs as a login that may read all tables but two: one it does not even see, one it sees
// since it may write it. Both are named, block, and are left out by name where that is waived.
func TestRightsOnAllButTwo(t *testing.T) {
	db, at, password := serverDatabase(t)
	const secret = "Reader_1234"
	login := fmt.Sprintf("omt_reader_%d", time.Now().UnixNano())
	if _, err := db.Exec("CREATE LOGIN " + login + " WITH PASSWORD = '" + secret + "'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the database, and its user with it, is dropped after this: the login goes when the server has seen it leave
		for range 50 {
			if _, err := db.Exec("DROP LOGIN " + login); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("login %s cannot be dropped", login)
	})
	w := world{newSite(t)}
	w.env = []string{"OMT_DB_PASSWORD=" + password}
	w.want(0, "omt-scan", "sample", "--clean", "--documents", "30", "--dir", "inst", "--db", at)
	own, err := sql.Open("sqlserver", as(t, at, strings.Split(strings.TrimPrefix(at, "sqlserver://"), "@")[0], password))
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	grant(t, own, login, "phone", "y_partner_rate")
	if _, err := own.Exec("GRANT INSERT ON crm7.y_partner_rate TO " + login); err != nil { // so that it is seen, and not read
		t.Fatal(err)
	}
	w.want(0, append(scanStep, "--db", at)...)
	w.want(0, "omt-assign", "--auto", "--in", "scan.jsonl", "--out", "all.jsonl")

	w.env = []string{"OMT_DB_PASSWORD=" + secret}
	limited := as(t, at, login, "")
	got := w.want(3, append(scanStep, "--db", limited)...)
	const both = "table-missing (2: table:phone, table:y_partner_rate)"
	if !strings.Contains(got.err, both) {
		t.Errorf("scan does not name both: %s", got)
	}
	for _, f := range records(t, w.read("scan.jsonl"), "finding") {
		message := fmt.Sprint(f["message"])
		if f["rule"] != "table-missing" {
			continue
		}
		t.Log(message)
		if seen := strings.Contains(message, "is there and cannot be read"); seen != strings.Contains(message, `"y_partner_rate"`) {
			t.Errorf("which tables are seen and not read: %s", message)
		}
	}
	// What was scanned with all rights is not packed with fewer.
	if got := w.want(5, append(packStep[:1:1], "--in", "all.jsonl", "--spool", "spool", "--out", "packed.jsonl", "--db", limited)...); !strings.Contains(got.err, both) {
		t.Errorf("pack does not name both: %s", got)
	}
	w.want(0, "omt-assign", "--auto", "--in", "scan.jsonl", "--out", "assigned.jsonl", "--waive", "table-missing:table:phone=not used",
		"--waive", "table-missing:table:y_partner_rate=not used")
	got = w.want(0, append(packStep, "--db", limited)...)
	if !strings.Contains(got.err, "2 tables are left out") {
		t.Errorf("pack does not say what is left out: %s", got)
	}
	w.want(0, pushStep...)
	w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	w.want(0, unpackStep...)
	tables := records(t, w.read("packed.jsonl"), "table")
	for _, m := range tables {
		if m["name"] == "phone" || m["name"] == "y_partner_rate" {
			t.Errorf("there is a record of table %s", m["name"])
		}
	}
	if n := w.rowsOf("out.sqlite", "SELECT count(*) FROM sqlite_master WHERE type = 'table'"); n != fmt.Sprint(len(tables)) || len(tables) < 40 {
		t.Errorf("%d tables are listed and %s unpacked", len(tables), n)
	}
	waived := 0
	for _, f := range records(t, w.read("done.jsonl"), "finding") {
		if f["rule"] == "table-missing" && f["waived"] == "not used" {
			waived++
		}
	}
	if waived != 2 {
		t.Errorf("%d findings say what was left out", waived)
	}
}

// grant lets a login read all tables of the sample but some.
func grant(t *testing.T, db *sql.DB, login string, but ...string) {
	t.Helper()
	rows, err := db.Query("SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'crm7'")
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"CREATE USER " + login + " FOR LOGIN " + login}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(but, name) {
			statements = append(statements, "GRANT SELECT ON crm7.["+name+"] TO "+login)
		}
	}
	rows.Close()
	if len(statements) < 40 {
		t.Fatalf("%d tables to grant", len(statements)-1)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
