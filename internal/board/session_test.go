package board

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
	"github.com/openomt/omt/internal/sheet"
)

func user(t *testing.T, s *session, id int64) manifest.User {
	t.Helper()
	return s.result.Users[s.at[id]]
}

func apply(t *testing.T, s *session, e Edit) {
	t.Helper()
	if err := s.apply(e); err != nil {
		t.Fatal(err)
	}
}

// TestLosingThePlanGivesUpTheName: the name that came with the input and the one typed here; undo brings back which it was.
func TestLosingThePlanGivesUpTheName(t *testing.T) {
	s := newSession(assigned(some(3, 1)), plan.Choices{})
	was := user(t, s, 7).Username
	apply(t, s, Edit{Changes: []Change{{ID: 7, Plan: "-"}}})
	if got := user(t, s, 7).Username; got != "" {
		t.Errorf("without a plan: %q", got)
	}
	apply(t, s, Edit{Changes: []Change{{ID: 7, Plan: "SalesPremium"}}})
	if got := user(t, s, 7).Username; got != was {
		t.Errorf("with the plan again: %q, want %q", got, was)
	}
	apply(t, s, Edit{Changes: []Change{{ID: 7, Username: "typed@example.com"}}})
	apply(t, s, Edit{Changes: []Change{{ID: 7, Plan: "-"}}})
	if got := user(t, s, 7).Username; got != "" {
		t.Errorf("a typed name without a plan: %q", got)
	}
	s.undo()
	if got := user(t, s, 7).Username; got != "typed@example.com" {
		t.Errorf("after undo: %q", got)
	}
	s.redo()
	if got := user(t, s, 7).Username; got != "" {
		t.Errorf("after redo: %q", got)
	}
	if s.redo() {
		t.Error("redo beyond the end")
	}
}

// TestNoTrace: what goes back to what the input says leaves no choice behind.
func TestNoTrace(t *testing.T) {
	s := newSession(assigned(some(3, 2)), plan.Choices{})
	for _, there := range []Change{{ID: 8, Plan: "-"}, {ID: 8, Plan: "SalesPremium"}, {ID: 8, Username: "x@example.com"},
		{ID: 8, Admin: "true"}, {ID: 8, Confidential: "true"}, {ID: 8, Welcome: "?"}} {
		apply(t, s, Edit{Changes: []Change{there}})
		if len(s.choices().Set) != 1 {
			t.Errorf("%+v makes no choice", there)
		}
		u := s.in.Users[1]
		apply(t, s, Edit{Changes: []Change{{ID: 8, Plan: planText(u.Plan), Username: u.Username, Admin: "false", Confidential: "false", Welcome: "false"}}})
		if left := s.choices().Set; len(left) != 0 {
			t.Errorf("%+v leaves %+v", there, left)
		}
	}
}

func TestEditsRefused(t *testing.T) {
	s := newSession(some(3, 1), plan.Choices{})
	for name, c := range map[string]struct {
		edit Edit
		want string
	}{
		"nothing":      {Edit{Label: "x"}, "the edit changes nothing"},
		"unknown user": {Edit{Changes: []Change{{ID: 99, Plan: "-"}}}, "no user has the id 99"},
		"unknown plan": {Edit{Changes: []Change{{ID: 7, Plan: "salespremium"}}}, `plan "salespremium" does not exist`},
		"twice":        {Edit{Changes: []Change{{ID: 7, Plan: "-"}, {ID: 7, Plan: "?"}}}, "the edit changes user 7 twice"},
		"no truth":     {Edit{Changes: []Change{{ID: 7, Admin: "perhaps"}}}, `"perhaps": want true or false`},
		"no rule":      {Edit{Waive: &Waiver{Reason: "x"}}, "no rule is named"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := s.apply(c.edit); err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if s.revision != 1 || s.done != 0 {
				t.Errorf("revision %d, %d edits", s.revision, s.done)
			}
		})
	}
}

// TestSameAsFlags: whatever is done on a board, --set with the same choices gives the same users, removals and reviews
// but for how.
func TestSameAsFlags(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		in := some(12, 3)
		if seed%2 == 0 {
			in = assigned(in)
		}
		s := newSession(in, plan.Choices{Now: start(), By: "KK"})
		for range 40 {
			switch r.IntN(8) {
			case 0:
				s.undo()
			case 1:
				s.redo()
			default:
				apply(t, s, Edit{Changes: []Change{anyChange(r, in)}})
			}
		}
		want := plan.Draft(in, asFlags(s, in))
		if d := cmp.Diff(want.Users, s.result.Users); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
		if d := cmp.Diff(want.Removals, s.result.Removals); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
		if d := cmp.Diff([]string{"board", "board", "board"}, hows(s.result.Reviews)); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
		again := newSession(in, s.base)
		again.replay(entriesOf(s))
		if d := cmp.Diff(s.result.Users, again.result.Users); d != "" {
			t.Fatalf("seed %d, made again: %s", seed, d)
		}
	}
}

func anyChange(r *rand.Rand, in plan.Input) Change {
	c := Change{ID: in.Users[r.IntN(len(in.Users))].ID}
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	switch r.IntN(5) {
	case 0, 1:
		c.Plan = pick("-", "?", in.Plans[0].Name, in.Plans[1].Name)
	case 2:
		c.Username = pick("-", in.Users[0].Emails[0], in.Users[1].Emails[1], "typed@example.com", "no address")
	case 3:
		c.Admin, c.Welcome = pick("true", "false"), pick("true", "false", "?")
	default:
		c.Confidential, c.Plan = pick("true", "false"), pick("", "-")
	}
	return c
}

// asFlags are a session's choices as somebody would type them: --set LOGIN:…
func asFlags(s *session, in plan.Input) plan.Choices {
	c := plan.Choices{Now: start(), By: "KK"}
	for _, e := range s.choices().Set {
		id, _ := strconv.ParseInt(e.ID, 10, 64)
		c.Set = append(c.Set, plan.Choice{At: sheet.Place{File: "--set"}, Login: in.Users[s.at[id]].Login, Plan: e.Plan, Username: e.Username,
			Admin: e.Admin, Confidential: e.Confidential, Welcome: e.Welcome})
	}
	return c
}

func hows(list []manifest.Review) (out []string) {
	for _, r := range list {
		out = append(out, r.How)
	}
	return out
}

func entriesOf(s *session) (out []entry) {
	for _, e := range s.edits[:s.done] {
		out = append(out, entry{Do: "edit", Edit: &e})
	}
	return out
}

// TestTryChangesNothing: it tells the marks of names and leaves everything as it is.
func TestTryChangesNothing(t *testing.T) {
	s := newSession(assigned(some(3, 1)), plan.Choices{})
	before := s.result.Users
	_, marks, err := s.try([]Change{{ID: 7, Username: s.in.Users[1].Emails[0]}, {ID: 9, Username: "wrong"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[int64]string{
		7: "U0: user name 'hans.schpaa1@example.com' is also used by U1", 8: "U1: user name 'hans.schpaa1@example.com' is also used by U0",
		9: "U2: user name 'wrong' is no e-mail address: it has no @",
	}
	if d := cmp.Diff(want, marks.Names); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(before, s.result.Users); d != "" || s.revision != 1 {
		t.Errorf("revision %d: %s", s.revision, d)
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct{ pattern, name, login, mail, want string }{
		{"{first}.{last}@firm.no", "Gunn K. Schpaa", "GKS", "", "gunn.schpaa@firm.no"},
		{"{first}.{last}@firm.no", "Schpaa, Gunn K.", "GKS", "", "gunn.schpaa@firm.no"},
		{"{f}{last}@firm.no", "Åse Ødegård", "", "", "aodegard@firm.no"},
		{"{f}.{l}@firm.no", "Æsir Þórðarson", "", "", "a.t@firm.no"},
		{"{login}@firm.no", "", "HÜ H", "", "huh@firm.no"},
		{"{local}@new.example", "", "", "Old.Name@old.example", "old.name@new.example"},
		{"{email}", "", "", " Old.Name@old.example", "Old.Name@old.example"},
		{"{email}", "Gunn", "", "", ""},
		{"{last}@firm.no", "Großmann", "", "", "grossmann@firm.no"},
		{"{last}@firm.no", "Nygaard-Kristoffersen", "", "", "nygaard-kristoffersen@firm.no"},
		{"{last}@firm.no", "Anna O'Hara", "", "", "ohara@firm.no"},
		{"{first}@firm.no", "محمد علي", "", "", "محمد@firm.no"},
		{"{first}@firm.no", "देवी शर्मा", "", "", "देवी@firm.no"},
		{"{first}@firm.no", "<script>", "", "", "script@firm.no"},
		{"{first}@firm.no", "", "X", "", ""},
		{"fixed@firm.no", "", "", "", "fixed@firm.no"},
	} {
		u := manifest.User{Name: c.name, Login: c.login}
		if c.mail != "" {
			u.Emails = []string{c.mail}
		}
		if got, err := expand(c.pattern, u); err != nil || got != c.want {
			t.Errorf("%s of %q: %q, %v; want %q", c.pattern, c.name, got, err, c.want)
		}
	}
	for _, wrong := range []string{"{given}@x.no", "{first", "{}@x.no"} {
		if _, err := expand(wrong, manifest.User{Name: "A B"}); err == nil || !strings.Contains(err.Error(), "want one of {first}, {last}") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("{first}.{last}@firm.no", "Gunn K. Schpaa")
	f.Add("{f", "")
	f.Add("{l}}{", "É\xff,")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		got, err := expand(pattern, manifest.User{Name: name})
		if err == nil && !strings.Contains(pattern, "{") && got != strings.TrimSpace(pattern) {
			t.Errorf("%q gives %q", pattern, got)
		}
	})
}
