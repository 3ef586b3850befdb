package sdk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// run runs check over records, in the order given, and returns what it reported and how it ended.
func runOver(t *testing.T, check func(*Input, func(string)), records ...Record) (got []string, err error) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	r := Rule{ID: "r", Title: "r", Help: "r", Severity: Error, Facts: []string{"drive"},
		Reads:   []string{KindPlan, KindUser, KindTable, KindChunk, KindFile, KindReceipt},
		Queries: []Query{{Name: "a", SQL: "SELECT 1"}, {Name: "b", SQL: "SELECT 2"}},
		Check: func(_ context.Context, in *Input, report Report) error {
			check(in, func(s string) { report(Finding{Message: s}) })
			return nil
		}}
	err = Run(t.Context(), r, time.Time{}, "test", slices.Values(records), func(f Finding) { got = append(got, f.Message) })
	return got, err
}

// went is the fact that says how a query went.
func went(query, status string) *Fact {
	return &Fact{Name: "query", ID: "r." + query, Data: map[string]any{"status": status, "reason": "it broke"}}
}

func row(query, id string) *Fact { return &Fact{Name: "r." + query, ID: id} }

// whole is a manifest in its order.
func whole() []Record {
	return []Record{
		&Plan{Name: "p"}, &User{ID: 1}, &User{ID: 2}, &Address{Person: 9},
		&Fact{Name: "drive", ID: "d"}, &Fact{Name: "other", ID: "o"},
		row("a", "a1"), row("a", "a2"), went("a", "done"), row("b", "b1"), went("b", "done"), &Fact{Name: "query", ID: "q.a"},
		&Table{Name: "t"}, &Chunk{SHA256: "part", Table: "t"}, &Table{Name: "u"},
		&Chunk{SHA256: "content"}, &File{ID: 5}, &Chunk{SHA256: "links"}, &Receipt{Chunk: "part"},
	}
}

// show is a record in short.
func show(r Record) string {
	switch r := r.(type) {
	case *Plan:
		return r.Name
	case *User:
		return fmt.Sprint(r.ID)
	case *Fact:
		return r.ID
	case *Table:
		return r.Name
	case *Chunk:
		return r.SHA256
	case *File:
		return fmt.Sprint("file", r.ID)
	case *Receipt:
		return "receipt"
	}
	return "?" + r.Kind()
}

func all[R Record](in *Input, say func(string)) {
	for r := range Each[R](in) {
		say(show(r))
	}
}

func rows(in *Input, query string, say func(string)) {
	for r := range in.Rows(query) {
		say(show(r))
	}
}

func TestInput(t *testing.T) {
	for name, c := range map[string]struct {
		check func(*Input, func(string))
		want  string
	}{
		"all records, without what the rule does not read": {func(in *Input, say func(string)) {
			for r := range in.Records() {
				say(show(r))
			}
		}, "p 1 2 d a1 a2 b1 t part u content file5 links receipt"},
		"one behind the other": {func(in *Input, say func(string)) {
			all[*Plan](in, say)
			all[*User](in, say)
			rows(in, "a", say)
			rows(in, "b", say)
			all[*Table](in, say)
			all[*File](in, say)
			all[*Receipt](in, say)
		}, "p 1 2 a1 a2 b1 t u file5 receipt"},
		"none that are not there": {func(in *Input, say func(string)) {
			all[*Migrator](in, say)
			all[*User](in, say)
			all[*Review](in, say)
			all[*Fact](in, say)
		}, "1 2 d a1 a2 b1"},
		"all chunks": {func(in *Input, say func(string)) {
			all[*Chunk](in, say)
			all[*Receipt](in, say)
		}, "part content links receipt"},
		"left and gone on with": {func(in *Input, say func(string)) {
			for range Each[*User](in) {
				break
			}
			all[*User](in, say)
			for range in.Rows("a") {
				break
			}
			rows(in, "a", say)
		}, "2 a2"},
		"all behind some": {func(in *Input, say func(string)) {
			all[*Plan](in, say)
			for r := range in.Records() {
				if say(show(r)); r.Kind() == KindFact {
					break
				}
			}
		}, "p 1 2 d"},
		"which query": {func(in *Input, say func(string)) {
			for f := range Each[*Fact](in) {
				say(f.Query() + "/" + f.Name)
			}
		}, "/drive a/r.a a/r.a b/r.b"},
	} {
		got, err := runOver(t, c.check, whole()...)
		if s := strings.Join(got, " "); s != c.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", name, s, err, c.want)
		}
	}
}

// TestThereIsNoWayBack: a loop that comes too late would find nothing, and says so.
func TestThereIsNoWayBack(t *testing.T) {
	for name, c := range map[string]struct {
		check func(*Input, func(string))
		want  string
	}{
		"users behind files": {func(in *Input, say func(string)) { all[*File](in, say); all[*User](in, say) },
			`rule "r" asks for records of kind user, which`},
		"users twice": {func(in *Input, say func(string)) { all[*User](in, say); all[*User](in, say) },
			`asks for records of kind user, which`},
		"chunks behind files": {func(in *Input, say func(string)) { all[*File](in, say); all[*Chunk](in, say) },
			`asks for records of kind chunk`},
		"a behind b": {func(in *Input, say func(string)) { rows(in, "b", say); rows(in, "a", say) },
			`asks for rows of the query "a"`},
		"rows behind facts": {func(in *Input, say func(string)) { all[*Table](in, say); rows(in, "a", say) },
			`asks for rows of the query "a"`},
		"rows twice":     {func(in *Input, say func(string)) { rows(in, "a", say); rows(in, "a", say) }, `the query "a"`},
		"another's rows": {func(in *Input, say func(string)) { rows(in, "c", say) }, `rule "r" has no query "c"`},
		"no type":        {func(in *Input, say func(string)) { all[Record](in, say) }, "sdk.Each is for one type"},
	} {
		if _, err := runOver(t, c.check, whole()...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestAbsent(t *testing.T) {
	got, err := runOver(t, func(in *Input, say func(string)) {
		rows(in, "a", say)
		rows(in, "b", say)
		for _, q := range []string{"a", "b"} {
			reason, absent := in.Absent(q)
			say(fmt.Sprintf("%s %q %v", q, reason, absent))
		}
	}, row("a", "a1"), went("a", "done"), went("b", "absent"))
	want := []string{"a1", `a "" false`, `b "it broke" true`}
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if got, err = runOver(t, func(in *Input, say func(string)) {
		for range in.Records() {
		}
		reason, _ := in.Absent("b")
		say(reason)
	}, &Fact{Name: "query", ID: "r.b", Data: map[string]any{"status": "absent"}}); err != nil || got[0] != "a table is not there" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestQueryThatFailed: the rule fails, whatever its Check makes of having no rows.
func TestQueryThatFailed(t *testing.T) {
	got, err := runOver(t, func(in *Input, say func(string)) { all[*File](in, say) },
		row("a", "a1"), went("a", "done"), went("b", "failed"), &File{ID: 1})
	if want := `its query "b": it broke`; len(got) != 0 || err == nil || err.Error() != want {
		t.Errorf("got %q, %v, want %s", got, err, want)
	}
}

func TestFact(t *testing.T) {
	f := &Fact{Data: map[string]any{"s": "text", "n": int64(5), "f": 1.5}}
	if f.Text("s") != "text" || f.Text("n") != "" || f.Int("n") != 5 || f.Int("s") != 0 || !f.Has("f") || f.Has("x") {
		t.Errorf("got %q %q %d %d %v %v", f.Text("s"), f.Text("n"), f.Int("n"), f.Int("s"), f.Has("f"), f.Has("x"))
	}
	var empty Fact
	if empty.Has("s") || empty.Text("s") != "" || empty.Query() != "" {
		t.Error("an empty fact has values")
	}
}

func TestSubjects(t *testing.T) {
	for got, want := range map[string]string{
		UserSubject(7): "user:7", TableSubject("associate"): "table:associate", PlanSubject("SalesPREM"): "plan:SalesPREM",
		FileSubject(&File{Area: "document", ID: 123, Path: "x"}): "file:document:123",
		FileSubject(&File{Area: "service", Path: "config"}):      "file:service:config",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
