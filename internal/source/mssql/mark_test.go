package mssql_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/mssql"
)

// With snapshot=off every question is answered as of now, and marks show what happened between two of them, and who did it:
// in the rows, and where they do not say it, in the log.
func TestWithoutSnapshot(t *testing.T) {
	s := connect(t)
	d, db := run(t, s, append(core,
		"CREATE TABLE crm7.contact (contact_id int NOT NULL PRIMARY KEY, updated datetime, updated_associate_id int, updatedCount smallint)",
		"INSERT INTO crm7.contact VALUES (1, '2026-01-01', 7, 0), (2, '2026-01-01', 7, 0), (3, '2026-01-01', 8, 0)",
		"CREATE TABLE crm7.sequence (id int NOT NULL PRIMARY KEY, next_id int, TableName nvarchar(255), TableNumber int)",
		"INSERT INTO crm7.sequence VALUES (15, 4, N'CONTACT', 5)",
		"CREATE TABLE crm7.traveltransactionlog (traveltransactionlog_id int NOT NULL PRIMARY KEY, associate_id int, tablenumber smallint)",
		"INSERT INTO crm7.traveltransactionlog VALUES (1, 3, 5), (2, 3, 5)")...)
	u, err := url.Parse(d.URL() + "&snapshot=off")
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(s.url.User.Username())
	password, _ := s.url.User.Password()
	off, err := mssql.Open(u.String(), password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { off.Close() })
	v := viewOf(t, off)
	if v.Consistent() || !strings.HasSuffix(off.URL(), "&snapshot=off") {
		t.Fatalf("%s gives a snapshot: %v", off.URL(), v.Consistent())
	}
	mark := func() source.Mark {
		m, err := v.Mark(t.Context(), "contact")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	was := mark()
	if again := mark(); !was.Same(again) || !was.SameLog(again) || len(was.Logged) > 0 {
		t.Errorf("nothing happened, and %+v became %+v", was, again)
	}
	for _, c := range []struct {
		does       string
		same, log  bool
		next, rows int64
		who        []int64
	}{
		{"UPDATE crm7.contact SET updated = '2020-01-01', updated_associate_id = 8, updatedCount = 1 WHERE contact_id = 1", false, true, 4, 3, []int64{8}},
		{"DELETE FROM crm7.contact WHERE contact_id = 2; INSERT INTO crm7.traveltransactionlog VALUES (3, 9, 5), (4, 6, 6)", false, false, 4, 2, []int64{9}},
		{"UPDATE crm7.sequence SET next_id = 5", true, true, 5, 2, nil},
		{"INSERT INTO crm7.contact VALUES (4, '1990-01-01', 5, 0)", false, true, 5, 3, []int64{5}},
	} {
		if _, err := db.ExecContext(t.Context(), c.does); err != nil {
			t.Fatal(err)
		}
		is := mark()
		if was.Same(is) != c.same || was.SameLog(is) != c.log || is.Next != c.next || is.Rows() != c.rows || !slices.Equal(was.Who(is), c.who) {
			t.Errorf("%s: %+v became %+v, by %v", c.does, was, is, was.Who(is))
		}
		was = is
	}
}
