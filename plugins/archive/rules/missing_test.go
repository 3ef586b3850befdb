package rules

import (
	"fmt"
	"testing"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

func TestDocumentMissing(t *testing.T) {
	bob := &sdk.User{ID: 2, Login: "bob"}
	one := func(id int64) string {
		return fmt.Sprintf(`warning [file:document:%[1]d] document %[1]d "Offer %[1]d" of BOB: no file at "BOB/2011.1/%[1]d.docx"`, id)
	}
	run(t, documentMissing, []line{
		{"one in twenty is a warning", given(bob, document(1, "missing"), documents(19, 2, "present")),
			[]string{"warning [] 1 of 20 documents have no file (BOB 1)", one(1)}},
		{"more is an error", given(bob, document(1, "missing"), documents(18, 2, "present")),
			[]string{"error [] 1 of 19 documents have no file (BOB 1)", one(1)}},
		{"what is held elsewhere does not count, what has no name or author does", given(bob, document(1, "missing"), documents(17, 2, "present"), documents(50, 100, "elsewhere"),
			document(200, "blank-name", path("")), document(201, "no-associate", reason("author"), owner(""), path(""))),
			[]string{"warning [] 1 of 20 documents have no file (BOB 1)", one(1)}},
		{"what was not looked for does not count", given(bob, document(1, "missing"), documents(18, 2, "present"), documents(50, 100, "left", reason("area"))),
			[]string{"error [] 1 of 19 documents have no file (BOB 1)", one(1)}},
		{"a blank name is none of a user's documents", given(bob, documents(2, 1, "missing"), document(9, "blank-name", path("")), documents(400, 10, "present", owner("KN"))),
			[]string{"warning [] 2 of 403 documents have no file (BOB 2)", `error [user:2 folder:BOB] all documents of user "BOB" are missing (2): the folder is not there, or empty`, one(1), one(2)}},
		{"a find elsewhere, and a path that leaves the archive", given(bob, document(1, "missing", found("OLA/2009.1/1.docx", "KN/2011.1/1.docx")), document(2, "missing", reason("outside"), path("")),
			documents(98, 3, "present")),
			[]string{"warning [] 2 of 100 documents have no file (BOB 2); for 1 of them a file of that name lies elsewhere; the path of 1 would leave the archive",
				one(1) + `; one of that name lies at "OLA/2009.1/1.docx"`, `warning [file:document:2] document 2 "Offer 2" of BOB: its path would leave the archive`}},
		{"everything of a user", given(bob, documents(4, 1, "missing"), documents(400, 10, "present", owner("KN"))),
			[]string{"warning [] 4 of 404 documents have no file (BOB 4)", `error [user:2 folder:BOB] all documents of user "BOB" are missing (4): the folder is not there, or empty`,
				one(1), one(2), one(3), one(4)}},
		{"a single document whose author has nothing else", given(document(1, "missing"), documents(400, 10, "present", owner("KN"))),
			[]string{"warning [] 1 of 401 documents have no file (BOB 1)", `error [folder:BOB] all documents of user "BOB" are missing (1): the folder is not there, or empty`, one(1)}},
		{"all of few, with another file in the folder", given(bob, documents(4, 1, "missing"), document(0, "no-row", path("bob/mail.htm"), owner("bob")), documents(400, 10, "present", owner("KN"))),
			[]string{"warning [] 4 of 404 documents have no file (BOB 4)", one(1), one(2), one(3), one(4)}},
		{"all of five, with another file in the folder", given(bob, documents(5, 1, "missing"), document(0, "shadowed", path("BOB/mail.htm")), documents(400, 10, "present", owner("KN"))),
			[]string{"warning [] 5 of 405 documents have no file (BOB 5)", `error [user:2 folder:BOB] all documents of user "BOB" are missing (5): the folder is there and has none of them`,
				one(1), one(2), one(3), one(4), one(5)}},
		{"not all of a user", given(bob, documents(5, 1, "missing"), document(9, "no-appointment"), documents(400, 10, "present", owner("KN"))),
			[]string{"warning [] 5 of 406 documents have no file (BOB 5)", one(1), one(2), one(3), one(4), one(5)}},
		{"outside is not the user's", given(bob, document(1, "missing", reason("outside")), documents(400, 10, "present", owner("KN"))),
			[]string{"warning [] 1 of 401 documents have no file (BOB 1); the path of 1 would leave the archive", `warning [file:document:1] document 1 "Offer 1" of BOB: its path would leave the archive`}},
		{"nothing of a folder that cannot be read is missing", given(bob, documents(9, 1, "unreadable")), nil},
		{"logins in other letter case are one author", given(bob, document(1, "missing"), document(2, "present", owner("Bob")), documents(400, 10, "present", owner("KN"))),
			[]string{"warning [] 1 of 402 documents have no file (BOB 1)", one(1)}},
	})
}

// Of many missing documents the counts by author are told, and 20 documents.
func TestManyMissing(t *testing.T) {
	var list []sdk.Record
	for i := range int64(12) {
		login := owner(fmt.Sprintf("U%02d", i))
		list = append(list, documents(1000+i, 10_000*(i+1), "missing", login)...)
		list = append(list, document(9_000_000+i, "present", login))
	}
	got := told(ruletest.Run(t, documentMissing, list...))
	want := "error [] 12066 of 12078 documents have no file (U11 1011, U10 1010, U09 1009, U08 1008, U07 1007, U06 1006, U05 1005, U04 1004, U03 1003, U02 1002, and 2001 of 2 more authors)"
	if len(got) != 21 || got[0] != want {
		t.Errorf("%d findings, the first\n%s\nwant\n%s", len(got), got[0], want)
	}
}
