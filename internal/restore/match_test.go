package restore

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
)

func TestTallyLines(t *testing.T) {
	tally := &tallied{columns: []int64{0, 1}}
	for i := range 25 {
		tally.add(missing, 1, fmt.Sprint(i), fmt.Sprint(i))
		if i%2 == 1 {
			tally.pass(same, 1)
		}
	}
	tally.add(changed, 1, "a\nb", "a\nb")
	tally.add(extra, 1, "", "")
	tally.add(extra, 1, strings.Repeat("å", 61), strings.Repeat("å", 61))
	got := strings.Join(tally.lines("t", []source.Column{{Name: "a"}, {Name: "b"}}, false), "\n")
	want := `table "t": 25 rows missing, 2 too many, 1 different; the migration has 0, the database 0
table "t": missing: 0 … 1 (2), 2 … 3 (2), 4 … 5 (2), 6 … 7 (2), 8 … 9 (2), 10 … 11 (2), 12 … 13 (2), 14 … 15 (2), 16 … 17 (2), 18 … 19 (2) and 3 more ranges
table "t": too many: "" … ` + strings.Repeat("å", 60) + `… (2)
table "t": different: "a\nb"
table "t": column "b" differs in 1 row`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if lines := (&tallied{}).lines("t", nil, false); lines != nil {
		t.Errorf("of nothing it says %q", lines)
	}
}

func TestKeeps(t *testing.T) {
	for _, c := range []struct {
		was, is string
		keeps   bool
	}{
		{"rowversion", "binary(8)", true}, {"binary(8)", "varbinary(8)", true}, {"varbinary(8)", "binary(8)", false}, {"binary(3)", "binary(8)", false},
		{"rowversion", "varbinary(4)", false}, {"hierarchyid", "varbinary(892)", true}, {"geography", "varbinary(max)", true}, {"image", "varbinary(8000)", false},
		{"int", "bigint", true}, {"bigint", "int", false}, {"tinyint", "smallint", true}, {"int", "float", false}, {"int", "decimal(10,0)", false},
		{"money", "decimal(19,4)", true}, {"decimal(19,4)", "money", true}, {"decimal(38,4)", "money", false}, {"decimal(9,2)", "decimal(9,3)", false},
		{"ntext", "nvarchar(max)", true}, {"text", "varchar(max)", true}, {"varchar(20)", "nvarchar(20)", true}, {"nvarchar(20)", "varchar(20)", false},
		{"nvarchar(20)", "nvarchar(10)", false}, {"nchar(3)", "nvarchar(3)", true}, {"nvarchar(3)", "nchar(3)", false}, {"char(3)", "nchar(3)", true}, {"char(3)", "char(4)", false},
		{"xml", "nvarchar(max)", true}, {"xml", "varchar(max)", false}, {"nvarchar(max)", "xml", false}, {"sql_variant", "nvarchar(max)", true}, {"nvarchar(max)", "sql_variant", false},
		{"datetime", "datetime2(3)", true}, {"datetime", "datetime2(0)", false}, {"datetime2(3)", "datetime", false}, {"smalldatetime", "datetime", true},
		{"datetime", "smalldatetime", false}, {"date", "datetime", false}, {"time(3)", "time(7)", true}, {"datetimeoffset(7)", "datetimeoffset(3)", false},
		{"real", "float", false}, {"bit", "tinyint", false}, {"point", "circle", false},
	} {
		if got := keeps(source.ParseType(c.is), source.ParseType(c.was)); got != c.keeps {
			t.Errorf("%s in place of %s keeps all values: %v", c.is, c.was, got)
		}
	}
}
