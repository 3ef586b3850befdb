// Package sourcetest is the suite that every engine of package source must pass: the same data, loaded through its
// Loader, must give the same answers through its Driver. Engines run it from their own tests.
package sourcetest

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Engine is what the suite needs of an engine.
type Engine struct {
	// New makes an empty database and returns how to open it, as often as asked for.
	New func(t *testing.T) Database
	// Digits are the fractional digits of a second that the server at hand keeps, at most 7.
	Digits int
	// LosesNames is set where the server at hand does not keep names of indexes, defaults and expressions as declared.
	LosesNames bool
	// ShowsCollation is set where catalogs show collations that were not declared.
	ShowsCollation bool
	// Blocks is set where a view keeps writers out.
	Blocks bool
	// NoComputed is set where computed columns are not made.
	NoComputed bool
	// Times writes a time of marks as the engine gives it; nil: with seven digits.
	Times func(s string) string
	// NoSurrogates is set where the server at hand does not keep half a surrogate pair in a text.
	NoSurrogates bool
}

// Database is one empty database.
type Database struct {
	Driver func(t *testing.T) source.Driver
	Loader func(t *testing.T) source.Loader
}

// Run runs the suite.
func Run(t *testing.T, e Engine) {
	t.Run("answers", e.answers)
	t.Run("old version", e.oldVersion)
	t.Run("letter case", e.letterCase)
	t.Run("ansi", e.ansi)
	t.Run("columns missing", e.columnsMissing)
	t.Run("tables missing", e.tablesMissing)
	t.Run("prefix", e.prefix)
	t.Run("types", e.types)
	t.Run("rows", e.rowOrder)
	t.Run("catalog", e.catalog)
	t.Run("one at a time", e.oneAtATime)
	t.Run("snapshot", e.snapshot)
	t.Run("load restarts", e.loadRestarts)
	t.Run("load fails", e.loadFails)
	t.Run("load refuses", e.loadRefuses)
	t.Run("remove address", e.removeAddress)
	t.Run("fingerprint", e.fingerprint)
	t.Run("user table", e.userTable)
	t.Run("at", e.at)
	t.Run("selects", e.selects)
	t.Run("marks", e.marks)
}

// load fills a database under a prefix and finishes.
func load(t *testing.T, db Database, prefix string, all []*content) {
	t.Helper()
	l := db.Loader(t)
	defer done(t, l)
	begin(t, l, "run-1", prefix, all)
	for _, c := range all {
		fill(t, l, c)
	}
	if err := l.Finish(t.Context()); err != nil {
		t.Fatalf("Finish: %v", err)
	}
}

func begin(t *testing.T, l source.Loader, id, prefix string, all []*content) {
	t.Helper()
	if err := l.Begin(t.Context(), id, prefix, tables(all)); err != nil {
		t.Fatalf("Begin: %v", err)
	}
}

func fill(t *testing.T, l source.Loader, c *content) {
	t.Helper()
	n, err := l.Load(t.Context(), c.table.Name+"/0", c.table, seq(c.rows, nil))
	if err != nil || n != int64(len(c.rows)) {
		t.Fatalf("Load %s: %d rows of %d, %v", c.table.Name, n, len(c.rows), err)
	}
}

func done(t *testing.T, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// view opens a view that is closed with the test.
func view(t *testing.T, db Database, prefix string) *source.View {
	t.Helper()
	d := db.Driver(t)
	t.Cleanup(func() { done(t, d) })
	sdb, err := source.New(t.Context(), d, prefix)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	v, err := sdb.Begin(t.Context())
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	t.Cleanup(func() { done(t, v) })
	return v
}

// collect reads a stream.
func collect[T any](t *testing.T, s iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for x, err := range s {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// must returns a value or ends the test.
func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// refused asserts the status of an error and what it says.
func refused(t *testing.T, err error, status manifest.Status, words ...string) {
	t.Helper()
	if manifest.StatusOf(err) != status {
		t.Fatalf("status %d, want %d: %v", manifest.StatusOf(err), status, err)
	}
	for _, w := range words {
		if text := err.Error() + " " + manifest.HintOf(err); !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

var errBroken = errors.New("the chunk is broken")

func (e Engine) loadRestarts(t *testing.T) {
	db, ctx := e.New(t), t.Context()
	all := small()
	first := db.Loader(t)
	begin(t, first, "run-1", "crm7", all)
	fill(t, first, all[0])
	done(t, first) // as after a kill: nothing is finished

	other := db.Loader(t)
	refused(t, other.Begin(ctx, "run-2", "crm7", tables(all)), manifest.Refused, "run-1")
	done(t, other)

	again := db.Loader(t)
	defer done(t, again)
	begin(t, again, "run-1", "crm7", all)
	for i, c := range all {
		was, err := again.Loaded(ctx, c.table.Name+"/0")
		if err != nil || was != (i == 0) {
			t.Fatalf("Loaded(%s) = %v, %v", c.table.Name, was, err)
		}
		if !was {
			fill(t, again, c)
		}
	}
	if err := again.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	v := view(t, db, "")
	for _, c := range all {
		same(t, "rows of "+c.table.Name, must[int64](t)(v.Count(ctx, c.table.Name)), int64(len(c.rows)))
	}
	if len(v.Tables()) != len(all) {
		t.Errorf("%d tables, want %d: the progress table must be gone", len(v.Tables()), len(all))
	}
	refused(t, again.Begin(ctx, "run-1", "crm7", tables(all)), manifest.Refused, "already holds")
}

func (e Engine) loadFails(t *testing.T) {
	db, ctx := e.New(t), t.Context()
	wide := define("wide", "id int key", "a nvarchar(50) null", "b varchar(5) null", "n int identity")
	plain := define("plain", "id int key", "a nvarchar(5) null")
	all := append(old(), wide, plain)
	l := db.Loader(t)
	defer done(t, l)
	begin(t, l, "run-1", "crm7", all)
	cases := []struct {
		name  string
		table source.Table
		rows  iter.Seq2[source.Row, error]
		say   string
	}{
		{"broken stream", plain.table, seq([]source.Row{{int64(1), "x"}}, errBroken), errBroken.Error()},
		{"broken stream, staged", wide.table, seq([]source.Row{{int64(1), "x", "y", int64(1)}}, errBroken), errBroken.Error()},
		{"broken at once", plain.table, seq(nil, errBroken), errBroken.Error()},
		{"too long", plain.table, seq([]source.Row{{int64(1), "x"}, {int64(2), "sixsix"}}, nil), `column "a": a text of 6 characters does not fit nvarchar(5)`},
		{"wrong type", plain.table, seq([]source.Row{{"1", "x"}}, nil), `column "id": a text is no value of int`},
		{"too few values", plain.table, seq([]source.Row{{int64(1)}}, nil), "1 values for 2 columns"},
		{"null in key", plain.table, seq([]source.Row{{nil, "x"}}, nil), "NULL"},
		{"same key twice", plain.table, seq([]source.Row{{int64(1), "x"}, {int64(1), "y"}}, nil), "plain"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n, err := l.Load(ctx, "part", c.table, c.rows)
			if err == nil || n != 0 || !strings.Contains(err.Error(), c.say) {
				t.Fatalf("%d rows, %v; want an error with %q", n, err, c.say)
			}
			if was, err := l.Loaded(ctx, "part"); was || err != nil {
				t.Fatalf("Loaded = %v, %v after a failure", was, err)
			}
		})
	}
	// Nothing of the failures may be left, and the loader goes on.
	if n, err := l.Load(ctx, "part", plain.table, seq([]source.Row{{int64(1), "x"}}, nil)); n != 1 || err != nil {
		t.Fatalf("after failures: %d rows, %v", n, err)
	}
	if n, err := l.Load(ctx, "part", plain.table, seq([]source.Row{{int64(2), "x"}}, nil)); n != 0 || err == nil {
		t.Fatalf("the same part again: %d rows, %v", n, err)
	}
	if n, err := l.Load(ctx, "empty", wide.table, seq(nil, nil)); n != 0 || err != nil {
		t.Fatalf("no rows: %d, %v", n, err)
	}
	if err := l.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	v := view(t, db, "")
	same(t, "plain", must[int64](t)(v.Count(ctx, "plain")), 1)
	same(t, "wide", must[int64](t)(v.Count(ctx, "wide")), 0)
}

func (e Engine) loadRefuses(t *testing.T) {
	db, ctx := e.New(t), t.Context()
	l := db.Loader(t)
	defer done(t, l)
	odd := define("odd", "id int key", "g point")
	err := l.Begin(ctx, "run-1", "crm7", tables([]*content{odd}))
	refused(t, err, manifest.Failed, `table "odd"`, `column "g"`, `"point"`)
	twice := define("twice", "id int key", "ID int")
	refused(t, l.Begin(ctx, "run-1", "crm7", tables([]*content{twice})), manifest.Failed, `two columns called "ID"`)
	taken := define("omt_unpack", "id int key")
	if e.LosesNames || e.ShowsCollation { // a schema keeps its names to itself; a file's prefix comes before the name
		refused(t, l.Begin(ctx, "run-1", "crm7", tables([]*content{taken})), manifest.Refused, "omt_unpack")
	} else {
		unpack := define("unpack", "id int key")
		refused(t, l.Begin(ctx, "run-1", "omt", tables([]*content{unpack})), manifest.Refused, "unpack")
	}
	noIndex := define("noindex", "id int key").index("x", "[nope]", false)
	refused(t, l.Begin(ctx, "run-1", "crm7", tables([]*content{noIndex})), manifest.Failed, "nope")
	nullKey := define("nullkey", "id int key null")
	refused(t, l.Begin(ctx, "run-1", "crm7", tables([]*content{nullKey})), manifest.Failed, "may hold NULL")
	refused(t, l.Begin(ctx, "run-1", "", nil), manifest.Usage, "prefix")
	// None of it made anything.
	begin(t, l, "run-1", "crm7", old())
}

func (e Engine) removeAddress(t *testing.T) {
	db, ctx := e.New(t), t.Context()
	all := small()
	l := db.Loader(t)
	defer done(t, l)
	begin(t, l, "run-1", "crm7", all)
	for _, c := range all {
		fill(t, l, c)
	}
	for _, c := range []struct {
		person int64
		email  string
		want   int64
	}{
		{200, "OTHER@example.com", 2}, // two rows in different letter case
		{200, "other@example.com", 0},
		{101, "first@example.com", 1}, // blanks around it in the row
		{101, "chat@example.com", 0},  // not an e-mail
		{102, "second@example.com", 0},
	} {
		n, err := l.RemoveAddress(ctx, c.person, c.email)
		if n != c.want || err != nil {
			t.Errorf("RemoveAddress(%d, %s) = %d, %v; want %d", c.person, c.email, n, err, c.want)
		}
	}
	if err := l.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	same(t, "rows left", must[int64](t)(view(t, db, "").Count(ctx, "email")), int64(8))
}

// ended is a context that is over.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
