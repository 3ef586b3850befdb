package rules

import (
	"testing"

	"github.com/openomt/omt/plugins/sdk"
)

func TestDuplicateEmailBeforeAssigning(t *testing.T) {
	run(t, duplicateEmail, []row{
		{"nobody shares anything", tenant(card(1, "AA a@x.no"), card(2, "BB b@x.no"), card(3, "CC")), nil},
		{"case, space and the Unicode form do not count", tenant(
			card(2, "BB", emails("other@x.no", " \u00e5SE@x.no ")), card(1, "AA", emails("A\u030ase@X.no"))),
			[]string{"error [user:1 user:2] AA (Name of AA), BB (Name of BB) share the address A\u030ase@X.no, and only one of them can log in with it: give each a user name of its own"}},
		{"a part behind a plus makes another address", tenant(card(1, "AA a@x.no"), card(2, "BB a+sales@x.no"), card(3, "CC a.@x.no")), nil},
		{"one finding for one set of users", tenant(card(1, "AA a@x.no b@x.no c@x.no"), card(2, "BB b@x.no a@x.no"), card(3, "CC c@x.no")),
			[]string{"error [user:1 user:2] AA (Name of AA), BB (Name of BB) share the addresses a@x.no, b@x.no, and only one of them can log in with it: give each a user name of its own",
				"error [user:1 user:3] AA (Name of AA), CC (Name of CC) share the address c@x.no, and only one of them can log in with it: give each a user name of its own"}},
		{"three users", tenant(card(1, "AA a@x.no"), card(2, "BB a@x.no"), card(3, "CC a@x.no")),
			[]string{"error [user:1 user:2 user:3] AA (Name of AA), BB (Name of BB), CC (Name of CC) share the address a@x.no, and only one of them can log in with it: give each a user name of its own"}},
		{"an address twice on one card", tenant(card(1, "AA a@x.no A@X.NO")), nil},
		{"what is no address is not shared", tenant(card(1, "AA", emails("n/a", "  ", "")), card(2, "BB", emails("n/a", "  ", ""))), nil},
	})
}

func TestDuplicateEmail(t *testing.T) {
	run(t, duplicateEmail, []row{
		{"by id, whatever the plan", tenant(card(3, "CC", has("PlanA", " X@x.no")), card(2, "BB", has("", "x@x.no")), card(1, "AA", has("PlanA", "other@x.no")),
			card(4, "DD", has("Free", "x@X.no"))),
			[]string{"!error [user:2 user:3 user:4] BB: user name 'x@x.no' is also used by CC, DD; BB has no plan and can give it up (--set BB:username=-)"}},
		{"a shared address does not matter once names are given", tenant(card(1, "AA a@x.no", has("PlanA", "a@x.no")), card(2, "BB a@x.no")), nil},
		{"composed and decomposed", tenant(card(1, "AA", has("PlanA", "\u00e5@x.no")), card(2, "BB", has("PlanA", "A\u030a@x.no"))),
			[]string{"!error [user:1 user:2] AA: user name '\u00e5@x.no' is also used by BB"}},
		{"plus", tenant(card(1, "AA", has("PlanA", "a@x.no")), card(2, "BB", has("PlanA", "a+b@x.no"))), nil},
		{"no names", tenant(card(1, "AA", has("PlanA", "")), card(2, "BB", has("PlanA", ""))), nil},
	})
}

// Of many users with one name ten are named behind the first; the subjects are all of them.
func TestDuplicateEmailOfMany(t *testing.T) {
	var list []sdk.Record
	for i := range int64(13) {
		list = append(list, card(i+1, "U"+string(rune('A'+i)), has("PlanA", "all@x.no")))
	}
	run(t, duplicateEmail, []row{{"many", list, []string{"!error [user:1 user:2 user:3 user:4 user:5 user:6 user:7 user:8 user:9 user:10 user:11 user:12 user:13] " +
		"UA: user name 'all@x.no' is also used by UB, UC, UD, UE, UF, UG, UH, UI, UJ, UK and 2 more"}}})
}

func TestInvalidEmail(t *testing.T) {
	run(t, invalidEmail, []row{
		{"with a plan alone", tenant(card(1, "AA", has("PlanA", "n/a")), card(2, "BB", has("", "n/a2")),
			card(3, "CC/ten-a", func(u *sdk.User) { u.Username = "n/a3" }), card(4, "DD", has("PlanA", " d@x.no ")), card(5, "EE", has("PlanA", "ø+b@blåbær.no"))),
			[]string{"error [user:1] AA (Name of AA): user name 'n/a' is no e-mail address: it has no @"}},
		{"before assigning, the first address of who holds a plan on site", tenant(
			card(1, "AA/ten-a", emails(" ", "aa at x.no", "a@x.no ")), card(2, "BB/ten-a", emails("b@x")), card(3, "CC/gone", emails("c")), card(4, "DD", emails("d")),
			card(5, "EE/PLANA", emails("ok@x.no", "e"))),
			[]string{"error [user:1] AA (Name of AA): the first address 'aa at x.no' is no e-mail address: it holds a space; also on the card: a@x.no",
				`error [user:2] BB (Name of BB): the first address 'b@x' is no e-mail address: its domain "x" has no dot; there is no other on the card`}},
		{"a missing one is another rule's", tenant(card(1, "AA/ten-a"), card(2, "BB/ten-a", emails("  "))), nil},
	})
}

func TestMissingEmail(t *testing.T) {
	run(t, missingEmail, []row{
		{"with a plan alone", tenant(card(1, "AA a@x.no b@x.no", has("PlanA", "")), card(2, "BB", has("PlanB", ""), func(u *sdk.User) { u.Name = " \n" }),
			card(3, "CC", has("", "")), card(4, "DD/ten-a"), card(5, "EE", has("PlanA", "e@x.no"))),
			[]string{"error [user:1] AA (Name of AA): no user name; on the card: a@x.no, b@x.no", "error [user:2] BB: no user name; no address on the card"}},
		{"before assigning, of who holds a plan on site", tenant(card(1, "AA/ten-a"), card(2, "BB/TEN-A", emails(" ")), card(3, "CC/ten-a", emails("no address")), card(4, "DD"), card(5, "EE/gone")),
			[]string{"error [user:1] AA (Name of AA): no e-mail address on the card: enter one in SuperOffice, or type a user name in omt-assign",
				"error [user:2] BB (Name of BB): no e-mail address on the card: enter one in SuperOffice, or type a user name in omt-assign"}},
	})
}

func TestUsernameDomain(t *testing.T) {
	run(t, usernameDomain, []row{
		{"before assigning, of first addresses", tenant(card(1, "AA/ten-a a@X.no a@y.no"), card(2, "BB/ten-a b@x.no"), card(3, "CC c@z.no"), card(4, "DD/ten-a", emails("d")),
			card(5, "EE/ten-b e@sub.x.no")),
			[]string{"info [domain:sub.x.no] 1 user with first addresses at sub.x.no (EE): register the domain before the migration if they are to log in with Microsoft or Google",
				"info [domain:x.no] 2 users with first addresses at x.no (AA, BB): register the domain before the migration if they are to log in with Microsoft or Google"}},
		{"of user names of who has a plan", tenant(card(1, "AA a@y.no", has("PlanA", "a@Blåbær.no")), card(2, "BB", has("", "b@x.no")), card(3, "CC/ten-a c@x.no"), card(4, "DD", has("Free", "d"))),
			[]string{"info [domain:blåbær.no] 1 user with user names at blåbær.no (AA): register the domain before the migration if they are to log in with Microsoft or Google"}},
	})
}

func TestSharedPerson(t *testing.T) {
	run(t, sharedPerson, []row{
		{"one person, several users", tenant(card(1, "AA a@x.no", person(7)), card(3, "CC c@x.no"), card(2, "BB", person(7)), card(4, "DD", person(0)), card(5, "EE", person(0))),
			[]string{"warning [user:1 user:2] AA (Name of AA), BB (Name of BB) are one person (7): settle who of them goes on and with which user name"}},
		{"several addresses, before assigning", tenant(card(1, "AA a@x.no a@y.no", emails("a@x.no", " ", "a@y.no")), card(2, "BB b@x.no"), card(3, "CC", emails("c@x.no", " "))),
			[]string{"warning [user:1] 1 user has several addresses on the card; which one is the user name has to be looked at: AA (Name of AA) 2"}},
		{"several addresses, with user names", tenant(card(1, "AA a@x.no a@y.no", has("PlanA", "a@y.no")), card(2, "BB b@x.no b@y.no", has("", "")), card(3, "CC c@x.no c@y.no d@x.no")),
			[]string{"warning [user:1 user:3] 2 users have several addresses on the card; look whether the user name is the right one: AA (Name of AA) as a@y.no, CC (Name of CC) 3"}},
	})
}
