package restore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	return &stored{table: r.table, parts: list, order: r.order,
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

// Whatever was done to a table, the counts, the ranges and the columns are those of a look at all rows; and no part is
// downloaded whose rows stand in the database as a part of their own, where keys say that it is none of the matter.
func TestDifferencesAreExact(t *testing.T) {
	seed := uint64(20261122)
	for name, key := range map[string][]string{"integer": {"id"}, "text": {"code"}, "two": {"code", "id"}, "none": nil} {
		r := newRig(t, key...)
		rnd := rand.New(rand.NewPCG(seed, 0))
		differing, agreeing, many := 0, 0, 0
		for n := range 400 {
			var was []source.Row
			for range rnd.IntN(2 * len(r.pool)) {
				was = r.insert(was, r.pool[rnd.IntN(len(r.pool))])
			}
			slices.SortFunc(was, func(a, b source.Row) int { return int(a[0].(int64) - b[0].(int64)) }) // so that runs go missing
			is := r.edited(rnd, was)
			got, fetched := r.compare(was, is)
			want := r.naive(was, is)
			if want.agreed = got.agreed; got.differs() {
				differing++
			}
			agreeing += got.agreed
			if d := cmp.Diff(want, got, cmp.AllowUnexported(tallied{}, ranges{}, keyRange{})); d != "" {
				t.Fatalf("%s, run %d (-want +got): %s\nwas %v\nis  %v", name, n, d, was, is)
			}
			here, _ := r.packed(is)
			if len(here) > 4 {
				many++
			}
			for _, k := range here {
				if slices.Contains(fetched, k.SHA256) && (r.order.Integer() || r.order.Keyless() || !got.differs()) {
					t.Fatalf("%s, run %d: downloaded a part that agrees", name, n)
				}
			}
			if len(slices.Compact(names(fetched))) != len(fetched) {
				t.Fatalf("%s, run %d: a part was downloaded twice", name, n)
			}
		}
		if differing < 200 || agreeing < 500 || many < 100 {
			t.Errorf("%s: %d runs with differences, %d parts passed over, %d tables of more than four parts: this proves too little", name, differing, agreeing, many)
		}
	}
}

func names(list []manifest.Digest) []string {
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = d.String()
	}
	slices.Sort(out)
	return out
}

// A part that the database does not have at all, and one that it has too many, are told without a download, where the
// records say what their keys are.
func TestWholeParts(t *testing.T) {
	for name, key := range map[string][]string{"integer": {"id"}, "none": nil} {
		r := newRig(t, key...)
		all, _ := r.packed(r.pool)
		if len(all) < 5 {
			t.Fatalf("%s: %d parts", name, len(all))
		}
		entries := r.sorted(r.pool)
		without := func(part int) (rows []source.Row) {
			cut, n := r.order.Cutter(), -1
			for _, e := range entries {
				if cut.BeginsAt(e.Key) {
					n++
				}
				if n != part {
					rows = append(rows, e.row)
				}
			}
			return rows
		}
		for part, k := range all {
			got, fetched := r.compare(r.pool, without(part))
			if got.count[missing] != k.Rows || got.count[extra]+got.count[changed] != 0 || len(fetched) > 0 || got.agreed != len(all)-1 {
				t.Errorf("%s: without part %d of %d rows: %+v, with %d downloads", name, part, k.Rows, got, len(fetched))
			}
			if d := cmp.Diff([]keyRange{{k.First, k.Last, k.Rows}}, got.ranges[missing].list, cmp.AllowUnexported(keyRange{})); d != "" {
				t.Errorf("%s: without part %d: %s", name, part, d)
			}
			got, fetched = r.compare(without(part), r.pool)
			if got.count[extra] != k.Rows || got.count[missing]+got.count[changed] != 0 || len(fetched) > 0 {
				t.Errorf("%s: with part %d of %d rows too many: %+v, with %d downloads", name, part, k.Rows, got, len(fetched))
			}
		}
	}
}

// Parts of equal rows are cut at a number of them: one row less moves every boundary behind it, and nothing else is said.
func TestEqualRowsBeyondAPart(t *testing.T) {
	r := newRig(t)
	const full = 1 << 20
	list, files := r.packed(slices.Repeat(r.pool[:1], 5))
	it, err := r.order.Item(r.pool[0])
	check(t, err)
	first := newHeld(r.temp)
	for range full {
		check(t, first.add(it))
	}
	digest := first.end()
	first.close()
	k := list[0]
	k.Content, k.Rows = &digest, full
	list = []manifest.Chunk{k, list[0]}
	for rows, want := range map[int64]tallied{
		full + 4: {count: [removed + 1]int64{same: full + 4, missing: 1}, agreed: 1},
		full:     {count: [removed + 1]int64{same: full, missing: 5}, agreed: 1},
		full + 6: {count: [removed + 1]int64{same: full + 5, extra: 1}, agreed: 1},
	} {
		got, _ := r.compareItems(list, files, func(yield func(parts.Item, error) bool) {
			for range rows {
				if !yield(it, nil) {
					return
				}
			}
		})
		if got.count != want.count || got.agreed != want.agreed {
			t.Errorf("%d rows: %+v", rows, got)
		}
	}
}

// A part of the database that does not fit into memory is read back from a file, row for row.
func TestHeld(t *testing.T) {
	r := newRig(t, "id")
	var was, is []source.Row
	for i := range int64(24) {
		row := source.Row{i, "c", strings.Repeat(fmt.Sprint(i%10), 1<<20), nil}
		was, is = append(was, row), append(is, row)
	}
	is[20] = source.Row{int64(20), "c", "short", nil}
	is = slices.Delete(is, 3, 5)
	got, fetched := r.compare(was, is)
	if got.count != [removed + 1]int64{same: 21, missing: 2, changed: 1} || len(fetched) != 1 || got.columns[2] != 1 {
		t.Errorf("%+v", got)
	}
	if got, fetched := r.compare(was, was); got.agreed != 1 || len(fetched) > 0 {
		t.Errorf("nothing was changed: %+v, %d downloads", got, len(fetched))
	}
}

// The digest of the rows of a database is that which a part's record has.
func TestHeldDigest(t *testing.T) {
	r := newRig(t, "code")
	list, _ := r.packed(r.pool)
	h := newHeld(t.TempDir())
	defer h.close()
	n := 0
	cut := r.order.Cutter()
	end := func() {
		if d := h.end(); h.rows > 0 {
			if *list[n].Content != d || list[n].Rows != h.rows {
				t.Errorf("part %d of %d rows has the digest %s, and its record %s", n, h.rows, d, list[n].Content)
			}
			n++
		}
		h.reset()
	}
	for _, e := range r.sorted(r.pool) {
		if cut.BeginsAt(e.Key) {
			end()
		}
		check(t, h.add(e.Item))
	}
	end()
	if n != len(list) || n < 5 {
		t.Errorf("%d parts of %d", n, len(list))
	}
}

// What the destination gives in place of a part is never taken for a difference between rows.
func TestPartsThatCannotBeRead(t *testing.T) {
	r := newRig(t, "id")
	list, files := r.packed(r.pool)
	lied := slices.Clone(list)
	for i := range lied {
		sum := *lied[i].Content
		sum[0] ^= 1
		lied[i].Content = &sum
	}
	gone := errors.New("it is not there")
	for what, c := range map[string]struct {
		parts []manifest.Chunk
		file  func(k manifest.Chunk) ([]byte, error)
		say   string
	}{
		"gone":        {list, func(manifest.Chunk) ([]byte, error) { return nil, gone }, "it is not there"},
		"cut":         {list, func(k manifest.Chunk) ([]byte, error) { return files[k.SHA256][:100], nil }, "part " + list[0].SHA256.String()},
		"other rows":  {lied, func(k manifest.Chunk) ([]byte, error) { return files[k.SHA256], nil }, "its record says otherwise"},
		"another one": {list, func(manifest.Chunk) ([]byte, error) { return files[list[1].SHA256], nil }, "part " + list[0].SHA256.String()},
	} {
		changed := slices.Clone(r.pool)
		changed[0] = source.Row{changed[0][0], "d", nil, nil}
		stream, err := parts.Ordered(t.Context(), r.st, r.given(changed), r.temp)
		check(t, err)
		_, err = r.run(r.side(c.parts, c.file), stream.Items(t.Context()))
		if err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
