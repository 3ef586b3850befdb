package chunk

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func keyTable(key []string, types ...string) source.Table {
	return source.Table{Name: "t", Columns: columns(types...), Key: key}
}

func mustKey(t *testing.T, table source.Table) Key {
	t.Helper()
	k, err := KeyOf(table)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeysSortByValue(t *testing.T) {
	for _, e := range edges {
		k := mustKey(t, keyTable([]string{"c0", "c1"}, e.sql, "int"))
		var before []byte
		for i, v := range append([]any{nil}, e.values...) {
			for _, second := range []any{nil, int64(-5), int64(5)} {
				b, err := k.Append(nil, source.Row{v, second})
				if err != nil {
					t.Fatalf("%s: %v", e.sql, err)
				}
				if before != nil && bytes.Compare(before, b) >= 0 {
					t.Errorf("%s: key of value %d (%v) does not sort behind the one before", e.sql, i, v)
				}
				if before != nil && bytes.HasPrefix(b, before) {
					t.Errorf("%s: a key is the beginning of another", e.sql)
				}
				before = b
			}
		}
	}
}

func TestKeyOf(t *testing.T) {
	table := keyTable([]string{"C2", "c0"}, "int", "int", "nvarchar(5)")
	table.Columns[1].Computed = "c0*2"
	k := mustKey(t, table)
	row := source.Row{int64(7), "x\"y"}
	if got, want := k.Text(row), `"x\"y",7`; got != want {
		t.Errorf("Text = %s, want %s", got, want)
	}
	if k.Integer() || k.Empty() {
		t.Error("a key of two columns passes for another")
	}
	if _, err := k.Int(row); err == nil {
		t.Error("a key of two columns has an integer")
	}
	if _, err := k.Append(nil, source.Row{int64(7)}); err == nil {
		t.Error("a row without the key is accepted")
	}
	if _, err := k.Append(nil, source.Row{"x", "y"}); err == nil || !strings.Contains(err.Error(), `column "c0"`) {
		t.Errorf("a value of another type: %v", err)
	}
	for _, c := range []struct{ sql, text string }{{"nvarchar(5)", "\xff"}, {"ntext", "\xED\xA0\xBD\xED\xB8\x80"}, {"varchar(5)", "\xED\xA0\xBD"}} {
		if _, err := mustKey(t, keyTable([]string{"c0"}, c.sql)).Append(nil, source.Row{c.text}); err == nil {
			t.Errorf("%q is accepted as key of %s", c.text, c.sql)
		}
	}
	for _, sql := range []string{"nvarchar(5)", "varbinary(5)", "float", "date"} {
		if _, err := mustKey(t, keyTable([]string{"c0"}, sql)).Append(nil, source.Row{int64(1)}); err == nil {
			t.Errorf("an int64 is accepted as key of %s", sql)
		}
	}
	if _, err := KeyOf(keyTable([]string{"nope"}, "int")); err == nil {
		t.Error("a key over a column that is not there is accepted")
	}
	one := mustKey(t, keyTable([]string{"c0"}, "bigint"))
	if v, err := one.Int(source.Row{int64(-3)}); err != nil || v != -3 || !one.Integer() {
		t.Errorf("Int = %d, %v", v, err)
	}
	if _, err := one.Int(source.Row{nil}); err == nil {
		t.Error("NULL passes for an integer key")
	}
	if !mustKey(t, keyTable(nil, "int")).Empty() {
		t.Error("a table without a key has one")
	}
}

func TestKeyText(t *testing.T) {
	for _, c := range []struct {
		sql, want string
		v         any
	}{
		{"int", "-5", int64(-5)},
		{"int", "NULL", nil},
		{"bit", "1", true},
		{"bit", "0", false},
		{"nvarchar(9)", "a,b", "a,b"},
		{"decimal(9,2)", "1.50", "1.50"},
		{"float", "0.1", 0.1},
		{"varbinary(9)", "00ff", []byte{0, 255}},
		{"uniqueidentifier", "01000000-0000-0000-0000-0000000000ff", [16]byte{0: 1, 15: 255}},
		{"date", "1760-01-01", day(1760, 1, 1)},
		{"time(7)", "01:02:03.0000001", moment(1970, 1, 1, 1, 2, 3, 100)},
		{"datetime", "2020-02-29 12:00:00.5", moment(2020, 2, 29, 12, 0, 0, 500_000_000)},
		{"datetimeoffset(0)", "2020-02-29 12:00:00 +00:00", moment(2020, 2, 29, 12, 0, 0, 0)},
	} {
		if got := mustKey(t, keyTable([]string{"c0"}, c.sql)).Text(source.Row{c.v}); got != c.want {
			t.Errorf("%s: %q, want %q", c.sql, got, c.want)
		}
	}
}

func TestSchemaDigest(t *testing.T) {
	table := manifest.Table{
		Name: "Ærlig<&>", Rows: 5, Key: []string{"a"},
		Columns: []manifest.Column{{Name: "a", Type: "int", Identity: true}, {Name: "b", Type: "nvarchar(5)", Null: true, Collation: "Danish"}},
		Indexes: []manifest.Index{{Name: "i", On: "[b]"}},
	}
	const want = `{"name":"Ærlig<&>","columns":[{"name":"a","type":"int","null":false,"identity":true},` +
		`{"name":"b","type":"nvarchar(5)","null":true,"collation":"Danish"}],"key":["a"]}`
	b, err := SchemaJSON(table)
	if err != nil || string(b) != want {
		t.Errorf("SchemaJSON = %s, %v", b, err)
	}
	digest, err := SchemaDigest(table)
	if err != nil || digest != manifest.Digest(sha256.Sum256([]byte(want))) {
		t.Errorf("SchemaDigest = %s, %v", digest, err)
	}
	other := table
	other.Rows, other.Indexes = 6, nil
	if d, _ := SchemaDigest(other); d != digest {
		t.Error("rows or indexes change the schema digest")
	}
	other.Key = nil
	if d, _ := SchemaDigest(other); d == digest {
		t.Error("the key does not change the schema digest")
	}
	if b, _ := SchemaJSON(manifest.Table{Name: "t"}); string(b) != `{"name":"t","columns":[],"key":[]}` {
		t.Errorf("an empty table: %s", b)
	}
}

func TestCutterOfIntegers(t *testing.T) {
	var c Cutter
	var begins []int64
	for _, k := range []int64{-131072, -65537, -65536, -1, 0, 1, 65535, 65536, 1 << 40, 1<<40 + 65535, 1<<40 + 65536} {
		if c.Int(k) {
			begins = append(begins, k)
		}
	}
	if want := []int64{-131072, -65536, 0, 65536, 1 << 40, 1<<40 + 65536}; fmt.Sprint(begins) != fmt.Sprint(want) {
		t.Errorf("parts begin at %v, want %v", begins, want)
	}
}

func TestCutterOfKeys(t *testing.T) {
	key := func(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }
	cuts := func(keys []int) map[int]bool {
		var c Cutter
		m := map[int]bool{}
		for i, k := range keys {
			if c.Key(key(k)) && i > 0 {
				m[k] = true
			}
		}
		return m
	}
	var all, some []int
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 400_000 {
		all = append(all, i)
		if r.IntN(10) > 0 {
			some = append(some, i)
		}
	}
	whole, part := cuts(all), cuts(some)
	if len(whole) < 2 || len(whole) > 25 {
		t.Errorf("%d parts of 400,000 rows, want about 7", len(whole)+1)
	}
	for k := range part {
		if !whole[k] {
			t.Errorf("leaving out rows makes a boundary at %d", k)
		}
	}
	for k := range whole {
		sum := sha256.Sum256(key(k))
		if sum[0] != 0 || sum[1] != 0 {
			t.Errorf("a part begins at %d, whose digest is %x…", k, sum[:3])
		}
	}
	// Equal keys stay together, up to the limit of rows.
	var c Cutter
	boundary := -1
	for k := range whole {
		boundary = k
	}
	n := 0
	for range 2*maxRowsPerPart + 1 {
		if c.Key(key(boundary)) {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d equal rows make %d parts, want 3", 2*maxRowsPerPart+1, n)
	}
}
