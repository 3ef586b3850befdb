package parts

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// history is a part of a table through several runs, as its chunks say and as it is.
type history struct {
	t      *testing.T
	table  manifest.Table
	order  Order
	links  []chunk.Link
	sketch string
}

func newHistory(t *testing.T, key ...string) *history {
	st := table(key...)
	return &history{t: t, table: source.ToRecord(st, 0), order: mustOrder(t, key)}
}

// sorted puts rows into the order of their keys.
func (h *history) sorted(rows []source.Row) []source.Row {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b source.Row) int {
		x, err := h.order.Item(a)
		check(h.t, err)
		y, err := h.order.Item(b)
		check(h.t, err)
		return bytes.Compare(x.Key, y.Key)
	})
	return rows
}

// write makes the first chunk of a part, or what changes it, and a sketch. It returns how many rows the new chunks have.
func (h *history) write(rows []source.Row) (written int64) {
	h.t.Helper()
	dir := h.t.TempDir()
	create := func() (*os.File, error) { return os.CreateTemp(dir, "delta-*") }
	whole, err := create()
	check(h.t, err)
	w, err := chunk.NewPartWriter(whole, h.table, chunk.PartOptions{})
	check(h.t, err)
	sketch, err := os.Create(filepath.Join(dir, "sketch"))
	check(h.t, err)
	defer sketch.Close()
	sw, err := NewSketchWriter(sketch, h.table)
	check(h.t, err)
	var d *DeltaWriter
	if h.sketch != "" {
		f, err := os.Open(h.sketch)
		check(h.t, err)
		defer f.Close()
		old, err := OpenSketch(f, h.table)
		check(h.t, err)
		d, err = NewDeltaWriter(h.table, old, chunk.PartOptions{}, create)
		check(h.t, err)
	}
	for _, row := range h.sorted(rows) {
		check(h.t, w.Write(row))
		check(h.t, sw.Add(row, w.RowDigest()))
		if d != nil {
			check(h.t, d.Add(row, w.RowDigest()))
		}
	}
	part, err := w.Close()
	check(h.t, err)
	check(h.t, sw.Close())
	h.sketch = sketch.Name()
	if d == nil {
		h.links = []chunk.Link{{File: whole, Chunk: part.Chunk("t")}}
		return part.Rows
	}
	changes, err := d.Close()
	check(h.t, err)
	for i, c := range changes {
		k := c.Part.Chunk("t")
		k.Op, k.Of = c.Op, &h.links[0].SHA256
		if i == len(changes)-1 {
			k.After = &manifest.After{Rows: part.Rows, Raw: part.Raw, First: part.First, Last: part.Last, Content: part.Content}
		}
		h.links = append(h.links, chunk.Link{File: c.File, Chunk: k})
		written += c.Part.Rows
	}
	return written
}

// read reads the part as its chunks say.
func (h *history) read() ([]source.Row, error) {
	r, err := new(chunk.Pool).NewChainReader(h.table, h.links)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var rows []source.Row
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			if int64(len(rows)) != r.Rows() {
				h.t.Errorf("%d rows, and %d were promised", len(rows), r.Rows())
			}
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
}

// Whatever comes, changes and goes, the chunks give the rows as they are, and hold what changed and no more.
func TestDeltas(t *testing.T) {
	for name, key := range keys {
		if key == nil {
			continue
		}
		r := rand.New(rand.NewPCG(7, uint64(len(name))))
		h := newHistory(t, key...)
		now := map[int64]source.Row{}
		for i := range int64(200) {
			now[i] = row(i, fmt.Sprintf("code %d", i))
		}
		h.write(slices.Collect(maps.Values(now)))
		for run := range 6 {
			edits := map[int64]bool{}
			for range r.IntN(20) {
				id := r.Int64N(230)
				edits[id] = true
				_, there := now[id]
				switch {
				case there && r.IntN(2) == 0 && len(now) > 1:
					delete(now, id)
				case there:
					now[id] = row(id, fmt.Sprintf("code %d", id))
					now[id][2] = time.Date(2001+run, 1, 1, 0, 0, 0, 0, time.UTC)
				default:
					now[id] = row(id, fmt.Sprintf("code %d", id))
				}
			}
			written := h.write(slices.Collect(maps.Values(now)))
			if written > int64(len(edits)) {
				t.Errorf("%s, run %d: %d rows were written for %d edits", name, run, written, len(edits))
			}
			got, err := h.read()
			check(t, err)
			if d := cmp.Diff(h.sorted(slices.Collect(maps.Values(now))), got); d != "" {
				t.Fatalf("%s, run %d: %s", name, run, d)
			}
		}
		if len(h.links) < 4 {
			t.Errorf("%s: %d chunks prove too little", name, len(h.links))
		}
	}
}

// A key that goes, comes back and goes again makes the same chunk twice.
func TestDeltaComesAndGoes(t *testing.T) {
	h := newHistory(t, "id")
	one, two := row(1, "one"), row(2, "two")
	h.write([]source.Row{one, two})
	for range 3 {
		h.write([]source.Row{one})
		h.write([]source.Row{one, two})
	}
	h.write([]source.Row{one})
	got, err := h.read()
	check(t, err)
	if d := cmp.Diff([]source.Row{one}, got); d != "" {
		t.Error(d)
	}
	if a, b := h.links[1], h.links[3]; a.Op != manifest.OpDelete || a.SHA256 != b.SHA256 {
		t.Errorf("%+v and %+v are not one chunk", a.Chunk, b.Chunk)
	}
}

func TestDeltaIsRefused(t *testing.T) {
	fresh := func() *history {
		h := newHistory(t, "id")
		h.write([]source.Row{row(1, "one"), row(2, "two"), row(4, "four")})
		h.write([]source.Row{row(1, "uno"), row(4, "four")})
		return h
	}
	wrong := manifest.Digest(sha256.Sum256([]byte("wrong")))
	for want, spoil := range map[string]func(h *history){
		"a part does not begin with its own chunk":                       func(h *history) { h.links = h.links[1:] },
		"it does not change part":                                        func(h *history) { h.links[1].Of = &wrong },
		"is not known to this build":                                     func(h *history) { h.links[1].Op = "merge" },
		"does not say what is there afterwards":                          func(h *history) { h.links[2].After = nil },
		"changed as its records say it has 2 rows":                       func(h *history) { h.links[2].After.Content = wrong },
		"it removes a row that is not there, 2":                          func(h *history) { h.links = append(h.links, h.links[1]); h.links[3].After = h.links[2].After },
		"its rows have the SHA-256":                                      func(h *history) { h.links[2].Content = &wrong },
		"chunks change it, more than 16":                                 func(h *history) { h.links = append(h.links, slices.Repeat(h.links[2:], 15)...) },
		"the table has no key, and so no deltas":                         func(h *history) { h.table.Key = nil },
		"changed as its records say it has 3 rows, \"1\" to \"4\", with": func(h *history) { h.links = append(h.links[:1], h.links[2]) },
	} {
		h := fresh()
		spoil(h)
		if _, err := h.read(); err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// A sketch in which anything changed tells nothing.
func TestSketchIsDamaged(t *testing.T) {
	h := newHistory(t, "code")
	h.write([]source.Row{row(1, "one"), row(2, "two")})
	whole, err := os.ReadFile(h.sketch)
	check(t, err)
	for i := range whole {
		bad := bytes.Clone(whole)
		bad[i] ^= 1
		if _, err := OpenSketch(bytes.NewReader(bad), h.table); !errors.Is(err, ErrSketch) {
			t.Errorf("byte %d is another: %v", i, err)
		}
		if _, err := OpenSketch(bytes.NewReader(whole[:i]), h.table); err == nil {
			t.Errorf("%d bytes of %d were taken", i, len(whole))
		}
	}
}
