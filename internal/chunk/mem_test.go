package chunk

import (
	"bytes"
	"io"
	"runtime"
	"testing"

	"github.com/openomt/omt/internal/source"
)

// live returns the heap that is in use.
func live() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Writers and readers in use hold no more than their comments say, however large the content.
func TestMemoryInUse(t *testing.T) {
	content := append(text(1, 4<<20), noise(1, 4<<20)...)
	for level, limit := range map[int]int64{1: 8 << 20, 2: 8 << 20, 3: 13 << 20} {
		before := live()
		w := NewWriter(io.Discard, Options{Level: level})
		for _, name := range []string{"document/a", "document/b"} {
			if _, _, err := w.Add(Entry{Name: name, Size: int64(len(content))}, bytes.NewReader(content)); err != nil {
				t.Fatal(err)
			}
		}
		if got := live() - before; got > limit {
			t.Errorf("a writer of level %d holds %d KiB, want at most %d", level, got>>10, limit>>10)
		} else {
			t.Logf("level %d: %d KiB", level, got>>10)
		}
		runtime.KeepAlive(w)
	}
	b, _, _ := pack(t, 2, file("document/a", content))
	before := live()
	r := NewReader(bytes.NewReader(b))
	if _, _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, r, 6<<20); err != nil {
		t.Fatal(err)
	}
	if got := live() - before; got > 8<<20 {
		t.Errorf("a reader holds %d KiB", got>>10)
	} else {
		t.Logf("reader: %d KiB", got>>10)
	}
	runtime.KeepAlive(r)
	table, rows := officeTable(20_000)
	before = live()
	w, err := NewPartWriter(io.Discard, table, PartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	most := int64(0)
	for i, row := range rows {
		if err := w.Write(append(source.Row{}, row...)); err != nil {
			t.Fatal(err)
		}
		if i%6_000 == 0 || i == len(rows)-10 {
			most = max(most, live()-before)
		}
	}
	if most > 16<<20 {
		t.Errorf("a part writer holds %d KiB", most>>10)
	} else {
		t.Logf("part writer: %d KiB", most>>10)
	}
	runtime.KeepAlive(w)
	runtime.KeepAlive(rows)
}
