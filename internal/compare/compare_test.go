package compare

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var at = time.Date(2012, 1, 2, 3, 4, 5, 0, time.UTC)

func put(t *testing.T, name, content string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(name), 0o755))
	check(t, os.WriteFile(name, []byte(content), 0o644))
	check(t, os.Chtimes(name, at, at))
}

const chunk = `"chunk":"1111111111111111111111111111111111111111111111111111111111111111"`

// moved makes a source, what it was unpacked into, and the manifest.
func moved(t *testing.T) (manifest, from, to string) {
	t.Helper()
	top := t.TempDir()
	manifest, from, to = filepath.Join(top, "done.jsonl"), filepath.Join(top, "from"), filepath.Join(top, "to")
	for name, content := range map[string]string{"BOB/1.doc": "one", "bob/2.doc": "two", "b\xe5.doc": "raw"} {
		put(t, filepath.Join(from, name), content)
	}
	for name, content := range map[string]string{"bob/1.doc": "one", "bob/2.doc": "two", "b\xe5.doc": "raw"} {
		put(t, filepath.Join(to, "document", name), content)
	}
	put(t, manifest, fmt.Sprintf(`{"kind":"manifest"}
{"kind":"installation","roots":{"document":["/nowhere",%q]}}
{"kind":"removal","person":7,"email":"o'hara@x.example"}
{"kind":"file","area":"document","id":1,"path":"bob/1.doc","disk":"BOB/1.doc","root":1,"size":3,"state":"present",%s}
{"kind":"file","area":"document","id":2,"path":"bob/2.doc","root":1,"size":3,"state":"present",%s}
{"kind":"file","area":"document","id":3,"path":"bob/2.doc","root":1,"size":3,"state":"present",%s}
{"kind":"file","area":"document","id":4,"path":"b%%E5.doc","root":1,"size":3,"raw":true,"state":"present",%s}
{"kind":"file","area":"document","id":5,"root":0,"size":0,"state":"missing"}
{"kind":"end"}`, from, chunk, chunk, chunk, chunk))
	return manifest, from, to
}

func TestFilesOf(t *testing.T) {
	m, _, to := moved(t)
	got, err := FilesOf(m, to)
	check(t, err)
	if want := (Files{Same: 4, Bytes: 12, Not: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestFilesThatDiffer(t *testing.T) {
	cases := map[string]struct {
		change func(t *testing.T, m, from, to string)
		say    string
	}{
		"bytes":  {func(t *testing.T, _, _, to string) { put(t, filepath.Join(to, "document/bob/1.doc"), "ONE") }, "other bytes"},
		"length": {func(t *testing.T, _, _, to string) { put(t, filepath.Join(to, "document/bob/1.doc"), "one ") }, "other bytes"},
		"time": {func(t *testing.T, _, _, to string) {
			check(t, os.Chtimes(filepath.Join(to, "document/bob/2.doc"), at, at.Add(1)))
		}, "was changed at"},
		"gone":         {func(t *testing.T, _, _, to string) { check(t, os.Remove(filepath.Join(to, "document/bob/2.doc"))) }, "no such file"},
		"gone at home": {func(t *testing.T, _, from, _ string) { check(t, os.Remove(filepath.Join(from, "bob/2.doc"))) }, "no such file"},
		"one more":     {func(t *testing.T, _, _, to string) { put(t, filepath.Join(to, "document/x"), "") }, "holds 4 files, and the manifest names 3"},
		"another root": {func(t *testing.T, m, _, _ string) {
			b, err := os.ReadFile(m)
			check(t, err)
			put(t, m, strings.Replace(string(b), `"root":1`, `"root":2`, 1))
		}, "root 2"},
		"no manifest": {func(t *testing.T, m, _, _ string) { check(t, os.Remove(m)) }, "no such file"},
		"no JSON":     {func(t *testing.T, m, _, _ string) { put(t, m, `{"kind":"file","area":`) }, "unexpected end"},
	}
	for name, c := range cases {
		m, from, to := moved(t)
		c.change(t, m, from, to)
		if got, err := FilesOf(m, to); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %+v, %v; want %q", name, got, err, c.say)
		}
	}
}

func TestGone(t *testing.T) {
	m, _, _ := moved(t)
	got, err := Gone(m, "crm7")
	check(t, err)
	if want := `("person_id" = 7 AND "email_address" = 'o''hara@x.example')`; len(got) != 1 || got["crm7_email"] != want {
		t.Errorf("got %v, want %s", got, want)
	}
	put(t, m, `{"kind":"manifest"}`)
	if got, err = Gone(m, "crm7"); err != nil || got != nil {
		t.Errorf("without removals: %v, %v", got, err)
	}
}

const schema = `CREATE TABLE a (id int NOT NULL, v nvarchar(9), PRIMARY KEY (id)); CREATE INDEX a_v ON a (v);
  CREATE TABLE crm7_email (id int, person_id int, email_address text);
  INSERT INTO a VALUES (1, 'x'), (2, NULL), (3, x'00ff'); `

const emails = `INSERT INTO crm7_email VALUES (1, 7, 'o''hara@x.example'), (2, NULL, 'o''hara@x.example'), (3, 8, NULL);`

func database(t *testing.T, statements string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.sqlite")
	db, err := sql.Open("sqlite", "file:"+name)
	check(t, err)
	_, err = db.Exec(statements)
	check(t, err)
	check(t, db.Close())
	return name
}

func TestDatabases(t *testing.T) {
	was := database(t, schema+emails)
	gone := map[string]string{"crm7_email": `("person_id" = 7 AND "email_address" = 'o''hara@x.example')`}
	cases := map[string]struct {
		change string
		say    string
	}{
		"the same":       {schema + emails + `DELETE FROM crm7_email WHERE id = 1`, ""},
		"the users too":  {schema + emails + `DELETE FROM crm7_email WHERE id = 1; CREATE TABLE crm7_omt_user (x)`, ""},
		"not removed":    {schema + emails, "a row was"},
		"removed more":   {schema + emails + `DELETE FROM crm7_email WHERE id < 3`, "a row was"},
		"removed all":    {schema, "there are 0 rows, and there were more"},
		"a value":        {schema + emails + `DELETE FROM crm7_email WHERE id = 1; UPDATE a SET v = 'y' WHERE id = 1`, "a row was"},
		"a NULL":         {schema + emails + `DELETE FROM crm7_email WHERE id = 1; UPDATE a SET v = '' WHERE id = 2`, "a row was"},
		"a type":         {schema + emails + `DELETE FROM crm7_email WHERE id = 1; UPDATE a SET v = CAST(v AS TEXT) WHERE id = 3`, "a row was"},
		"a row more":     {schema + emails + `DELETE FROM crm7_email WHERE id = 1; INSERT INTO crm7_email VALUES (9, 9, 9)`, "more rows"},
		"a table more":   {schema + emails + `CREATE TABLE b (x)`, "3 tables and indexes went in and 4 came out"},
		"another type":   {strings.Replace(schema, "nvarchar(9)", "nvarchar(8)", 1) + emails, "is declared as"},
		"another key":    {strings.Replace(schema, ", PRIMARY KEY (id)", "", 1) + emails, "is declared as"},
		"a unique index": {strings.Replace(schema, "CREATE INDEX", "CREATE UNIQUE INDEX", 1) + emails, "is declared as"},
		"another index":  {strings.Replace(schema, "ON a (v)", "ON a (id)", 1) + emails, "is declared as"},
	}
	for name, c := range cases {
		got, err := Databases(t.Context(), was, database(t, c.change), gone)
		switch {
		case c.say == "":
			if want := (Rows{Tables: 2, Rows: 5, Gone: 1}); err != nil || got != want {
				t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
			}
		case err == nil || !strings.Contains(err.Error(), c.say):
			t.Errorf("%s: %+v, %v; want %q", name, got, err, c.say)
		}
	}
	if _, err := Databases(t.Context(), was, filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("a database that is not there")
	}
	other := database(t, schema+emails+`DELETE FROM crm7_email; UPDATE a SET v = 1`)
	if got, err := Databases(t.Context(), was, other, nil, "crm7_email", "a"); err != nil || got.Tables != 0 {
		t.Errorf("without the tables that differ: %+v, %v", got, err)
	}
}
