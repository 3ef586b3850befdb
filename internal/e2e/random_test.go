package e2e

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/compare"
)

// A generator of random tables. It knows SQL alone: a value is a literal in each server's language, so that what reads
// and writes them in the product has no say in what is right.

// value is one value as a literal of both languages; fit says whether SQL Server's own collations hold it.
type value struct{ mssql, sqlite string }

// randomType is a type and a source of its values.
type randomType struct {
	name  string
	key   bool // may be in a key
	value func(r *rand.Rand) value
}

// randomTable is a table with its rows.
type randomTable struct {
	name    string
	columns []randomColumn
	key     []string
	unique  bool // the key is an index, not a primary key
	index   []string
	rows    [][]value
}

type randomColumn struct {
	name     string
	typ      randomType
	null     bool
	identity bool
}

var null = value{"NULL", "NULL"}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// alike is a literal that is the same in both.
func alike(s string) value { return value{s, s} }

func integers(name string, low, high int64) randomType {
	return randomType{name, true, func(r *rand.Rand) value {
		switch r.IntN(4) {
		case 0:
			return alike(strconv.FormatInt(low, 10))
		case 1:
			return alike(strconv.FormatInt(high, 10))
		}
		return alike(strconv.FormatInt(low+int64(r.Uint64()%(uint64(high)-uint64(low))), 10))
	}}
}

// decimals are exact numbers of p digits, s behind the point. SQLite holds whole ones of 64 bits as integers, short ones as
// floats, and long ones as the bytes of their text.
func decimals(name string, p, s int) randomType {
	return randomType{name, s == 0 && p < 19, func(r *rand.Rand) value {
		digits := make([]byte, p)
		n := 1 + r.IntN(p)
		for i := range digits {
			if digits[i] = '0'; i >= p-n {
				digits[i] = byte('0' + r.IntN(10))
			}
		}
		if r.IntN(5) == 0 {
			digits = []byte(strings.Repeat("9", p))
		}
		if name == "money" || name == "smallmoney" {
			digits[0] = '0' // their range is that of an integer
		}
		whole, frac := strings.TrimLeft(string(digits[:p-s]), "0"), string(digits[p-s:])
		if whole == "" {
			whole = "0"
		}
		full := whole
		if s > 0 {
			full += "." + frac
		}
		if strings.Trim(full, "0.") != "" && r.IntN(2) == 0 {
			full, whole = "-"+full, "-"+whole
		}
		return value{"CAST('" + full + "' AS " + name + ")", liteDecimal(full, whole, frac)}
	}}
}

func liteDecimal(full, whole, frac string) string {
	frac = strings.TrimRight(frac, "0")
	if _, err := strconv.ParseInt(whole, 10, 64); err == nil && frac == "" {
		if whole == "-0" {
			return "0"
		}
		return whole
	}
	if len(strings.TrimLeft(strings.Trim(whole, "-")+frac, "0")) <= 15 && frac != "" {
		return whole + "." + frac
	}
	return "X'" + hex.EncodeToString([]byte(full)) + "'"
}

// texts are values of a text type of up to n characters of an alphabet; padded fills them up.
func texts(name string, n int, alphabet string, padded bool) randomType {
	letters := []rune(alphabet)
	return randomType{name, n < 100 && !padded, func(r *rand.Rand) value {
		length := r.IntN(n + 1)
		if r.IntN(6) == 0 {
			length = n
		}
		if r.IntN(8) == 0 {
			length = 0
		}
		var b strings.Builder
		units := 0
		for units < length {
			c := letters[r.IntN(len(letters))]
			if c > 0xFFFF {
				if units++; units == length {
					break
				}
			}
			b.WriteRune(c)
			units++
		}
		s := b.String()
		if padded {
			s += strings.Repeat(" ", n-units)
		}
		return value{"N" + literal(s), literal(s)}
	}}
}

func blobs(name string, n int, padded bool) randomType {
	return randomType{name, n < 100, func(r *rand.Rand) value {
		length := r.IntN(n + 1)
		if padded {
			length = n
		}
		b := make([]byte, length)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return value{"0x" + hex.EncodeToString(b), "X'" + hex.EncodeToString(b) + "'"}
	}}
}

// floats are doubles, and singles where bits is 32.
func floats(name string, bits int) randomType {
	edge := []float64{0, 1.5, -0.1, 5e-324, 2.2250738585072014e-308, math.MaxFloat64, -1e300}
	if bits == 32 {
		edge = []float64{0, 0.5, float64(float32(0.1)), -float64(math.MaxFloat32)}
	}
	return randomType{name, false, func(r *rand.Rand) value {
		f := edge[r.IntN(len(edge))]
		if r.IntN(2) == 0 {
			f = (r.Float64() - 0.5) * math.Pow(10, float64(r.IntN(30)))
		}
		if bits == 32 {
			f = float64(float32(f))
		}
		s := strconv.FormatFloat(f, 'e', -1, 64)
		return value{"CAST(" + s + " AS " + name + ")", s}
	}}
}

// times are moments with digits behind the second; fraction gives them.
func times(name, form string, key bool, fraction func(r *rand.Rand) string) randomType {
	return randomType{name, key, func(r *rand.Rand) value {
		year := []int{1, 1753, 1760, 1900, 1970, 2024, 2079, 9999}[r.IntN(8)]
		switch {
		case name == "smalldatetime":
			year = 1900 + r.IntN(170)
		case name == "datetime":
			year = max(year, 1753)
		case strings.HasPrefix(name, "datetimeoffset"):
			year = max(2, min(year, 9998)) // the moment itself must be in the calendar too
		}
		day := fmt.Sprintf("%04d-%02d-%02d", year, 1+r.IntN(12), 1+r.IntN(28))
		clock := fmt.Sprintf("%02d:%02d:%02d", r.IntN(24), r.IntN(60), r.IntN(60))
		if name == "smalldatetime" {
			clock = clock[:6] + "00"
		}
		frac := strings.TrimRight(fraction(r), "0")
		if frac != "" {
			clock += "." + frac
		}
		switch form {
		case "date":
			return value{"CAST('" + day + "' AS date)", literal(day)}
		case "time":
			return value{"CAST('" + clock + "' AS " + name + ")", literal(clock)}
		case "offset":
			zone := []string{"+00:00", "+01:00", "-03:30", "+14:00", "-14:00", "+05:45"}[r.IntN(6)]
			return value{"CAST('" + day + "T" + clock + zone + "' AS " + name + ")", literal(day + " " + clock + " " + zone)}
		}
		return value{"CAST('" + day + "T" + clock + "' AS " + name + ")", literal(day + " " + clock)}
	}}
}

func digits(n int) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		if n == 0 || r.IntN(4) == 0 {
			return ""
		}
		return fmt.Sprintf("%0*d", n, r.IntN(int(math.Pow10(n))))
	}
}

// thirds are the fractions that a datetime has.
func thirds(r *rand.Rand) string {
	return fmt.Sprintf("%02d%s", r.IntN(100), []string{"0", "3", "7"}[r.IntN(3)])
}

func uuids() randomType {
	return randomType{"uniqueidentifier", true, func(r *rand.Rand) value {
		s := fmt.Sprintf("%08X-%04X-%04X-%04X-%012X", r.Uint32(), r.IntN(1<<16), r.IntN(1<<16), r.IntN(1<<16), r.Uint64()>>16)
		return value{literal(s), literal(s)}
	}}
}

const (
	latin  = "abcXYZ 0189.,-_'\"%[]{}\\/æøåÆØÅéß€"
	people = latin + "\t\n日本語Ωж😀👍🏽"
)

// types are those whose values every server holds; finest is how many digits of a second it keeps.
func types(finest int) []randomType {
	all := []randomType{
		{"bit", false, func(r *rand.Rand) value { return alike(strconv.Itoa(r.IntN(2))) }},
		integers("tinyint", 0, 255), integers("smallint", -32768, 32767), integers("int", math.MinInt32, math.MaxInt32),
		integers("bigint", math.MinInt64+1, math.MaxInt64),
		floats("float", 64), floats("real", 32),
		decimals("money", 19, 4), decimals("smallmoney", 10, 4),
		texts("char(7)", 7, latin, true), texts("varchar(30)", 30, latin, false), texts("varchar(max)", 9000, latin, false),
		texts("nchar(5)", 5, "abæ日Ω", true), texts("nvarchar(25)", 25, people, false), texts("nvarchar(4000)", 4000, people, false),
		texts("nvarchar(max)", 20000, people, false), texts("text", 500, latin, false), texts("ntext", 500, people, false),
		blobs("binary(6)", 6, true), blobs("varbinary(20)", 20, false), blobs("varbinary(max)", 20000, false), blobs("image", 300, false),
		times("date", "date", true, digits(0)), times("datetime", "datetime", true, thirds), times("smalldatetime", "datetime", false, digits(0)),
		uuids(),
		{"xml", false, func(r *rand.Rand) value {
			s := fmt.Sprintf("<a b=\"%d\">ø%d</a>", r.IntN(100), r.IntN(100))
			return value{"CAST(N" + literal(s) + " AS xml)", literal(s)}
		}},
	}
	for _, d := range [][2]int{{1, 0}, {9, 2}, {10, 0}, {18, 4}, {19, 0}, {28, 10}, {38, 0}, {38, 19}, {38, 38}} {
		all = append(all, decimals(fmt.Sprintf("decimal(%d,%d)", d[0], d[1]), d[0], d[1]))
	}
	for n := range finest + 1 {
		at := "(" + strconv.Itoa(n) + ")"
		all = append(all, times("datetime2"+at, "datetime", n == finest, digits(n)), times("time"+at, "time", n == 3, digits(n)),
			times("datetimeoffset"+at, "offset", false, digits(n)))
	}
	return all
}

var tableNames = []string{"plain", "Mixed Case", "od[d]'s \"name\"", "ærlig_tabell", "order", "y.dot", "with;semi--colon"}

// makeTable makes a table of some of the types.
func makeTable(r *rand.Rand, n int, all []randomType) randomTable {
	t := randomTable{name: fmt.Sprintf("%s %d", tableNames[r.IntN(len(tableNames))], n)}
	var keys []int
	for i := range 2 + r.IntN(12) {
		typ := all[r.IntN(len(all))]
		c := randomColumn{name: fmt.Sprintf("%s%d", []string{"c", "Col ", "ø]", "select"}[r.IntN(4)], i), typ: typ, null: r.IntN(3) > 0}
		if typ.key && len(keys) < 3 && r.IntN(2) == 0 {
			c.null = false
			keys = append(keys, i)
		}
		t.columns = append(t.columns, c)
	}
	if r.IntN(4) > 0 {
		for _, k := range keys {
			t.key = append(t.key, t.columns[k].name)
		}
		t.unique = r.IntN(4) == 0
	}
	if len(t.key) == 0 && r.IntN(2) == 0 {
		t.columns = append([]randomColumn{{name: "id", typ: integers("int", -500, 1<<30), identity: true}}, t.columns...)
		t.key = []string{"id"}
	}
	if c := t.columns[r.IntN(len(t.columns))]; c.typ.key {
		t.index = []string{c.name}
	}
	t.fill(r)
	return t
}

// fill makes rows whose keys differ, in any letter case.
func (t *randomTable) fill(r *rand.Rand) {
	seen := map[string]bool{}
	for range []int{0, 1, 7, 40, 90}[r.IntN(5)] {
		row := make([]value, len(t.columns))
		key := ""
		for i, c := range t.columns {
			if row[i] = c.typ.value(r); c.null && r.IntN(4) == 0 {
				row[i] = null
			}
			for _, k := range t.key {
				if k == c.name {
					key += strings.ToLower(strings.TrimRight(row[i].mssql, " '")) + "\x00"
				}
			}
		}
		if len(t.key) > 0 && seen[key] {
			continue
		}
		seen[key] = true
		t.rows = append(t.rows, row)
		if len(t.key) == 0 && r.IntN(5) == 0 {
			t.rows = append(t.rows, row) // the same row twice
		}
	}
}

// statements make the table in SQLite, in the form that the package sqlite documents.
func (t *randomTable) lite(prefix string) []string {
	var defs []string
	for _, c := range t.columns {
		d := quoted(c.name) + " " + c.typ.name
		switch {
		case c.identity:
			d += " identity"
		case strings.Contains(c.typ.name, "(max)"):
			d = quoted(c.name) + " " + quoted(c.typ.name)
		case c.typ.name == "int" && len(t.key) == 1 && t.key[0] == c.name:
			d = quoted(c.name) + " integer"
		}
		if !c.null {
			d += " NOT NULL"
		}
		defs = append(defs, d)
	}
	var keys []string
	for _, k := range t.key {
		keys = append(keys, quoted(k))
	}
	full := quoted(prefix + "_" + t.name)
	if len(keys) > 0 && !t.unique {
		defs = append(defs, "PRIMARY KEY ("+strings.Join(keys, ", ")+")")
	}
	out := []string{"CREATE TABLE " + full + " (" + strings.Join(defs, ", ") + ")"}
	if len(keys) > 0 && t.unique {
		out = append(out, "CREATE UNIQUE INDEX "+quoted(prefix+"_"+t.name+"_ux")+" ON "+full+" ("+strings.Join(keys, ", ")+")")
	}
	for _, row := range t.rows {
		lits := make([]string, len(row))
		for i, v := range row {
			lits[i] = v.sqlite
		}
		out = append(out, "INSERT INTO "+full+" VALUES ("+strings.Join(lits, ", ")+")")
	}
	return out
}

// seeds are the numbers that random tables are made of: the test's own, and one that OMT_TEST_SEED names.
func seed(t *testing.T) uint64 {
	n, err := strconv.ParseUint(os.Getenv("OMT_TEST_SEED"), 10, 64)
	if err != nil {
		n = 1
	}
	t.Logf("OMT_TEST_SEED=%d makes these tables", n)
	return n
}

// TestRandomTables moves tables of random types, keys and values from SQLite to SQLite, and compares every value as
// SQLite itself shows it.
func TestRandomTables(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", "20", "--clean")
	db, err := sql.Open("sqlite", s.path("inst", "crm.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed(t), 0))
	rows := 0
	for n := range 40 {
		tab := makeTable(r, n, types(7))
		tab.unique = false // a unique index over columns without NULL comes out as the key that it is
		rows += len(tab.rows)
		for _, q := range tab.lite("crm7") {
			if _, err := db.ExecContext(context.Background(), q); err != nil {
				t.Fatalf("%.300s: %v", q, err)
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s.want(0, scanStep...)
	s.want(0, "omt-assign", "--in", "scan.jsonl", "--users", "inst/users.csv", "--out", "assigned.jsonl")
	s.want(0, packStep...)
	s.want(0, pushStep...)
	s.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	s.want(0, "omt-pack", "unpack", "--from", "dest", "--db", "sqlite:out.sqlite")
	gone, err := compare.Gone(s.path("done.jsonl"), "crm7")
	if err != nil {
		t.Fatal(err)
	}
	got, err := compare.Databases(context.Background(), s.path("inst", "crm.sqlite"), s.path("out.sqlite"), gone)
	if err != nil {
		t.Fatal(err)
	}
	if rows < 500 || got.Rows < int64(rows) {
		t.Errorf("%d rows were made and %d compared", rows, got.Rows)
	}
}
