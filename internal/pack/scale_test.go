package pack

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/spool"
)

// manyKnown is a manifest of n files, a tenth of them copies, that exists nowhere.
type manyKnown struct{ n int }

const perChunk = 1000

func (m manyKnown) chunk(i int) manifest.Chunk {
	return manifest.Chunk{SHA256: sum(fmt.Sprint("chunk ", i)), Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent,
		Bytes: 1 << 20, Raw: 1 << 21, Items: perChunk - perChunk/10}
}

func (m manyKnown) file(i int) manifest.File {
	f := manifest.File{Area: manifest.Document, ID: int64(i + 1), Path: fmt.Sprintf("user/2012.1/a document with a long name %09d.docx", i),
		Size: 1000, MTime: manifest.At(time.Unix(int64(1e9+i), 0)), State: manifest.Present, Title: "a document", Owner: "user"}
	f.SHA256, f.Chunk, f.Offset = sha256.Sum256([]byte(f.Path)), m.chunk(i/perChunk).SHA256, int64(i%perChunk*1536+512)
	if i%10 == 9 {
		of := m.file(i - 1)
		f.SHA256, f.Offset, f.Same = of.SHA256, of.Offset, of.Path
	}
	return f
}

func (m manyKnown) each(t *testing.T, seen func(i int)) Known {
	return Known{Name: "many", Each: func(_ context.Context, fn func(manifest.Line) error) error {
		say := func(kind manifest.Kind, format string, args ...any) {
			if err := fn(manifest.Line{Kind: kind, Raw: fmt.Appendf(nil, format, args...)}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range m.n {
			if i%perChunk == 0 {
				c := m.chunk(i / perChunk)
				say(manifest.KindChunk, `{"kind":"chunk","sha256":%q,"type":%q,"area":"document","role":"content","bytes":%d,"raw":%d,"items":%d}`,
					c.SHA256, c.Type, c.Bytes, c.Raw, c.Items)
			}
			f := m.file(i)
			line, err := f.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			say(manifest.KindFile, "%s", line)
			seen(i)
		}
		for i := 0; i < m.n; i += perChunk {
			c := m.chunk(i / perChunk)
			say(manifest.KindReceipt, `{"kind":"receipt","chunk":%q,"bytes":%d}`, c.SHA256, c.Bytes)
		}
		return nil
	}}
}

// peak takes n files, all of them known, through reading, joining, planning and listing. It returns the most of the heap that
// was in use, and how many were stored.
func (m manyKnown) peak(t *testing.T) (most uint64, stored int) {
	look := func(i int) {
		if i%(m.n/8) != 0 {
			return
		}
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		most = max(most, s.HeapAlloc)
	}
	k, err := newKnown(t.TempDir(), kalles)
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	if err := k.read(t.Context(), m.each(t, look)); err != nil {
		t.Fatal(err)
	}
	k.order()
	ix, err := newIndex(t.TempDir(), int64(m.n))
	if err != nil {
		t.Fatal(err)
	}
	defer ix.close()
	p := &packer{temp: t.TempDir(), index: ix, workers: 1, spool: &spool.Spool{}, pool: new(chunk.Pool)}
	plan, err := p.newPlan()
	if err != nil {
		t.Fatal(err)
	}
	defer plan.close()
	join, err := k.join()
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.n {
		f := m.file(i)
		f.SHA256, f.Chunk, f.Offset, f.Same = manifest.Digest{}, manifest.Digest{}, 0, ""
		c, err := join.look(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := plan.add(join.stored(f, c, byTime(f))); err != nil {
			t.Fatal(err)
		}
		look(i)
	}
	if err := plan.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	i := 0
	err = plan.list(t.Context(), manifest.Document, func(f manifest.File) error {
		want := m.file(i)
		want.State = manifest.Stored
		if f.State == manifest.Stored && f.Chunk == want.Chunk && f.Offset == want.Offset && f.Same == want.Same {
			stored++
		}
		look(i)
		i++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return most, stored
}

// What is known takes no more memory for more files.
func TestKnownMemory(t *testing.T) {
	few, many := manyKnown{2_000}, manyKnown{30_000}
	before, n := few.peak(t)
	if n != few.n {
		t.Errorf("%d of %d are stored", n, few.n)
	}
	after, n := many.peak(t)
	if n != many.n {
		t.Errorf("%d of %d are stored", n, many.n)
	}
	// A record has 300 bytes and more.
	if limit := before + 28_000*100; after > limit {
		t.Errorf("%d bytes are in use for %d files, and %d for %d", after, many.n, before, few.n)
	}
}
