package chunk

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// longNames are names that strain tar's plain header.
var longNames = []string{
	"document/a",
	"document/" + strings.Repeat("n", 91),  // 100 bytes: the most that the name field holds
	"document/" + strings.Repeat("n", 92),  // 101: split at the slash
	"document/" + strings.Repeat("n", 200), // no slash to split at
	"document/" + strings.Repeat("folder/", 20) + "name.txt",
	"document/" + strings.Repeat("d", 140) + "/" + strings.Repeat("n", 100), // the most that prefix and name hold
	"document/" + strings.Repeat("long folder/", 30) + "name.txt",           // over 255 bytes
	"document/Bjørn/2002.2/tilbud æøå.doc",
	"document/bob/2002.2/" + strings.Repeat("漢字", 40) + ".txt",
	"document/bob/2002.2/" + strings.Repeat("😀", 50) + ".msg",
	"document/it's a \"name\"\nwith a line end",
	"document/100%/%FF.txt",
	"document/back\\slash",
	"document/" + strings.Repeat("é", 2000),
	"document/trailing dot.",
	"document/trailing space ",
}

func TestEntrySizeIsWhatTheWriterWrites(t *testing.T) {
	for _, name := range longNames {
		for _, size := range []int64{0, 1, 511, 512, 513} {
			_, rec, offsets := pack(t, 1, file(name, make([]byte, size)))
			if got, want := EntrySize(name, size), rec.Raw-tarEnd; got != want {
				t.Errorf("EntrySize(%q, %d) = %d, want %d", name, size, got, want)
			}
			if want := EntrySize(name, 0); offsets[0] != want {
				t.Errorf("content of %q begins at %d, want %d", name, offsets[0], want)
			}
		}
		link := member{Entry: Entry{Name: "document/z", Link: name}}
		_, rec, _ := pack(t, 1, link)
		if got, want := LinkSize("document/z", name), rec.Raw-tarEnd; got != want {
			t.Errorf("LinkSize(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestEntrySizeOfHugeFiles(t *testing.T) {
	const limit = 8 << 30
	if got, want := EntrySize("document/a", limit-512), int64(512+limit-512); got != want {
		t.Errorf("just below 8 GiB: %d, want %d", got, want)
	}
	// Above it a PAX record carries the size: its header, its block, and the plain header.
	if got, want := EntrySize("document/a", limit), int64(3*512+limit); got != want {
		t.Errorf("at 8 GiB: %d, want %d", got, want)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "document/a", Size: limit, Mode: 0o644, ModTime: someTime}); err != nil {
		t.Fatal(err)
	}
	if got := EntrySize("document/a", limit) - limit; got != int64(b.Len()) {
		t.Errorf("header of %d bytes, archive/tar writes %d", got, b.Len())
	}
}

// The size of every header is what archive/tar makes of it, at every length around the limits of its fields.
func TestHeaderSize(t *testing.T) {
	check := func(e Entry) {
		t.Helper()
		b, err := appendHeader(nil, e)
		if err != nil {
			t.Fatal(err)
		}
		if got := headerSize(e); got != int64(len(b)) {
			t.Errorf("%d bytes of header for %+v, archive/tar writes %d", got, e, len(b))
		}
	}
	for n := 1; n < 1100; n++ {
		check(Entry{Name: strings.Repeat("x", n)})
		check(Entry{Name: strings.Repeat("x", n-1) + "é"})
		check(Entry{Name: "d", Link: strings.Repeat("x", n)})
		for _, folder := range []int{1, 54, 55, 56, 99, 100, 101, 154, 155, 156, 157, 255} {
			if folder < n {
				name := strings.Repeat("f", folder) + "/" + strings.Repeat("x", n-folder)
				check(Entry{Name: name})
				check(Entry{Name: name, Link: "é"})
			}
		}
	}
	for _, size := range []int64{1<<33 - 1, 1 << 33, 1e10, 1e12, 1 << 62} {
		for _, name := range longNames {
			check(Entry{Name: name, Size: size})
		}
	}
}

func TestTarTime(t *testing.T) {
	for _, c := range []struct{ in, want time.Time }{
		{someTime, someTime},
		{someTime.Add(999 * time.Millisecond), someTime},
		{time.Date(2020, 7, 1, 12, 0, 0, 0, time.FixedZone("", 7200)), time.Date(2020, 7, 1, 10, 0, 0, 0, time.UTC)},
		{time.Time{}, time.Unix(0, 0).UTC()},
		{time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(0, 0).UTC()},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2242, 3, 16, 12, 56, 31, 0, time.UTC)},
	} {
		got := TarTime(c.in)
		if got != c.want {
			t.Errorf("TarTime(%v) = %v, want %v", c.in, got, c.want)
		}
		m := file("document/a", []byte("x"))
		m.MTime = c.in
		b, rec, _ := pack(t, 1, m)
		back, _, err := unpack(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if back[0].MTime != c.want {
			t.Errorf("%v came back as %v", c.in, back[0].MTime)
		}
		if rec.Raw != EntrySize(m.Name, m.Size)+tarEnd {
			t.Errorf("a time of %v changes the size of the entry", c.in)
		}
	}
}

func TestEntryRefused(t *testing.T) {
	for _, c := range []struct {
		entry Entry
		want  string
	}{
		{Entry{Name: ""}, `entry "": not a relative`},
		{Entry{Name: "."}, `entry ".": not a relative`},
		{Entry{Name: "/etc/passwd"}, "not a relative"},
		{Entry{Name: "document/../x"}, "not a relative"},
		{Entry{Name: "document//x"}, "not a relative"},
		{Entry{Name: "document/"}, "not a relative"},
		{Entry{Name: "document/\xff"}, "not a relative"},
		{Entry{Name: "document/a\x00b"}, "holds a NUL byte"},
		{Entry{Name: "document/" + strings.Repeat("x", maxName)}, "longer than 32768 bytes"},
		{Entry{Name: "document/x", Size: -1}, "negative size -1"},
		{Entry{Name: "document/x", Link: "document/y", Size: 1}, "a link has no content"},
		{Entry{Name: "document/x", Link: "document/x"}, "links to itself"},
		{Entry{Name: "document/x", Link: "../y"}, `link to "../y": not a relative`},
	} {
		w := NewWriter(new(bytes.Buffer), Options{})
		_, _, err := w.Add(c.entry, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.entry, err, c.want)
		}
		if _, err := w.Close(); err == nil {
			t.Errorf("%+v: Close after a refused entry succeeds", c.entry)
		}
	}
}

// plan returns how many entries each chunk has.
func plan(sizes []int64, name func(i int) string) []int {
	var p Planner
	var chunks []int
	for i, size := range sizes {
		if p.Add(name(i), size) {
			chunks = append(chunks, 0)
		}
		chunks[len(chunks)-1]++
	}
	return chunks
}

func TestPlannerBoundaries(t *testing.T) {
	short := func(i int) string { return fmt.Sprintf("document/%06d", i) }
	room := int64(MaxRaw - tarEnd - tarBlock) // content of one entry that fills a chunk
	for _, c := range []struct {
		name  string
		sizes []int64
		want  []int
	}{
		{"one small", []int64{1}, []int{1}},
		{"exactly full", []int64{room, 0}, []int{1, 1}},
		{"one block below full takes an empty file", []int64{room - tarBlock, 0, 0}, []int{2, 1}},
		{"one byte over full stands alone", []int64{room + 1, 0}, []int{1, 1}},
		{"large between small", []int64{1, 2, 100 << 20, 3, 4}, []int{2, 1, 2}},
		{"two large", []int64{100 << 20, 100 << 20}, []int{1, 1}},
		{"entries", make([]int64, 2*MaxEntries+1), []int{MaxEntries, MaxEntries, 1}},
	} {
		if got := plan(c.sizes, short); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: chunks of %v entries, want %v", c.name, got, c.want)
		}
	}
}

func TestPlannerCountsLinks(t *testing.T) {
	var p Planner
	chunks := 0
	for i := range MaxEntries + 1 {
		if p.AddLink(fmt.Sprintf("document/%d", i), "document/x") {
			chunks++
		}
	}
	if chunks != 2 {
		t.Errorf("%d links make %d chunks, want 2", MaxEntries+1, chunks)
	}
}

// Every chunk keeps the limits unless it has one entry, and could not have taken the next entry.
func TestPlannerProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	name := func(i int) string { return longNames[i%len(longNames)] }
	for range 50 {
		sizes := make([]int64, 1+r.IntN(20000))
		spread := 1 << (5 + r.IntN(22))
		for i := range sizes {
			sizes[i] = int64(r.IntN(spread))
		}
		at := 0
		for _, n := range plan(sizes, name) {
			raw := int64(tarEnd)
			for i := at; i < at+n; i++ {
				raw += EntrySize(name(i), sizes[i])
			}
			if n > MaxEntries || n > 1 && raw > MaxRaw {
				t.Fatalf("chunk of %d entries and %d bytes", n, raw)
			}
			at += n
			if at < len(sizes) && n < MaxEntries && raw+EntrySize(name(at), sizes[at]) <= MaxRaw {
				t.Fatalf("chunk of %d entries and %d bytes had room for %d bytes more", n, raw, EntrySize(name(at), sizes[at]))
			}
		}
		if at != len(sizes) {
			t.Fatalf("%d of %d entries are in chunks", at, len(sizes))
		}
	}
}
