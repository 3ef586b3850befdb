package sourcetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
)

// edge is edge values of a type.
type edge struct {
	typ    string
	values []any
}

// edges are edge values of every type that every server keeps in full.
var edges = []edge{
	{"bit", []any{true, false}},
	{"tinyint", []any{0, 255}},
	{"smallint", []any{-32768, 32767}},
	{"int", []any{math.MinInt32, 0, math.MaxInt32}},
	{"bigint", []any{math.MinInt64, math.MaxInt64, 1 << 53}},
	{"float", []any{0.0, -1.5, 5e-324, 2.2250738585072014e-308, math.MaxFloat64, 0.1, 1e300, 3.0}},
	{"real", []any{0.0, float64(float32(0.1)), float64(float32(3.4e38)), -2.0}},
	{"decimal(9,2)", []any{"0.00", "-0.01", "9999999.99", "12.50"}},
	{"decimal(18,0)", []any{"0", "999999999999999999", "-999999999999999999"}},
	{"numeric(28,10)", []any{"123456789012345678.0123456789", "-0.0000000001", "1.0000000000"}},
	{"decimal(38,38)", []any{"0.00000000000000000000000000000000000001", "-0.99999999999999999999999999999999999999"}},
	{"decimal(38,0)", []any{"99999999999999999999999999999999999999", "10000000000000000000"}},
	{"money", []any{"922337203685477.5807", "-922337203685477.5808", "0.0001", "12.5000"}},
	{"smallmoney", []any{"214748.3647", "-214748.3648"}},
	{"nvarchar(20)", []any{"", " trailing ", "it's \"quoted\"", "æøå 日本 😀", "00123", "1e5", "NULL", "a\nb\tc\r\n"}},
	{"nvarchar(4000)", []any{strings.Repeat("ø", 4000)}},
	{"nvarchar(max)", []any{"", strings.Repeat("long 😀 ", 20000)}},
	{"varchar(20)", []any{"", "plain", "æøå"}},
	{"varchar(max)", []any{"", strings.Repeat("long æ ", 20000)}},
	{"nchar(3)", []any{"abc"}},
	{"char(3)", []any{"abc"}},
	{"ntext", []any{"", "old text ø"}},
	{"text", []any{"", "old text"}},
	{"xml", []any{"<a b=\"1\">ø</a>", "123"}},
	{"varbinary(10)", []any{[]byte{}, []byte{0}, []byte{0, 255, 1}}},
	{"varbinary(max)", []any{[]byte{}, []byte(strings.Repeat("\x00blob\xff", 20000))}},
	{"binary(3)", []any{[]byte{1, 0, 0}}},
	{"image", []any{[]byte{}, []byte{1, 2}}},
	{"date", []any{"0001-01-01", "1760-01-01", "2024-02-29", "9999-12-31"}},
	{"datetime", []any{"1753-01-01 00:00:00", unset, "1999-12-31 23:59:59.997", "2002-07-31 23:30:00.003", "9999-12-31 23:59:59"}},
	{"smalldatetime", []any{"1900-01-01 00:00:00", "2079-06-06 23:59:00"}},
	{"datetime2(0)", []any{"0001-01-01 00:00:00", "9999-12-31 23:59:59"}},
	{"datetime2(3)", []any{"1760-01-01 00:00:00.001", "2024-02-29 12:00:00.12"}},
	{"time(0)", []any{"00:00:00", "23:59:59"}},
	{"datetimeoffset(0)", []any{"2024-01-01 00:30:00 +01:00", "2024-01-01 00:30:00 -03:30", "2024-01-01 00:30:00 +00:00", "2024-01-01 00:30:00 +14:00"}},
	{"uniqueidentifier", []any{"00112233-4455-6677-8899-AABBCCDDEEFF", "00000000-0000-0000-0000-000000000000"}},
}

// halves are texts that are no Unicode, since they hold half a surrogate pair, in every place.
var halves = []edge{
	{"nvarchar(21)", []any{"\xED\xA0\xBD", "a\xED\xA0\xBD", "\xED\xB8\x80b", "a\xED\xA0\x80b", "\xED\xB8\x80\xED\xA0\xBD", "\xED\xA0\xBD😀", "\uFFFD"}},
	{"nvarchar(max)", []any{strings.Repeat("long \xED\xA0\xBD ", 20000)}},
	{"nchar(4)", []any{"ab \xED\xA0\xBD", "\xED\xBF\xBF   "}},
	{"ntext", []any{"old \xED\xB8\x80"}},
}

// types loads edge values of every type and reads them back: once in a table of those types that bulk copies take as they
// are, once in a table of all.
func (e Engine) types(t *testing.T) {
	frac := "." + strings.Repeat("9", e.Digits)
	finest := fmt.Sprintf("(%d)", e.Digits)
	all := append(slices.Clone(edges),
		edge{"datetime2" + finest, []any{"9999-12-31 23:59:59" + frac, "0001-01-01 00:00:00"}},
		edge{"time" + finest, []any{"23:59:59" + frac}},
		edge{"datetimeoffset" + finest, []any{"2024-01-01 00:00:00" + frac + " -05:00"}})
	if !e.NoSurrogates {
		all = append(all, halves...)
	}
	plain := slices.DeleteFunc(slices.Clone(all), func(c edge) bool {
		typ := source.ParseType(c.typ)
		return typ.Kind == source.Decimal || typ.Kind == source.UUID ||
			(typ.Length != 0 && !strings.HasPrefix(typ.SQL, "nvarchar") && !strings.HasPrefix(typ.SQL, "varbinary"))
	})
	tabs := map[string][]edge{"plain": plain, "every": all}
	contents := old()
	for name, list := range tabs {
		contents = append(contents, spread(name, list))
	}
	db := e.New(t)
	load(t, db, "crm7", contents)
	v := view(t, db, "")
	for _, c := range contents[len(contents)-len(tabs):] {
		tab, ok := source.FindTable(v.Tables(), c.table.Name)
		if !ok {
			t.Fatalf("no table %q", c.table.Name)
		}
		got := collect(t, v.Rows(t.Context(), tab))
		if len(got) != len(c.rows) {
			t.Fatalf("table %q: %d rows of %d", tab.Name, len(got), len(c.rows))
		}
		for i, col := range c.table.Columns {
			t.Run(c.table.Name+"/"+col.Type.SQL, func(t *testing.T) {
				same(t, "type", tab.Columns[i].Type, col.Type)
				for j := range got {
					if d := cmp.Diff(c.rows[j][i], got[j][i]); d != "" {
						t.Errorf("row %d (-want +got):\n%s", j, d)
					}
				}
			})
		}
	}
}

// spread makes a table with a column for each type, whose values stand below each other, and NULL below them.
func spread(name string, list []edge) *content {
	c := define(name, "id int key")
	most := 0
	for i, x := range list {
		col := source.Column{Name: fmt.Sprintf("v%d", i), Type: source.ParseType(x.typ), Null: true}
		c.table.Columns = append(c.table.Columns, col)
		most = max(most, len(x.values))
	}
	for j := range most + 1 {
		row := []any{j}
		for _, x := range list {
			if j < len(x.values) {
				row = append(row, x.values[j])
			} else {
				row = append(row, nil)
			}
		}
		c.row(row...)
	}
	return c
}

// rowOrder reads an integer key in its order, and tables with other keys or none in any.
func (e Engine) rowOrder(t *testing.T) {
	two := define("two", "b int key", "a int key", "v nvarchar(10) null")
	two.table.Key = []string{"a", "b"}
	two.row(2, 1, "x").row(1, 2, nil).row(1, 1, "z")
	unique := define("uniq", "a int null", "b smallint").index("ux", "[b]", true).row(nil, 3).row(1, -2).row(2, 1)
	none := define("none", "a int null").row(1).row(1).row(nil)
	words := define("words", "text nvarchar(20) key", "document int").row("b", 1).row("a", 2)
	db := e.New(t)
	load(t, db, "crm7", append(old(), two, unique, none, words))
	v := view(t, db, "")
	for _, c := range []struct {
		table string
		key   []string
		want  string
	}{
		{"two", []string{"a", "b"}, "[[1 1 z] [1 2 <nil>] [2 1 x]]"},
		{"uniq", []string{"b"}, "[[1 -2] [2 1] [<nil> 3]]"},
		{"none", nil, "[[1] [1] [<nil>]]"},
		{"words", []string{"text"}, "[[a 2] [b 1]]"},
	} {
		tab, _ := source.FindTable(v.Tables(), c.table)
		same(t, "key of "+c.table, tab.Key, c.key)
		rows := collect(t, v.Rows(t.Context(), tab))
		if _, ordered := tab.IntegerKey(); !ordered {
			slices.SortFunc(rows, func(a, b source.Row) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
		same(t, c.table, fmt.Sprint(rows), c.want)
	}
}

// catalog compares the tables that were made with those that are found.
func (e Engine) catalog(t *testing.T) {
	odd := define("Odd Name", "Id int key", "Select nvarchar(10) null", "from varchar(max)").
		index("IX_sel", "[Select] DESC,[Id]", false).index("UX_id", "[Id]", true)
	odd.table.Columns[1].Default = "'x'"
	odd.table.Columns[2].Default = "(('it''s'))"
	if !e.NoComputed {
		odd.table.Columns = append(odd.table.Columns, source.Column{Name: "twice", Type: source.ParseType("int"), Null: true, Computed: "([Id]*2)"})
	}
	odd.row(7, "a", "b").row(9, nil, "c")
	counted := define("counted", "n int identity", "a nvarchar(5) null").row(3, "x").row(5, nil)
	all := append(small(), odd, counted)
	db := e.New(t)
	load(t, db, "crm7", all)
	v := view(t, db, "")
	want := tables(all)
	slices.SortFunc(want, func(a, b source.Table) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	got := slices.Clone(v.Tables())
	for i := range got {
		got[i] = e.forget(got[i])
		if i < len(want) {
			want[i] = e.forget(want[i])
		}
	}
	same(t, "Tables", got, want)
	tab, _ := source.FindTable(v.Tables(), "ODD name")
	same(t, "rows", fmt.Sprint(collect(t, v.Rows(t.Context(), tab))), "[[7 a b] [9 <nil> c]]")
	tab, _ = source.FindTable(v.Tables(), "counted")
	same(t, "rows", fmt.Sprint(collect(t, v.Rows(t.Context(), tab))), "[[3 x] [5 <nil>]]")
}

// forget takes off what the engine at hand does not keep.
func (e Engine) forget(t source.Table) source.Table {
	t.Columns, t.Indexes = slices.Clone(t.Columns), slices.Clone(t.Indexes)
	for i := range t.Columns {
		c := &t.Columns[i]
		if e.ShowsCollation {
			c.Collation = ""
		}
		if e.LosesNames {
			c.Default = ""
			if c.Computed != "" {
				c.Computed = "some"
			}
		}
	}
	for i := range t.Indexes {
		if e.LosesNames {
			t.Indexes[i].Name = ""
		}
	}
	return t
}

// oneAtATime asks while an answer is still being read, leaves streams early, and ends contexts.
func (e Engine) oneAtATime(t *testing.T) {
	db := e.New(t)
	load(t, db, "crm7", small())
	v := view(t, db, "")
	ctx := t.Context()
	for _, err := range v.Documents(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Users(ctx)
		if err == nil || !strings.Contains(strings.ToUpper(err.Error()), "STILL READING \"DOCUMENT\"") {
			t.Errorf("a question during another: %v", err)
		}
		break
	}
	same(t, "after leaving a stream", len(must[[]source.User](t)(v.Users(ctx))), 2)
	for _, err := range v.Documents(ended(t)) {
		if err == nil {
			t.Error("a document after the context ended")
		}
		break
	}
	unknown := source.Table{Name: "email", Columns: []source.Column{{Name: "g", Type: source.ParseType("point")}}}
	for _, err := range v.Rows(ctx, unknown) {
		if err == nil || err.Error() != `table "email": column "g" has type "point", which is not known` {
			t.Errorf("unknown type: %v", err)
		}
	}
	if _, err := v.Users(ctx); err != nil {
		t.Errorf("after a context that ended: %v", err)
	}
	for _, err := range v.Rows(ctx, source.Table{Name: "email"}) {
		if err == nil || !strings.Contains(err.Error(), "no column to read") {
			t.Errorf("no columns: %v", err)
		}
	}
}

// snapshot writes while a view is open: the view stays as it was, a new one sees the change. An engine whose readers
// block writers refuses the change meanwhile.
func (e Engine) snapshot(t *testing.T) {
	db, ctx := e.New(t), t.Context()
	all := small()
	l := db.Loader(t)
	defer done(t, l)
	begin(t, l, "run-1", "crm7", all)
	for _, c := range all {
		fill(t, l, c)
	}
	d := db.Driver(t)
	defer done(t, d)
	sdb := must[*source.Database](t)(source.New(ctx, d, ""))
	v := must[*source.View](t)(sdb.Begin(ctx))
	if !v.Consistent() {
		t.Skip("the database gives no consistent view")
	}
	before := must[int64](t)(v.Count(ctx, "email"))
	soon, cancel := ctx, context.CancelFunc(func() {})
	if e.Blocks {
		soon, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
	}
	n, err := l.RemoveAddress(soon, 200, "other@example.com")
	cancel()
	if e.Blocks == (err == nil) || (err == nil && n != 2) {
		t.Fatalf("writing during a view: %d rows, %v", n, err)
	}
	same(t, "rows in the view", must[int64](t)(v.Count(ctx, "email")), before)
	done(t, v)
	if e.Blocks {
		must[int64](t)(l.RemoveAddress(ctx, 200, "other@example.com"))
	}
	v = must[*source.View](t)(sdb.Begin(ctx))
	defer done(t, v)
	same(t, "rows in a new view", must[int64](t)(v.Count(ctx, "email")), before-2)
}
