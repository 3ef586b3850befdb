package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/microsoft/go-mssqldb" // to make and drop the test's database

	"github.com/openomt/omt/internal/compare"
)

// cleaned is a URL as records and messages have it.
func cleaned(rawURL string) string {
	scheme, rest, _ := strings.Cut(rawURL, "://")
	_, rest, _ = strings.Cut(rest, "@")
	return scheme + "://" + rest
}

// What was packed from SQLite is unpacked into SQL Server, and is there.
func TestIntoSQLServer(t *testing.T) {
	srv := theServer(t)
	at := srv.create(t, "into")
	w := world{newSite(t)}
	s := w.site
	s.env = srv.env()
	s.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", documents)
	if srv.babelfish { // it keeps neither half a surrogate pair, nor the length of a text in a sql_variant
		execLite(t, s.path("inst", "crm.sqlite"), "DELETE FROM crm7_y_partner_shape WHERE id < 3")
	}
	w.move()
	if r := s.want(0, "omt-pack", "unpack", "--from", "dest", "--db", at); !strings.Contains(r.err, "of type rowversion made binary(8): crm7.y_partner_shape.version") {
		t.Errorf("unpack said %q", r.err)
	}
	status, differ := 0, "all agree"
	if srv.babelfish { // it keeps six digits of datetime2(7), and says so for the one column of that type
		status, differ = 1, `omt-pack: table "y_partner_tick": column "at" is datetime2(6), and datetime2(7) in the migration
omt-pack: table "y_partner_tick": 2 rows different; the migration has 3, the database 3
omt-pack: table "y_partner_tick": different: -3 … 1 (2)
omt-pack: table "y_partner_tick": column "at" differs in 2 rows
`
	}
	r, said := s.against(status, "dest", at)
	if !strings.Contains(r.err+said, differ) || !strings.HasSuffix(said, "2 addresses that unpack removes are removed") {
		t.Errorf("it says %q, and %s", said, r.err)
	}
	if !strings.Contains(r.err, `1 column of type rowversion held as binary(8), which keeps all values: y_partner_shape.version`) {
		t.Errorf("it does not say what was made otherwise: %s", r.err)
	}
	s.want(5, "omt-pack", "unpack", "--from", "dest", "--db", at)

	srv.execute(t, at, "UPDATE crm7.person SET lastname = N'日本' WHERE person_id IN (3, 4)", "DELETE FROM crm7.contact WHERE contact_id = 2",
		"DELETE FROM crm7.y_partner_log WHERE amount IN (SELECT MAX(amount) FROM crm7.y_partner_log)",
		"INSERT INTO crm7.UserGroup (UserGroup_id, name, rank, tooltip, deleted, type, registered, registered_associate_id, updated, updated_associate_id, updatedCount) "+
			"SELECT 77, N'New', rank, tooltip, deleted, type, registered, registered_associate_id, updated, updated_associate_id, updatedCount FROM crm7.UserGroup WHERE UserGroup_id = 1")
	r, _ = s.against(1, "dest", at, "--prefix", "crm7")
	for _, want := range []string{
		`table "person": 2 rows different; `, `table "person": different: 3 … 4 (2)`, `table "person": column "lastname" differs in 2 rows`,
		`table "contact": 1 row missing; the migration has 4, the database 3`, `table "contact": missing: 2`,
		`table "UserGroup": 1 row too many; the migration has 3, the database 4`, `table "UserGroup": too many: 77`,
		`table "y_partner_log": `, " tables in " + cleaned(at) + " differ from ",
	} {
		if !strings.Contains(r.err, "omt-pack: "+want) && !strings.Contains(r.err, want) {
			t.Errorf("it does not say %q: %s", want, r.err)
		}
	}
	if strings.Contains(r.err, "cannot be compared") {
		t.Error(r.err)
	}
}

// From SQL Server to SQL Server: the target is the source, value for value, and the source is no target.
func TestSQLServerToSQLServer(t *testing.T) {
	srv := theServer(t)
	from, to := srv.create(t, "from"), srv.create(t, "to")
	s := newSite(t)
	s.env = srv.env()
	s.want(0, "omt-scan", "sample", "--prefix", "crm5", "--documents", documents, "--dir", "inst", "--db", from)
	s.want(3, append(scanStep, "--db", from)...)
	s.want(0, assignStep...)
	s.want(0, append(packStep, "--db", from)...)
	s.want(3, pushStep...)

	names := map[string]string{"its own": from, "by letter case": strings.Replace(from, "_from", "_FROM", 1)}
	if srv.url.Hostname() == "127.0.0.1" {
		names["another host name"] = strings.Replace(from, "127.0.0.1", "localhost", 1)
	}
	for what, name := range names {
		r := s.want(5, "omt-pack", "unpack", "--from", "dest", "--db", name, "--prefix", "crm9")
		if !strings.Contains(r.err, "is the database that this migration was taken from") {
			t.Errorf("%s: %s", what, r)
		}
	}
	s.want(0, "omt-pack", "unpack", "--from", "dest", "--db", to, "--prefix", "crm6")
	if r, said := s.against(0, "dest", to); !strings.Contains(said, "all agree; ") || !strings.HasSuffix(said, "2 addresses that unpack removes are removed") || r.err != "" {
		t.Errorf("of the target it says %q, and %s", said, r.err)
	}
	if r, said := s.against(0, "dest", from); !strings.Contains(said, "all agree; ") || !strings.HasSuffix(said, "2 addresses that unpack removes are not removed") || r.err != "" {
		t.Errorf("of the source it says %q, and %s", said, r.err)
	}
}

// TestSQLServer takes the whole road from a SQL Server database: the sample is written into one, with another prefix than
// usual, moved in one pipe, proved, and unpacked. What comes out is compared, row by row and file by file, with the same
// sample written into SQLite, so that nothing that reads SQL Server has a say in it. It runs when OMT_TEST_SQLSERVER
// names a server by a URL with login and password, and makes and drops a database of its own there.
func TestSQLServer(t *testing.T) {
	srv := theServer(t)
	at := srv.create(t, "road")
	s := newSite(t)
	s.env = srv.env()
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
	if srv.babelfish {
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
	if strings.Contains(string(manifest), srv.password) {
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
	srv := theServer(t)
	at := srv.create(t, "rights")
	db, password := srv.db, srv.password
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
		"--waive", "table-missing:table:y_partner_rate=not used", "--waive", "database-model=not used")
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
	if n := w.rowsOf("out.sqlite", "SELECT count(*) FROM sqlite_master WHERE type = 'table'"); n != fmt.Sprint(len(tables)+1) || len(tables) < 40 {
		t.Errorf("%d tables are listed and %s unpacked, omt_user with them", len(tables), n)
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
