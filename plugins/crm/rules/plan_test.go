package rules

import (
	"testing"

	"github.com/openomt/omt/plugins/sdk"
)

func TestUndecidedUser(t *testing.T) {
	boss := card(90, "BOSS", has("Free", "boss@x.no"))
	run(t, undecidedUser, []row{
		{"each, once somebody is decided", tenant(boss, card(2, "BB/ten-a"), card(1, "AA"), card(3, "CC/gone"), card(4, "DD", has("", "")), card(5, "EE/Free")),
			[]string{"error [user:1] AA (Name of AA): no plan is chosen; on site there is none either",
				`error [user:2] BB (Name of BB): no plan is chosen; "ten-a" is held on site`,
				`error [user:3] CC (Name of CC): no plan is chosen; "gone", held on site, has no counterpart`,
				`error [user:5] EE (Name of EE): no plan is chosen; "Free" is held on site`}},
		{"without a free seat", tenant(card(1, "AA/ten-b"), card(2, "BB", has("PlanB", "b@x.no"))),
			[]string{`error [user:1] AA (Name of AA): no plan is chosen; the counterpart "PlanB" of "ten-b", held on site, has no free seat`}},
		{"one finding after a scan", tenant(card(1, "AA/ten-a"), card(2, "BB/TEN-B"), card(3, "CC/gone"), card(4, "DD"), card(5, "EE/gone"), card(6, "FF/away")),
			[]string{`error [] no plan is chosen yet for any of 6 users, which omt-assign does: on site 2 hold a plan that the tenant has too (--auto gives it); held on site without counterpart: "away" 1, "gone" 2; without a plan on site: 1`}},
		{"one user after a scan", tenant(card(1, "AA")), []string{"error [] no plan is chosen yet for any of 1 user, which omt-assign does: without a plan on site: 1"}},
		{"a user name alone is a choice", tenant(card(1, "AA/ten-a", func(u *sdk.User) { u.Username = "a@x.no" })),
			[]string{`error [user:1] AA (Name of AA): no plan is chosen; "ten-a" is held on site`}},
		{"everybody is decided", tenant(boss, card(1, "AA", has("", ""))), nil},
	})
}

func TestPlanSeats(t *testing.T) {
	twice := tenant(plan("PlanB", "", 9))
	run(t, planSeats, []row{
		{"enough", tenant(card(1, "AA", has("PlanB", "a@x.no")), card(2, "BB", has("Free", "b@x.no")), card(3, "CC", has("Free", "")), card(4, "DD", has("", ""))), nil},
		{"too many", tenant(card(1, "AA", has("PlanB", "a@x.no")), card(2, "BB", has("PlanB", "b@x.no"))),
			[]string{`error [plan:PlanB] plan "PlanB": 2 users for 1 seats`}},
		{"the undecided count", tenant(card(1, "AA/ten-b"), card(2, "BB", has("PlanB", "b@x.no"))),
			[]string{`error [plan:PlanB] plan "PlanB": 2 users for 1 seats (1 of them undecided, counted by the plan they hold on site)`}},
		{"after a scan", tenant(card(1, "AA/ten-b"), card(2, "BB/planb")),
			[]string{`error [plan:PlanB] plan "PlanB": 2 users for 1 seats (2 of them undecided, counted by the plan they hold on site)`}},
		{"a plan that is gone", tenant(card(1, "AA", has("Gone", "a@x.no")), card(2, "BB", has("Away", "")), card(3, "CC", has("Gone", ""))),
			[]string{`error [plan:Away] plan "Away" is given to 1 users, and the tenant has no such plan`, `error [plan:Gone] plan "Gone" is given to 2 users, and the tenant has no such plan`}},
		{"of two plans of a name the first counts", append(twice, card(1, "AA", has("PlanB", "")), card(2, "BB", has("PlanB", ""))),
			[]string{`error [plan:PlanB] plan "PlanB": 2 users for 1 seats`}},
	})
	if planSeats.Final == "" {
		t.Error("plan-seats can be waived")
	}
}

func TestAdministratorPlan(t *testing.T) {
	migrator := func(admin string) *sdk.Migrator { return &sdk.Migrator{Login: "KK", Admin: admin} }
	run(t, administratorPlan, []row{
		{"one has a plan", tenant(migrator("confirmed"), card(1, "AA", has("", ""), admin), card(2, "BB", has("PlanA", ""), admin)), nil},
		{"undecided, with one on site", tenant(migrator("confirmed"), card(1, "AA/ten-a", admin)), nil},
		{"none is known", tenant(migrator("confirmed"), card(1, "AA", has("PlanA", "a@x.no"))),
			[]string{"!error [] no user is known to be an administrator; say who is one (--set LOGIN:admin=true)"}},
		{"none has a plan", tenant(migrator("confirmed"), card(1, "AA", has("", ""), admin), card(2, "BB", has("PlanA", "b@x.no")), card(3, "CC/gone", admin)),
			[]string{"!error [user:1 user:3] no administrator has a plan: AA, CC"}},
		{"a guessed crown can be waived", tenant(migrator("guessed"), card(1, "AA", has("", ""), admin)), []string{"error [user:1] no administrator has a plan: AA"}},
		{"no migrator", tenant(card(1, "AA", has("", ""), admin)), []string{"error [user:1] no administrator has a plan: AA"}},
	})
}
