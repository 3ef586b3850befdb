package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// pieced is a driver whose connections give large values of binary columns in pieces, and count the queries for them.
type pieced struct {
	source.Driver
	pieces int
	short  bool // a piece lacks its last byte
	adrift bool // what is read is not of one moment
}

func (p *pieced) Begin(ctx context.Context) (source.Conn, error) {
	c, err := p.Driver.Begin(ctx)
	return &piecedConn{Conn: c, p: p}, err
}

type piecedConn struct {
	source.Conn
	p *pieced
}

func (c *piecedConn) Consistent() bool { return !c.p.adrift }

func (c *piecedConn) Pieces(alias string, col source.Column) (source.Pieces, bool) {
	if col.Type.SQL != "varbinary(max)" {
		return source.Pieces{}, false
	}
	name := alias + "." + c.p.Quote(col.Name)
	return source.Pieces{Stored: "length(" + name + ")", Length: "length(" + name + ")", Piece: func(from, n int) string {
		if c.p.pieces++; c.p.short && from > 1 {
			return "x''"
		}
		return fmt.Sprintf("substr(%s, %d, %d)", name, from, n)
	}}, true
}

// wideTable has rows with large values at its ends, beside each other and in both columns.
func wideTable(t *testing.T, key ...string) (path string, want []source.Row) {
	t.Helper()
	col := func(name, typ string) source.Column {
		return source.Column{Name: name, Type: source.ParseType(typ), Null: name != "id"}
	}
	tab := source.Table{Name: "wide", Key: key, Columns: []source.Column{col("id", "int"), col("a", "varbinary(max)"), col("n", "nvarchar(20)"), col("b", "varbinary(max)")}}
	blob := func(n int, b byte) []byte { return bytes.Repeat([]byte{b, 0, 0xFF}, n/3+1)[:n] }
	const large = 8 << 20
	want = []source.Row{
		{int64(-5), blob(large, 1), "first", nil},
		{int64(1), blob(3, 2), "small", []byte{}},
		{int64(2), nil, "none", blob(large-1, 3)},
		{int64(3), blob(large+4<<20+1, 4), nil, blob(large, 5)},
		{int64(4), blob(1, 6), "beside it", blob(large, 7)},
		{int64(9), blob(9, 8), "small again", blob(9, 9)},
		{int64(90), nil, "last", blob(large, 10)},
	}
	path = filepath.Join(t.TempDir(), "wide.sqlite")
	l, err := sqlite.OpenLoader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Begin(t.Context(), "run", "crm7", []source.Table{tab}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Load(t.Context(), "all", tab, func(yield func(source.Row, error) bool) {
		for _, r := range want {
			if !yield(r, nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := l.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return path, want
}

// openWide opens a view of the table through a driver. The tables of a SuperOffice database are not there, so it is At's.
func openWide(t *testing.T, p *pieced, path string) (*source.View, source.Table) {
	t.Helper()
	d, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	p.Driver = d
	db, err := source.At(t.Context(), p, "crm7", "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	tab, ok := source.FindTable(v.Tables(), "wide")
	if !ok {
		t.Fatal("the table is not there")
	}
	return v, tab
}

func readWide(t *testing.T, p *pieced, path string) (rows []source.Row, err error) {
	t.Helper()
	v, tab := openWide(t, p, path)
	for row, err := range v.Rows(t.Context(), tab) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func wantRows(t *testing.T, want, got []source.Row) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows of %d", len(got), len(want))
	}
	for i := range want {
		for j := range want[i] {
			a, aok := want[i][j].([]byte)
			b, bok := got[i][j].([]byte)
			if aok != bok || !bytes.Equal(a, b) || !aok && want[i][j] != got[i][j] {
				t.Errorf("row %d, value %d: %d bytes, want %d (%v, %v)", i, j, len(b), len(a), aok, bok)
			}
		}
	}
}

func TestLargeValues(t *testing.T) {
	path, want := wideTable(t, "id")
	var p pieced
	got, err := readWide(t, &p, path)
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, want, got)
	if p.pieces != 2+4+2+2+2 {
		t.Errorf("%d pieces were asked for", p.pieces)
	}
	adrift := pieced{adrift: true}
	if got, err = readWide(t, &adrift, path); err != nil || adrift.pieces != 0 {
		t.Errorf("in a view of several moments: %d pieces, %v", adrift.pieces, err)
	}
	wantRows(t, want, got)
	if _, err := readWide(t, &pieced{short: true}, path); err == nil || !strings.Contains(err.Error(), "a value of 8388608 bytes came with 4194304") {
		t.Errorf("a value that does not come whole: %v", err)
	}
}

func TestLargeValuesWithoutKey(t *testing.T) {
	path, want := wideTable(t)
	var p pieced
	got, err := readWide(t, &p, path)
	if err != nil || p.pieces != 0 {
		t.Errorf("%d pieces, %v", p.pieces, err)
	}
	wantRows(t, want, got)
}

// A loop over rows that is left ends the reading.
func TestLargeValuesLeft(t *testing.T) {
	path, want := wideTable(t, "id")
	v, tab := openWide(t, &pieced{}, path)
	for stop := range want {
		n := 0
		for _, err := range v.Rows(t.Context(), tab) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n > stop {
				break
			}
		}
		if n != stop+1 {
			t.Errorf("%d rows, want %d", n, stop+1)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range v.Rows(ctx, tab) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after the context ended: %v", err)
		}
	}
}
