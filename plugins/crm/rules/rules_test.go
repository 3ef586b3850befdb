package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

// plan of the tenant: name, the plan on site, seats.
func plan(name, onsite string, seats int64) *sdk.Plan {
	return &sdk.Plan{Name: name, Onsite: onsite, Seats: seats, Source: "tenant"}
}

// card makes a user: "AA/ten-a a@x.no b@x.no" is AA, who holds ten-a on site and has two addresses.
func card(id int64, text string, changes ...func(*sdk.User)) *sdk.User {
	words := strings.Fields(text)
	login, onsite, _ := strings.Cut(words[0], "/")
	u := &sdk.User{ID: id, Login: login, Name: "Name of " + login, Person: 1000 + id, Onsite: onsite, Emails: words[1:]}
	for _, c := range changes {
		c(u)
	}
	return u
}

// has gives a user a plan and a user name.
func has(plan, username string) func(*sdk.User) {
	return func(u *sdk.User) { u.Plan, u.Username = &plan, username }
}

func admin(u *sdk.User) { u.Admin = true }

// emails are addresses with whatever stands in them.
func emails(list ...string) func(*sdk.User) { return func(u *sdk.User) { u.Emails = list } }

func person(id int64) func(*sdk.User) { return func(u *sdk.User) { u.Person = id } }

// fact makes a fact of pairs of key and value.
func fact(name, id string, pairs ...any) *sdk.Fact {
	f := &sdk.Fact{Name: name, ID: id, Data: map[string]any{}}
	for i := 0; i < len(pairs); i += 2 {
		v := pairs[i+1]
		if n, ok := v.(int); ok {
			v = int64(n)
		}
		f.Data[pairs[i].(string)] = v
	}
	return f
}

// given are records for a table.
func given(list ...sdk.Record) []sdk.Record { return list }

// tenant has three plans: ten-a and ten-b on site, one with a single seat, one without end.
func tenant(more ...sdk.Record) []sdk.Record {
	return append(given(plan("PlanA", "ten-a", 20), plan("PlanB", "ten-b", 1), &sdk.Plan{Name: "Free", Unlimited: true}), more...)
}

// row is a case of a rule: records, and the findings as told writes them.
type row struct {
	name    string
	records []sdk.Record
	want    []string
}

// told is findings as text: "severity [subjects] message", with a ! in front where nothing can waive it.
func told(findings []sdk.Finding) (list []string) {
	for _, f := range findings {
		final := ""
		if f.Final {
			final = "!"
		}
		list = append(list, fmt.Sprintf("%s%s %s %s", final, f.Severity, f.Subjects, f.Message))
	}
	return list
}

func run(t *testing.T, rule sdk.Rule, rows []row) {
	t.Helper()
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, told(ruletest.Run(t, rule, tt.records...))); d != "" {
				t.Error(d)
			}
		})
	}
}

// Every rule does its work over nothing: no rule fails where a manifest says little.
func TestNothing(t *testing.T) {
	silent := map[string]bool{"travel-database": true, "version": true, "database-model": true, "administrator-plan": true}
	for _, rule := range Plugin("1").Rules {
		if found := ruletest.Run(t, rule); len(found) > 0 != silent[rule.ID] {
			t.Errorf("%s found %v in an empty manifest", rule.ID, found)
		}
	}
}
