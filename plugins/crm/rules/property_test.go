package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/email"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

// spelled writes an address in one of the ways that mean the same.
func spelled(rnd *rand.Rand, n int) string {
	s := fmt.Sprintf("å%d@x.no", n)
	switch rnd.IntN(4) {
	case 0:
		return strings.ToUpper(s)
	case 1:
		return " " + s + "\u00a0"
	case 2:
		return strings.Replace(s, "å", "a\u030a", 1)
	}
	return s
}

// staff are up to twelve users with addresses out of few; with names, and plans or none, where assigned.
func staff(rnd *rand.Rand, assigned bool) (users []*sdk.User) {
	for i := range 2 + rnd.IntN(11) {
		u := card(int64(i+1), fmt.Sprintf("U%02d", i))
		for range rnd.IntN(4) {
			u.Emails = append(u.Emails, spelled(rnd, rnd.IntN(9)))
		}
		if assigned && rnd.IntN(4) > 0 {
			has([]string{"", "PlanA"}[rnd.IntN(2)], spelled(rnd, rnd.IntN(9)))(u)
		}
		users = append(users, u)
	}
	return users
}

func asRecords(users []*sdk.User) (list []sdk.Record) {
	for _, u := range users {
		list = append(list, u)
	}
	return list
}

// pairs are the pairs of users that findings name together.
func pairs(findings []sdk.Finding) map[string]bool {
	out := map[string]bool{}
	for _, f := range findings {
		for i, a := range f.Subjects {
			for _, b := range f.Subjects[i+1:] {
				out[a+" "+b] = true
			}
		}
	}
	return out
}

// A pair of users is named together exactly where a comparison of each with each finds something in common, whatever the
// order in which users come.
func TestDuplicatesAreAllPairs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	named := 0
	for round := range 400 {
		assigned := round%2 == 1
		users := staff(rnd, assigned)
		decided := slices.ContainsFunc(users, func(u *sdk.User) bool { return u.Plan != nil || u.Username != "" })
		want := map[string]bool{}
		for i, a := range users {
			for _, b := range users[i+1:] {
				common := slices.ContainsFunc(a.Emails, func(x string) bool {
					return slices.ContainsFunc(b.Emails, func(y string) bool { return email.Key(x) == email.Key(y) })
				})
				if decided {
					common = a.Username != "" && email.Key(a.Username) == email.Key(b.Username)
				}
				if common {
					want[sdk.UserSubject(a.ID)+" "+sdk.UserSubject(b.ID)] = true
				}
			}
		}
		rnd.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
		found := ruletest.Run(t, duplicateEmail, asRecords(users)...)
		got := pairs(found)
		for p := range want {
			if !got[p] {
				t.Fatalf("round %d: %s is not found", round, p)
			}
		}
		for p := range got {
			if !want[p] {
				t.Fatalf("round %d: %s have nothing in common", round, p)
			}
		}
		for _, f := range found {
			if f.Final != decided {
				t.Fatalf("round %d: final is %v", round, f.Final)
			}
		}
		named += len(got)
	}
	if named < 1000 {
		t.Errorf("only %d pairs were named: this proves little", named)
	}
}

// Every user with a plan is found by exactly one of missing-email, invalid-email, or neither and then has a valid name.
func TestEveryPlanHasAName(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for round := range 200 {
		users := staff(rnd, true)
		for _, u := range users {
			if rnd.IntN(3) == 0 {
				u.Username = []string{"", "n/a", "a@x"}[rnd.IntN(3)]
			}
		}
		if !slices.ContainsFunc(users, func(u *sdk.User) bool { return u.Plan != nil }) {
			continue
		}
		found := map[string]int{}
		for _, rule := range []sdk.Rule{missingEmail, invalidEmail} {
			for _, f := range ruletest.Run(t, rule, tenant(asRecords(users)...)...) {
				found[f.Subjects[0]]++
			}
		}
		for _, u := range users {
			want := 0
			if u.Plan != nil && *u.Plan != "" && email.Check(strings.TrimSpace(u.Username)) != nil {
				want = 1
			}
			if got := found[sdk.UserSubject(u.ID)]; got != want {
				t.Fatalf("round %d: %d findings of %s, plan %v, name %q, want %d", round, got, u.Login, u.Plan, u.Username, want)
			}
		}
	}
}
