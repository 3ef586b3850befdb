package chunk

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/openomt/omt/internal/manifest"
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
}

// So do the writers and readers of parts, with every codec.
func TestMemoryInUseOfParts(t *testing.T) {
	table, rows := officeTable(20_000)
	for _, o := range []PartOptions{{}, {Level: 3}, {Codec: Snappy}, {Codec: Gzip}, {Codec: Gzip, Level: 2}, {Codec: Gzip, Level: 3}} {
		before := live()
		w, err := NewPartWriter(io.Discard, table, o)
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
		runtime.KeepAlive(w)
		b, _ := writePart(t, table, o, rows)
		before = live()
		r, err := NewPartReader(bytes.NewReader(b), int64(len(b)), table)
		if err != nil {
			t.Fatal(err)
		}
		for range 9_000 {
			if _, err := r.Read(); err != nil {
				t.Fatal(err)
			}
		}
		held := live() - before
		runtime.KeepAlive(r)
		if most > 16<<20 || held > 10<<20 {
			t.Errorf("%q, level %d: a writer holds %d KiB, a reader %d", o.Codec, o.Level, most>>10, held>>10)
		} else {
			t.Logf("%q, level %d: writer %d KiB, reader %d KiB", o.Codec, o.Level, most>>10, held>>10)
		}
	}
	runtime.KeepAlive(rows)
}

// A large value is not copied where it does not compress, and takes its compressed size where it does, whatever the codec.
func TestLargeValuesTakeLittleMemory(t *testing.T) {
	const size = 40 << 20
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "b", Type: "varbinary(max)", Null: true}}}
	for _, codec := range []Codec{Zstd, Snappy, Gzip} {
		for name, value := range map[string][]byte{"noise": noise(1, size), "zeros": make([]byte, size)} {
			stored := uint64(0)
			n := allocated(func() {
				w, err := NewPartWriter(io.Discard, table, PartOptions{Codec: codec})
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Write(source.Row{value}); err != nil {
					t.Fatal(err)
				}
				p, err := w.Close()
				if err != nil {
					t.Fatal(err)
				}
				stored = uint64(p.Bytes)
			})
			if name == "noise" {
				stored = 0 // the value itself is written
			}
			if n > stored+24<<20 {
				t.Errorf("%s, %s: writing a value of %d MiB takes %d MiB", codec, name, size>>20, n>>20)
			}
			b, _ := writePart(t, table, PartOptions{Codec: codec}, []source.Row{{value}})
			n = allocated(func() {
				if rows, _, err := readRows(b, table); err != nil || !bytes.Equal(rows[0][0].([]byte), value) {
					t.Fatalf("%s, %s: %v, or other bytes", codec, name, err)
				}
			})
			if n > size+24<<20 {
				t.Errorf("%s, %s: reading a value of %d MiB takes %d MiB", codec, name, size>>20, n>>20)
			}
		}
	}
}

// allocated returns how many bytes f takes from the heap, freed ones included.
func allocated(f func()) uint64 {
	read := func() uint64 {
		s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	before := read()
	f()
	return read() - before
}

// A large text that is no Unicode takes its UTF-16, its form in Unicode, and no more than another text as large besides.
func TestLargeTextsThatAreNoUnicodeTakeBoundedMemory(t *testing.T) {
	const size = 16 << 20
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "s", Type: "nvarchar(max)"}}}
	value := string(text(1, size)) + firstHalf
	b, _ := writePart(t, table, PartOptions{}, []source.Row{{value}})
	n := allocated(func() {
		w, err := NewPartWriter(io.Discard, table, PartOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(source.Row{value}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("writing a text of %d MiB takes %d MiB", size>>20, n>>20)
	if n > 5*size+24<<20 {
		t.Errorf("writing a text of %d MiB takes %d MiB", size>>20, n>>20)
	}
	n = allocated(func() {
		if rows, _, err := readRows(b, table); err != nil || rows[0][0] != value {
			t.Fatalf("%v, or another text", err)
		}
	})
	t.Logf("reading a text of %d MiB takes %d MiB", size>>20, n>>20)
	if n > 5*size+24<<20 {
		t.Errorf("reading a text of %d MiB takes %d MiB", size>>20, n>>20)
	}
}

// Tables of many columns of texts hold no more for their companions.
func TestCompanionsTakeLittleMemory(t *testing.T) {
	held := func(sql string) int64 {
		table := manifest.Table{Name: "t"}
		row := source.Row{}
		for i := range 300 {
			table.Columns = append(table.Columns, manifest.Column{Name: fmt.Sprint(i), Type: sql})
			row = append(row, "")
		}
		before := live()
		w, err := NewPartWriter(io.Discard, table, PartOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for range 10_000 {
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		n := live() - before
		runtime.KeepAlive(w)
		return n
	}
	if with, without := held("nvarchar(9)"), held("varchar(9)"); with > without+2<<20 {
		t.Errorf("300 columns hold %d KiB with companions, %d without", with>>10, without>>10)
	}
}
