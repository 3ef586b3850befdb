package source_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
)

func TestCodePage(t *testing.T) {
	for collation, want := range map[string]int{
		"Danish_Norwegian_CI_AS": 1252, "Latin1_General_100_CI_AS_SC": 1252, "Finnish_Swedish_CI_AS": 1252, "SQL_Latin1_General_CP1_CI_AS": 1252,
		"SQL_Latin1_General_CP850_BIN": 850, "SQL_Latin1_General_CP1251_CI_AS": 1251, "SQL_Danish_Pref_CP1_CI_AS": 1252, "polish_ci_as": 1250,
		"Cyrillic_General_CI_AS": 1251, "Greek_CI_AS": 1253, "Turkish_100_CI_AI": 1254, "Japanese_XJIS_140_CI_AS": 932, "Chinese_PRC_CI_AS": 936,
		"Chinese_Taiwan_Stroke_CI_AS": 950, "Thai_CI_AS": 874, "Latin1_General_100_CI_AS_SC_UTF8": 65001, "Klingon_CI_AS": 0, "": 0, "SQL_Odd": 0,
		"Greekish_CI_AS": 0, "SQL_Latin1_General_CPx_CI_AS": 0, "Korean_Wansung_CI_AS": 949,
	} {
		if got := source.CodePage(collation); got != want {
			t.Errorf("CodePage(%q) = %d, want %d", collation, got, want)
		}
	}
}

func TestTextForms(t *testing.T) {
	col := func(typ, collation, computed string) source.Column {
		return source.Column{Name: "c", Type: source.ParseType(typ), Collation: collation, Computed: computed}
	}
	got := source.TextForms([]source.Table{
		{Columns: []source.Column{col("varchar(10)", "Greek_CI_AS", ""), col("char(2)", "Greek_CI_AS", ""), col("nvarchar(max)", "Greek_CI_AS", ""),
			col("int", "", ""), col("xml", "", ""), col("sql_variant", "", ""), col("varchar(1)", "Greek_CI_AS", "(1)"), col("varbinary(8)", "", "")}},
		{Columns: []source.Column{col("text", "Danish_Norwegian_CI_AS", ""), col("varchar(max)", "Greek_CI_AS", ""), col("ntext", "", ""), col("nchar(1)", "", "")}},
	})
	want := []source.TextColumns{
		{ANSI: true, Collation: "Danish_Norwegian_CI_AS", CodePage: 1252, Columns: 1, Tables: 1},
		{ANSI: true, Collation: "Greek_CI_AS", CodePage: 1253, Columns: 3, Tables: 2},
		{Columns: 2, Tables: 1},
		{Collation: "Greek_CI_AS", Columns: 1, Tables: 1},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("TextForms (-want +got):\n%s", d)
	}
	if got := source.TextForms(nil); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
