package ruletest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

// short finds logins of two letters, and says who has a draft.
var short = sdk.Rule{
	ID: "short-login", Title: "logins have three letters", Help: "A shorter one is none.", Severity: sdk.Warning,
	Reads: []string{sdk.KindUser, sdk.KindFile}, Facts: []string{"drive"},
	Queries: []sdk.Query{{Name: "drafts", SQL: "SELECT 1"}, {Name: "lost", SQL: "SELECT 2"}},
	Check: func(_ context.Context, in *sdk.Input, report sdk.Report) error {
		for u := range sdk.Each[*sdk.User](in) {
			if len(u.Login) < 3 {
				report(sdk.Finding{Subjects: []string{sdk.UserSubject(u.ID)}, Message: u.Login + " is short"})
			}
		}
		for row := range in.Rows("drafts") {
			report(sdk.Finding{Severity: sdk.Info, Message: fmt.Sprint("draft ", row.ID, " ", row.Int("n"), " ", row.Text("text"), " ",
				row.Has("none"), " ", row.Query())})
		}
		for row := range in.Rows("lost") {
			report(sdk.Finding{Message: "lost " + row.ID})
		}
		if why, absent := in.Absent("lost"); absent {
			report(sdk.Finding{Message: "absent: " + why})
		}
		for f := range sdk.Each[*sdk.File](in) {
			if f.State == "broken" {
				return errors.New("it is broken")
			}
			report(sdk.Finding{Subjects: []string{sdk.FileSubject(f)}, Message: in.Now.Format(time.DateOnly) + " " + in.Tool})
		}
		return nil
	},
}

func TestRun(t *testing.T) {
	got := ruletest.Run(t, short,
		&sdk.File{Area: "document", ID: 4}, // brought behind the others
		ruletest.Rows(short, "drafts", map[string]any{"N": 5, "Text": "a", "none": nil}, map[string]any{"n": int64(6)}),
		&sdk.Plan{Name: "not read"},
		&sdk.Fact{Name: "not-read", ID: "1"},
		ruletest.Absent(short, "lost"),
		&sdk.User{ID: 7, Login: "bo"}, &sdk.User{ID: 8, Login: "eva"},
		ruletest.Now(time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)),
	)
	var lines []string
	for _, f := range got {
		lines = append(lines, fmt.Sprint(f.Severity, " ", f.Subjects, " ", f.Message))
	}
	want := []string{
		"warning [user:7] bo is short",
		"info [] draft 1 5 a false drafts",
		"info [] draft 2 6  false drafts",
		"warning [] absent: a table is not there",
		"warning [file:document:4] 2030-01-02 ruletest",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestRunError(t *testing.T) {
	if err := ruletest.RunError(t, short, &sdk.File{State: "broken"}); err.Error() != "it is broken" {
		t.Errorf("got %v", err)
	}
}

// fake is a test that notes its failures.
type fake struct {
	testing.TB
	failed []string
}

func (f *fake) Helper() {}
func (f *fake) Errorf(format string, args ...any) {
	f.failed = append(f.failed, fmt.Sprintf(format, args...))
}
func (f *fake) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}

// failures is what a test said that ran fn.
func failures(t *testing.T, fn func(testing.TB)) []string {
	f := &fake{TB: t}
	func() {
		defer func() {
			if v := recover(); v != nil && v != any(f) {
				panic(v)
			}
		}()
		fn(f)
	}()
	return f.failed
}

func TestFailures(t *testing.T) {
	reports := func(f sdk.Finding) sdk.Rule {
		r := short
		r.Check = func(_ context.Context, _ *sdk.Input, report sdk.Report) error { report(f); return nil }
		return r
	}
	nameless := short
	nameless.ID = "Short Login"
	for name, c := range map[string]struct {
		fn   func(testing.TB)
		want string
	}{
		"an error": {func(t testing.TB) { ruletest.Run(t, short, &sdk.File{State: "broken"}) },
			`rule "short-login" could not do its work: it is broken`},
		"no error":         {func(t testing.TB) { ruletest.RunError(t, short) }, "was to fail"},
		"an invalid rule":  {func(t testing.TB) { ruletest.Run(t, nameless) }, "the id must be a-z"},
		"an empty message": {func(t testing.TB) { ruletest.Run(t, reports(sdk.Finding{Message: " "})) }, "must be one line"},
		"two lines":        {func(t testing.TB) { ruletest.Run(t, reports(sdk.Finding{Message: "a\nb"})) }, "must be one line"},
		"a subject": {func(t testing.TB) { ruletest.Run(t, reports(sdk.Finding{Message: "a", Subjects: []string{"7"}})) },
			`subject "7" of "a" must have the form word:name`},
		"a severity": {func(t testing.TB) { ruletest.Run(t, reports(sdk.Finding{Message: "a", Severity: "fatal"})) },
			`severity "fatal" of "a" is none`},
	} {
		if got := failures(t, c.fn); len(got) != 1 || !strings.Contains(got[0], c.want) {
			t.Errorf("%s: the test said %q, want %q", name, got, c.want)
		}
	}
}

// TestFailedQuery is a query that the host would not have run the rule for.
func TestFailedQuery(t *testing.T) {
	err := ruletest.RunError(t, short, &sdk.Fact{Name: "query", ID: "short-login.drafts",
		Data: map[string]any{"status": "failed", "reason": "more than 10 rows"}})
	if want := `its query "drafts": more than 10 rows`; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
