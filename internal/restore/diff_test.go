package restore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/source"
)

// differenceRuns is how many random tables are compared for each kind of key.
const differenceRuns = 120

// Whatever was done to a table, the counts, the ranges and the columns are those of a look at all rows; and no part is
// downloaded whose rows stand in the database as a part of their own, where keys say that it is none of the matter.
func TestDifferencesAreExact(t *testing.T) {
	seed := uint64(20261122)
	for name, key := range map[string][]string{"integer": {"id"}, "text": {"code"}, "two": {"code", "id"}, "none": nil} {
		r := newRig(t, key...)
		rnd := rand.New(rand.NewPCG(seed, 0))
		differing, agreeing, many := 0, 0, 0
		for n := range differenceRuns {
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
		if differing < differenceRuns/2 || agreeing < differenceRuns || many < differenceRuns/4 {
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
		"cut":         {list, func(k manifest.Chunk) ([]byte, error) { return files[k.SHA256][:100], nil }, "chunk " + list[0].SHA256.String()},
		"other rows":  {lied, func(k manifest.Chunk) ([]byte, error) { return files[k.SHA256], nil }, "its rows have the SHA-256"},
		"another one": {list, func(manifest.Chunk) ([]byte, error) { return files[list[1].SHA256], nil }, "chunk " + list[0].SHA256.String()},
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
