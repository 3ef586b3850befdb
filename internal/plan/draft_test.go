package plan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	crm "github.com/openomt/omt/plugins/crm/rules"
	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

// TestDraftKeepsWhatAssignRefuses: the result has what was chosen, and the marks say what is wrong with it.
func TestDraftKeepsWhatAssignRefuses(t *testing.T) {
	in := Input{Plans: tenant(), Users: []manifest.User{user(1, "AA"), user(2, "BB"), user(3, "CC")}}
	c := Choices{Set: []Choice{set(t, "AA:plan=PlanB,username=a@x.no"), set(t, "BB:plan=PlanB,username=A@x.no"), set(t, "CC:plan=-"), set(t, "ZZ:plan=-")}}
	if _, err := Assign(in, c); err == nil {
		t.Fatal("Assign takes it")
	}
	r := Draft(in, c)
	if d := cmp.Diff(lines("AA plan=PlanB name=a@x.no", "BB plan=PlanB name=A@x.no", "CC plan=-"), show(r.Users)); d != "" {
		t.Error(d)
	}
	m := Mark(in, r.Users)
	want := lines("duplicate-email error [user:1 user:2] AA: user name 'a@x.no' is also used by BB",
		`plan-seats error [plan:PlanB] plan "PlanB": 2 users for 1 seats`,
		"administrator-plan error [] no user is known to be an administrator")
	if d := cmp.Diff(want, told(m.Findings)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[int64]string{1: "AA: user name 'a@x.no' is also used by BB", 2: "BB: user name 'A@x.no' is also used by AA"}, m.Names); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]int{"PlanB": 2, "": 1}, m.Used); d != "" || m.Undecided != 0 {
		t.Errorf("%d undecided: %s", m.Undecided, d)
	}
}

func TestMark(t *testing.T) {
	boss := user(9, "ZZ", admin, has("Free", "z@x.no"))
	for _, tt := range []struct {
		name  string
		users []manifest.User
		told  string
		names map[int64]string
	}{
		{"nothing", []manifest.User{boss, user(1, "AA", has("", ""))}, "", nil},
		{"undecided without a name", []manifest.User{boss, user(1, "AA")}, lines("undecided-user error [user:1] AA (Name of AA): no plan is chosen"),
			map[int64]string{1: "AA: no user name"}},
		{"undecided with a wrong one", []manifest.User{boss, user(1, "AA", func(u *manifest.User) { u.Username = "x" })},
			lines("undecided-user error [user:1] AA (Name of AA): no plan is chosen"), map[int64]string{1: "AA: user name 'x' is no e-mail address: it has no @"}},
		{"wrong", []manifest.User{boss, user(1, "AA", has("Free", "x"))},
			lines("invalid-email error [user:1] AA (Name of AA): user name 'x' is no e-mail address: it has no @"),
			map[int64]string{1: "AA: user name 'x' is no e-mail address: it has no @"}},
		{"missing", []manifest.User{boss, user(1, "AA", has("Free", ""))}, lines("missing-email error [user:1] AA (Name of AA): no user name"),
			map[int64]string{1: "AA: no user name"}},
		{"a wrong one of somebody without a plan", []manifest.User{boss, user(1, "AA", has("", "x"))}, "", nil},
		{"gone", []manifest.User{boss, user(1, "AA", has("Gone", "a@x.no"))},
			lines(`plan-seats error [plan:Gone] plan "Gone" is given to 1 users, and the tenant has no such plan`), nil},
		{"no administrator with a plan", []manifest.User{user(1, "AA", admin, has("", ""))},
			lines("administrator-plan error [user:1] at least one administrator must have a plan"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Mark(Input{Plans: tenant()}, tt.users)
			if d := cmp.Diff(tt.told, told(m.Findings)); d != "" {
				t.Error(d)
			}
			for id, want := range tt.names {
				if m.Names[id] != want {
					t.Errorf("user %d: %q, want %q", id, m.Names[id], want)
				}
			}
			if len(m.Names) != len(tt.names) {
				t.Errorf("marked: %v", m.Names)
			}
		})
	}
}

// TestMarksAgreeWithTheRules: once everybody is decided, the marks are about what the rules are about, one finding for one.
func TestMarksAgreeWithTheRules(t *testing.T) {
	rules := map[string]sdk.Rule{}
	for _, r := range crm.Plugin("1.0.0").Rules {
		rules[r.ID] = r
	}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
		var users []manifest.User
		for id := range int64(1 + r.IntN(6)) {
			users = append(users, user(id+1, string(rune('A'+id))+pick(" a@x.no", ""), has(pick("", "PlanA", "PlanB", "Free", "Gone"), pick("", "a@x.no", "A@X.no", "b@x.no", "no", "c@d"))))
			users[id].Admin = r.IntN(3) == 0
		}
		in := Input{Plans: tenant(), Users: users, Migrator: manifest.Migrator{Login: "KK", Admin: pick("guessed", "confirmed")}}
		records := []sdk.Record{&sdk.Migrator{Login: "KK", Admin: in.Migrator.Admin}}
		for _, p := range in.Plans {
			records = append(records, &sdk.Plan{Name: p.Name, Title: p.Title, Onsite: p.Onsite, Seats: int64(p.Seats), Unlimited: p.Unlimited})
		}
		for _, u := range users {
			records = append(records, &sdk.User{ID: u.ID, Login: u.Login, Name: u.Name, Admin: u.Admin, Emails: u.Emails, Plan: u.Plan, Username: u.Username})
		}
		var want, got []string
		for _, id := range []string{ruleDuplicate, ruleInvalid, ruleMissing, ruleUndecided, ruleSeats, ruleAdministrator} {
			for _, f := range ruletest.Run(t, rules[id], records...) {
				want = append(want, fmt.Sprint(id, f.Subjects, f.Final || rules[id].Final != ""))
			}
		}
		for _, f := range Mark(in, users).Findings {
			got = append(got, fmt.Sprint(f.Rule, f.Subjects, f.Final))
		}
		slices.Sort(want)
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("seed %d, %s: %s", seed, show(users), d)
		}
	}
}

func TestWeigh(t *testing.T) {
	findings := []manifest.Finding{{Rule: "a", Severity: "error", Subjects: []string{"user:1"}}, {Rule: "b", Severity: "error", Final: true},
		{Rule: "c", Severity: "error"}, {Rule: "d", Severity: "error", Subjects: []string{"user:1"}, Waived: "stale"}}
	got := Weigh(findings, []manifest.Waiver{{Rule: "c", Reason: "old", Covers: 1}}, Choices{Now: now, Final: func(rule string) string {
		return map[string]string{"c": "never"}[rule]
	}, Waivers: []Waiver{waived("a", "user:1", "known", ""), waived("b", "", "no", "")}}, manifest.Migrator{})
	var text []string
	for _, f := range got {
		text = append(text, fmt.Sprintf("%s %q %v", f.Rule, f.Waived, f.Final))
	}
	if d := cmp.Diff([]string{`a "known" false`, `b "" true`, `c "" true`, `d "" false`}, text); d != "" {
		t.Error(d)
	}
}

func TestLook(t *testing.T) {
	in := build(t, manifest.Installation{Owner: "Kalles", Serial: "1"}, user(1, "AA"),
		manifest.Finding{Rule: "shared-person", Severity: "error", Subjects: []string{"user:1", "person:3"}},
		manifest.Finding{Rule: "username-domain", Severity: "info", Subjects: []string{"domain:x.no"}},
		manifest.Finding{Rule: "document-missing", Severity: "error", Subjects: []string{"user:1", "folder:AA"}},
		manifest.Finding{Rule: "version", Severity: "error"}, manifest.Waiver{Rule: "version", Reason: "r"})
	s, err := Look(context.Background(), manifest.NewReader(bytes.NewReader(in), manifest.ReadOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	if s.Installation.Owner != "Kalles" || s.Header.ID == "" || len(s.Waivers) != 1 {
		t.Errorf("%+v", s)
	}
	if d := cmp.Diff("shared-person error [user:1 person:3] \nusername-domain info [domain:x.no] \n", told(s.Findings)); d != "" {
		t.Error(d)
	}
	if _, err := Look(context.Background(), manifest.NewReader(bytes.NewReader(in[:len(in)/2]), manifest.ReadOptions{})); err == nil {
		t.Error("a manifest cut short is read")
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Look(ctx, manifest.NewReader(bytes.NewReader(in), manifest.ReadOptions{})); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestOnPersonsSaysWhatRunDoes: the same removals as Run writes, for every choice.
func TestOnPersonsSaysWhatRunDoes(t *testing.T) {
	head := []manifest.Record{manifest.Plan{Name: "PlanA", Seats: 9, Source: "tenant"}, user(1, "AA", has("PlanA", "a@x.no")), user(2, "BB", has("PlanA", "b@x.no"))}
	in := build(t, append(head, manifest.Address{Person: 50, Email: "A@x.no"}, manifest.Address{Person: 50, Rank: 2, Email: "A@x.no"},
		manifest.Address{Person: 51, Email: "b@x.no"}, manifest.Address{Person: 52, Email: "c@x.no"}, manifest.Address{Person: 101, Email: "a@x.no"},
		manifest.Removal{Person: 51, Email: "b@x.no", User: 2}, manifest.Fact{Name: "f", ID: "1", Data: map[string]any{}})...)
	for name, choice := range map[string]*bool{"kept": nil, "removed": ptr(true), "taken back": ptr(false)} {
		t.Run(name, func(t *testing.T) {
			out, _, err := run(t, in, RunOptions{Choices: Choices{RemoveFromPersons: choice}})
			if err != nil {
				t.Fatal(err)
			}
			input := Input{Users: []manifest.User{user(1, "AA", has("PlanA", "a@x.no")), user(2, "BB", has("PlanA", "b@x.no"))}}
			list, err := Draft(input, Choices{}).OnPersons(context.Background(), manifest.NewReader(bytes.NewReader(in), manifest.ReadOptions{}), choice)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) != 2 || list[0].Person != 50 || list[1].Person != 51 {
				t.Fatalf("%+v", list)
			}
			var removed []manifest.Record
			for _, r := range list {
				if r.Removed {
					removed = append(removed, r.Removal)
				}
			}
			if d := cmp.Diff(of(build(t, removed...), "removal"), of(out, "removal")); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestRunAsks: what is asked for is a second run over what the first gave, in one.
func TestRunAsks(t *testing.T) {
	in := whole(t)
	first := Choices{Set: []Choice{set(t, "AA:plan=PlanA,username=first@x.no"), set(t, "CC:plan=-")}, Users: []Choice{{ID: "99", Login: "X", Earlier: true}}}
	second := Choices{Now: now, How: "board", Set: []Choice{set(t, "AA:username=a@x.no"), set(t, "BB:plan=PlanA,username=b@x.no")}, RemoveFromPersons: ptr(true)}
	asked := 0
	got, s, err := run(t, in, RunOptions{Choices: first, Ask: func(_ context.Context, in Input, notes []string) (Choices, error) {
		asked++
		if d := cmp.Diff(lines("AA plan=PlanA name=first@x.no admin", "BB", "CC plan=-"), show(in.Users)); d != "" || len(notes) != 1 {
			t.Errorf("asked with %q, %s", notes, d)
		}
		return second, nil
	}})
	if err != nil || asked != 1 {
		t.Fatalf("asked %d times: %v", asked, err)
	}
	if len(s.Notes) != 1 {
		t.Errorf("notes %q", s.Notes)
	}
	middle, _, err := run(t, in, RunOptions{Choices: first})
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := run(t, middle, RunOptions{Choices: second})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); d != "" {
		t.Error(d)
	}
	if n := strings.Count(string(got), `"how":"board"`); n != 3 {
		t.Errorf("%d reviews by the board", n)
	}
	refused := errors.New("cancelled")
	out, _, err := run(t, in, RunOptions{Ask: func(context.Context, Input, []string) (Choices, error) { return Choices{}, refused }})
	if !errors.Is(err, refused) || len(out) != 0 {
		t.Errorf("%v, wrote %s", err, out)
	}
}

// TestBoardReviews: all three, also where somebody is left undecided, since a person settled them.
func TestBoardReviews(t *testing.T) {
	r := Draft(Input{Users: []manifest.User{user(1, "AA")}}, Choices{How: "board", By: "karl", Now: now, SummaryTo: ptr("s@x.no")})
	var got []string
	for _, v := range r.Reviews {
		got = append(got, v.Item+" "+v.How+" "+v.By)
	}
	if d := cmp.Diff([]string{"plans board karl", "usernames board karl", "notifications board karl"}, got); d != "" || *r.Reviews[2].Summary != "s@x.no" {
		t.Error(d)
	}
}
