package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sheet"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// user makes a user: "GKS/ten-sales a@x.no b@x.no" with the options given.
func user(id int64, text string, options ...func(*manifest.User)) manifest.User {
	fields := strings.Fields(text)
	login, onsite, _ := strings.Cut(fields[0], "/")
	u := manifest.User{ID: id, Login: login, Person: 100 + id, Name: "Name of " + login, Onsite: onsite, Emails: fields[1:]}
	for _, o := range options {
		o(&u)
	}
	return u
}

func admin(u *manifest.User) { u.Admin = true }

// has gives a user a plan and a name; an empty name gives none.
func has(plan, name string) func(*manifest.User) {
	return func(u *manifest.User) { u.Plan, u.Username = &plan, name }
}

func mails(welcome bool) func(*manifest.User) {
	return func(u *manifest.User) { u.Welcome = &welcome }
}

// row is a row of a users table.
func row(n int, c Choice) Choice {
	c.At = sheet.Place{File: "users.csv", Unit: "row", N: n}
	return c
}

// set is a value of --set.
func set(t *testing.T, text string) Choice {
	t.Helper()
	c, err := ParseSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tenant are the plans of most tests: A for ten-a with two seats, B for ten-b with one, Free without limit.
func tenant() []manifest.Plan {
	return []manifest.Plan{
		{Name: "PlanA", Title: "Plan A", Onsite: "ten-a", Seats: 2, Source: "tenant"},
		{Name: "PlanB", Onsite: "ten-b", Seats: 1, Source: "tenant"},
		{Name: "Free", Unlimited: true, Source: "tenant"},
	}
}

// show is what was chosen for users: "GKS plan=PlanA username=… welcome=true".
func show(users []manifest.User) string {
	var b strings.Builder
	for _, u := range users {
		b.WriteString(u.Login)
		if u.Plan != nil {
			fmt.Fprintf(&b, " plan=%s", planCell(*u.Plan))
		}
		if u.Username != "" {
			fmt.Fprintf(&b, " name=%s", u.Username)
		}
		if u.Welcome != nil {
			fmt.Fprintf(&b, " welcome=%v", *u.Welcome)
		}
		if u.Admin {
			b.WriteString(" admin")
		}
		if u.Confidential {
			b.WriteString(" confidential")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// lines makes the text that show gives.
func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

func TestAssign(t *testing.T) {
	for _, tt := range []struct {
		name  string
		users []manifest.User
		c     Choices
		want  string
	}{
		{"nothing chosen, nothing changed",
			[]manifest.User{user(1, "GKS/ten-a g@x.no"), user(2, "HUH", has("PlanA", "h@x.no"), mails(true))},
			Choices{}, lines("GKS", "HUH plan=PlanA name=h@x.no welcome=true")},

		{"auto by on-site name, by name, in any case; the others stay undecided",
			[]manifest.User{user(1, "AA/TEN-A a@x.no a2@x.no"), user(2, "BB/planb b@x.no"), user(3, "CC/free"),
				user(4, "DD/other d@x.no"), user(5, "EE e@x.no")},
			Choices{Auto: true},
			lines("AA plan=PlanA name=a@x.no welcome=false", "BB plan=PlanB name=b@x.no welcome=false", "CC plan=Free welcome=false",
				"DD name=d@x.no welcome=false", "EE name=e@x.no welcome=false")},
		{"auto leaves what was chosen",
			[]manifest.User{user(1, "AA/ten-a a@x.no", has("Free", "z@x.no"), mails(true)), user(2, "BB/ten-a b@x.no", has("", ""))},
			Choices{Auto: true}, lines("AA plan=Free name=z@x.no welcome=true", "BB plan=- welcome=false")},
		{"auto with mappings",
			[]manifest.User{user(1, "AA/old a@x.no"), user(2, "BB b@x.no"), user(3, "CC/gone c@x.no"), user(4, "DD/ten-a d@x.no")},
			Choices{Auto: true, MapPlan: []Mapping{{"OLD", "plana"}, {"", "Free"}, {"gone", "-"}, {"ten-a", "PlanB"}}},
			lines("AA plan=PlanA name=a@x.no welcome=false", "BB plan=Free name=b@x.no welcome=false", "CC plan=- welcome=false",
				"DD plan=PlanB name=d@x.no welcome=false")},
		{"auto respects seats: administrators first, then by id",
			[]manifest.User{user(3, "CC/ten-a"), user(1, "AA/ten-a"), user(2, "BB/ten-a"), user(4, "DD/ten-a", admin)},
			Choices{Auto: true}, lines("CC welcome=false", "AA plan=PlanA welcome=false", "BB welcome=false",
				"DD plan=PlanA welcome=false admin")},
		{"auto counts seats that are taken", []manifest.User{user(1, "AA/ten-b"), user(2, "BB/ten-a", has("PlanB", ""))},
			Choices{Auto: true}, lines("AA welcome=false", "BB plan=PlanB welcome=false")},
		{"auto shows what is wrong with an address",
			[]manifest.User{user(1, "AA/ten-a same@x.no"), user(2, "BB/ten-a SAME@x.no"), user(3, "CC/free n/a")},
			Choices{Auto: true}, lines("AA plan=PlanA name=same@x.no welcome=false", "BB plan=PlanA name=SAME@x.no welcome=false",
				"CC plan=Free name=n/a welcome=false")},

		{"rows by id, by login, by both", []manifest.User{user(1, "AA"), user(2, "BB"), user(3, "CC")},
			Choices{Users: []Choice{row(2, Choice{ID: "1", Plan: "PlanA", Username: " a@x.no "}),
				row(3, Choice{Login: "bb", Plan: "planb", Welcome: "TRUE"}),
				row(4, Choice{ID: "3", Login: "cc ", Admin: "true", Confidential: "SANN"})}},
			lines("AA plan=PlanA name=a@x.no", "BB plan=PlanB welcome=true", "CC admin confidential")},
		{"an empty row changes nothing", []manifest.User{user(1, "AA", has("PlanA", "a@x.no"), mails(true), admin)},
			Choices{Users: []Choice{row(2, Choice{ID: "1"})}}, lines("AA plan=PlanA name=a@x.no welcome=true admin")},
		{"undecided and none",
			[]manifest.User{user(1, "AA", has("PlanA", "a@x.no"), mails(true), admin), user(2, "BB", has("PlanA", "b@x.no")), user(3, "CC", has("PlanB", "c@x.no"))},
			Choices{Users: []Choice{row(2, Choice{ID: "1", Plan: "?", Welcome: "?", Admin: "false"}),
				row(3, Choice{ID: "2", Plan: "-", Username: "B@x.no"}), row(4, Choice{ID: "3", Username: "-"})}},
			lines("AA name=a@x.no", "BB plan=-", "CC plan=PlanB")},
		{"no plan frees the name, unless another is given or there was no plan before",
			[]manifest.User{user(1, "AA", has("PlanA", "a@x.no")), user(2, "BB", has("PlanA", "b@x.no")),
				user(3, "CC", has("", "c@x.no")), user(4, "DD")},
			Choices{Set: []Choice{set(t, "AA:plan=-"), set(t, "BB:plan=-,username=b2@x.no"), set(t, "CC:plan=-"),
				set(t, "DD:username=a@x.no,plan=PlanA")}},
			lines("AA plan=-", "BB plan=- name=b2@x.no", "CC plan=- name=c@x.no", "DD plan=PlanA name=a@x.no")},
		{"auto keeps what this run leaves open", []manifest.User{user(1, "AA/ten-a a@x.no"), user(2, "BB/ten-a b@x.no")},
			Choices{Auto: true, Set: []Choice{set(t, "AA:plan=?,username=-,welcome=?"), set(t, "BB:plan=-")}}, lines("AA",
				"BB plan=- welcome=false")},
		{"auto takes no seat from a row", []manifest.User{user(1, "AA/ten-b"), user(2, "BB")},
			Choices{Auto: true, Users: []Choice{row(2, Choice{ID: "2", Plan: "PlanB"})}}, lines("AA welcome=false",
				"BB plan=PlanB welcome=false")},

		{"welcome: set over all over rows", []manifest.User{user(1, "AA"), user(2, "BB", mails(true)), user(3, "CC")},
			Choices{Users: []Choice{row(2, Choice{ID: "1", Welcome: "true"})}, WelcomeEmail: "none",
				Set: []Choice{set(t, "CC:welcome=true")}},
			lines("AA welcome=false", "BB welcome=false", "CC welcome=true")},
		{"welcome to all", []manifest.User{user(1, "AA"), user(2, "BB", has("", ""))}, Choices{WelcomeEmail: "all"},
			lines("AA welcome=true", "BB plan=- welcome=true")},
		{"sets add up, the same twice is no conflict", []manifest.User{user(1, "AA")},
			Choices{Set: []Choice{set(t, "AA:plan=PlanA"), set(t, "aa:username=a@x.no"),
				set(t, "AA:plan=PlanA")}}, lines("AA plan=PlanA name=a@x.no")},
		{"logins that differ by case", []manifest.User{user(1, "AA"), user(2, "aa")},
			Choices{Set: []Choice{set(t, "AA:plan=PlanA"), set(t, "aa:plan=PlanB")}},
			lines("AA plan=PlanA", "aa plan=PlanB")},
		{"names are swapped", []manifest.User{user(1, "AA", has("PlanA", "a@x.no")), user(2, "BB", has("PlanA", "b@x.no"))},
			Choices{Set: []Choice{set(t, "AA:username=b@x.no"), set(t, "BB:username=a@x.no")}}, lines("AA plan=PlanA name=b@x.no",
				"BB plan=PlanA name=a@x.no")},
		{"seats are swapped", []manifest.User{user(1, "AA", has("PlanB", "")), user(2, "BB")},
			Choices{Set: []Choice{set(t, "AA:plan=Free"), set(t, "BB:plan=PlanB")}}, lines("AA plan=Free", "BB plan=PlanB")},
		{"what is wrong already may be said again",
			[]manifest.User{user(1, "AA", has("PlanB", "same@x.no")), user(2, "BB", has("PlanB", "same@x.no")), user(3, "CC", has("PlanA", "n/a"))},
			Choices{Users: []Choice{row(2, Choice{ID: "1", Plan: "PlanB", Username: "same@x.no"}),
				row(3, Choice{ID: "2", Plan: "PlanB", Username: "SAME@x.no"}), row(4, Choice{ID: "3", Username: "n/a"})}},
			lines("AA plan=PlanB name=same@x.no", "BB plan=PlanB name=SAME@x.no", "CC plan=PlanA name=n/a")},

		{"an earlier manifest", []manifest.User{user(1, "AA"), user(2, "BB"), user(3, "CC"), user(4, "DD")},
			Choices{MapPlan: []Mapping{{"OldA", "PlanA"}}, Users: []Choice{
				row(5, Choice{ID: "1", Login: "AA", Plan: "OldA", Username: "a@x.no", Earlier: true}), row(6,
					Choice{ID: "2", Login: "BX", Plan: "PlanB", Earlier: true}),
				row(7, Choice{ID: "9", Login: "ZZ", Plan: "PlanB", Earlier: true}), row(8,
					Choice{ID: "4", Login: "DD", Plan: "-", Welcome: "false", Earlier: true})}},
			lines("AA plan=PlanA name=a@x.no", "BB", "CC", "DD plan=- welcome=false")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Now = now
			in := Input{Plans: tenant(), Users: tt.users}
			before := show(tt.users)
			r, err := Assign(in, tt.c)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, show(r.Users)); d != "" {
				t.Error(d)
			}
			if show(tt.users) != before {
				t.Error("the input was changed")
			}
		})
	}
}

func TestAssignProblems(t *testing.T) {
	users := []manifest.User{
		user(1, "AA", has("PlanB", "a@x.no")), user(2, "BB"), user(3, "CC"), user(4, "DD"), user(5, "bb"),
		user(6, "EE", has("PlanA", "e@x.no")),
	}
	for _, tt := range []struct {
		name string
		c    Choices
		want string
	}{
		{"who",
			Choices{Users: []Choice{row(2, Choice{}), row(3, Choice{ID: "x"}), row(4, Choice{ID: "99", Login: "AA"}), row(5, Choice{ID: "1", Login: "CC"}),
				row(6, Choice{Login: "ZZ"}), row(7, Choice{Login: "Bb"}), row(8, Choice{ID: "1"}), row(9, Choice{Login: "aa"})}},
			`users.csv: row 2: neither id nor login says which user it is
users.csv: row 3, column id: "x" is no number
users.csv: row 4, column id: no user has the id 99
users.csv: row 5, column login: id 1 is user "AA", not "CC"
users.csv: row 6, column login: user "ZZ" does not exist
users.csv: row 7, column login: "Bb": several users have this login but for letter case; give the id too, or the exact login
users.csv: row 9: user "AA" stands already in row 8`},
		{"what",
			Choices{Users: []Choice{row(2, Choice{ID: "2", Plan: "PlanX", Username: "b", Admin: "?", Confidential: "maybe", Welcome: "-"}), row(3, Choice{ID: "3", Plan: "plan a"}),
				row(4, Choice{ID: "4", Plan: "ten-b", Username: "d d@x.no"})}},
			`users.csv: row 2, column plan: plan "PlanX" does not exist; there are PlanA, PlanB, Free
users.csv: row 2, column admin: "?": want true or false
users.csv: row 2, column confidential: "maybe": want true or false
users.csv: row 2, column welcome: "-": want true, false or ?
users.csv: row 3, column plan: plan "plan a" does not exist; did you mean "PlanA"?
users.csv: row 4, column plan: plan "ten-b" does not exist; did you mean "PlanB"?
users.csv: row 2, column username: "b" is no e-mail address: it has no @
users.csv: row 4, column username: "d d@x.no" is no e-mail address: it holds a space`},
		{"seats",
			Choices{Users: []Choice{row(2, Choice{ID: "2", Plan: "PlanB"}), row(3, Choice{ID: "3", Plan: "PlanA"}), row(4, Choice{ID: "4", Plan: "PlanA"})},
				Set: []Choice{set(t, "bb:plan=PlanA")}},
			`users.csv: row 4, column plan: plan "PlanA" is full: 4 users for 2 seats
--set bb:plan=PlanA: plan: plan "PlanA" is full: 4 users for 2 seats
users.csv: row 2, column plan: plan "PlanB" is full: 2 users for 1 seats`},
		{"names",
			Choices{Users: []Choice{row(2, Choice{ID: "2", Username: " A@X.no"}), row(3, Choice{ID: "3", Username: "new@x.no"}), row(4, Choice{ID: "4", Username: "NEW@x.no"})}},
			`users.csv: row 2, column username: BB: user name 'A@X.no' is also used by AA
users.csv: row 3, column username: CC: user name 'new@x.no' is also used by DD
users.csv: row 4, column username: DD: user name 'NEW@x.no' is also used by CC`},
		{"sets", Choices{Set: []Choice{set(t, "AA:plan=PlanA"), set(t, "AA:plan=Free,welcome=true"), set(t, "ZZ:plan=Free")}},
			`--set AA:plan=Free,welcome=true: plan: another --set says "PlanA" for the same user
--set ZZ:plan=Free: login: user "ZZ" does not exist`},
		{"mappings and summary", Choices{MapPlan: []Mapping{{"a", "X"}, {"b", "Free"}, {"B", "PlanA"}}, SummaryTo: ptr("nobody")},
			`--map-plan a=X: plan "X" does not exist; there are PlanA, PlanB, Free
--map-plan B=PlanA: another --map-plan says "Free" for the same plan
--summary-to: "nobody" is no e-mail address: it has no @`},
		{"waivers",
			Choices{Final: final, Waivers: []Waiver{waived("duplicate-email", "", "r", ""), waived("plan-seats", "plan:A", "r", ""), waived("x", "", " ", ""),
				waived("y", "", "r", "2026-11-21"), waived("z", "s", "r", "2026-11-22"), waived("z", "s", "other", "")}},
			`--waive duplicate-email: duplicate-email cannot be waived: duplicate-email is as it is
--waive plan-seats: plan-seats cannot be waived: plan-seats is as it is
--waive x: a waiver needs a reason
--waive y: the waiver ended on 2026-11-21 already
--waive z: the same is waived with another reason, "r"`},
		{"an earlier manifest's plan is gone",
			Choices{Users: []Choice{row(5, Choice{ID: "2", Login: "BB", Plan: "OldA", Earlier: true})}},
			`users.csv: row 5, column plan: plan "OldA" does not exist; there are PlanA, PlanB, Free`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Now = now
			r, err := Assign(Input{Plans: tenant(), Users: users}, tt.c)
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(tt.want, err.Error()); d != "" {
				t.Error(d)
			}
			if manifest.StatusOf(err) != manifest.Usage || r.Users != nil {
				t.Errorf("status %d, users %v", manifest.StatusOf(err), r.Users)
			}
		})
	}
}

func TestPlansAreMissing(t *testing.T) {
	_, err := Assign(Input{Users: []manifest.User{user(1, "AA")}}, Choices{Set: []Choice{set(t, "AA:plan=X")}})
	if err == nil || !strings.Contains(err.Error(), "the manifest names no plans, give omt-scan --plans") {
		t.Errorf("got %v", err)
	}
}

// waived is a waiver of this run.
func waived(rule, subject, reason, until string) Waiver {
	return Waiver{sheet.Place{File: "--waive " + rule}, manifest.Waiver{Rule: rule, Subject: subject, Reason: reason, Until: until}}
}

func TestReviews(t *testing.T) {
	decided := []manifest.User{user(1, "AA", has("PlanA", "a@x.no"))}
	open := []manifest.User{user(1, "AA"), user(2, "BB", has("PlanA", "b@x.no"))}
	earlier := manifest.At(now.Add(-time.Hour))
	all := []manifest.Review{{Item: "plans", By: "OLD", At: earlier, How: "board"},
		{Item: "usernames", By: "OLD", At: earlier, How: "board"},
		{Item: "notifications", By: "OLD", At: earlier, How: "board", Summary: ptr("boss@x.no")}}
	for _, tt := range []struct {
		name    string
		users   []manifest.User
		reviews []manifest.Review
		c       Choices
		want    string // item how by summary
	}{
		{"nothing chosen", decided, all, Choices{}, "plans board OLD|usernames board OLD|notifications board OLD boss@x.no"},
		{"auto writes all, even with undecided users", open, nil, Choices{Auto: true},
			"plans auto KK|usernames auto KK|notifications auto KK "},
		{"auto keeps the summary", decided, all, Choices{Auto: true},
			"plans auto KK|usernames auto KK|notifications auto KK boss@x.no"},
		{"rows, all decided", decided, nil, Choices{Users: []Choice{row(2, Choice{ID: "1", Username: "b@x.no"})}},
			"plans users KK|usernames users KK"},
		{"rows that decide", open, nil, Choices{Users: []Choice{row(2, Choice{ID: "1", Plan: "-"})}},
			"plans users KK|usernames users KK"},
		{"rows with welcome", decided, nil, Choices{Users: []Choice{row(2, Choice{ID: "1", Welcome: "true"})}},
			"plans users KK|usernames users KK|notifications users KK "},
		{"rows, undecided left", open, nil,
			Choices{Users: []Choice{row(2, Choice{ID: "2", Username: "c@x.no", Welcome: "false"})}}, "notifications users KK "},
		{"rows that leave somebody undecided take reviews back", decided, all,
			Choices{Users: []Choice{row(2, Choice{ID: "1", Plan: "?"})}}, "notifications board OLD boss@x.no"},
		{"set", decided, all, Choices{Set: []Choice{set(t, "AA:plan=PlanB")}},
			"plans set KK|usernames set KK|notifications board OLD boss@x.no"},
		{"set with welcome", decided, nil, Choices{Set: []Choice{set(t, "AA:welcome=?")}},
			"plans set KK|usernames set KK|notifications set KK "},
		{"a table without rows says nothing", decided, nil, Choices{Users: []Choice{}}, ""},
		{"welcome-email", open, nil, Choices{WelcomeEmail: "none"}, "notifications flag KK "},
		{"summary-to", open, all, Choices{SummaryTo: ptr("new@x.no")},
			"plans board OLD|usernames board OLD|notifications flag KK new@x.no"},
		{"summary to nobody", open, all[2:], Choices{SummaryTo: ptr("")}, "notifications flag KK "},
		{"a review of a later version stays", decided, append([]manifest.Review{{Item: "other", By: "X", How: "y"}}, all[0]),
			Choices{Auto: true},
			"other y X|plans auto KK|usernames auto KK|notifications auto KK "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Now = now
			r, err := Assign(Input{Plans: tenant(), Users: tt.users, Reviews: tt.reviews, Migrator: manifest.Migrator{Login: "KK"}},
				tt.c)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range r.Reviews {
				s := v.Item + " " + v.How + " " + v.By
				if v.Summary != nil {
					s += " " + *v.Summary
				}
				if v.By == "KK" && !v.At.Equal(now) {
					t.Errorf("%s at %v", v.Item, v.At)
				}
				got = append(got, s)
			}
			if d := cmp.Diff(tt.want, strings.Join(got, "|")); d != "" {
				t.Error(d)
			}
		})
	}
	r, err := Assign(Input{Users: decided}, Choices{WelcomeEmail: "all", By: "karl", Now: now})
	if err != nil || r.Reviews[0].By != "karl" {
		t.Errorf("without a migrator: %+v, %v", r.Reviews, err)
	}
}

func TestSummaryOfAssign(t *testing.T) {
	users := []manifest.User{user(9, "II/old"), user(1, "AA/ten-a"), user(2, "BB/OLD"), user(3, "CC"), user(4, "DD/rare"),
		user(5, "EE/ten-a", has("PlanA", "e@x.no")),
		user(6, "FF/ten-b", has("", ""))}
	r, err := Assign(Input{Plans: tenant(), Users: users}, Choices{MapPlan: []Mapping{{"nobody's", "Free"}}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Unmatched{{"old", 2}, {"", 1}, {"rare", 1}}, r.Summary.Unmatched); d != "" {
		t.Error(d)
	}
	var used []int
	for _, p := range r.Summary.Plans {
		used = append(used, p.Used)
	}
	if d := cmp.Diff([]int{1, 0, 0}, used); d != "" {
		t.Error(d)
	}
	var undecided []string
	for _, u := range r.Summary.Undecided {
		undecided = append(undecided, u.Login)
	}
	if d := cmp.Diff([]string{"AA", "BB", "CC", "DD", "II"}, undecided); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{`--map-plan nobody's=Free: nobody holds the plan "nobody's" on site`}, r.Summary.Notes); d != "" {
		t.Error(d)
	}
}

func TestEarlierManifestIsNoted(t *testing.T) {
	r, err := Assign(Input{Plans: tenant(), Users: []manifest.User{user(2, "BB")}}, Choices{Now: now, Users: []Choice{
		row(5, Choice{ID: "1", Login: "AA", Earlier: true}), row(6, Choice{ID: "2", Login: "BX", Earlier: true})}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`users.csv: row 5: user "AA" (id 1) is no longer there`,
		`users.csv: row 6: user "BX" (id 2) is now "BB"; nothing is taken over`}
	if d := cmp.Diff(want, r.Summary.Notes); d != "" {
		t.Error(d)
	}
}
