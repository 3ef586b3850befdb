package chunk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

func readPart(b []byte, table manifest.Table) ([]source.Row, error) {
	r, err := NewPartReader(bytes.NewReader(b), int64(len(b)), table)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var rows []source.Row
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
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
	for i := range 40 {
		add(string(text(uint64(i), 10_000*i)), noise(uint64(i), 9_000*i), []byte("x"))
	}
	add("", text(3, 5*bigValue+1), noise(4, 4*bigValue))
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
