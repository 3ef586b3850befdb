package restore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// rig is a table whose rows are compared: in parts as packing makes them, and as a database gives them.
type rig struct {
	t     *testing.T
	table manifest.Table
	st    source.Table
	order parts.Order
	pool  []source.Row // rows to make tables of, some of which begin parts
	temp  string
	bufs  chunk.Pool
}

func newRig(t *testing.T, key ...string) *rig {
	t.Helper()
	r := &rig{t: t, temp: t.TempDir(), table: manifest.Table{Name: "t", Key: key, Columns: []manifest.Column{
		{Name: "id", Type: "int"}, {Name: "code", Type: "nvarchar(20)"}, {Name: "v", Type: "nvarchar(max)", Null: true}, {Name: "n", Type: "int", Null: true},
	}}}
	if r.table.Key == nil {
		r.table.Key = []string{}
	}
	r.st = source.FromRecord(r.table)
	var err error
	r.order, err = parts.OrderOf(r.st)
	check(t, err)
	if r.order.Integer() {
		for _, part := range []int64{-2, -1, 0, 1, 5, 6, 9} {
			for _, at := range []int64{0, 1, 2, 30_000, 65_534, 65_535} {
				r.pool = append(r.pool, source.Row{part<<16 + at, "c", "v", nil})
			}
		}
		return r
	}
	// Every sixth row begins a part.
	for i := int64(0); len(r.pool) < 60; i++ {
		row := source.Row{i, fmt.Sprint("c", i), "v", nil}
		it, err := r.order.Item(row)
		check(t, err)
		if sum := sha256.Sum256(it.Key); len(r.pool)%6 != 3 || sum[0]|sum[1] == 0 {
			r.pool = append(r.pool, row)
		}
	}
	return r
}

// sorted are the items of rows in the order of parts.
func (r *rig) sorted(rows []source.Row) (list []entry) {
	r.t.Helper()
	for _, row := range rows {
		it, err := r.order.Item(row)
		check(r.t, err)
		list = append(list, entry{it, row})
	}
	sort.Slice(list, func(i, j int) bool {
		if c := bytes.Compare(list[i].Key, list[j].Key); c != 0 {
			return c < 0
		}
		return bytes.Compare(list[i].Row, list[j].Row) < 0
	})
	return list
}

// packed are the parts of rows, and the bytes of each.
func (r *rig) packed(rows []source.Row) (list []manifest.Chunk, files map[manifest.Digest][]byte) {
	r.t.Helper()
	files = map[manifest.Digest][]byte{}
	var b bytes.Buffer
	var w *chunk.PartWriter
	end := func() {
		if w == nil {
			return
		}
		p, err := w.Close()
		check(r.t, err)
		k := p.Chunk("t")
		list = append(list, k)
		files[k.SHA256] = bytes.Clone(b.Bytes())
	}
	cut := r.order.Cutter()
	for _, e := range r.sorted(rows) {
		if cut.BeginsAt(e.Key) {
			end()
			b.Reset()
			var err error
			w, err = chunk.NewPartWriter(&b, r.table, chunk.PartOptions{Level: 1, Pool: &r.bufs})
			check(r.t, err)
		}
		check(r.t, w.Write(e.row))
	}
	end()
	return list, files
}

// given yields rows as a database would: by key where it is an integer, else in any order.
func (r *rig) given(rows []source.Row) iter.Seq2[source.Row, error] {
	if r.order.Integer() {
		list := r.sorted(rows)
		rows = nil
		for _, e := range list {
			rows = append(rows, e.row)
		}
	}
	return func(yield func(source.Row, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// compare compares, and says which parts were downloaded.
func (r *rig) compare(was, is []source.Row) (t tallied, fetched []manifest.Digest) {
	r.t.Helper()
	list, files := r.packed(was)
	return r.compareParts(list, files, is)
}

func (r *rig) compareParts(list []manifest.Chunk, files map[manifest.Digest][]byte, is []source.Row) (t tallied, fetched []manifest.Digest) {
	r.t.Helper()
	stream, err := parts.Ordered(r.t.Context(), r.st, r.given(is), r.temp)
	check(r.t, err)
	defer stream.Close()
	return r.compareItems(list, files, stream.Items(r.t.Context()))
}

func (r *rig) compareItems(list []manifest.Chunk, files map[manifest.Digest][]byte, items iter.Seq2[parts.Item, error]) (t tallied, fetched []manifest.Digest) {
	r.t.Helper()
	s := r.side(list, func(k manifest.Chunk) ([]byte, error) {
		fetched = append(fetched, k.SHA256)
		return files[k.SHA256], nil
	})
	t, err := r.run(s, items)
	check(r.t, err)
	return t, fetched
}

// side is the migration's side, whose parts file gives.
func (r *rig) side(list []manifest.Chunk, file func(k manifest.Chunk) ([]byte, error)) *stored {
	return &stored{table: r.table, parts: partsOf(list), order: r.order,
		fetch: func(_ context.Context, k manifest.Chunk) (*os.File, error) {
			b, err := file(k)
			if err != nil {
				return nil, err
			}
			f, err := os.CreateTemp(r.temp, "part")
			check(r.t, err)
			_, err = f.Write(b)
			return f, err
		}}
}

// run compares, and sees that nothing is left on disk.
func (r *rig) run(s *stored, items iter.Seq2[parts.Item, error]) (tallied, error) {
	r.t.Helper()
	t := tallied{columns: make([]int64, len(r.st.Columns))}
	d := &differ{side: s, parts: s, was: r.st.Stored(), is: r.st.Stored(), order: r.order, t: &t}
	part := newHeld(r.temp)
	err := d.compare(r.t.Context(), items, part, progress.None{}.Meter("", 0, progress.Items))
	part.close()
	s.close()
	if left, _ := os.ReadDir(r.temp); len(left) > 0 && !slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "omt-sort") }) {
		r.t.Errorf("left in the folder for temporary files: %v", left)
	}
	return t, err
}

// naive is what a look at all rows in memory finds.
func (r *rig) naive(was, is []source.Row) tallied {
	t := tallied{columns: make([]int64, len(r.st.Columns)), live: int64(len(is)), compared: int64(len(was))}
	a, b := r.sorted(was), r.sorted(is)
	tell := func(f fate, e entry) {
		if f == same {
			t.pass(same, 1)
			return
		}
		text := r.order.Text(e.Key, e.row)
		t.add(f, 1, text, text)
	}
	for len(a)+len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && bytes.Compare(a[0].Key, b[0].Key) < 0:
			tell(missing, a[0])
			a = a[1:]
		case len(a) == 0 || bytes.Compare(a[0].Key, b[0].Key) > 0:
			tell(extra, b[0])
			b = b[1:]
		default:
			f := same
			for i := range a[0].row {
				if a[0].row[i] != b[0].row[i] {
					t.columns[i]++
					f = changed
				}
			}
			tell(f, b[0])
			a, b = a[1:], b[1:]
		}
	}
	return t
}

// edited is rows with random edits, of which some are at the boundaries of parts and some take whole parts away.
func (r *rig) edited(rnd *rand.Rand, rows []source.Row) []source.Row {
	rows = slices.Clone(rows)
	for range rnd.IntN(5) {
		at := func() int { return rnd.IntN(max(1, len(rows))) }
		switch kind := rnd.IntN(8); {
		case kind == 0 && len(rows) > 0:
			i := at()
			rows = slices.Delete(rows, i, min(len(rows), i+rnd.IntN(15)))
		case kind <= 2 && len(rows) > 0:
			i := at()
			rows = slices.Delete(rows, i, i+1)
		case kind == 3 && len(rows) > 0:
			i := at()
			row := slices.Clone(rows[i])
			if row[2] = "w"; rnd.IntN(3) == 0 {
				row[3] = int64(rnd.IntN(3))
			}
			rows[i] = row
		case kind == 4 && rnd.IntN(6) == 0:
			rows = nil
		default:
			rows = r.insert(rows, r.pool[rnd.IntN(len(r.pool))])
		}
	}
	return rows
}

// insert puts a row in that is not there, or where there is no key in any case.
func (r *rig) insert(rows []source.Row, row source.Row) []source.Row {
	if !r.order.Keyless() && slices.ContainsFunc(rows, func(x source.Row) bool { return x[0] == row[0] }) {
		return rows
	}
	return append(rows, row)
}

// partsOf puts what changes a part to its chunk, as reading a manifest does.
func partsOf(list []manifest.Chunk) (out []part) {
	for _, k := range list {
		if k.Op == "" {
			out = append(out, part{k})
		} else {
			out[len(out)-1] = append(out[len(out)-1], k)
		}
	}
	return out
}
