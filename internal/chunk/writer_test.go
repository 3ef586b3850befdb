package chunk

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// goldenSets are small lists of members whose chunks must never change: they are what customers have stored.
func goldenSets() map[string][]member {
	boundary := []member{
		file("document/a", text(1, frameSize-1)), file("document/b", noise(2, frameSize)),
		file("document/c", text(3, frameSize+1)), file("document/d", nil),
	}
	names := make([]member, 0, len(longNames))
	for i, n := range longNames {
		names = append(names, file(n, text(uint64(i), i*100)))
	}
	return map[string][]member{
		"one empty file":   {file("document/empty", nil)},
		"one small file":   {file("document/bob/2002.2/myfile.txt", []byte("hello\n"))},
		"names":            names,
		"frame boundaries": boundary,
		"large and noisy":  {file("document/large.jpg", noise(5, 2*frameSize+17))},
		"large text":       {file("document/large.txt", text(5, 2*frameSize+17))},
		"links": {
			{Entry: Entry{Name: "document/b", Link: "document/a", MTime: someTime}},
			{Entry: Entry{Name: "document/ø", Link: "document/" + strings.Repeat("漢", 90)}},
		},
	}
}

func TestGoldenChunks(t *testing.T) {
	const path = "testdata/chunks.json"
	got := map[string]string{}
	for name, members := range goldenSets() {
		for level := minLevel; level <= maxLevel; level++ {
			b, rec, _ := pack(t, level, members...)
			got[fmt.Sprintf("%s, level %d", name, level)] = fmt.Sprintf("%s %d", rec.SHA256, len(b))
		}
	}
	if *update {
		b, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("chunks differ from those that earlier versions wrote (-want +got):\n%s", d)
	}
}

func TestRoundTrip(t *testing.T) {
	for name, members := range goldenSets() {
		t.Run(name, func(t *testing.T) {
			for level := minLevel; level <= maxLevel; level++ {
				b, rec, wantOffsets := pack(t, level, members...)
				got, offsets, err := unpack(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				same(t, members, got)
				if d := cmp.Diff(wantOffsets, offsets); d != "" {
					t.Errorf("offsets (-written +read):\n%s", d)
				}
				if err := Verify(bytes.NewReader(b), rec); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Any list of entries comes back as it went in, whatever piece sizes the content arrives in and whatever the pool's
// buffers were used for before, and gives the same bytes each time.
func TestRoundTripOfRandomLists(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	pool := new(Pool)
	for round := range 8 {
		members := make([]member, 1+r.IntN(40))
		for i := range members {
			size := r.IntN(1 << (1 + r.IntN(21)))
			content := text(r.Uint64(), size)
			if r.IntN(2) == 0 {
				content = noise(r.Uint64(), size)
			}
			members[i] = file(fmt.Sprintf("attachment/%d/%s", i, longNames[r.IntN(len(longNames))]), content)
		}
		level := 1 + r.IntN(3)
		want, rec, _ := pack(t, level, members...)
		var out bytes.Buffer
		w := NewWriter(&out, Options{Level: level, Pool: pool})
		for i, m := range members {
			var err error
			switch i % 3 {
			case 0:
				_, _, err = w.Add(m.Entry, iotest.HalfReader(bytes.NewReader(m.content)))
			case 1:
				_, _, err = w.Add(m.Entry, iotest.DataErrReader(bytes.NewReader(m.content)))
			default:
				_, err = w.AddBytes(m.Entry, m.content)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Fatalf("round %d: the same entries give other bytes", round)
		}
		got, _, err := unpack(iotest.HalfReader(bytes.NewReader(out.Bytes())))
		if err != nil {
			t.Fatal(err)
		}
		same(t, members, got)
		if err := pool.Verify(bytes.NewReader(want), rec); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFramesFollowTheRule(t *testing.T) {
	members := []member{
		file("document/0", text(0, 300<<10)), file("document/1", text(1, 300<<10)), file("document/2", text(2, 300<<10)),
		file("document/3", text(3, 300<<10)), // passes 1 MiB: the frame ends behind it
		file("document/4", text(4, 900<<10)),
		file("document/5", text(5, 3<<20)), // cut inside after each MiB of it
		file("document/6", text(6, 10)),
	}
	b, _, offsets := pack(t, 2, members...)
	s, err := OpenSeekable(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	end := func(i int) int64 { return offsets[i] + members[i].Size + padding(members[i].Size) }
	// The third cut inside 5 would fall on its end, so that frame ends at the file boundary and 6 begins the next.
	want := []int64{0, end(3), offsets[5] + frameSize, offsets[5] + 2*frameSize, end(5), end(6) + tarEnd}
	if d := cmp.Diff(want, s.raw); d != "" {
		t.Errorf("frames begin at (-want +got):\n%s", d)
	}
}

// No frame outgrows its bound, and content of up to 1 MiB lies in one frame.
func TestFramesAreBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	var members []member
	for i := range 120 {
		members = append(members, file(fmt.Sprintf("document/%d/%s", i, longNames[len(longNames)-3]), make([]byte, r.IntN(3*frameSize/2))))
	}
	b, _, offsets := pack(t, 1, members...)
	s, err := OpenSeekable(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	frameOf := func(at int64) int {
		i := 0
		for s.raw[i+1] <= at {
			i++
		}
		return i
	}
	for i := range s.sums {
		size := s.raw[i+1] - s.raw[i]
		if size > 2*frameSize+64<<10 || size < frameSize && i < len(s.sums)-1 {
			t.Errorf("frame %d of %d has %d bytes", i, len(s.sums), size)
		}
	}
	for i, m := range members {
		if m.Size > 0 && m.Size <= frameSize && frameOf(offsets[i]) != frameOf(offsets[i]+m.Size-1) {
			t.Errorf("content of %d bytes at %d lies in two frames", m.Size, offsets[i])
		}
	}
}

func TestIncompressibleContentIsStored(t *testing.T) {
	content := noise(1, 8<<20)
	for level := minLevel; level <= maxLevel; level++ {
		b, _, _ := pack(t, level, file("document/a.jpg", content))
		if over := len(b) - len(content); over < 0 || over > 16<<10 {
			t.Errorf("level %d: %d bytes more than the content", level, over)
		}
		// The second frame is content alone, in blocks of 128 KiB as it is.
		if !bytes.Contains(b, content[5<<20:5<<20+maxBlock]) {
			t.Errorf("level %d: the content is not stored as it is", level)
		}
	}
	b, _, _ := pack(t, 2, file("document/a.txt", text(1, 8<<20)))
	if len(b) > 4<<20 {
		t.Errorf("8 MiB of text take %d bytes", len(b))
	}
}

// Content that no sample shrinks still does where files repeat each other: here each has 8 KiB of about 38 in common.
func TestRepetitionAcrossFilesIsFound(t *testing.T) {
	theme := noise(1, 8<<10)
	var members []member
	raw := 0
	for i := range 27 {
		content := append(noise(uint64(i+2), 20<<10+i*i*7919%20011), theme...)
		raw += len(content)
		members = append(members, file(fmt.Sprintf("document/%02d.pdf", i), content))
	}
	b, _, _ := pack(t, 2, members...)
	if len(b) > raw*93/100 {
		t.Errorf("%d bytes of files that share a fifth take %d", raw, len(b))
	}
}

func TestContentOfAnotherSize(t *testing.T) {
	e := Entry{Name: "document/a", Size: 3 << 20}
	for _, c := range []struct {
		content int
		want    string
	}{
		{0, `entry "document/a": content is not of the announced size: 0 bytes, not 3145728`},
		{1<<20 + 7, `entry "document/a": content is not of the announced size: 1048583 bytes, not 3145728`},
		{3<<20 + 1, `entry "document/a": content is not of the announced size: more than 3145728 bytes`},
	} {
		w := NewWriter(io.Discard, Options{})
		_, _, err := w.Add(e, bytes.NewReader(make([]byte, c.content)))
		if !errors.Is(err, ErrSize) || err.Error() != c.want {
			t.Errorf("%d bytes: got %v, want %s", c.content, err, c.want)
		}
		if _, err := w.Close(); !errors.Is(err, ErrSize) {
			t.Errorf("%d bytes: Close says %v", c.content, err)
		}
		w = NewWriter(io.Discard, Options{})
		if _, err := w.AddBytes(e, make([]byte, c.content)); !errors.Is(err, ErrSize) {
			t.Errorf("%d bytes in memory: got %v", c.content, err)
		}
	}
}

func TestWriterErrors(t *testing.T) {
	broken := errors.New("disk is full")
	w := NewWriter(&limited{n: 100, err: broken}, Options{})
	_, _, err := w.Add(Entry{Name: "document/a", Size: 4 << 20}, bytes.NewReader(noise(1, 4<<20)))
	if !errors.Is(err, broken) {
		t.Errorf("Add on a full disk: %v", err)
	}
	if _, _, again := w.Add(Entry{Name: "document/b"}, nil); !errors.Is(again, broken) {
		t.Errorf("Add after an error: %v", again)
	}
	if _, err := w.Close(); !errors.Is(err, broken) {
		t.Errorf("Close after an error: %v", err)
	}

	w = NewWriter(io.Discard, Options{})
	if _, _, err := w.Add(Entry{Name: "document/a", Size: 9}, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("Add of what cannot be read: %v", err)
	}
	w = NewWriter(io.Discard, Options{})
	end := io.MultiReader(strings.NewReader("123456789"), iotest.ErrReader(broken))
	if _, _, err := w.Add(Entry{Name: "document/a", Size: 9}, end); !errors.Is(err, broken) {
		t.Errorf("Add of what fails behind its end: %v", err)
	}

	w = NewWriter(io.Discard, Options{})
	if _, err := w.Close(); err == nil || err.Error() != "chunk has no entries" {
		t.Errorf("Close of an empty chunk: %v", err)
	}
	if _, _, err := NewWriter(io.Discard, Options{Level: 4}).Add(Entry{Name: "document/a"}, nil); err == nil {
		t.Error("level 4 is accepted")
	}

	w = NewWriter(io.Discard, Options{})
	if _, _, err := w.Add(Entry{Name: "document/a"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Add(Entry{Name: "document/b", Link: "document/a"}, nil); err == nil {
		t.Error("a link among files is accepted")
	}
	w = NewWriter(io.Discard, Options{})
	if _, _, err := w.Add(Entry{Name: "document/a"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err == nil {
		t.Error("a second Close succeeds")
	}
}

// limited fails after n bytes.
type limited struct {
	n   int
	err error
}

func (l *limited) Write(p []byte) (int, error) {
	if l.n -= len(p); l.n < 0 {
		return 0, l.err
	}
	return len(p), nil
}

func TestPoolGivesBuffersBack(t *testing.T) {
	pool := new(Pool)
	for range 3 {
		w := NewWriter(io.Discard, Options{Pool: pool, Level: 1})
		if _, _, err := w.Add(Entry{Name: "document/a"}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w = NewWriter(io.Discard, Options{Pool: pool, Level: 1})
		if _, _, err := w.Add(Entry{}, nil); err == nil {
			t.Fatal("an entry without a name is accepted")
		}
		w.Close()
	}
	if n := len(pool.encoders[1]); n != 1 {
		t.Errorf("the pool holds %d encoders, want 1", n)
	}
}

func TestStoredFrame(t *testing.T) {
	pool := new(Pool)
	d, err := pool.decoder()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 255, 256, 65535, 65536 + 256, maxBlock - 1, maxBlock, maxBlock + 1, frameSize, maxFrame} {
		content := noise(uint64(n), n)
		b := appendStored(nil, content)
		got, err := d.frame(b, n)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: %v, or other bytes", n, err)
		}
		for _, at := range []int{0, 4, 9, 10, len(b) / 2, len(b) - 1} {
			bad := bytes.Clone(b)
			bad[at] ^= 0x40
			if got, err := d.frame(bad, n); err == nil && sha256.Sum256(got) != sha256.Sum256(content) {
				t.Errorf("%d bytes, byte %d flipped: other content passes", n, at)
			}
		}
	}
}
