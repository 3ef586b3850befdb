package sqlite

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
)

// stored makes a database of one table by hand, with SQLite's own statements.
func byHand(t *testing.T, statements ...string) *Driver {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hand.sqlite")
	l, err := OpenLoader(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := l.db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// core are the tables without which there is no database.
var core = []string{
	"CREATE TABLE crm7_associate (associate_id int)", "CREATE TABLE crm7_person (person_id int)",
	"CREATE TABLE crm7_document (document_id int)", "CREATE TABLE crm7_company (company_id int)",
}

func viewOf(t *testing.T, d *Driver) *source.View {
	t.Helper()
	db, err := source.New(t.Context(), d, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

// readOne reads the only row of crm7_t.
func readOne(t *testing.T, d *Driver) (source.Row, error) {
	t.Helper()
	v := viewOf(t, d)
	tab, ok := source.FindTable(v.Tables(), "t")
	if !ok {
		t.Fatal("no table t")
	}
	for row, err := range v.Rows(t.Context(), tab) {
		return row, err
	}
	t.Fatal("no row")
	return nil, nil
}

// A value that is not in the one form of its type is an error that names table and column, and shows no content.
func TestStrict(t *testing.T) {
	for _, c := range []struct{ typ, value, say string }{
		{"int", "'abc'", "a text of 3 bytes is no value of int"},
		{"int", "1.5", "the number 1.5 is no value of int"},
		{"int", "2147483648", "2147483648 does not fit int"},
		{"int", "x'01'", "a blob of 1 bytes is no value of int"},
		{"tinyint", "-1", "-1 does not fit tinyint"},
		{"bit", "2", "the integer 2 is no value of bit"},
		{"bit", "'true'", "a text of 4 bytes is no value of bit"},
		{"float", "'x'", "a text of 1 bytes is no value of float"},
		{"real", "0.1", "0.1 does not fit real"},
		{"float", "9e999", "+Inf does not fit float"},
		{"decimal(5,2)", "'x'", "a text of 1 bytes is no value of decimal(5,2)"},
		{"decimal(5,2)", "1.234", `"1.234" does not fit decimal(5,2)`},
		{"decimal(5,2)", "1000", `"1000" does not fit decimal(5,2)`},
		{"decimal(38,20)", "0.1234567890123456", "has more than 15 digits"},
		{"decimal(5,2)", "9e999", "has more than 15 digits"},
		{"decimal(5,2)", "x'312e35'", `"1.5" is not written as decimal(5,2) is`},
		{"nvarchar(3)", "'abcd'", "a text of 4 characters does not fit nvarchar(3)"},
		{"nvarchar(3)", "x'61'", "a blob of 1 bytes is no value of nvarchar(3)"},
		{"nvarchar(3)", "CAST(x'ff' AS TEXT)", "is not valid UTF-8"},
		{"ntext", "CAST(x'61eda0' AS TEXT)", "a text of 3 bytes is not valid UTF-8"},          // half a pair that is cut
		{"nchar(9)", "CAST(x'eda0bdedb880' AS TEXT)", "a text of 6 bytes is not valid UTF-8"}, // a pair in the form of two halves
		{"varchar(9)", "CAST(x'61eda0bd' AS TEXT)", "a text of 4 bytes is not valid UTF-8"},   // no UTF-16
		{"nvarchar(2)", "CAST(x'6161eda0bd' AS TEXT)", "a text of 3 characters does not fit"},
		{"sql_variant", "5", "the integer 5 is no value of sql_variant"},
		{"geography", "'POINT'", "a text of 5 bytes is no value of geography"},
		{"hierarchyid", "zeroblob(893)", "893 bytes do not fit hierarchyid"},
		{"float", "x'30'", "a blob of 1 bytes is no value of float"},
		{"xml", "5", "the integer 5 is no value of xml"},
		{"varbinary(2)", "x'010203'", "3 bytes do not fit varbinary(2)"},
		{"varbinary(2)", "'ab'", "a text of 2 bytes is no value of varbinary(2)"},
		{"datetime", "'2024-1-1'", `"2024-1-1" is not a datetime as`},
		{"datetime", "'2024-01-01 00:00:00.000'", "is not a datetime as"},
		{"datetime", "1704067200", "the integer 1704067200 is no value of datetime"},
		{"date", "'2024-01-01 00:00:00'", "is not a date as"},
		{"datetimeoffset(0)", "'2024-01-01 00:00:00Z'", "is not a datetimeoffset(0) as"},
		{"uniqueidentifier", "'00112233-4455-6677-8899-aabbccddeeff'", "upper case"},
		{"uniqueidentifier", "x'00112233445566778899aabbccddeeff'", "a blob of 16 bytes is no value of uniqueidentifier"},
	} {
		d := byHand(t, append([]string{fmt.Sprintf("CREATE TABLE crm7_t (v %s)", c.typ), "INSERT INTO crm7_t VALUES (" + c.value + ")"}, core...)...)
		row, err := readOne(t, d)
		if err == nil {
			t.Errorf("%s %s is read as %v", c.typ, c.value, row)
			continue
		}
		for _, w := range []string{c.say, `table "t"`, `column "v"`} {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s %s: %q does not say %q", c.typ, c.value, err, w)
			}
		}
	}
}

// What other programs may have stored and means the same is read.
func TestTolerant(t *testing.T) {
	for _, c := range []struct {
		typ, value string
		want       any
	}{
		{"INTEGER", "'7'", int64(7)}, // converted when it was stored
		{"float", "3", 3.0},
		{"TEXT", "'x'", "x"},
		{"decimal(5,2)", "1.5", "1.50"},
		{"decimal(5,2)", "'1.5'", "1.50"},
		{"money", "-3", "-3.0000"},
		{"numeric(38,0)", "1e20", "100000000000000000000"},
		{"timestamp", "x'0000000000000001'", []byte{0, 0, 0, 0, 0, 0, 0, 1}},
		{"datetime", "NULL", nil},
		{"bit", "'1'", true},
	} {
		d := byHand(t, append([]string{fmt.Sprintf("CREATE TABLE crm7_t (v %s)", c.typ), "INSERT INTO crm7_t VALUES (" + c.value + ")"}, core...)...)
		row, err := readOne(t, d)
		if err != nil || !cmp.Equal(row[0], c.want) {
			t.Errorf("%s %s is read as %v, %v; want %v", c.typ, c.value, row, err, c.want)
		}
	}
}

func TestNullInKey(t *testing.T) {
	d := byHand(t, append([]string{"CREATE TABLE crm7_t (v int PRIMARY KEY)", "INSERT INTO crm7_t VALUES (NULL)"}, core...)...)
	if row, err := readOne(t, d); err == nil || !strings.Contains(err.Error(), `column "v" holds NULL`) {
		t.Errorf("NULL in a key is read as %v, %v", row, err)
	}
}

// Any decimal of any precision and scale comes back digit by digit, and so does any text in an xml column, although
// SQLite would turn both into floats.
func TestNumberLikeProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var cols []source.Column
	var row source.Row
	for i := range 400 {
		p := 1 + r.IntN(38)
		typ := source.ParseType(fmt.Sprintf("decimal(%d,%d)", p, r.IntN(p+1)))
		digits := make([]byte, 1+r.IntN(p))
		for j := range digits {
			digits[j] = byte('0' + r.IntN(10))
		}
		s := string(digits)
		if cut := r.IntN(typ.Scale + 1); cut < len(s) {
			s = s[:len(s)-cut] + "." + s[len(s)-cut:]
		} else {
			s = "." + s[:min(len(s), typ.Scale)] + "0"
		}
		if r.IntN(2) == 0 {
			s = "-" + s
		}
		v, err := source.CanonicalDecimal(typ, s)
		if err != nil {
			continue
		}
		cols, row = append(cols, source.Column{Name: fmt.Sprintf("d%d", i), Type: typ}), append(row, v)
	}
	for i, s := range []string{"1", "007", "1.50", "-1", "+1", "1e5", ".5", " 12", "\t9", "0x10", "Infinity", "<a/>", "", "- 1", "\v1", "\u00a01"} {
		cols, row = append(cols, source.Column{Name: fmt.Sprintf("x%d", i), Type: source.ParseType("xml")}), append(row, s)
	}
	if len(cols) < 300 {
		t.Fatalf("only %d columns: the generator is broken", len(cols))
	}
	got := roundTrip(t, source.Table{Name: "t", Columns: cols}, row)
	for i := range row {
		if got[i] != row[i] {
			t.Errorf("%s: %q comes back as %q", cols[i].Type.SQL, row[i], got[i])
		}
	}
}

// roundTrip loads one row and reads it.
func roundTrip(t *testing.T, tab source.Table, row source.Row) source.Row {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trip.sqlite")
	l, err := OpenLoader(path)
	if err != nil {
		t.Fatal(err)
	}
	tabs := []source.Table{tab}
	for _, n := range []string{"associate", "person", "document", "company"} {
		tabs = append(tabs, source.Table{Name: n, Columns: []source.Column{{Name: "id", Type: source.ParseType("int")}}})
	}
	if err := l.Begin(t.Context(), "run", "crm7", tabs); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Load(t.Context(), "part", tab, func(yield func(source.Row, error) bool) { yield(row, nil) }); err != nil {
		t.Fatal(err)
	}
	if err := l.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	got, err := readOne(t, d)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSignificant(t *testing.T) {
	for s, want := range map[string]int{
		"0": 0, "0.00": 0, "1": 1, "100": 1, "-100.0": 1, "100.10": 4, "0.001": 1, "123.456": 6, "10.01": 4, "9007199254740993": 16,
	} {
		if got := significant(s); got != want {
			t.Errorf("significant(%q) = %d, want %d", s, got, want)
		}
	}
}

// A value of every type comes back as it was, also where SQLite would make another one of it.
func TestKept(t *testing.T) {
	const first, second = "\xED\xA0\xBD", "\xED\xB8\x80" // the halves of a pair
	table := source.Table{Name: "t"}
	var want source.Row
	for _, c := range []struct {
		sql    string
		values []any
	}{
		{"nvarchar(20)", []any{"", first, "a" + first + "b", "a" + second, second + first, first + first, "\uFFFD", "\x00" + first + "\x00", "\U0001F600" + second}},
		{"nchar(2)", []any{first + " "}},
		{"ntext", []any{second, strings.Repeat("long "+first, 30_000)}},
		{"nvarchar(max)", []any{first + "1", "1" + first, "1"}},
		{"sql_variant", []any{"int:5", "nvarchar(10):" + first, "5", "-1e3", "float:0x1p-3", ""}},
		{"hierarchyid", []any{[]byte{}, []byte{0x5A, 0xC0}, []byte("123")}},
		{"geography", []any{[]byte{0xE6, 0x10, 0, 0, 1, 0x0C}}},
		{"geometry", []any{[]byte{}}},
		{"rowversion", []any{[]byte{0, 0, 0, 0, 0, 0, 7, 0xD1}}},
		{"float", []any{math.Copysign(0, -1), 0.0, -1.0, math.SmallestNonzeroFloat64, -math.MaxFloat64}},
		{"real", []any{math.Copysign(0, -1), float64(math.SmallestNonzeroFloat32)}},
	} {
		for i, v := range c.values {
			table.Columns = append(table.Columns, source.Column{Name: fmt.Sprintf("%s %d", c.sql, i), Type: source.ParseType(c.sql)})
			want = append(want, v)
		}
	}
	bits := cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
	if d := cmp.Diff(want, roundTrip(t, table, want), bits); d != "" {
		t.Errorf("(-in +out):\n%.2000s", d)
	}
}

// What SQLite cannot hold is refused, with the column's name, and nothing of the part is loaded.
func TestNotLoaded(t *testing.T) {
	for _, c := range []struct {
		sql string
		v   any
		say string
	}{
		{"float", math.NaN(), "NaN cannot be stored: SQLite would make NULL of it"},
		{"real", math.Float64frombits(0xFFF8000000000001), "NaN cannot be stored: SQLite would make NULL of it"},
		{"float", math.Inf(-1), "-Inf does not fit float"},
		{"nvarchar(9)", "\xED\xA0\xBD\xED\xB8\x80", "a text of 6 bytes is not valid UTF-8"},
		{"varchar(9)", "\xED\xA0\xBD", "a text of 3 bytes is not valid UTF-8"},
		{"int", math.NaN(), "NaN"},
	} {
		l, err := OpenLoader(filepath.Join(t.TempDir(), "x.sqlite"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		table := source.Table{Name: "t", Columns: []source.Column{{Name: "id", Type: source.ParseType("int")}, {Name: "v", Type: source.ParseType(c.sql), Null: true}}}
		if err := l.Begin(t.Context(), "run", "crm7", []source.Table{table}); err != nil {
			t.Fatal(err)
		}
		rows := func(yield func(source.Row, error) bool) {
			_ = yield(source.Row{int64(1), nil}, nil) && yield(source.Row{int64(2), c.v}, nil)
		}
		n, err := l.Load(t.Context(), "part", table, rows)
		if err == nil || n != 0 || !strings.Contains(err.Error(), `row 2, column "v": `) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s %v: %d rows, %v; want %q", c.sql, c.v, n, err, c.say)
		}
		if done, err := l.Loaded(t.Context(), "part"); done || err != nil {
			t.Errorf("%s %v: loaded is %v, %v", c.sql, c.v, done, err)
		}
	}
}

// SQL Server's texts may hold the character NUL, and so may ours.
func TestNul(t *testing.T) {
	tab := source.Table{Name: "t", Columns: []source.Column{{Name: "v", Type: source.ParseType("nvarchar(20)")}, {Name: "x", Type: source.ParseType("xml")}}}
	if got := roundTrip(t, tab, source.Row{"a\x00b\x00", "1\x00"}); got[0] != "a\x00b\x00" || got[1] != "1\x00" {
		t.Errorf("texts with NUL come back as %q", got)
	}
}
