package board

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

func list(in plan.Input, findings []manifest.Finding, base plan.Choices, summary string, failed error) []item {
	base.Now = start()
	s := newSession(in, base)
	all := plan.Weigh(append(s.marks.Findings, findings...), nil, s.choices(), in.Migrator)
	return checklist(s.result.Users, all, summary, failed)
}

func TestChecklist(t *testing.T) {
	none, name := "", "SalesPremium"
	yes := true
	ready := func(change func(*plan.Input)) plan.Input {
		in := assigned(some(4, 2))
		change(&in)
		return in
	}
	shared := manifest.Finding{Rule: "shared-person", Severity: manifest.SeverityError, Subjects: []string{"user:7", "user:8"}, Message: "one person"}
	for _, c := range []struct {
		name     string
		in       plan.Input
		findings []manifest.Finding
		base     plan.Choices
		summary  string
		failed   error
		want     []string
	}{
		{name: "ready", in: ready(func(*plan.Input) {})},
		{name: "new", in: some(4, 2), want: []string{
			"user plans: at least one administrator must have a plan",
			"user plans: 4 users are undecided: give each a plan, or none",
			"user names: 4 users are undecided and without a user name",
			"e-mail notifications: the welcome e-mail is not chosen for 4 users"}},
		{name: "one undecided", in: ready(func(in *plan.Input) { in.Users[1].Plan = nil }), want: []string{
			"user plans: 1 user is undecided: give each a plan, or none"}},
		{name: "no administrator", in: ready(func(in *plan.Input) { in.Users[0].Admin = false }), want: []string{
			"user plans: no user is known to be an administrator"}},
		{name: "administrator waived where guessed", in: ready(func(in *plan.Input) { in.Users[0].Admin = false }),
			base: plan.Choices{Waivers: []plan.Waiver{{Waiver: manifest.Waiver{Rule: "administrator-plan", Reason: "later"}}}}},
		{name: "no waiver for a confirmed one", in: ready(func(in *plan.Input) { in.Users[0].Admin = false; in.Migrator.Admin = "confirmed" }),
			base: plan.Choices{Waivers: []plan.Waiver{{Waiver: manifest.Waiver{Rule: "administrator-plan", Reason: "later"}}}},
			want: []string{"user plans: no user is known to be an administrator"}},
		{name: "seats", in: ready(func(in *plan.Input) { in.Plans[0].Seats = 1 }), want: []string{
			`user plans: plan "SalesPremium": 2 users for 1 seats`}},
		{name: "plan gone", in: ready(func(in *plan.Input) { in.Plans = in.Plans[:1] }), want: []string{
			`user plans: plan "ServicePremium" is given to 2 users, and the tenant has no such plan`}},
		{name: "same names", in: ready(func(in *plan.Input) { in.Users[1].Username = " " + in.Users[0].Username }), want: []string{
			"user names: U0: user name 'gunn.schpaa0@example.com' is also used by U1"}},
		{name: "wrong and missing", in: ready(func(in *plan.Input) { in.Users[1].Username = "x"; in.Users[2].Username = "" }), want: []string{
			"user names: U1 (Hans Schpaa): user name 'x' is no e-mail address: it has no @",
			"user names: U2 (Åse Schpaa): no user name"}},
		{name: "none needs no name", in: ready(func(in *plan.Input) {
			in.Users[1].Plan, in.Users[1].Username, in.Users[1].Welcome = &none, "", nil
		})},
		{name: "welcome", in: ready(func(in *plan.Input) { in.Users[1].Welcome = nil; in.Users[2].Welcome = &yes; in.Users[2].Plan = &name }),
			want: []string{"e-mail notifications: the welcome e-mail is not chosen for 1 user"}},
		{name: "summary", in: ready(func(*plan.Input) {}), summary: "x", want: []string{
			"e-mail notifications: the address of the user summary, 'x', is no e-mail address: it has no @"}},
		{name: "finding", in: ready(func(*plan.Input) {}), findings: []manifest.Finding{shared}, want: []string{
			"preflight findings about users: one person"}},
		{name: "finding let stand", in: ready(func(*plan.Input) {}), findings: []manifest.Finding{shared},
			base: plan.Choices{Waivers: []plan.Waiver{{Waiver: manifest.Waiver{Rule: "shared-person", Subject: "user:7", Reason: "known"}}}}},
		{name: "warning", in: ready(func(*plan.Input) {}), findings: []manifest.Finding{{Rule: "shared-person", Severity: manifest.SeverityWarning}}},
		{name: "rules failed", in: ready(func(*plan.Input) {}), failed: errors.New("boom"), want: []string{
			"preflight findings about users: the rules could not be run: boom"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			items := list(c.in, c.findings, c.base, c.summary, c.failed)
			if d := cmp.Diff(c.want, blocking(items)); d != "" {
				t.Error(d)
			}
			for _, i := range items {
				if i.Done != (i.Open == 0) {
					t.Errorf("%s: done %v, %d open", i.ID, i.Done, i.Open)
				}
			}
		})
	}
}

// TestManyAreCounted: a list of thousands is no help.
func TestManyAreCounted(t *testing.T) {
	in := assigned(some(5000, 2))
	for i := range in.Users {
		in.Users[i].Username = ""
	}
	want := []string{"user names: 5000 users have a plan and no user name"}
	if d := cmp.Diff(want, blocking(list(in, nil, plan.Choices{}, "", nil))); d != "" {
		t.Error(d)
	}
	for i := range in.Users {
		in.Users[i].Username = "x"
	}
	items := list(in, nil, plan.Choices{}, "", nil)
	if n := items[1]; n.Open != 5001 || len(n.Notes) != maxNotes { // one for the name that all have, and one for each who has it
		t.Errorf("%d open, %d shown", n.Open, len(n.Notes))
	}
	if got := blocking(items); len(got) != 6 || got[5] != "user names: 4996 more" {
		t.Errorf("%q", got)
	}
}
