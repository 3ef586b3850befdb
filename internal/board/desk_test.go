package board

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

// caller speaks to a board as its page does.
type caller struct {
	t    *testing.T
	c    *http.Client
	root string
}

func (b *running) caller(t *testing.T) caller {
	c := client(t)
	send(t, c, "GET", b.address, "", nil)
	return caller{t, c, b.address[:strings.Index(b.address, "/?")]}
}

// ask sends a question and reads the answer into to; its status is returned.
func (c caller) ask(path, body string, to any) int {
	c.t.Helper()
	method := "POST"
	if body == "" {
		method = "GET"
	}
	q, err := http.NewRequest(method, c.root+"/api/"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	q.Header.Set("Origin", c.root)
	r, err := c.c.Do(q)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	switch s := to.(type) {
	case nil:
	case *string:
		*s = string(b)
	default:
		if r.StatusCode == 200 {
			err = json.Unmarshal(b, to)
		}
	}
	if err != nil {
		c.t.Fatalf("%s: %v in %s", path, err, b)
	}
	return r.StatusCode
}

// TestTwoTabs: a step on an old revision is refused and changes nothing.
func TestTwoTabs(t *testing.T) {
	b := run(t, assigned(some(3, 2)), Options{})
	c := b.caller(t)
	var n news
	if s := c.ask("edit", `{"revision":1,"edit":{"label":"a","changes":[{"id":7,"plan":"-"}]}}`, &n); s != 200 || n.Revision != 2 || len(n.Users) != 1 {
		t.Fatalf("%d %+v", s, n)
	}
	var why string
	for _, path := range []string{"edit", "undo", "redo", "ok"} {
		body := `{"revision":1}`
		if path == "edit" {
			body = `{"revision":1,"edit":{"label":"b","changes":[{"id":7,"plan":"?"}]}}`
		}
		if s := c.ask(path, body, &why); s != 409 || !strings.Contains(why, "another tab") {
			t.Errorf("%s: %d %s", path, s, why)
		}
	}
	var v view
	c.ask("state", "", &v)
	if v.Revision != 2 || planText(v.Users[0].Plan) != "-" || v.Undo != "a" || v.Redo != "" {
		t.Errorf("revision %d, plan %s, undo %q", v.Revision, planText(v.Users[0].Plan), v.Undo)
	}
	for body, want := range map[string]int{`{`: 400, `{"revision":2,"more":1}`: 400, `{"revision":2,"edit":{"label":"","changes":[{"id":1}]}}`: 422} {
		if s := c.ask("edit", body, nil); s != want {
			t.Errorf("%s: %d", body, s)
		}
	}
}

// TestMarksOfOthersCome: an edit on one user changes the mark of another, who comes with the answer.
func TestMarksOfOthersCome(t *testing.T) {
	in := assigned(some(4, 2))
	b := run(t, in, Options{})
	c := b.caller(t)
	var n news
	c.ask("edit", `{"revision":1,"edit":{"label":"a","changes":[{"id":7,"username":"`+in.Users[1].Username+`"}]}}`, &n)
	got := map[int64]string{}
	for _, u := range n.Users {
		got[u.ID] = u.Mark
	}
	want := map[int64]string{7: "U0: user name 'hans.schpaa1@example.com' is also used by U1", 8: "U1: user name 'hans.schpaa1@example.com' is also used by U0"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var blocks struct{ Blocks []string }
	if s := c.ask("ok", `{"revision":2}`, &blocks); s != 200 || len(blocks.Blocks) != 1 {
		t.Errorf("%d %q", s, blocks)
	}
	n = news{}
	c.ask("undo", `{"revision":2}`, &n)
	if len(n.Users) != 2 || n.Users[0].Mark != "" || n.Undo != "" || n.Redo != "a" {
		t.Errorf("%+v", n)
	}
}

// TestOK: the choices are what was done, and only that; what can be waived and removed comes with them.
func TestOK(t *testing.T) {
	in := assigned(some(3, 2))
	remove := false
	survey := plan.Survey{Header: manifest.Header{ID: "x", Migration: "live"}, Findings: []manifest.Finding{
		{Rule: "shared-person", Severity: manifest.SeverityError, Subjects: []string{"user:7"}, Message: "shared"},
		{Rule: "duplicate-email", Severity: manifest.SeverityError, Subjects: []string{"user:7"}, Message: "old"}}}
	b := run(t, in, Options{Survey: survey, Base: plan.Choices{By: "KK", Now: start(), RemoveFromPersons: &remove}, StateDir: t.TempDir()})
	c := b.caller(t)
	var blocks struct{ Blocks []string }
	c.ask("ok", `{"revision":1}`, &blocks)
	if d := cmp.Diff([]string{"preflight findings about users: shared"}, blocks.Blocks); d != "" {
		t.Error(d)
	}
	for i, e := range []string{`{"label":"w","waive":{"rule":"shared-person","subject":"user:7","reason":"known"}}`,
		`{"label":"p","changes":[{"id":8,"plan":"-"}]}`, `{"label":"s","summaryTo":"boss@example.com","removeFromPersons":true}`} {
		if s := c.ask("edit", `{"revision":`+string(rune('1'+i))+`,"edit":`+e+`}`, nil); s != 200 {
			t.Fatalf("%s: %d", e, s)
		}
	}
	if s := c.ask("ok", `{"revision":4}`, &blocks); s != 200 {
		t.Fatal(s)
	}
	out, err := b.wait(t)
	if err != nil {
		t.Fatal(err)
	}
	got := out.Choices
	if len(got.Set) != 1 || got.Set[0].ID != "8" || got.Set[0].Plan != "-" || got.How != "board" || *got.SummaryTo != "boss@example.com" ||
		!*got.RemoveFromPersons || len(got.Waivers) != 1 || got.Waivers[0].Reason != "known" {
		t.Errorf("%+v", got)
	}
	if err := out.Forget(); err != nil {
		t.Error(err)
	}
}

// TestCancel: nothing is chosen; the work is kept where that was asked for, and offered again.
func TestCancel(t *testing.T) {
	dir := t.TempDir()
	begin := func() (*running, caller) {
		b := run(t, assigned(some(3, 2)), Options{StateDir: dir})
		return b, b.caller(t)
	}
	end := func(b *running, c caller, keep string) {
		t.Helper()
		if s := c.ask("cancel", `{"keep":`+keep+`}`, nil); s != 200 {
			t.Fatal(s)
		}
		out, err := b.wait(t)
		if manifest.StatusOf(err) != manifest.Interrupted || out != nil {
			t.Fatalf("%v, %v", out, err)
		}
	}
	step := `{"revision":1,"edit":{"label":"a","changes":[{"id":7,"plan":"-"}]}}`
	b, c := begin()
	c.ask("edit", step, nil)
	end(b, c, "true")

	b, c = begin()
	var v view
	c.ask("state", "", &v)
	if v.Offer == nil || v.Offer.Steps != 1 || v.Offer.At != "2026-11-22T04:00:00Z" || v.Undo != "" {
		t.Fatalf("offer %+v", v.Offer)
	}
	for end := time.Now().Add(30 * time.Second); !strings.Contains(b.all(), "offers to go on with earlier work on this input (1 steps)"); time.Sleep(time.Millisecond) {
		if time.Now().After(end) { // it is told beside the page's first questions
			t.Fatalf("told %q", b.all())
		}
	}
	if s := c.ask("edit", step, nil); s != 409 {
		t.Errorf("a step before it is said what becomes of the earlier work: %d", s)
	}
	if s := c.ask("ok", `{"revision":1}`, nil); s != 409 {
		t.Errorf("OK before it is said: %d", s)
	}
	c.ask("draft", `{"take":true}`, nil)
	v = view{}
	c.ask("state", "", &v)
	if v.Offer != nil || planText(v.Users[0].Plan) != "-" || v.Undo != "a" {
		t.Errorf("offer %v, plan %s, undo %q", v.Offer, planText(v.Users[0].Plan), v.Undo)
	}
	b.stop() // as Ctrl+C does
	if _, err := b.wait(t); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}

	b, c = begin()
	c.ask("draft", `{"take":false}`, nil)
	v = view{}
	c.ask("state", "", &v)
	if v.Offer != nil || planText(v.Users[0].Plan) != "SalesPremium" {
		t.Errorf("afresh: %+v", v.Offer)
	}
	c.ask("edit", strings.Replace(step, "1", "2", 1), nil)
	end(b, c, "false")

	_, c = begin()
	v = view{}
	if c.ask("state", "", &v); v.Offer != nil {
		t.Errorf("offered after it was forgotten: %+v", v.Offer)
	}
}

// TestClosedPage: the terminal says so, with a new address, and nothing ends.
func TestClosedPage(t *testing.T) {
	b := run(t, some(3, 1), Options{Away: 20 * time.Millisecond})
	c := b.caller(t)
	ctx, leave := context.WithCancel(context.Background())
	q, err := http.NewRequestWithContext(ctx, "GET", c.root+"/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 64)
	if n, err := r.Body.Read(first); err != nil || string(first[:n]) != "data: {\"revision\":1}\n\n" {
		t.Fatalf("%q, %v", first[:n], err)
	}
	leave()
	r.Body.Close()
	again := b.lines.address(t, 2)
	if !strings.Contains(b.all(), "the page was closed; nothing is lost. Go on at "+again) {
		t.Errorf("told %q", b.all())
	}
	if s := send(t, client(t), "GET", again, "", nil).status; s != 303 {
		t.Errorf("the new address: %d", s)
	}
	select {
	case <-b.done:
		t.Error("the board ended")
	default:
	}
}

// TestRulesAreRunAgain: what they find after a step blocks OK, which waits for them.
func TestRulesAreRunAgain(t *testing.T) {
	calls := make(chan int, 10)
	b := run(t, assigned(some(3, 2)), Options{Findings: func(_ context.Context, users []manifest.User, plans []manifest.Plan) ([]manifest.Finding, error) {
		calls <- len(users) + len(plans)
		if users[0].Username == "boom@example.com" {
			return nil, errors.New("the plugin crashed")
		}
		if users[0].Username == "bad@other.example" {
			return []manifest.Finding{{Rule: "username-domain", Severity: manifest.SeverityError, Subjects: []string{"user:7"}, Message: "not registered"},
				{Rule: "missing-email", Severity: manifest.SeverityError, Message: "said by the marks"}}, nil
		}
		return nil, nil
	}})
	c := b.caller(t)
	set := func(revision, name string) (blocks []string) {
		t.Helper()
		if s := c.ask("edit", `{"revision":`+revision+`,"edit":{"label":"n","changes":[{"id":7,"username":"`+name+`"}]}}`, nil); s != 200 {
			t.Fatal(s)
		}
		var a struct{ Blocks []string }
		if s := c.ask("ok", `{"revision":`+string(revision[0]+1)+`}`, &a); s != 200 {
			t.Fatal(s)
		}
		return a.Blocks
	}
	if d := cmp.Diff([]string{"preflight findings about users: not registered"}, set("1", "bad@other.example")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"preflight findings about users: not registered", "preflight findings about users: the rules could not be run: the plugin crashed"},
		set("2", "boom@example.com")); d != "" {
		t.Error(d)
	}
	if blocks := set("3", "good@example.com"); blocks != nil {
		t.Errorf("%q", blocks)
	}
	if _, err := b.wait(t); err != nil {
		t.Error(err)
	}
	if got := <-calls; got != 5 {
		t.Errorf("called with %d users and plans", got)
	}
}

// TestRemovalsAreShown: from cards of users, and from those that are looked up.
func TestRemovalsAreShown(t *testing.T) {
	in := assigned(some(4, 2))
	in.Users[2].Emails = append(in.Users[2].Emails, strings.ToUpper(in.Users[0].Username))
	var asked *bool
	b := run(t, in, Options{Persons: func(_ context.Context, r plan.Result, remove *bool) ([]plan.PersonRemoval, error) {
		asked = remove
		return []plan.PersonRemoval{{Removal: manifest.Removal{Person: 4, Email: "p@example.com", User: 7}, Removed: remove != nil && *remove}}, nil
	}})
	c := b.caller(t)
	var got removals
	c.ask("removals", "", &got)
	want := removals{Revision: 1, UsersTotal: 1, PersonsTotal: 1,
		Users:   []removal{{Owner: 7, Person: 1002, Other: 9, Email: "GUNN.SCHPAA0@EXAMPLE.COM", Removed: true}},
		Persons: []removal{{Owner: 7, Person: 4, Email: "p@example.com"}}}
	if d := cmp.Diff(want, got); d != "" || asked != nil {
		t.Errorf("asked %v: %s", asked, d)
	}
	c.ask("edit", `{"revision":1,"edit":{"label":"r","removeFromPersons":true}}`, nil)
	c.ask("removals", "", &got)
	if !got.Persons[0].Removed || got.PersonsRemoved != 1 {
		t.Errorf("%+v", got)
	}
}

// BenchmarkStep gives the time that a step takes with 5,000 users.
func BenchmarkStep(b *testing.B) {
	d := newDesk(assigned(some(5000, 26)), Options{Now: start})
	for i := 0; b.Loop(); i++ {
		plan := []string{"-", "SalesPremium"}[i%2]
		if _, err := d.step(d.s.revision, "edit", &Edit{Label: "x", Changes: []Change{{ID: int64(7 + i/2%4000), Plan: plan}}}); err != nil {
			b.Fatal(err)
		}
	}
}
