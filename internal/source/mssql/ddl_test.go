package mssql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestClosed(t *testing.T) {
	for _, text := range []string{
		"((0))", "(getdate())", "N'it''s; -- fine'", "'('", "([a]*2)", "([odd]])name]+1)", `"x;y"`, "CONVERT([int],(0))", "-1", "[a;b]",
		"('/*')", "(N'[')", "'a'+'b'",
	} {
		if !closed(text) {
			t.Errorf("%q is not taken", text)
		}
	}
	for _, text := range []string{
		"", " ", "0); DROP TABLE x; --", "0)", "(0", ")(", "'open", "'a''", "[open", "[a]]", `"open`, "1 -- x", "1 /* x */", "1;", "0)) (0",
		"'x'); EXEC('", "1\x00", "(0))+((0)", "';'; DROP",
	} {
		if closed(text) {
			t.Errorf("%q is taken", text)
		}
	}
}

// Whatever is taken stays inside its parentheses: a scanner of T-SQL's own rules never leaves them before the end.
func FuzzClosed(f *testing.F) {
	for _, s := range []string{"((0))", "'a''b'", "[a]]b]", "0); DROP TABLE x", "\"a\"\"b\"", "'[' + ']'", "1--", "-'-'-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if closed(s) && escapes("("+s+")") {
			t.Errorf("%q escapes", s)
		}
	})
}

// escapes walks a text as SQL Server reads it, written apart from the code under test: byte by byte with a state.
func escapes(s string) bool {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if quote != 0 {
			if c != quote {
				continue
			}
			if i+1 < len(s) && s[i+1] == quote {
				i++
				continue
			}
			quote = 0
			continue
		}
		switch {
		case c == '\'' || c == '"':
			quote = c
		case c == '[':
			quote = ']'
		case c == ';', strings.HasPrefix(s[i:], "--"), strings.HasPrefix(s[i:], "/*"):
			return true
		case c == '(':
			depth++
		case c == ')':
			depth--
			if depth == 0 && i != len(s)-1 {
				return true
			}
		}
	}
	return depth != 0 || quote != 0
}

func TestCreateTable(t *testing.T) {
	typ := source.ParseType
	tab := source.Table{
		Name: "odd]name", Key: []string{"id", "b"},
		Columns: []source.Column{
			{Name: "id", Type: typ("int"), Identity: true, Default: "(1)"},
			{Name: "b", Type: typ("nvarchar(5)"), Collation: "Danish_Norwegian_CI_AS", Default: "(N'x')"},
			{Name: "c", Type: typ("varchar(max)"), Null: true, Collation: "Klingon_CI_AS"},
			{Name: "d", Type: typ("timestamp")},
			{Name: "e", Type: typ("int"), Null: true, Computed: "([id]*2)"},
			{Name: "f", Type: typ("xml"), Null: true, Collation: "Danish_Norwegian_CI_AS"},
			{Name: "g", Type: typ("int"), Null: true, Default: "(0)::int"},
		},
	}
	got, err := createTable("[crm7].[odd]]name]", tab, ability{collations: map[string]bool{"danish_norwegian_ci_as": true}})
	const want = "CREATE TABLE [crm7].[odd]]name] ([id] int IDENTITY(1,1) NOT NULL, " +
		"[b] nvarchar(5) COLLATE Danish_Norwegian_CI_AS NOT NULL DEFAULT ((N'x')), [c] varchar(max) NULL, [d] binary(8) NOT NULL, " +
		"[e] AS (([id]*2)), [f] xml NULL, [g] int NULL, PRIMARY KEY ([id], [b]))"
	if err != nil || got != want {
		t.Errorf("createTable: %v\n%s\nwant\n%s", err, got, want)
	}
	for _, c := range []source.Column{
		{Name: "x", Type: typ("int"), Default: "0); DROP TABLE y; --"},
		{Name: "x", Type: typ("int"), Computed: "1), y AS (2"},
	} {
		_, err := createTable("t", source.Table{Name: "t", Columns: []source.Column{c}}, ability{})
		if manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), `column "x"`) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestCreateIndex(t *testing.T) {
	tab := source.Table{Name: "t"}
	got, err := createIndex("[p].[t]", tab, source.Index{Name: "i]x", On: "[a],[b] DESC", Unique: true})
	if want := "CREATE UNIQUE INDEX [i]]x] ON [p].[t] ([a], [b] DESC)"; err != nil || got != want {
		t.Errorf("createIndex: %s, %v", got, err)
	}
	got, err = createIndex("[p].[t]", tab, source.Index{Name: "x", On: "[a]", Include: "[c],[d]]e]", Where: "([a] IS NOT NULL)"})
	if want := "CREATE INDEX [x] ON [p].[t] ([a]) INCLUDE ([c], [d]]e]) WHERE ([a] IS NOT NULL)"; err != nil || got != want {
		t.Errorf("createIndex: %s, %v", got, err)
	}
	for _, x := range []source.Index{
		{Name: "x", On: "a); DROP TABLE t; --"}, {Name: "x", On: "[a]", Include: "b); DROP TABLE t; --"}, {Name: "x", On: "[a]", Where: "1=1; DROP TABLE t"},
		{Name: "x", On: "[a]", Where: "1=1) DROP TABLE t --"},
	} {
		if got, err := createIndex("t", tab, x); err == nil {
			t.Errorf("createIndex: %s", got)
		}
	}
}

func TestInner(t *testing.T) {
	for text, want := range map[string]string{
		"([a] IS NOT NULL)": "[a] IS NOT NULL", "[a]>(0)": "[a]>(0)", "([a]>(0)) AND ([b]=(1))": "([a]>(0)) AND ([b]=(1))",
		"(([a]>(0)) AND ([b]=(1)))": "([a]>(0)) AND ([b]=(1))", "([a]=')')": "[a]=')'",
	} {
		if got := inner(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSpelling(t *testing.T) {
	n := func(v int64) (x columnRow) { x.length.Int64 = v; return x }
	for _, c := range []struct {
		typ  string
		row  columnRow
		want string
	}{
		{"nvarchar", n(239), "nvarchar(239)"}, {"varbinary", n(-1), "varbinary(max)"}, {"int", n(0), "int"}, {"ntext", n(1073741823), "ntext"},
		{"timestamp", n(0), "rowversion"}, {"hierarchyid", n(892), "hierarchyid"},
	} {
		c.row.typ = c.typ
		if got := source.ParseType(c.row.spelling()).SQL; got != c.want {
			t.Errorf("%s: %q, want %q", c.typ, got, c.want)
		}
	}
	var dec, tim columnRow
	dec.typ, dec.prec.Int64, dec.scale.Int64 = "DECIMAL", 19, 4
	tim.typ, tim.fraction.Int64 = "datetimeoffset", 3
	if dec.spelling() != "DECIMAL(19,4)" || tim.spelling() != "datetimeoffset(3)" {
		t.Errorf("%q, %q", dec.spelling(), tim.spelling())
	}
}

func TestAddIndexes(t *testing.T) {
	col := func(name string, null bool) source.Column {
		return source.Column{Name: name, Type: source.ParseType("int"), Null: null}
	}
	rows := []indexRow{
		{name: "by_null", column: "n", id: 2, unique: true},
		{name: "ux", column: "b", id: 3, unique: true, desc: true}, {name: "ux", column: "a", id: 3, unique: true},
		{name: "pk", column: "a", id: 4, primary: true, unique: true},
		{name: "plain", column: "B", id: 5}, {name: "plain", column: "a", id: 5, included: true},
	}
	tab := source.Table{Columns: []source.Column{col("A", false), col("B", false), col("N", true)}}
	addIndexes(&tab, rows)
	want := []source.Index{{Name: "by_null", On: "[N]", Unique: true}, {Name: "plain", On: "[B]", Include: "[A]"}, {Name: "ux", On: "[B] DESC,[A]", Unique: true}}
	if d := cmp.Diff(want, tab.Indexes); d != "" || !cmp.Equal(tab.Key, []string{"A"}) {
		t.Errorf("key %q, %s", tab.Key, d)
	}
	tab.Key, tab.Indexes = nil, nil
	addIndexes(&tab, append(rows[:3:3], rows[4:]...))
	if len(tab.Indexes) != 2 || !cmp.Equal(tab.Key, []string{"B", "A"}) {
		t.Errorf("without a primary key: key %q, %v", tab.Key, tab.Indexes)
	}
	tab.Key, tab.Indexes, tab.Columns[0].Null = nil, nil, true
	addIndexes(&tab, rows[:3])
	if len(tab.Indexes) != 2 || tab.Key != nil {
		t.Errorf("without a key: key %q, %v", tab.Key, tab.Indexes)
	}
	tab.Key, tab.Indexes = nil, nil
	addIndexes(&tab, []indexRow{{name: "some", column: "b", id: 2, unique: true, where: "([b]>(0))"}, {name: "some", column: "n", id: 2, unique: true, included: true}})
	if d := cmp.Diff([]source.Index{{Name: "some", On: "[B]", Unique: true, Include: "[N]", Where: "([b]>(0))"}}, tab.Indexes); d != "" || tab.Key != nil {
		t.Errorf("a filtered index: key %q, %s", tab.Key, d)
	}
	tab.Key, tab.Indexes = nil, nil
	addIndexes(&tab, []indexRow{{name: "all", column: "b", id: 2, unique: true}, {name: "all", column: "n", id: 2, unique: true, included: true}})
	if len(tab.Indexes) != 0 || !cmp.Equal(tab.Key, []string{"B"}) {
		t.Errorf("included columns may be NULL: key %q, %v", tab.Key, tab.Indexes)
	}
}
