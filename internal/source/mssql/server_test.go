package mssql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/mssql"
)

// core are the tables without which there is no database.
var core = []string{
	"CREATE SCHEMA crm7", "CREATE TABLE crm7.associate (associate_id int NOT NULL)", "CREATE TABLE crm7.person (person_id int)",
	"CREATE TABLE crm7.document (document_id int)", "CREATE TABLE crm7.company (company_id int)",
}

// run executes statements in a new database and returns a driver of it.
func run(t *testing.T, s *server, statements ...string) (d *mssql.Driver, db *sql.DB) {
	t.Helper()
	raw, password := s.create(t)
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), password)
	if db, err = sql.Open("sqlserver", u.String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, q := range statements {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	if d, err = mssql.Open(raw, password); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, db
}

func viewOf(t *testing.T, d *mssql.Driver) *source.View {
	t.Helper()
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

// Values that the server made of literals are read as what they are, so that no fault of writing hides one of reading.
func TestLiterals(t *testing.T) {
	s := connect(t)
	values := []struct {
		typ, literal string
		want         any
	}{
		{"bit", "1", true},
		{"tinyint", "255", int64(255)},
		{"bigint", "-9223372036854775808", int64(-9223372036854775808)},
		{"float", "1.5e-300", 1.5e-300},
		{"real", "0.5", 0.5},
		{"decimal(28,10)", "-123456789012345678.0123456789", "-123456789012345678.0123456789"},
		{"decimal(5,2)", "1.5", "1.50"},
		{"money", "-922337203685477.5808", "-922337203685477.5808"},
		{"smallmoney", "0.0001", "0.0001"},
		{"nvarchar(20)", "N'æøå 日本'", "æøå 日本"},
		{"varchar(20)", "'plain'", "plain"},
		{"nchar(3)", "N'x'", "x  "},
		{"ntext", "N'long ø'", "long ø"},
		{"varbinary(4)", "0x00FF01", []byte{0, 255, 1}},
		{"date", "'1760-01-01'", time.Date(1760, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"datetime", "'1760-01-01T00:00:00'", time.Date(1760, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"datetime", "'2024-02-29T23:59:59.997'", time.Date(2024, 2, 29, 23, 59, 59, 997e6, time.UTC)},
		{"smalldatetime", "'2024-02-29T12:34:00'", time.Date(2024, 2, 29, 12, 34, 0, 0, time.UTC)},
		{"datetime2(6)", "'0001-01-01T00:00:00.000001'", time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)},
		{"time(3)", "'23:59:59.123'", time.Date(1970, 1, 1, 23, 59, 59, 123e6, time.UTC)},
		{"datetimeoffset(0)", "'2024-02-29T12:00:00+05:30'", time.Date(2024, 2, 29, 12, 0, 0, 0, source.Zone(330))},
		{"uniqueidentifier", "'00112233-4455-6677-8899-AABBCCDDEEFF'",
			[16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}},
		{"sysname", "N'alias'", "alias"},
		{"int", "NULL", nil},
	}
	var defs, lits []string
	for i, v := range values {
		defs, lits = append(defs, fmt.Sprintf("c%d %s NULL", i, v.typ)), append(lits, v.literal)
	}
	d, _ := run(t, s, append(core, "CREATE TABLE crm7.t ("+strings.Join(defs, ", ")+")", "INSERT INTO crm7.t VALUES ("+strings.Join(lits, ", ")+")")...)
	v := viewOf(t, d)
	tab, _ := source.FindTable(v.Tables(), "t")
	for row, err := range v.Rows(t.Context(), tab) {
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range values {
			if diff := cmp.Diff(c.want, row[i]); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", c.typ, c.literal, diff)
			}
		}
	}
}

// as is a URL with another login, and another database unless that is empty.
func as(t *testing.T, raw, login, database string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if database != "" {
		q.Set("database", database)
	}
	u.User, u.RawQuery = url.User(login), q.Encode()
	return u.String()
}

// What a person gets to read when the connection cannot be made.
func TestRefusals(t *testing.T) {
	s := connect(t)
	d, _ := run(t, s, core...)
	login := s.url.User.Username()
	password, _ := s.url.User.Password()
	for _, c := range []struct{ url, password, say, hint string }{
		{as(t, d.URL(), login, ""), "wrong-" + password, "error 18456", "OMT_DB_PASSWORD"},
		{as(t, d.URL(), login, "omt_no_such_database"), password, "omt_no_such_database", "database's name"},
	} {
		bad, err := mssql.Open(c.url, c.password)
		if err != nil {
			t.Fatal(err)
		}
		_, err = source.New(t.Context(), bad, "")
		bad.Close()
		if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), c.say) || !strings.Contains(manifest.HintOf(err), c.hint) {
			t.Errorf("%s: %v (%s)", c.say, err, manifest.HintOf(err))
		}
		if err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("the password is in %v", err)
		}
	}
}

// Connections are encrypted unless the URL says otherwise, and a certificate that nobody vouches for is told apart.
func TestCertificate(t *testing.T) {
	s := connect(t)
	d, _ := run(t, s, core...)
	password, _ := s.url.User.Password()
	u, err := url.Parse(as(t, d.URL(), s.url.User.Username(), ""))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for _, name := range []string{"encrypt", "TrustServerCertificate", "certificate"} {
		q.Del(name)
	}
	u.RawQuery = q.Encode()
	plain, err := mssql.Open(u.String(), password)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err = source.New(t.Context(), plain, ""); err != nil &&
		(manifest.StatusOf(err) != manifest.Usage || !strings.Contains(manifest.HintOf(err), "TrustServerCertificate=true")) {
		t.Errorf("a certificate that is not trusted: %v (%s)", err, manifest.HintOf(err))
	}
	trusting, err := mssql.Open(u.String()+"&TrustServerCertificate=true", password)
	if err != nil {
		t.Fatal(err)
	}
	defer trusting.Close()
	if _, err = source.New(t.Context(), trusting, "CRM7"); err != nil {
		t.Errorf("encrypted: %v", err)
	}
}

// A login that may not read one of the tables.
func TestRights(t *testing.T) {
	s := connect(t)
	login := fmt.Sprintf("omt_reader_%d", time.Now().UnixNano())
	if _, err := s.admin.ExecContext(t.Context(), "CREATE LOGIN "+login+" WITH PASSWORD = 'Reader_1234'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after the database, which its user goes with, and when the server has seen it leave
		for range 50 {
			if _, err := s.admin.Exec("DROP LOGIN " + login); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("login %s cannot be dropped", login)
	})
	d, db := run(t, s, core...)
	for _, q := range []string{
		"CREATE USER " + login + " FOR LOGIN " + login, "INSERT INTO crm7.associate VALUES (1)", "GRANT SELECT ON crm7.associate TO " + login,
		"GRANT SELECT ON crm7.person TO " + login, "GRANT SELECT ON crm7.company TO " + login,
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	reader, err := mssql.Open(as(t, d.URL(), login, ""), "Reader_1234")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	sdb, err := source.New(t.Context(), reader, "crm7")
	if err != nil { // SQL Server does not even show a table that may not be read
		if !strings.Contains(err.Error(), `lacks "document"`) {
			t.Fatal(err)
		}
		return
	}
	v, err := sdb.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if n, err := v.Count(t.Context(), "associate"); n != 1 || err != nil {
		t.Errorf("a table that may be read: %d, %v", n, err)
	}
	if _, err := v.Count(t.Context(), "document"); err == nil || !strings.Contains(err.Error(), `reading table "document"`) {
		t.Errorf("a table that may not be read: %v", err)
	}
}

// A load that ends in the middle of a bulk copy leaves nothing, whatever ended it, and the next one works.
func TestBrokenBulkCopy(t *testing.T) {
	s := connect(t)
	raw, password := s.create(t)
	tab := source.Table{Name: "associate", Key: []string{"id"}, Columns: []source.Column{
		{Name: "id", Type: source.ParseType("int")}, {Name: "v", Type: source.ParseType("nvarchar(400)")},
	}}
	staged := source.Table{Name: "staged", Key: []string{"id"}, Columns: []source.Column{
		{Name: "id", Type: source.ParseType("int")}, {Name: "v", Type: source.ParseType("varchar(400)")},
	}}
	l, err := mssql.OpenLoader(raw, password)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Begin(t.Context(), "run", "crm7", []source.Table{tab, staged}); err != nil {
		t.Fatal(err)
	}
	const rows = 3000 // more than one packet
	errStop := errors.New("stop")
	for _, x := range []source.Table{tab, staged} {
		ctx, cancel := context.WithCancel(t.Context())
		feed := func(stop int, end func() error) func(yield func(source.Row, error) bool) {
			return func(yield func(source.Row, error) bool) {
				for i := range rows {
					if i == stop {
						if err := end(); err != nil {
							yield(nil, err)
							return
						}
					}
					if !yield(source.Row{int64(i), strings.Repeat("x", 300)}, nil) {
						return
					}
				}
			}
		}
		if _, err := l.Load(ctx, x.Name, x, feed(rows/2, func() error { return errStop })); !errors.Is(err, errStop) {
			t.Errorf("%s: the stream breaks: %v", x.Name, err)
		}
		if _, err := l.Load(ctx, x.Name, x, feed(rows/2, func() error { cancel(); return nil })); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the context ends: %v", x.Name, err)
		}
		cancel()
		if n, err := l.Load(t.Context(), x.Name, x, feed(-1, nil)); n != rows || err != nil {
			t.Errorf("%s: after that: %d rows, %v", x.Name, n, err)
		}
	}
	if err := l.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A catalog has the tables of its schema: no views, whatever they are called, and nothing of other schemas.
func TestViewsAreNoTables(t *testing.T) {
	s := connect(t)
	d, _ := run(t, s, append(core, "CREATE VIEW crm7.AnAssociate AS SELECT associate_id FROM crm7.associate",
		"CREATE SCHEMA other", "CREATE TABLE other.AnAssociate (id int)")...)
	tables, err := d.Catalog(t.Context(), "crm7")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, table := range tables {
		got = append(got, table.Name)
	}
	if diff := cmp.Diff([]string{"associate", "company", "document", "person"}, got); diff != "" {
		t.Error(diff)
	}
}
