package chunk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// writePart writes rows as a part and returns its bytes and record.
func writePart(t testing.TB, table manifest.Table, o PartOptions, rows []source.Row) ([]byte, manifest.Chunk) {
	t.Helper()
	var b bytes.Buffer
	w, err := NewPartWriter(&b, table, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	p, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), p.Chunk(table.Name)
}

// readPart reads all rows of a part, and proves that skimming it gives the same: the part's digests, or the same refusal.
func readPart(b []byte, table manifest.Table) ([]source.Row, error) {
	rows, part, err := readRows(b, table)
	other, otherErr := new(Pool).readPart(bytes.NewReader(b), int64(len(b)), table)
	content, contentErr := skimAll(b, table)
	for _, e := range []error{otherErr, contentErr} {
		if errText(err) != errText(e) || errors.Is(err, ErrDamaged) != errors.Is(e, ErrDamaged) {
			return rows, fmt.Errorf("reading says %q, and skimming %q", errText(err), errText(e))
		}
	}
	if d := cmp.Diff(part, other); err == nil && (d != "" || content != part.Content) {
		return rows, fmt.Errorf("reading and skimming (+) give different parts: %s (content %s)", d, content)
	}
	return rows, err
}

// skimAll skims the first and the last row too.
func skimAll(b []byte, table manifest.Table) (d manifest.Digest, err error) {
	r, err := NewPartReader(bytes.NewReader(b), int64(len(b)), table)
	if err != nil {
		return d, err
	}
	defer r.Close()
	for n := int64(1); err == nil; n++ {
		if err = r.skimRow(); err != nil {
			err = r.fail(n, err)
		}
	}
	if !errors.Is(err, io.EOF) {
		return d, err
	}
	return r.content.sum(), nil
}

func readRows(b []byte, table manifest.Table) ([]source.Row, Part, error) {
	r, err := NewPartReader(bytes.NewReader(b), int64(len(b)), table)
	if err != nil {
		return nil, Part{}, err
	}
	defer r.Close()
	var rows []source.Row
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			part, err := r.Part()
			return rows, part, err
		}
		if err != nil {
			return rows, Part{}, err
		}
		rows = append(rows, row)
	}
}

// edgeTable has a column of every type, once with and once without NULLs, under names that Parquet's tools stumble
// over; its rows hold every edge value.
func edgeTable() (manifest.Table, []source.Row) {
	table := manifest.Table{Name: "edge.table", Key: []string{"id"}, Columns: []manifest.Column{{Name: "id", Type: "int"}}}
	n := 0
	for i, e := range edges {
		names := [2]string{fmt.Sprintf("a.b %d/\"ø\"", i), fmt.Sprintf("n%d", i)}
		table.Columns = append(table.Columns,
			manifest.Column{Name: names[0], Type: e.sql}, manifest.Column{Name: names[1], Type: e.sql, Null: true})
		n = max(n, len(e.values)+1)
	}
	table.Columns = append(table.Columns, manifest.Column{Name: "computed", Type: "int", Computed: "[id]+1"})
	var rows []source.Row
	for i := range 3 * n {
		row := source.Row{int64(i)}
		for _, e := range edges {
			row = append(row, e.values[i%len(e.values)])
			if k := i % (len(e.values) + 1); k == len(e.values) {
				row = append(row, nil)
			} else {
				row = append(row, e.values[k])
			}
		}
		rows = append(rows, row)
	}
	return table, rows
}

// largeTable has values above and below what pages and row groups are cut by.
func largeTable() (manifest.Table, []source.Row) {
	table := manifest.Table{Name: "large", Columns: []manifest.Column{
		{Name: "id", Type: "bigint"}, {Name: "text", Type: "nvarchar(max)", Null: true},
		{Name: "blob", Type: "varbinary(max)", Null: true}, {Name: "need", Type: "varbinary(max)"}, {Name: "flag", Type: "bit"},
	}}
	var rows []source.Row
	add := func(text any, blob any, need []byte) {
		rows = append(rows, source.Row{int64(len(rows)), text, blob, need, len(rows)%3 == 0})
	}
	add("small", nil, []byte{})
	add(strings.Repeat("wide ", bigValue/5+1), nil, noise(1, bigValue))
	add(nil, noise(2, bigValue-1), text(2, bigValue))
	for i := range 25 {
		add(string(text(uint64(i), 10_000*i)), noise(uint64(i), 9_000*i), []byte("x"))
	}
	add("", text(3, 3*bigValue+1), noise(4, 2*bigValue))
	add("last", []byte{}, []byte("y"))
	return table, rows
}

func TestPartRoundTrip(t *testing.T) {
	table, rows := edgeTable()
	b, rec := writePart(t, table, PartOptions{}, rows)
	got, err := readPart(b, table)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rows, got, sameValues); d != "" {
		t.Errorf("rows (-in +out):\n%.2000s", d)
	}
	if err := VerifyPart(bytes.NewReader(b), int64(len(b)), rec, table); err != nil {
		t.Error(err)
	}
	if rec.First != "0" || rec.Last != fmt.Sprint(len(rows)-1) || rec.Rows != int64(len(rows)) {
		t.Errorf("record %+v", rec)
	}
}

func TestLargeValuesRoundTrip(t *testing.T) {
	table, rows := largeTable()
	for _, level := range []int{minLevel, maxLevel} {
		b, rec := writePart(t, table, PartOptions{Level: level}, rows)
		got, err := readPart(b, table)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows, got, sameValues); d != "" {
			t.Errorf("rows (-in +out):\n%.2000s", d)
		}
		if err := VerifyPart(bytes.NewReader(b), int64(len(b)), rec, table); err != nil {
			t.Error(err)
		}
		if rec.First+rec.Last == "" || rec.First == rec.Last {
			t.Errorf("keys of a table without one: %q to %q", rec.First, rec.Last)
		}
	}
}

// randomTable makes a table of random columns with random rows.
func randomTable(r *rand.Rand, rows int) (manifest.Table, []source.Row) {
	table := manifest.Table{Name: "random"}
	var kinds []int
	for i := range 1 + r.IntN(12) {
		k := r.IntN(len(edges))
		kinds = append(kinds, k)
		table.Columns = append(table.Columns, manifest.Column{Name: fmt.Sprintf("c%d", i), Type: edges[k].sql, Null: r.IntN(2) == 0})
	}
	all := make([]source.Row, rows)
	for i := range all {
		row := make(source.Row, len(kinds))
		for c, k := range kinds {
			values := edges[k].values
			row[c] = values[r.IntN(len(values))]
			if s, ok := row[c].(string); ok && len(s) > 10_000 && r.IntN(50) > 0 {
				row[c] = values[0]
			}
			if b, ok := row[c].([]byte); ok && len(b) > 10_000 && r.IntN(50) > 0 {
				row[c] = values[0]
			}
			if table.Columns[c].Null && r.IntN(1+r.IntN(5)) == 0 {
				row[c] = nil
			}
		}
		all[i] = row
	}
	return table, all
}

// Any rows come back as they went in, and the same rows give the same bytes.
func TestPartsOfRandomRows(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	pool := new(Pool)
	for round := range 20 {
		table, rows := randomTable(r, 1+r.IntN(1<<r.IntN(12)))
		level := 1 + r.IntN(3)
		b, rec := writePart(t, table, PartOptions{Level: level, Pool: pool}, rows)
		again, _ := writePart(t, table, PartOptions{Level: level}, rows)
		if !bytes.Equal(b, again) {
			t.Fatalf("round %d: the same rows give other bytes", round)
		}
		got, err := readPart(b, table)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows, got, sameValues); d != "" {
			t.Fatalf("round %d: rows (-in +out):\n%.2000s", round, d)
		}
		if err := pool.VerifyPart(bytes.NewReader(b), int64(len(b)), rec, table); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRowGroups(t *testing.T) {
	table := manifest.Table{Name: "t", Key: []string{"id"}, Columns: []manifest.Column{{Name: "id", Type: "int"}, {Name: "b", Type: "varbinary(max)", Null: true}}}
	groups := func(rows []source.Row) []int64 {
		b, _ := writePart(t, table, PartOptions{}, rows)
		r, err := NewPartReader(bytes.NewReader(b), int64(len(b)), table)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var n []int64
		for _, g := range r.footer.groups {
			n = append(n, g.NumRows)
		}
		if r.Rows() != int64(len(rows)) {
			t.Errorf("Rows = %d, want %d", r.Rows(), len(rows))
		}
		return n
	}
	var many, wide []source.Row
	for i := range groupRows + 5 {
		many = append(many, source.Row{int64(i), nil})
	}
	blob := noise(1, groupBytes/4-20)
	for i := range 9 {
		wide = append(wide, source.Row{int64(i), blob})
	}
	if got, want := groups(many), []int64{groupRows, 5}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("many rows: groups of %v, want %v", got, want)
	}
	if got, want := groups(wide), []int64{5, 4}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("wide rows: groups of %v, want %v", got, want)
	}
}

// goldenParts are parts whose bytes must not change without a reason.
func TestGoldenParts(t *testing.T) {
	const path = "testdata/parts.json"
	got := map[string]string{}
	for name, make := range map[string]func() (manifest.Table, []source.Row){"edges": edgeTable, "large": largeTable, "half": halfTable, "types": typeTable} {
		table, rows := make()
		for _, codec := range codecs {
			for level := minLevel; level <= maxLevel; level++ {
				levels := codec != Snappy && name == "edges" || codec == Zstd && name == "large"
				if level > minLevel && !levels {
					continue
				}
				_, rec := writePart(t, table, PartOptions{Codec: codec, Level: level}, rows)
				got[fmt.Sprintf("%s, %s, level %d", name, codec, level)] = fmt.Sprintf("%s content %s schema %s raw %d", rec.SHA256, rec.Content, rec.Schema, rec.Raw)
			}
		}
	}
	if *update {
		b, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("parts differ from those that earlier versions wrote (-want +got):\n%s", d)
	}
}

func TestCompanionNamesDoNotCollide(t *testing.T) {
	table := manifest.Table{Name: "t", Columns: []manifest.Column{
		{Name: "a$ticks", Type: "int"}, {Name: "a", Type: "datetimeoffset(7)"}, {Name: "a$offset", Type: "int"}, {Name: "a$offset$", Type: "int"},
	}}
	rows := []source.Row{{int64(1), moment(2020, 1, 1, 0, 0, 0, 300), int64(2), int64(3)}}
	b, _ := writePart(t, table, PartOptions{}, rows)
	got, err := readPart(b, table)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rows, got, sameValues); d != "" {
		t.Error(d)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if names := fmt.Sprint(f.Schema().Columns()); names != "[[a$ticks] [a] [a$ticks$] [a$offset$$] [a$offset] [a$offset$]]" {
		t.Errorf("columns %s", names)
	}
}

func TestPartRefused(t *testing.T) {
	id := manifest.Column{Name: "id", Type: "int"}
	for _, c := range []struct {
		want  string
		table manifest.Table
		rows  []source.Row
	}{
		{`table "t": has no column with stored values`, manifest.Table{Name: "t"}, nil},
		{`table "t": column "g" has type "point", which is not known`, manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "g", Type: "point"}}}, nil},
		{`table "t": its key names column "x"`, manifest.Table{Name: "t", Columns: []manifest.Column{id}, Key: []string{"x"}}, nil},
		{`table "t": has two columns "id"`, manifest.Table{Name: "t", Columns: []manifest.Column{id, id}}, nil},
		{`table "t": part has no rows`, manifest.Table{Name: "t", Columns: []manifest.Column{id}}, nil},
		{`table "t": row 2 of the part: column "id": NULL, but it is declared NOT NULL`, manifest.Table{Name: "t", Columns: []manifest.Column{id}}, []source.Row{{int64(1)}, {nil}}},
		{`table "t": row 1 of the part: column "id": a string is no value of int`, manifest.Table{Name: "t", Columns: []manifest.Column{id}}, []source.Row{{"x"}}},
		{`table "t": row 1 of the part: column "id": a text of`, manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "id", Type: "nvarchar(max)"}}}, []source.Row{{strings.Repeat("\xff", bigValue)}}},
		{`table "t": row 1 of the part: row of 2 values for 1 columns`, manifest.Table{Name: "t", Columns: []manifest.Column{id}}, []source.Row{{int64(1), int64(2)}}},
	} {
		w, err := NewPartWriter(io.Discard, c.table, PartOptions{})
		for i := 0; err == nil && i < len(c.rows); i++ {
			err = w.Write(c.rows[i])
		}
		if w != nil {
			_, closing := w.Close()
			if closing == nil || err != nil && !errors.Is(closing, err) {
				t.Errorf("%s: Close says %v", c.want, closing)
			}
			err = closing
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) && !strings.Contains(c.want, "a string is no value") {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if _, err := NewPartWriter(io.Discard, manifest.Table{Name: "t", Columns: []manifest.Column{id}}, PartOptions{Level: 9}); err == nil {
		t.Error("level 9 is accepted")
	}
}

func TestPartWriterErrors(t *testing.T) {
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "b", Type: "varbinary(max)"}}}
	broken := errors.New("disk is full")
	for n := range 8 {
		pool := new(Pool)
		w, err := NewPartWriter(&limited{n: n * 300, err: broken}, table, PartOptions{Pool: pool})
		if err != nil {
			t.Fatal(err)
		}
		err = w.Write(source.Row{noise(1, 1000)})
		if _, closing := w.Close(); !errors.Is(closing, broken) && n < 4 || err != nil && !errors.Is(err, broken) {
			t.Errorf("a disk full after %d bytes: Write says %v, Close %v", n*300, err, closing)
		}
		if _, err := w.Close(); err == nil {
			t.Error("a second Close succeeds")
		}
		if len(pool.encoders[1]) != 1 {
			t.Error("the encoder is not given back")
		}
	}
}
