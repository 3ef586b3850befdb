package sourcetest

import (
	"strings"
	"testing"

	"github.com/openomt/omt/internal/source"
)

// marked is a small database for marks: the second time a few rows of it are other ones.
func marked(second bool) []*content {
	contact := define("contact", "contact_id int key", "name nvarchar(20)", "updated datetime", "updated_associate_id int null", "updatedCount smallint")
	ticket := define("ticket", "id bigint key", "title nvarchar(20)").row(1, "a").row(2, "b").row(4611686018427387904, "far")
	text := define("text", "text_id int key", "updated datetime", "updatedCount smallint").row(1, unset, 5).row(2, unset, 9)
	old := define("old", "code nvarchar(9) key", "updated int", "updated_associate_id int").row("x", 86400, 3).row("y", 7, 3)
	seq := define("sequence", "id int key", "next_id int null", "TableName nvarchar(255) null", "TableNumber int null").
		row(18, 3, "TICKET", 8).row(1, 1, nil, nil)
	if !second {
		contact.row(1, "a", "2026-01-01 10:00:00", 7, 0).row(2, "b", "2026-01-02 10:00:00", 7, 3).row(3, "c", unset, nil, 0)
		seq.row(15, 4, "CONTACT", 5)
	} else {
		contact.row(1, "a", "2026-01-01 09:00:00", 8, 1).row(2, "b", "2026-01-02 10:00:00", 7, 3).row(4, "d", unset, nil, 0)
		seq.row(15, 5, "CONTACT", 5)
	}
	var all []*content
	for _, name := range []string{"associate", "person", "document", "company"} {
		all = append(all, define(name, name+"_id int key"))
	}
	log := define("traveltransactionlog", "traveltransactionlog_id int key", "associate_id int", "tablenumber smallint", "record_id int").row(1, 7, 5, 1)
	return append(all, contact, ticket, text, old, seq, log)
}

// marks takes marks of two databases of which one is what became of the other. Which lines the log has got since needs a
// database that changes under a view; engines try it in tests of their own.
func (e Engine) marks(t *testing.T) {
	ctx := t.Context()
	var views [2]*source.View
	for i := range views {
		db := e.New(t)
		load(t, db, "crm7", marked(i == 1))
		views[i] = view(t, db, "")
	}
	mark := func(i int, table string) source.Mark { return must[source.Mark](t)(views[i].Mark(ctx, table)) }
	at := func(s string) string { return s + ".0000000" }
	if e.Times != nil {
		at = e.Times
	}
	first, second := mark(0, "CONTACT"), mark(1, "contact")
	same(t, "contact", first, source.Mark{Next: 4, Telling: true, Logged: map[int64]int64{}, By: map[int64]source.Share{
		0: {Rows: 1, Keys: 3, Last: 3, Updated: at(unset)},
		7: {Rows: 2, Keys: 3, Last: 2, Updates: 3, Updated: at("2026-01-02 10:00:00")},
	}})
	same(t, "contact later", second, source.Mark{Next: 5, Telling: true, Logged: map[int64]int64{}, By: map[int64]source.Share{
		0: {Rows: 1, Keys: 4, Last: 4, Updated: at(unset)},
		7: {Rows: 1, Keys: 2, Last: 2, Updates: 3, Updated: at("2026-01-02 10:00:00")},
		8: {Rows: 1, Keys: 1, Last: 1, Updates: 1, Updated: at("2026-01-01 09:00:00")},
	}})
	same(t, "who", first.Who(second), []int64{8})
	if first.Same(second) || !first.Same(first) || first.Rows() != 3 {
		t.Errorf("%+v and %+v", first, second)
	}
	same(t, "a key of 64 bits", mark(0, "ticket"), source.Mark{Next: 3, Logged: map[int64]int64{},
		By: map[int64]source.Share{0: {Rows: 3, Keys: 3 + 4611686018427387904%2147483647, Last: 4611686018427387904}}})
	same(t, "text", mark(0, "text"), source.Mark{By: map[int64]source.Share{0: {Rows: 2, Keys: 3, Last: 2, Updated: at(unset)}}})
	same(t, "times as numbers", mark(0, "old"), source.Mark{By: map[int64]source.Share{3: {Rows: 2, Updated: "00000000000000086400"}}})
	same(t, "no rows", mark(0, "company"), source.Mark{By: map[int64]source.Share{}})
	if _, err := views[0].Mark(ctx, "nope"); err == nil || !strings.Contains(err.Error(), `no table "nope"`) {
		t.Errorf("a table that is not there: %v", err)
	}
}
