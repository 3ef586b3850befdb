package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

func TestRemovalsFromUsers(t *testing.T) {
	for _, tt := range []struct {
		name  string
		users []manifest.User
		want  []manifest.Removal
		told  string
	}{
		{"nobody else's",
			[]manifest.User{user(1, "AA a@x.no", has("PlanA", "a@x.no")), user(2, "BB b@x.no", has("PlanA", "b@x.no"))}, nil, ""},
		{"another user's, in any case, each spelling",
			[]manifest.User{user(2, "BB b@x.no A@X.no a@x.no", has("PlanA", "b@x.no")), user(1, "AA", has("PlanA", "a@x.no"))},
			[]manifest.Removal{{Person: 102, Email: "A@X.no", User: 1}, {Person: 102, Email: "a@x.no", User: 1}},
			lines("username-address warning [user:1 user:2] AA (Name of AA): user name 'a@x.no' is also an address of BB (Name of BB); it will be removed from that card")},
		{"several users of one person",
			[]manifest.User{user(1, "AA a@x.no", has("PlanA", "a@x.no")), user(2, "BB a@x.no", has("PlanA", "b@x.no"), func(u *manifest.User) { u.Person = 101 })},
			nil, ""},
		{"a card without person",
			[]manifest.User{user(1, "AA", has("PlanA", "a@x.no")), user(2, "BB a@x.no", has("", ""), func(u *manifest.User) { u.Person = 0 })},
			nil,
			lines("username-address warning [user:1 user:2] AA (Name of AA): user name 'a@x.no' is also an address of BB (Name of BB); it cannot be removed there, since the card has no person")},
		{"a name that two claim",
			[]manifest.User{user(1, "AA a@x.no", has("PlanA", "a@x.no")), user(2, "BB a@x.no", has("PlanA", "A@x.no"))}, nil, ""},
		{"the name of a user without plan",
			[]manifest.User{user(1, "AA", has("", "a@x.no")), user(2, "BB a@x.no", has("PlanA", "b@x.no"))}, nil, ""},
		{"the name of an undecided user",
			[]manifest.User{user(1, "AA", func(u *manifest.User) { u.Username = "a@x.no" }), user(2, "BB a@x.no")},
			[]manifest.Removal{{Person: 102, Email: "a@x.no", User: 1}},
			lines("username-address warning [user:1 user:2] AA (Name of AA): user name 'a@x.no' is also an address of BB (Name of BB); it will be removed from that card")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			removals, findings := removalsFromUsers(tt.users, namesOf(tt.users))
			if d := cmp.Diff(tt.want, removals); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.told, told(findings)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestMatches(t *testing.T) {
	users := []manifest.User{user(2, "BB", has("PlanA", "b@x.no")), user(1, "AA", has("PlanA", "a@x.no"))}
	addresses := []manifest.Address{{Person: 7, Email: "A@x.no"}, {Person: 5, Email: "a@x.no"},
		{Person: 5, Rank: 2, Email: "a@x.no"}, {Person: 6, Email: "b@x.no "}, {Person: 6, Email: "c@x.no"}}
	a5, a7, b6 := manifest.Removal{Person: 5, Email: "a@x.no", User: 1}, manifest.Removal{Person: 7, Email: "A@x.no",
		User: 1}, manifest.Removal{Person: 6, Email: "b@x.no ", User: 2}
	said := func(severity, a, b string) string {
		sa, sb := severity, severity
		if i := strings.Index(severity, "/"); i >= 0 {
			sa, sb = severity[:i], severity[i+1:]
		}
		return lines(fmt.Sprintf("username-address %s [user:1 person:5 person:7] AA (Name of AA): user name 'a@x.no' is also an address of persons who are no users (ids 5, 7); %s",
			sa, a),
			fmt.Sprintf("username-address %s [user:2 person:6] BB (Name of BB): user name 'b@x.no' is also an address of persons who are no users (ids 6); %s",
				sb, b))
	}
	const stays, goes = "it stays there (--remove-from-persons removes it)", "it will be removed from their cards"
	for _, tt := range []struct {
		name   string
		choice *bool
		before []manifest.Removal
		want   []manifest.Removal
		told   string
	}{
		{"listed", nil, nil, nil, said("info", stays, stays)},
		{"removed", ptr(true), nil, []manifest.Removal{a5, a7, b6}, said("warning", goes, goes)},
		{"what was removed before stays removed", nil, []manifest.Removal{b6, a7, {Person: 99, Email: "gone@x.no", User: 1}},
			[]manifest.Removal{a7, b6},
			said("warning", "it will be removed from 1 of 2 cards (--remove-from-persons removes it from all)", goes)},
		{"taken back", ptr(false), []manifest.Removal{a5, a7, b6}, nil, said("info", stays, stays)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := matches{names: namesOf(users)}
			for _, a := range addresses {
				m.see(a)
			}
			removals, findings := m.settle(tt.choice, tt.before)
			if d := cmp.Diff(tt.want, removals); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.told, told(findings)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestManyPersonsAreOneFinding(t *testing.T) {
	m := matches{names: namesOf([]manifest.User{user(1, "AA", has("PlanA", "info@x.no"))})}
	for i := range 1000 {
		m.see(manifest.Address{Person: int64(1000 + i), Email: "INFO@x.no"})
	}
	removals, findings := m.settle(ptr(true), nil)
	if len(removals) != 1000 || len(findings) != 1 || len(findings[0].Subjects) != 11 || !strings.Contains(findings[0].Message,
		"1008, 1009 and 990 more") {
		t.Errorf("%d removals, findings %v", len(removals), findings)
	}
}
