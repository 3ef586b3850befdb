package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sqlite runs SQL in the stock program and gives its output's lines.
func (s *site) sqlite(db, sql string) []string {
	s.t.Helper()
	out := s.stock([]byte(sql), "sqlite3", "-batch", "-bail", "-readonly", db)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Every table that was unpacked has the declarations, keys, indexes and rows of the source, as sqlite3 sees them.
func TestSqlite3(t *testing.T) {
	t.Parallel()
	needs(t, "sqlite3")
	b := base(t)
	was, is := filepath.Join("inst", "crm.sqlite"), "out.sqlite"
	schema := `SELECT m.type, m.name, m.tbl_name, group_concat(c.cid || ' ' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || coalesce(c.dflt_value, '-') || ' ' || c.pk)
	  FROM sqlite_master m LEFT JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table' GROUP BY m.name ORDER BY m.name;
	  SELECT m.name, x.name, x."unique", x.origin, x.partial, c.seqno, c.cid, c.name, c."desc", c.coll
	  FROM sqlite_master m, pragma_index_list(m.name) x, pragma_index_xinfo(x.name) c WHERE m.type = 'table' ORDER BY 1, 2, 6;`
	want := b.sqlite(was, schema)
	if len(want) < 55 {
		t.Fatalf("the schema has %d lines: this proves too little", len(want))
	}
	same(t, "the schema", want, slices.DeleteFunc(b.sqlite(is, schema), func(line string) bool { return strings.Contains(line, "crm7_omt_user") }))
	gone := removed(t, b)
	rows := 0
	for _, table := range b.sqlite(was, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`) {
		var values []string
		for _, c := range b.sqlite(was, `SELECT name FROM pragma_table_info('`+table+`')`) {
			values = append(values, "typeof("+quoted(c)+") || quote("+quoted(c)+")")
		}
		dump := "SELECT " + strings.Join(values, " || ' ' || ") + " AS v FROM " + quoted(table)
		less := ""
		if gone[table] != "" {
			less = " WHERE (" + gone[table] + ") IS NOT TRUE"
		}
		before, after := b.sqlite(was, dump+less+" ORDER BY v"), b.sqlite(is, dump+" ORDER BY v")
		same(t, table, before, after)
		rows += len(after)
	}
	if rows < 800 {
		t.Errorf("compared %d rows: this proves too little", rows)
	}
}

// sum is a value of a column in words of DuckDB on the parts and of SQLite on the source.
type sum struct{ what, duck, lite string }

// sums are the values that are compared for a column of a declared type.
func sums(name, declared string) []sum {
	c := quoted(name)
	list := []sum{{"values", "count(" + c + ")", "count(" + c + ")"}}
	both := func(what, duck, lite string) { list = append(list, sum{name + ": " + what, duck, lite}) }
	extremes := func(duck, lite string) {
		for _, f := range []string{"min", "max"} {
			both(f, f+"("+duck+")", f+"("+lite+")")
		}
		both("distinct", "count(distinct "+duck+")", "count(distinct "+lite+")")
	}
	kind, _, _ := strings.Cut(declared, "(")
	if strings.HasPrefix(declared, "decimal(38") {
		kind = "decimal(38"
	}
	switch kind {
	case "bit", "tinyint", "smallint", "int", "bigint":
		extremes("CAST("+c+" AS BIGINT)", c)
		both("sum", "sum(CAST("+c+" AS BIGINT))", "sum("+c+")")
	case "money", "decimal(38":
		both("distinct", "count(distinct "+c+")", "count(distinct "+c+")") // sqlite3 has no numbers of so many digits
	case "decimal", "numeric", "smallmoney":
		_, scale, _ := strings.Cut(strings.TrimSuffix(declared, ")"), ",")
		digits := 4
		if scale != "" {
			digits, _ = strconv.Atoi(scale)
		}
		unit := strconv.FormatFloat(math.Pow10(digits), 'f', 0, 64)
		both("sum", "sum(CAST("+c+" * "+unit+" AS BIGINT))", "sum(CAST(round("+c+" * "+unit+") AS INTEGER))")
		extremes("CAST("+c+" * "+unit+" AS BIGINT)", "CAST(round("+c+" * "+unit+") AS INTEGER)")
	case "float", "real":
		both("sum", "sum("+c+")", "sum("+c+")")
	case "date":
		extremes("CAST("+c+" AS VARCHAR)", c)
	case "datetime", "datetime2", "smalldatetime":
		extremes("strftime("+c+", '%Y-%m-%d %H:%M:%S')", "substr("+c+", 1, 19)")
	case "datetimeoffset":
		extremes("epoch_us("+c+") // 1000000", "unixepoch("+c+")")
	case "time":
		extremes("left(CAST("+c+" AS VARCHAR), 8)", "substr("+c+", 1, 8)")
	case "uniqueidentifier":
		extremes("upper(CAST("+c+" AS VARCHAR))", c)
	case "binary", "varbinary", "image", "rowversion", "hierarchyid", "geography", "geometry":
		both("bytes", "sum(octet_length("+c+"))", "sum(length("+c+"))")
		both("md5s", "count(distinct md5("+c+"))", "count(distinct "+c+")")
	default:
		both("bytes", "sum(strlen("+c+"))", "sum(length(CAST("+c+" AS BLOB)))")
		both("characters", "sum(length("+c+"))", "sum(length("+c+"))")
		both("distinct", "count(distinct "+c+")", "count(distinct "+c+")")
	}
	return list
}

// duckModules is where DuckDB is, or skips the test and says so.
func duckModules(t *testing.T) string {
	t.Helper()
	needs(t, "node", "sqlite3")
	modules := os.Getenv("OMT_TEST_DUCKDB")
	if modules == "" {
		t.Skip("OMT_TEST_DUCKDB does not say where @duckdb/node-api is: DuckDB has not read the Parquet parts")
	}
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "@duckdb", "node-api")); err != nil {
		t.Skipf("no @duckdb/node-api below %q: DuckDB has not read the Parquet parts", modules)
	}
	return modules
}

// DuckDB reads the table parts at the destination, and finds in them what sqlite3 finds in the source.
func TestDuckDB(t *testing.T) {
	t.Parallel()
	modules := duckModules(t)
	b := base(t)
	b.duckAgrees(t, modules, b)
}

// tableParts are the records of table parts without what the codec changes, and the digests of their bytes.
func tableParts(t *testing.T, done []byte) (list, digests []string) {
	t.Helper()
	for _, c := range records(t, done, "chunk") {
		if c["type"] == "parquet" {
			list = append(list, fmt.Sprint(c["table"], c["first"], c["last"], c["rows"], c["raw"], c["content"], c["schema"]))
			digests = append(digests, fmt.Sprint(c["sha256"]))
		}
	}
	return list, digests
}

// Parts of the other codecs hold the same rows: by their records, as the commands prove and unpack them, and in DuckDB.
func TestTableCodecs(t *testing.T) {
	t.Parallel()
	b := base(t)
	want, first := tableParts(t, b.read("done.jsonl"))
	if len(want) < 20 {
		t.Fatalf("%d parts: this proves too little", len(want))
	}
	for _, codec := range []string{"snappy", "gzip"} {
		t.Run(codec, func(t *testing.T) {
			w := world{newSite(t)}
			w.want(0, "omt-pack", "--in", b.path("assigned.jsonl"), "--spool", "spool", "--out", "packed.jsonl", "--table-codec", codec)
			w.want(3, pushStep...)
			got, digests := tableParts(t, w.read("done.jsonl"))
			same(t, "the parts", want, got)
			for i := range digests {
				if digests[i] == first[i] {
					t.Errorf("part %d has the same bytes as with zstd", i)
				}
			}
			w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
			w.want(0, unpackStep...)
			if !bytes.Equal(w.read("out.sqlite"), b.read("out.sqlite")) {
				t.Error("unpacked, they make another database")
			}
			w.duckAgrees(t, duckModules(t), b)
		})
	}
}

// duckAgrees compares what DuckDB finds in the parts at the destination with what sqlite3 finds in the source, which is
// that of another world.
func (w world) duckAgrees(t *testing.T, modules string, b world) {
	t.Helper()
	done := w.read("done.jsonl")
	parts := map[string][]string{}
	for _, c := range records(t, done, "chunk") {
		if c["type"] == "parquet" {
			name := fmt.Sprint(c["table"])
			parts[name] = append(parts[name], "'"+chunkFile(w.path("dest"), fmt.Sprintf("%s.parquet", c["sha256"]))+"'")
		}
	}
	duck, lite, words, counts := map[string]string{}, map[string]string{}, map[string][]string{}, map[string]string{}
	for _, table := range records(t, done, "table") {
		name := fmt.Sprint(table["name"])
		counts[name] = fmt.Sprint(table["rows"])
		if len(parts[name]) == 0 {
			if counts[name] != "0" {
				t.Errorf("table %s has %s rows and no parts", name, counts[name])
			}
			continue
		}
		ds, ls := []string{"count(*)"}, []string{"count(*)"}
		words[name] = []string{"rows"}
		for _, col := range table["columns"].([]any) {
			c := col.(map[string]any)
			for _, s := range sums(fmt.Sprint(c["name"]), fmt.Sprint(c["type"])) {
				ds, ls, words[name] = append(ds, s.duck), append(ls, s.lite), append(words[name], s.what)
			}
		}
		duck[name] = "SELECT " + strings.Join(ds, ", ") + " FROM read_parquet([" + strings.Join(parts[name], ", ") + "])"
		lite[name] = "SELECT json_array(" + strings.Join(ls, ", ") + ") FROM " + quoted("crm7_"+name)
	}
	got := w.duckdb(modules, duck)
	compared, extremes := 0, ""
	for name, sql := range lite {
		want := b.array(filepath.Join("inst", "crm.sqlite"), sql)
		if got[name][0] == nil || *got[name][0] != counts[name] {
			t.Errorf("table %s has %s rows by its record", name, counts[name])
		}
		for i, w := range want {
			compared++
			if !agree(w, got[name][i]) {
				t.Errorf("table %s, %s: sqlite3 finds %s in the source, DuckDB %s in the parts", name, words[name][i], text(w), text(got[name][i]))
			}
			extremes += text(w) + "\n"
		}
	}
	if compared < 1500 || !strings.Contains(extremes, "1760-01-01") || !strings.Contains(extremes, "9999-12-31") {
		t.Errorf("compared %d values, with 1760-01-01: %v, with 9999-12-31: %v: this proves too little", compared,
			strings.Contains(extremes, "1760-01-01"), strings.Contains(extremes, "9999-12-31"))
	}
	t.Logf("%d values of %d tables agree", compared, len(lite))
}

func text(s *string) string {
	if s == nil {
		return "NULL"
	}
	return *s
}

// agree compares two values; those that are no integers may differ in how they are written, and by what adding up in
// another order does.
func agree(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	if *a == *b {
		return true
	}
	x, err := strconv.ParseFloat(*a, 64)
	y, err2 := strconv.ParseFloat(*b, 64)
	return err == nil && err2 == nil && strings.ContainsAny(*a+*b, ".e") && math.Abs(x-y) <= 1e-9*math.Abs(x)
}

// duckdb runs queries, each of which gives one row.
func (s *site) duckdb(modules string, queries map[string]string) map[string][]*string {
	s.t.Helper()
	script, err := filepath.Abs("testdata/parquet.mjs")
	if err != nil {
		s.t.Fatal(err)
	}
	in, err := json.Marshal(queries)
	if err != nil {
		s.t.Fatal(err)
	}
	x := exec.Command("node", script)
	x.Dir, x.Stdin = modules, bytes.NewReader(in)
	var said bytes.Buffer
	x.Stderr = &said
	out, err := x.Output()
	if err != nil {
		s.t.Fatalf("DuckDB: %v\n%s", err, said.String())
	}
	var got map[string][]*string
	if err := json.Unmarshal(out, &got); err != nil {
		s.t.Fatal(err)
	}
	return got
}

// array gives the values of a JSON array that sqlite3 prints, as text.
func (s *site) array(db, sql string) []*string {
	s.t.Helper()
	var raw []any
	d := json.NewDecoder(strings.NewReader(strings.Join(s.sqlite(db, sql), "\n")))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		s.t.Fatalf("%v: %s", err, sql)
	}
	out := make([]*string, len(raw))
	for i, v := range raw {
		if v != nil {
			text := fmt.Sprint(v)
			out[i] = &text
		}
	}
	return out
}
