package restore

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/source"
)

// changing is a part that is packed several times, each time as what changed since.
type changing struct {
	r      *rig
	list   []manifest.Chunk
	files  map[manifest.Digest][]byte
	sketch []byte
}

func (c *changing) pack(rows []source.Row) {
	t := c.r.t
	t.Helper()
	var whole, sketch bytes.Buffer
	w, err := chunk.NewPartWriter(&whole, c.r.table, chunk.PartOptions{Pool: &c.r.bufs})
	check(t, err)
	sw, err := parts.NewSketchWriter(&sketch, c.r.table)
	check(t, err)
	var d *parts.DeltaWriter
	dir := t.TempDir()
	if c.list != nil {
		old, err := parts.OpenSketch(bytes.NewReader(c.sketch), c.r.table)
		check(t, err)
		d, err = parts.NewDeltaWriter(c.r.table, old, chunk.PartOptions{}, func() (*os.File, error) { return os.CreateTemp(dir, "") })
		check(t, err)
	}
	for _, e := range c.r.sorted(rows) {
		check(t, w.Write(e.row))
		check(t, sw.Add(e.row, w.RowDigest()))
		if d != nil {
			check(t, d.Add(e.row, w.RowDigest()))
		}
	}
	part, err := w.Close()
	check(t, err)
	check(t, sw.Close())
	c.sketch = bytes.Clone(sketch.Bytes())
	if d == nil {
		c.add(part.Chunk("t"), whole.Bytes())
		return
	}
	changes, err := d.Close()
	check(t, err)
	for i, x := range changes {
		k := x.Part.Chunk("t")
		k.Op, k.Of = x.Op, &c.list[0].SHA256
		if i == len(changes)-1 {
			k.After = &manifest.After{Rows: part.Rows, Raw: part.Raw, First: part.First, Last: part.Last, Content: part.Content}
		}
		data, err := os.ReadFile(x.File.Name())
		check(t, err)
		c.add(k, data)
	}
}

func (c *changing) add(k manifest.Chunk, data []byte) {
	c.list = append(c.list, k)
	c.files[k.SHA256] = bytes.Clone(data)
}

// A migration whose parts were changed is compared as one whose parts were written anew.
func TestDifferencesOfChangedParts(t *testing.T) {
	r := newRig(t, "id")
	rnd := rand.New(rand.NewPCG(5, 6))
	chains, agreed := 0, 0
	for n := range 150 {
		var was []source.Row
		for range 1 + rnd.IntN(2*len(r.pool)) {
			was = r.insert(was, r.pool[rnd.IntN(len(r.pool))])
		}
		files := map[manifest.Digest][]byte{}
		packed := map[int64]*changing{}
		for range 1 + rnd.IntN(4) {
			next := r.edited(rnd, was)
			if len(next) == 0 {
				continue
			}
			was = next
			byPart := map[int64][]source.Row{}
			for _, row := range was {
				byPart[row[0].(int64)>>16] = append(byPart[row[0].(int64)>>16], row)
			}
			for at := range packed {
				if len(byPart[at]) == 0 {
					delete(packed, at) // a part without rows is none
				}
			}
			for at, rows := range byPart {
				if packed[at] == nil {
					packed[at] = &changing{r: r, files: files}
				}
				packed[at].pack(rows)
			}
		}
		var list []manifest.Chunk
		for at := int64(-3); at < 12; at++ {
			if c := packed[at]; c != nil {
				list = append(list, c.list...)
				if len(c.list) > 1 {
					chains++
				}
			}
		}
		if list == nil {
			continue
		}
		is := r.edited(rnd, was)
		got, _ := r.compareParts(list, files, is)
		want := r.naive(was, is)
		want.agreed = got.agreed
		agreed += got.agreed
		if d := cmp.Diff(want, got, cmp.AllowUnexported(tallied{}, ranges{}, keyRange{})); d != "" {
			t.Fatalf("run %d (-want +got): %s\nwas %v\nis  %v", n, d, was, is)
		}
	}
	if chains < 100 || agreed < 200 {
		t.Errorf("%d parts that changed, %d passed over: this proves too little", chains, agreed)
	}
}

// What changes a part must follow it.
func TestChangesWithoutTheirPart(t *testing.T) {
	r := newRig(t, "id")
	c := &changing{r: r, files: map[manifest.Digest][]byte{}}
	c.pack(r.pool[:3])
	c.pack(r.pool[1:3])
	other, _ := r.packed(r.pool[20:22])
	for what, list := range map[string][]manifest.Chunk{
		"alone":             c.list[1:],
		"behind another":    {other[0], c.list[1]},
		"behind the second": {c.list[0], other[0], c.list[1]},
	} {
		held := &contents{place: map[manifest.Digest]int{}, tables: []table{{Table: r.table}}}
		var err error
		for _, k := range list {
			if err = held.chunk(k); err != nil {
				break
			}
		}
		if manifest.StatusOf(err) != manifest.BadInput {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !slices.ContainsFunc(c.list, func(k manifest.Chunk) bool { return k.Op == manifest.OpDelete }) {
		t.Error("nothing went")
	}
}
