package mssql

import (
	"database/sql/driver"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// tableOf has a column a, b, … for each type, all of which may be NULL.
func tableOf(types ...string) (tab source.Table) {
	for i, s := range types {
		tab.Columns = append(tab.Columns, source.Column{Name: string(rune('a' + i)), Type: source.ParseType(s), Null: true})
	}
	return tab
}

func TestPart(t *testing.T) {
	p := newPart("[p].[t]", tableOf("bit", "tinyint", "bigint", "float", "real", "date", "datetime", "smalldatetime", "datetimeoffset",
		"nvarchar(5)", "nvarchar(max)", "varbinary(max)"), ability{}, nil)
	if p.staged || p.target != "[p].[t]" || len(p.before)+len(p.after) != 0 {
		t.Errorf("types that bulk copy takes are staged: %+v", p)
	}
	for _, s := range []string{
		"char(3)", "varchar(5)", "nchar(5)", "text", "ntext", "xml", "decimal(5,2)", "money", "uniqueidentifier", "binary(3)", "image", "rowversion",
		"hierarchyid", "geography", "sql_variant", "time(3)",
	} {
		if p := newPart("t", tableOf(s), ability{}, nil); !p.staged {
			t.Errorf("%s is not staged", s)
		}
	}
	tab := tableOf("int", "decimal(9,2)", "varchar(9)", "xml", "binary(3)", "uniqueidentifier", "money", "hierarchyid", "geography", "sql_variant")
	tab.Columns[0].Identity = true
	p = newPart("[p].[t]", tab, ability{types: map[string]bool{"hierarchyid": true}}, nil)
	if d := cmp.Diff([]string{"CREATE TABLE #omt_part ([a] int NULL, [b] nvarchar(60) NULL, [c] nvarchar(max) NULL, [d] nvarchar(max) NULL, " +
		"[e] varbinary(max) NULL, [f] nvarchar(60) NULL, [g] nvarchar(60) NULL, [h] varbinary(max) NULL, [i] varbinary(max) NULL)"}, p.before); d != "" {
		t.Errorf("before: %s", d)
	}
	if d := cmp.Diff([]string{
		"SET IDENTITY_INSERT [p].[t] ON; INSERT INTO [p].[t] ([a], [b], [c], [d], [e], [f], [g], [h], [i], [j]) SELECT [a], CAST([b] AS decimal(9,2)), [c], " +
			"CAST([d] AS xml), [e], CAST([f] AS uniqueidentifier), CAST([g] AS money), CAST([h] AS hierarchyid), [i], NULL FROM #omt_part; " +
			"SET IDENTITY_INSERT [p].[t] OFF",
		"DROP TABLE #omt_part",
	}, p.after); d != "" {
		t.Errorf("after: %s", d)
	}
	if d := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6, 7, 8}, p.copied); d != "" {
		t.Errorf("copied: %s", d)
	}
	if p := newPart("t", tableOf("sql_variant"), ability{}, nil); len(p.copied)+len(p.before)+len(p.after) != 0 {
		t.Errorf("a table of sql_variant alone is copied: %+v", p)
	}
}

func TestCheckAndCarries(t *testing.T) {
	for _, c := range []struct {
		typ     string
		notNull bool
		v       any
		say     string
		carried bool
	}{
		{"int", false, nil, "", true},
		{"int", true, nil, "NOT NULL", true},
		{"smallint", false, int64(70000), "does not fit", true},
		{"float", false, math.NaN(), "", true},
		{"float", false, math.Inf(1), "does not fit", true},
		{"nvarchar(3)", false, "abcd", "does not fit", true},
		{"nvarchar(3)", false, "a\xED\xA0\xBD", "", false},
		{"varchar(9)", false, "a\xED\xA0\xBD", "not valid UTF-8", true},
		{"sql_variant", false, nil, "", true},
		{"sql_variant", true, "int:1", "", false},
		{"sql_variant", false, "int:1", "", false},
	} {
		tab := tableOf(c.typ)
		tab.Columns[0].Null = !c.notNull
		p := newPart("t", tab, ability{}, nil)
		err := p.check(0, c.v)
		if (err == nil) != (c.say == "") || err != nil && !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s %v: %v, want %q", c.typ, c.v, err, c.say)
		}
		if got := carries(p.cols[0], c.v); got != c.carried {
			t.Errorf("%s %v: carried by bulk copy: %v", c.typ, c.v, got)
		}
	}
}

func TestBinder(t *testing.T) {
	at := time.Date(2024, 2, 29, 23, 59, 59, 123456700, time.UTC)
	made := ability{types: map[string]bool{"hierarchyid": true}, collations: map[string]bool{"danish_norwegian_ci_as": true}}
	for _, c := range []struct {
		typ  string
		v    any
		expr string
		arg  any
	}{
		{"int", int64(5), "@p1", int64(5)},
		{"nvarchar(9)", "æ", "@p1", "æ"},
		{"nvarchar(9)", "a\xED\xA0\xBD", "CAST(CAST(@p1 AS varbinary(max)) AS nvarchar(max))", []byte{'a', 0, 0x3D, 0xD8}},
		{"decimal(9,2)", "1.50", "CAST(@p1 AS decimal(9,2))", "1.50"},
		{"uniqueidentifier", [16]byte{0: 0x0A}, "CAST(@p1 AS uniqueidentifier)", "0A000000-0000-0000-0000-000000000000"},
		{"date", time.Date(1760, 1, 1, 0, 0, 0, 0, time.UTC), "CAST(@p1 AS date)", "1760-01-01"},
		{"time(7)", time.Date(1970, 1, 1, 23, 0, 0, 100, time.UTC), "CAST(@p1 AS time(7))", "23:00:00.0000001"},
		{"datetime2(7)", at, "CAST(@p1 AS datetime2(7))", "2024-02-29T23:59:59.1234567"},
		{"datetimeoffset(7)", at.In(source.Zone(-210)), "CAST(@p1 AS datetimeoffset(7))", "2024-02-29T20:29:59.1234567-03:30"},
		{"xml", "<a/>", "CAST(@p1 AS xml)", "<a/>"},
		{"hierarchyid", []byte{0x58}, "CAST(@p1 AS hierarchyid)", []byte{0x58}},
		{"geography", []byte{1}, "@p1", []byte{1}},
		{"sql_variant", "int:42", "CAST(CAST(@p1 AS int) AS sql_variant)", int64(42)},
		{"sql_variant", "decimal(9,2):1.50", "CAST(CAST(CAST(@p1 AS decimal(9,2)) AS decimal(9,2)) AS sql_variant)", "1.50"},
		{"sql_variant", "varchar(9) COLLATE Danish_Norwegian_CI_AS:x", "CAST(CAST(CAST(@p1 AS nvarchar(max)) COLLATE Danish_Norwegian_CI_AS AS varchar(9)) AS sql_variant)", "x"},
		{"sql_variant", "varchar(9) COLLATE Klingon:x", "CAST(CAST(CAST(@p1 AS nvarchar(max)) AS varchar(9)) AS sql_variant)", "x"},
		{"sql_variant", "varbinary(2):FF", "CAST(CAST(@p1 AS varbinary(2)) AS sql_variant)", []byte{0xFF}},
	} {
		var b binder
		expr, err := b.column(made, source.Column{Type: source.ParseType(c.typ)}, c.v)
		if expr != c.expr || err != nil {
			t.Errorf("%s %v: %s, %v; want %s", c.typ, c.v, expr, err, c.expr)
		}
		if d := cmp.Diff(binder{driver.NamedValue{Name: "p1", Ordinal: 1, Value: c.arg}}, b); d != "" {
			t.Errorf("%s %v: %s", c.typ, c.v, d)
		}
	}
	var b binder
	if expr, err := b.column(made, source.Column{Type: source.ParseType("int")}, nil); expr != "NULL" || err != nil || len(b) != 0 {
		t.Errorf("NULL: %s, %v, %v", expr, err, b)
	}
	for _, v := range []any{"int", int64(1), "varchar(9) COLLATE x; DROP TABLE y:z; --"} {
		if expr, err := b.column(ability{}, source.Column{Type: source.ParseType("sql_variant")}, v); err == nil && strings.Contains(expr, "DROP") || err == nil && v != "varchar(9) COLLATE x; DROP TABLE y:z; --" {
			t.Errorf("%v is bound as %s", v, expr)
		}
	}
}

func TestNotes(t *testing.T) {
	tab := tableOf("rowversion", "hierarchyid", "geography", "varchar(9)", "nvarchar(9)", "int", "rowversion")
	tab.Name = "t"
	tab.Columns[3].Collation, tab.Columns[4].Collation = "Klingon_CI_AS", "Danish_Norwegian_CI_AS"
	tab.Columns[5].Default = "(0)::int"
	other := tableOf("rowversion")
	other.Name = "u"
	made := ability{types: map[string]bool{"hierarchyid": true}, collations: map[string]bool{"danish_norwegian_ci_as": true}}
	note := func(thing, what, name string) source.Note { return source.Note{Thing: thing, What: what, Name: name} }
	if d := cmp.Diff([]source.Note{
		note("column", "of type rowversion made binary(8)", "crm7.t.a"),
		note("column", "of type geography made varbinary(max)", "crm7.t.c"),
		note("column", "of collation Klingon_CI_AS, which the server does not know, made with the database's", "crm7.t.d"),
		note("default", "left out for not being T-SQL", "crm7.t.f"),
		note("column", "of type rowversion made binary(8)", "crm7.t.g"),
		note("column", "of type rowversion made binary(8)", "crm7.u.a"),
	}, made.notes("crm7", []source.Table{tab, other})); d != "" {
		t.Error(d)
	}
	if got := made.notes("crm7", []source.Table{tableOf("int", "nvarchar(9)")}); len(got) != 0 {
		t.Errorf("nothing is otherwise, and it says %q", got)
	}
}

func TestGuard(t *testing.T) {
	g := &guard{number: 1252, collation: "Latin1_General_CI_AS", encoder: codePage(1252).NewEncoder()}
	for _, s := range []string{"", "plain", "æøå €"} {
		if err := g.check(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	err := g.check("a日本")
	if manifest.StatusOf(err) != manifest.Failed || err.Error() != "'日' is not in code page 1252 of the target's collation Latin1_General_CI_AS" {
		t.Errorf("a text of another code page: %v", err)
	}
	if err := (*guard)(nil).check("日本"); err != nil {
		t.Errorf("without a guard: %v", err)
	}
	for _, n := range []int64{437, 850, 874, 932, 936, 949, 950, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258} {
		if codePage(n) == nil {
			t.Errorf("code page %d is not known", n)
		}
	}
	if codePage(65001) != nil {
		t.Error("UTF-8 keeps texts out")
	}
}
