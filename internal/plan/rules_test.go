package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

// told is findings as text: "rule severity [subjects] message".
func told(findings []manifest.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s %s %s\n", f.Rule, f.Severity, f.Subjects, f.Message)
	}
	return b.String()
}

func TestFindings(t *testing.T) {
	boss := user(90, "BOSS", admin, has("Free", "boss@x.no"))
	for _, tt := range []struct {
		name  string
		users []manifest.User
		want  string
	}{
		{"nothing wrong", []manifest.User{boss, user(1, "AA", has("PlanA", "a@x.no")), user(2, "BB", has("", ""))}, "\n"},
		{"duplicate-email, by id, whatever the plan",
			[]manifest.User{user(3, "CC", has("PlanA", " X@x.no")), boss, user(2, "BB", has("", "x@x.no")), user(1, "AA", has("PlanA", "other@x.no")), user(4, "DD", has("Free", "x@X.no"))},
			lines("duplicate-email error [user:2 user:3 user:4] BB: user name 'x@x.no' is also used by CC, DD; BB has no plan and can give it up (--set BB:username=-)")},
		{"invalid-email with a plan alone",
			[]manifest.User{boss, user(1, "AA", has("PlanA", "n/a")), user(2, "BB", has("", "n/a2")), user(3, "CC", func(u *manifest.User) { u.Plan, u.Username = nil, "n/a3"; u.Onsite = "x" })},
			lines("invalid-email error [user:1] AA (Name of AA): user name 'n/a' is no e-mail address: it has no @",
				`undecided-user error [user:3] CC (Name of CC): no plan is chosen; "x", held on site, has no counterpart`)},
		{"missing-email",
			[]manifest.User{boss, user(1, "AA a@x.no b@x.no", has("PlanA", "")), user(2, "BB", has("PlanB", ""), func(u *manifest.User) { u.Name = "" })},
			lines("missing-email error [user:1] AA (Name of AA): no user name; on the card: a@x.no, b@x.no",
				"missing-email error [user:2] BB: no user name; no address on the card")},
		{"undecided-user", []manifest.User{boss, user(1, "AA"), user(2, "BB/ten-a")},
			lines("undecided-user error [user:1] AA (Name of AA): no plan is chosen; on site there is none either",
				`undecided-user error [user:2] BB (Name of BB): no plan is chosen; "ten-a" is held on site`)},
		{"plan-seats", []manifest.User{boss, user(1, "AA", has("PlanB", "a@x.no")), user(2, "BB", has("PlanB", "b@x.no"))},
			lines(`plan-seats error [plan:PlanB] plan "PlanB": 2 users for 1 seats`)},
		{"plan-seats counts the undecided", []manifest.User{boss, user(1, "AA/ten-b"), user(2, "BB", has("PlanB", "b@x.no"))},
			lines(`undecided-user error [user:1] AA (Name of AA): no plan is chosen; the counterpart "PlanB" of "ten-b", held on site, has no free seat`,
				`plan-seats error [plan:PlanB] plan "PlanB": 2 users for 1 seats (1 of them undecided, counted by the plan they hold on site)`)},
		{"plan-seats of a plan that is gone", []manifest.User{boss, user(1, "AA", has("Gone", "a@x.no"))},
			lines(`plan-seats error [plan:Gone] plan "Gone" is given to 1 users, and the tenant has no such plan`)},
		{"administrator-plan: none", []manifest.User{user(1, "AA", has("PlanA", "a@x.no"))},
			lines("administrator-plan error [] no user is known to be an administrator; say who is one (--set LOGIN:admin=true)")},
		{"administrator-plan: without plan",
			[]manifest.User{user(1, "AA", has("", ""), admin), user(2, "BB", has("PlanA", "b@x.no")), user(3, "CC", has("", ""), admin)},
			lines("administrator-plan error [user:1 user:3] no administrator has a plan: AA, CC")},
		{"administrator-plan: undecided, but with one on site", []manifest.User{user(1, "AA/ten-a", admin)},
			lines(`undecided-user error [user:1] AA (Name of AA): no plan is chosen; "ten-a" is held on site`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Assign(Input{Plans: tenant(), Users: tt.users}, Choices{Now: now})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), told(r.Findings)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFindingNamesTheFullPlan(t *testing.T) {
	r, err := Assign(Input{Plans: tenant(), Users: []manifest.User{user(1, "AA/ten-b a@x.no", admin), user(2, "BB/ten-b b@x.no")}},
		Choices{Auto: true, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	want := lines(`undecided-user error [user:2] BB (Name of BB): no plan is chosen; the counterpart "PlanB" of "ten-b", held on site, has no free seat`,
		`plan-seats error [plan:PlanB] plan "PlanB": 2 users for 1 seats (1 of them undecided, counted by the plan they hold on site)`)
	if d := cmp.Diff(want, told(r.Findings)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{`plan "PlanB" has no seat left for 1 user: BB (Name of BB)`}, r.Summary.Notes); d != "" {
		t.Error(d)
	}
}

func TestWaivable(t *testing.T) {
	for _, tt := range []struct {
		rule, admin string
		want        bool
	}{
		{"duplicate-email", "", false}, {"plan-seats", "", false}, {"administrator-plan", "confirmed",
			false}, {"administrator-plan", "guessed", true},
		{"undecided-user", "confirmed", true}, {"satellite", "", true},
	} {
		if why := waivable(tt.rule, manifest.Migrator{Admin: tt.admin}); (why == "") != tt.want {
			t.Errorf("%s, administrator %s: %q", tt.rule, tt.admin, why)
		}
	}
}

func TestChecks(t *testing.T) {
	got := checks([]manifest.Finding{{Rule: "plan-seats"}, {Rule: "missing-email"}, {Rule: "plan-seats"}, {Rule: "satellite"}},
		"omt-assign 0.1.0")
	var s []string
	for _, c := range got {
		s = append(s, fmt.Sprintf("%s %s %s %s %d", c.Rule, c.Plugin, c.Tool, c.Status, c.Findings))
	}
	want := []string{"duplicate-email omt omt-assign 0.1.0 done 0", "invalid-email omt omt-assign 0.1.0 done 0",
		"missing-email omt omt-assign 0.1.0 done 1",
		"undecided-user omt omt-assign 0.1.0 done 0", "plan-seats omt omt-assign 0.1.0 done 2", "administrator-plan omt omt-assign 0.1.0 done 0", "username-address omt omt-assign 0.1.0 done 0"}
	if d := cmp.Diff(want, s); d != "" {
		t.Error(d)
	}
}

// TestCheckAgreesWithAssign: a stage that checks again finds what assigning found.
func TestCheckAgreesWithAssign(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	for range 100 {
		users := random(rnd)
		r, err := Assign(Input{Plans: tenant(), Users: users}, Choices{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(r.Findings, func(f manifest.Finding) bool { return f.Rule == "username-address" })
		list, got := Check(tenant(), users, "omt-pack 0.1.0")
		if d := cmp.Diff(told(want), told(got)); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff(checks(want, "omt-pack 0.1.0")[:6], list); d != "" {
			t.Fatal(d)
		}
	}
}
