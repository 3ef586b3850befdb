package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// against compares a database with what lies at a destination, and gives the sentence that says what was compared.
func (s *site) against(status int, dest, db string, more ...string) (result, string) {
	s.t.Helper()
	log := s.path(fmt.Sprintf("compare-%d.log", len(tree(s.t, s.dir))))
	args := append([]string{"omt-pack", "verify", "--from", dest, "--depth", "names", "--db", db, "--log", log}, more...)
	r := s.want(status, args...)
	for line := range strings.Lines(string(s.read(filepath.Base(log)))) {
		if _, said, ok := strings.Cut(strings.TrimSpace(line), `msg="compared `); ok && strings.HasSuffix(said, `"`) {
			return r, strings.TrimSuffix(said, `"`)
		}
	}
	return r, ""
}

// execute changes a SQLite database.
func (s *site) execute(db string, statements ...string) {
	s.t.Helper()
	d, err := sql.Open("sqlite", "file:"+filepath.ToSlash(s.path(db)))
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	for _, q := range statements {
		if _, err := d.Exec(q); err != nil {
			s.t.Fatalf("%s: %v", q, err)
		}
	}
}

// What was unpacked is what was packed, and so is the source; whatever is changed in it is found, and told.
func TestVerifyDatabase(t *testing.T) {
	t.Parallel()
	b := base(t)
	s := newSite(t)
	s.write(b.read("out.sqlite"), "out.sqlite")
	dest := b.path("dest")
	r, said := s.against(0, dest, "sqlite:out.sqlite")
	if want := "rows in sqlite:" + s.path("out.sqlite") + ": all agree; "; !strings.Contains(said, want) || !strings.HasSuffix(said, "2 addresses that unpack removes are removed") || r.err != "" {
		t.Errorf("it says %q, and %q; want %q", said, r.err, want)
	}
	r, said = s.against(0, dest, "sqlite:"+b.path("inst", "crm.sqlite"))
	if !strings.HasSuffix(said, "2 addresses that unpack removes are not removed") || strings.Contains(said, "row by row") || r.err != "" {
		t.Errorf("of the source it says %q, and %q", said, r.err)
	}

	s.execute("out.sqlite",
		`UPDATE crm7_person SET lastname = 'Other', rank = 7 WHERE person_id = 3`,
		`UPDATE crm7_person SET lastname = lastname || 'x' WHERE person_id = 5`,
		`DELETE FROM crm7_contact WHERE contact_id = 2`,
		`INSERT INTO crm7_contact SELECT 900000, name, department, number1, number2, associate_id, country_id, orgNr, deleted, registered,
			registered_associate_id, updated, updated_associate_id, updatedCount FROM crm7_contact WHERE contact_id = 1`,
		`DELETE FROM crm7_document WHERE document_id BETWEEN 20 AND 29`,
		`DELETE FROM crm7_y_partner_log WHERE rowid = 4`,
		`DROP TABLE crm7_area`,
		`ALTER TABLE crm7_Role ADD COLUMN mine int`,
		`ALTER TABLE crm7_DocTmpl DROP COLUMN mimeType`,
		`CREATE TABLE crm7_mine (id int)`,
	)
	r, said = s.against(1, dest, "sqlite:out.sqlite")
	rows := func(table string) string {
		for _, x := range records(t, b.read("done.jsonl"), "table") {
			if x["name"] == table {
				return fmt.Sprint(x["rows"])
			}
		}
		return "?"
	}
	less := func(n string, by int) string {
		var i int
		fmt.Sscan(n, &i)
		return fmt.Sprint(i - by)
	}
	log, docs := rows("y_partner_log"), rows("document")
	want := []string{
		`table "area" is missing; the migration has 3 rows of it`,
		`table "contact": 1 row missing, 1 too many; the migration has 4, the database 4`,
		`table "contact": missing: 2`,
		`table "contact": too many: 900000`,
		`table "DocTmpl": column "mimeType" (nvarchar(254)) is missing`,
		fmt.Sprintf(`table "document": 10 rows missing; the migration has %s, the database %s`, docs, less(docs, 10)),
		`table "document": missing: 20 … 29 (10)`,
		fmt.Sprintf(`table "person": 2 rows different; the migration has %s, the database %[1]s`, rows("person")),
		`table "person": different: 3, 5`,
		`table "person": column "rank" differs in 1 row`,
		`table "person": column "lastname" differs in 2 rows`,
		`table "Role": column "mine" (int) is not in the migration`,
		fmt.Sprintf(`table "y_partner_log": 1 row missing; the migration has %s, the database %s`, log, less(log, 1)),
		`table "y_partner_log": missing: `,
		`table "mine" is not in the migration`,
		"7 of " + b.tables() + " tables in sqlite:" + s.path("out.sqlite") + " differ from ",
		`hint: nothing was changed`,
	}
	got := strings.Split(strings.TrimSpace(r.err), "\n")
	for i := range max(len(want), len(got)) {
		w, g := "(nothing)", "(nothing)"
		if i < len(want) {
			w = "omt-pack: " + want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if open := strings.HasSuffix(w, " "); g != w && (!open || !strings.HasPrefix(g, w)) {
			t.Errorf("line %d is %q, want %q", i+1, g, w)
		}
	}
	if !strings.HasPrefix(said, b.tables()+" tables with ") || !strings.Contains(said, ": 7 differ; ") {
		t.Errorf("it says %q", said)
	}
	s.noLitter()
}

// Chunks and database are proved in one run; what is wrong with either is told, and both count.
func TestVerifyBoth(t *testing.T) {
	t.Parallel()
	b := base(t)
	s := newSite(t)
	copyTree(t, b.path("dest"), s.path("dest"))
	s.write(b.read("out.sqlite"), "out.sqlite")
	if r := s.want(0, "omt-pack", "verify", "--from", "dest", "--db", "sqlite:out.sqlite", "--sample", "5%"); r.err != "" {
		t.Errorf("it said %q", r.err)
	}
	var part string
	for _, c := range records(t, b.read("done.jsonl"), "chunk") {
		if c["table"] == "person" {
			part = fmt.Sprintf("%s.%s", c["sha256"], c["type"])
		}
	}
	if err := os.Truncate(chunkFile(s.path("dest"), part), 100); err != nil {
		t.Fatal(err)
	}
	// A part that is damaged is not needed where its rows agree.
	r, said := s.against(1, "dest", "sqlite:out.sqlite")
	if !strings.Contains(said, ": all agree; ") || !strings.Contains(r.err, "1 chunks or tables of ") || strings.Contains(r.err, "differ from") {
		t.Errorf("it says %q, and %q", said, r.err)
	}
	s.execute("out.sqlite", `DELETE FROM crm7_person WHERE person_id = 3`)
	r, _ = s.against(1, "dest", "sqlite:out.sqlite")
	for _, want := range []string{`table "person" cannot be compared: chunk `, "1 chunks or tables of ", "; 1 of " + b.tables() + " tables in sqlite:"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("it does not say %q: %s", want, r.err)
		}
	}
}

// The database that is compared is named on the command line, and is there.
func TestVerifyDatabaseRefused(t *testing.T) {
	t.Parallel()
	b := base(t)
	s := newSite(t)
	s.env = []string{"OMT_PACK_VERIFY_DB=sqlite:" + b.path("out.sqlite")}
	names := []string{"omt-pack", "verify", "--from", b.path("dest"), "--depth", "names"}
	s.want(2, append(names, "--prefix", "crm7")...)
	s.want(2, append(names, "--db", "sqlite:none.sqlite")...)
	s.want(2, append(names, "--db", "sqlite:"+b.path("out.sqlite"), "--prefix", "crm5")...)
	s.write([]byte("no database"), "text.sqlite")
	s.want(2, append(names, "--db", "sqlite:text.sqlite")...)
	s.write(nil, "empty.sqlite")
	s.want(2, append(names, "--db", "sqlite:empty.sqlite")...)
	s.want(0, append(names, "--db", "sqlite:"+b.path("out.sqlite"), "--prefix", "CRM7")...)
}

// The source is known by any of its names, and nothing is unpacked into it, under whichever prefix.
func TestUnpackIntoTheSource(t *testing.T) {
	t.Parallel()
	b := base(t)
	s := newSite(t)
	names := map[string]string{"its own": b.path("inst", "crm.sqlite"), "a detour": b.path("inst", "so_arc", "..", "crm.sqlite")}
	if runtime.GOOS != "windows" {
		for link, to := range map[string]string{"link.sqlite": b.path("inst", "crm.sqlite"), "inst": b.path("inst")} {
			if err := os.Symlink(to, s.path(link)); err != nil {
				t.Fatal(err)
			}
		}
		names["a link"], names["below a link"] = "link.sqlite", filepath.Join("inst", "crm.sqlite")
	}
	for what, db := range names {
		r := s.want(5, "omt-pack", "unpack", "--from", b.path("dest"), "--db", "sqlite:"+db, "--prefix", "crm5")
		if !strings.Contains(r.err, "is the database that this migration was taken from") {
			t.Errorf("%s: %s", what, r)
		}
	}
	if prefixes := b.sqliteTables(t, filepath.Join("inst", "crm.sqlite")); len(prefixes) != 1 {
		t.Errorf("the source has tables under the prefixes %v", prefixes)
	}
	s.write(b.read("inst", "crm.sqlite"), "copy.sqlite")
	s.want(0, "omt-pack", "unpack", "--from", b.path("dest"), "--db", "sqlite:copy.sqlite", "--prefix", "crm5") // a copy is not the source
}

// sqliteTables are the prefixes of a SQLite database's tables.
func (s *site) sqliteTables(t *testing.T, db string) map[string]bool {
	t.Helper()
	d, err := sql.Open("sqlite", "file:"+filepath.ToSlash(s.path(db))+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	rows, err := d.Query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		prefix, _, _ := strings.Cut(name, "_")
		out[prefix] = true
	}
	return out
}

// The tenant's side finds every user of the migration, with the choices that were made.
func TestUsersToProvision(t *testing.T) {
	t.Parallel()
	b := base(t)
	d, err := sql.Open("sqlite", "file:"+filepath.ToSlash(b.path("out.sqlite"))+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	plans := map[string]int{}
	users := records(t, b.read("done.jsonl"), "user")
	for _, u := range users {
		var login, name string
		var plan, username, email sql.NullString
		var welcome sql.NullBool
		var admin, confidential bool
		err := d.QueryRow(`SELECT login, name, plan, username, email, welcome, admin, confidential FROM crm7_omt_user WHERE associate_id = ?`, fmt.Sprint(u["id"])).
			Scan(&login, &name, &plan, &username, &email, &welcome, &admin, &confidential)
		if err != nil {
			t.Fatalf("user %v: %v", u["login"], err)
		}
		mail := ""
		if list := u["emails"].([]any); len(list) > 0 {
			mail = fmt.Sprint(list[0])
		}
		text := func(v any) string {
			if v == nil {
				return ""
			}
			return fmt.Sprint(v)
		}
		if login != u["login"] || name != u["name"] || plan.Valid != (u["plan"] != nil) || plan.String != text(u["plan"]) || username.String != text(u["username"]) ||
			email.String != mail || welcome.Valid != (u["welcome"] != nil) || admin != u["admin"] || confidential != u["confidential"] {
			t.Errorf("user %v is written down as %s, %s, %v, %v, %v, %v, %v, %v", u, login, name, plan, username, email, welcome, admin, confidential)
		}
		plans[fmt.Sprint(plan)]++
	}
	var n int
	if err := d.QueryRow(`SELECT count(*) FROM crm7_omt_user`).Scan(&n); err != nil || n != len(users) || n < 10 || len(plans) < 3 {
		t.Errorf("%d rows for %d users with the plans %v: %v", n, len(users), plans, err)
	}
}

// What was unpacked can be migrated again, as if the table of users were not there; a customer's own table of that name
// is in the way, from the beginning.
func TestScanUnpacked(t *testing.T) {
	t.Parallel()
	b := base(t)
	s := newSite(t)
	s.write(b.read("out.sqlite"), "out.sqlite")
	scan := []string{"omt-scan", "--install", b.path("inst"), "--db", "sqlite:out.sqlite", "--out", "scan.jsonl"}
	s.want(3, scan...)
	if was, is := len(records(t, b.read("scan.jsonl"), "table")), len(records(t, s.read("scan.jsonl"), "table")); was != is {
		t.Errorf("%d tables were scanned, and %d of what was unpacked", was, is)
	}
	s.execute("out.sqlite", `DROP TABLE crm7_omt_user`, `CREATE TABLE crm7_OMT_user (id int)`)
	if r := s.want(5, scan...); !strings.Contains(r.err, `prefix "crm7" has a table "OMT_user" that omt-pack unpack did not make`) {
		t.Error(r)
	}
}
