package chunk

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/openomt/omt/internal/manifest"
)

// mixed is a chunk with all that a chunk can have: several frames, stored and compressed, long names, an empty file.
func mixed(t testing.TB) ([]byte, manifest.Chunk) {
	t.Helper()
	b, rec, _ := pack(t, 2,
		file("document/a.txt", text(1, 200<<10)), file("document/"+longNames[9], text(2, 900<<10)),
		file("document/b.jpg", noise(3, 2<<20+5)), file("document/c", nil), file("document/d", []byte("end")))
	return b, rec
}

func TestEveryFlippedByteIsDetected(t *testing.T) {
	b, rec := mixed(t)
	pool := new(Pool)
	positions := []int{0, 1, 3, 4, 5, len(b) - 1, len(b) - 5, len(b) - 9, len(b) - 20, len(b) - 60}
	r := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		positions = append(positions, r.IntN(len(b)))
	}
	for _, at := range positions {
		bad := bytes.Clone(b)
		bad[at] ^= 1 << r.IntN(8)
		if err := pool.Verify(bytes.NewReader(bad), rec); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d flipped: Verify says %v", at, err)
		}
	}
}

// Without a digest to compare with, the frame checksums and the seek table find every flip in content and structure.
func TestReaderDetectsFlipsWithoutTheDigest(t *testing.T) {
	b, _ := mixed(t)
	want, _, err := unpack(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(2, 1))
	for range 40 {
		at := r.IntN(len(b))
		bad := bytes.Clone(b)
		bad[at] ^= 1 << r.IntN(8)
		got, _, err := unpack(bytes.NewReader(bad))
		if err == nil {
			same(t, want, got) // only unused bits of a header may differ unseen
		}
	}
}

func TestCutIsDetected(t *testing.T) {
	b, rec := mixed(t)
	cuts := []int{0, 1, 3, 4, 8, 17, 18, len(b) / 2, len(b) - 1, len(b) - 9, len(b) - 10, len(b) - 60}
	for i := range 40 {
		cuts = append(cuts, i*len(b)/40)
	}
	for _, n := range cuts {
		_, _, err := unpack(bytes.NewReader(b[:n]))
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes: Reader says %v", n, err)
		}
		err = Verify(bytes.NewReader(b[:n]), rec)
		if want := fmt.Sprintf("verifying chunk %q: chunk is damaged: it has %d bytes, not %d", rec.SHA256, n, len(b)); err == nil || err.Error() != want {
			t.Errorf("cut to %d bytes: Verify says %v", n, err)
		}
	}
}

// tarOf makes a tar stream with what Writer never writes.
func tarOf(t *testing.T, headers ...*tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// chunkOf frames any stream as Writer would.
func chunkOf(t *testing.T, stream []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	f := newFramer(&b)
	e, err := new(Pool).encoder(1)
	if err != nil {
		t.Fatal(err)
	}
	e.raw = append(e.raw, stream...)
	if err := f.frame(e, true); err != nil {
		t.Fatal(err)
	}
	if err := f.seekTable(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReaderRefusesWhatWriterDoesNotWrite(t *testing.T) {
	good := tarOf(t, &tar.Header{Typeflag: tar.TypeReg, Name: "document/a", Size: 5, Mode: 0o644, ModTime: someTime})
	regular := func(name string) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, ModTime: someTime}
	}
	symlink := &tar.Header{Typeflag: tar.TypeSymlink, Name: "document/a", Linkname: "/etc/passwd"}
	link := &tar.Header{Typeflag: tar.TypeLink, Name: "document/b", Linkname: "document/a"}
	away := &tar.Header{Typeflag: tar.TypeLink, Name: "document/b", Linkname: "../../etc/passwd"}
	extra := regular("document/é")
	extra.PAXRecords = map[string]string{"OMT.extra": "1"}
	fraction := regular("document/a")
	fraction.ModTime, fraction.Format = someTime.Add(time.Millisecond), tar.FormatPAX
	old := regular("document/é")
	old.Format = tar.FormatGNU
	for _, c := range []struct {
		name, want string
		stream     []byte
	}{
		{"path that leaves", "not a relative", tarOf(t, regular("../a"))},
		{"absolute path", "not a relative", tarOf(t, regular("/a"))},
		{"symbolic link", `of type '2'`, tarOf(t, symlink)},
		{"folder", `of type '5'`, tarOf(t, &tar.Header{Typeflag: tar.TypeDir, Name: "document/"})},
		{"link that leaves", "not a relative", tarOf(t, away)},
		{"file and link", "files and links in one chunk", tarOf(t, regular("document/a"), link)},
		{"record of another program", `with a "OMT.extra" record`, tarOf(t, extra)},
		{"header of another format", "its header has 512 bytes, not 1536", tarOf(t, old)},
		{"record of a finer time", "its header has 1536 bytes, not 512", tarOf(t, fraction)},
		{"no entries", "it has no entries", tarOf(t)},
		{"no end", "does not end at byte 2048", good[:1024]},
		{"half an end", "does not end at byte 2048", good[:1536]},
		{"more behind the end", "bytes follow the end of the tar stream", append(bytes.Clone(good), 0)},
		{"content cut", "tar stream at byte 516: unexpected EOF", good[:516]},
		{"no tar", "tar stream at byte 512", noise(1, 2048)},
	} {
		_, _, err := unpack(bytes.NewReader(chunkOf(t, c.stream)))
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, _, err := unpack(bytes.NewReader(chunkOf(t, good))); err != nil {
		t.Errorf("what Writer writes: %v", err)
	}
}

func TestFramesRefused(t *testing.T) {
	stream := tarOf(t, &tar.Header{Typeflag: tar.TypeReg, Name: "document/a", Mode: 0o644, ModTime: someTime})
	stored := func(b []byte) []byte { return appendStored(nil, b) }
	good := chunkOf(t, stream)
	table := good[len(good)-(skipHeader+seekEntry+seekFooter):]
	frame := good[:len(good)-len(table)]
	encode := func(content []byte, o ...zstd.EOption) []byte {
		w, err := zstd.NewWriter(nil, o...)
		if err != nil {
			t.Fatal(err)
		}
		return w.EncodeAll(content, nil)
	}
	// A frame of 9 bytes that claims, and decodes to, more than any frame of ours.
	bomb := binary.LittleEndian.AppendUint32(nil, frameMagic)
	bomb = append(bomb, 2<<6|1<<5|1<<2)
	bomb = binary.LittleEndian.AppendUint32(bomb, 1<<30)
	var streamed bytes.Buffer
	w, err := zstd.NewWriter(&streamed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	otherSum := bytes.Clone(good)
	otherSum[len(otherSum)-seekFooter-1] ^= 1
	for _, c := range []struct {
		name, want string
		chunk      []byte
	}{
		{"no table", "before its seek table", frame},
		{"table twice", "bytes follow the seek table", append(bytes.Clone(good), table...)},
		{"garbage behind", "bytes follow the seek table", append(bytes.Clone(good), 'x')},
		{"frame behind", "bytes follow the seek table", append(bytes.Clone(good), frame...)},
		{"table of one frame for two", "does not agree with the 2 frames", append(append(stored(stream[:600]), stored(stream[600:])...), table...)},
		{"table with another checksum", "does not agree with the 1 frames", otherSum},
		{"another skippable frame", "a skippable frame", append([]byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0}, good...)},
		{"no zstd", "not a zstd frame", []byte(strings.Repeat("hello", 9))},
		{"bomb", "content size 1073741824", append(bomb, frame...)},
		{"no checksum", "without a checksum", append(encode(make([]byte, 3000), zstd.WithEncoderCRC(false)), good...)},
		{"no content size", "content size 0", append(streamed.Bytes(), good...)},
		{"empty frame", "content size 0", append(encode(nil, zstd.WithZeroFrames(true)), good...)},
	} {
		_, _, err := unpack(bytes.NewReader(c.chunk))
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestVerifyComparesWithTheRecord(t *testing.T) {
	b, rec := mixed(t)
	change := func(f func(c *manifest.Chunk)) manifest.Chunk { c := rec; f(&c); return c }
	for _, c := range []struct {
		want string
		rec  manifest.Chunk
	}{
		{"its bytes have the SHA-256", change(func(c *manifest.Chunk) { c.SHA256[0] ^= 1 })},
		{"bytes, not", change(func(c *manifest.Chunk) { c.Bytes++ })},
		{"it has more than", change(func(c *manifest.Chunk) { c.Bytes-- })},
		{"it unpacks to more than", change(func(c *manifest.Chunk) { c.Raw-- })},
		{"its tar stream has", change(func(c *manifest.Chunk) { c.Raw++ })},
		{"it has 5 entries, not 6", change(func(c *manifest.Chunk) { c.Items++ })},
		{`its role "links"`, change(func(c *manifest.Chunk) { c.Role = manifest.RoleLinks })},
		{`is of type "parquet"`, change(func(c *manifest.Chunk) { c.Type = manifest.ChunkParquet })},
	} {
		err := Verify(bytes.NewReader(b), c.rec)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	broken := errors.New("network is down")
	err := Verify(io.MultiReader(bytes.NewReader(b[:1<<20]), iotest.ErrReader(broken)), rec)
	if !errors.Is(err, broken) || errors.Is(err, ErrDamaged) {
		t.Errorf("a read error: got %v", err)
	}
	err = Verify(io.MultiReader(bytes.NewReader(b), bytes.NewReader(make([]byte, 1<<20))), rec)
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("bytes behind the chunk: got %v", err)
	}
}

// A checked Reader gives all content, and its end only when the chunk is the recorded one.
func TestCheckedReader(t *testing.T) {
	b, rec := mixed(t)
	pool := new(Pool)
	entries := func(rec manifest.Chunk) (n int, err error) {
		r := pool.CheckedReader(bytes.NewReader(b), rec)
		defer r.Close()
		for {
			if _, _, err := r.Next(); err != nil {
				return n, err
			}
			n++
		}
	}
	if n, err := entries(rec); n != 5 || !errors.Is(err, io.EOF) {
		t.Errorf("%d entries, %v", n, err)
	}
	rec.SHA256[0] ^= 1
	if n, err := entries(rec); n != 5 || !errors.Is(err, ErrDamaged) {
		t.Errorf("with another digest: %d entries, %v", n, err)
	}
	rec.Type = manifest.ChunkParquet
	if n, err := entries(rec); n != 0 || err == nil || errors.Is(err, ErrDamaged) {
		t.Errorf("with another type: %d entries, %v", n, err)
	}
}

func TestContentMayBeSkipped(t *testing.T) {
	b, _ := mixed(t)
	r := NewReader(bytes.NewReader(b))
	n := 0
	for {
		_, _, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			if _, err := io.CopyN(io.Discard, r, 2); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		n++
	}
	if n != 5 {
		t.Errorf("%d entries, want 5", n)
	}
	if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("Next behind the end: %v", err)
	}
	r.Close()
	if _, err := r.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("Read after Close: %v", err)
	}
}

func TestSeekable(t *testing.T) {
	members := []member{
		file("document/a", text(1, 3<<20)), file("document/b", noise(2, 700<<10)), file("document/c", nil), file("document/d", text(4, 99)),
	}
	b, rec, offsets := pack(t, 2, members...)
	reads := &counting{ReaderAt: bytes.NewReader(b)}
	pool := new(Pool)
	s, err := pool.OpenSeekable(reads, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if s.Raw() != rec.Raw {
		t.Errorf("Raw() = %d, want %d", s.Raw(), rec.Raw)
	}
	for _, i := range []int{3, 0, 2, 1} {
		reads.n = 0
		got, err := io.ReadAll(io.NewSectionReader(s, offsets[i], members[i].Size))
		if err != nil || !bytes.Equal(got, members[i].content) {
			t.Errorf("content of %q: %v, or other bytes", members[i].Name, err)
		}
		if want := int(members[i].Size>>20) + 1; reads.n > want {
			t.Errorf("content of %q took %d reads, want at most %d", members[i].Name, reads.n, want)
		}
	}
	stream := make([]byte, s.Raw())
	if _, err := s.ReadAt(stream, 0); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 4))
	for range 50 {
		off := r.Int64N(s.Raw())
		p := make([]byte, r.IntN(3<<20))
		n, err := s.ReadAt(p, off)
		if want := min(int64(len(p)), s.Raw()-off); int64(n) != want || (n < len(p)) != (errors.Is(err, io.EOF)) {
			t.Fatalf("ReadAt(%d bytes, %d) = %d, %v", len(p), off, n, err)
		}
		if !bytes.Equal(p[:n], stream[off:off+int64(n)]) {
			t.Fatalf("ReadAt(%d bytes, %d): other bytes", len(p), off)
		}
	}
	if _, err := s.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("a negative offset is accepted")
	}
	s.Close()
	if _, err := s.ReadAt(make([]byte, 1), 0); err == nil {
		t.Error("reads after Close")
	}
	if len(pool.decoders) != 1 {
		t.Errorf("the pool holds %d decoders, want 1", len(pool.decoders))
	}
}

type counting struct {
	io.ReaderAt
	n int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.n++
	return c.ReaderAt.ReadAt(p, off)
}

func TestSeekableDetectsDamage(t *testing.T) {
	b, rec := mixed(t)
	whole := func(b []byte) error {
		s, err := OpenSeekable(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return err
		}
		defer s.Close()
		p := make([]byte, rec.Raw)
		if _, err = s.ReadAt(p, 0); err != nil {
			return err
		}
		if s.Raw() != rec.Raw {
			return errors.New("another length")
		}
		return nil
	}
	if err := whole(b); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 5))
	for i := range 120 {
		at := len(b) - 1 - i // the table is at the end
		if i >= 60 {
			at = r.IntN(len(b))
		}
		bad := bytes.Clone(b)
		bad[at] ^= 1 << r.IntN(8)
		if err := whole(bad); err == nil {
			t.Errorf("byte %d of %d flipped: not detected", at, len(b))
		}
	}
	for _, n := range []int{0, 8, 16, 17, 30, len(b) - 1, len(b) / 2} {
		if err := whole(b[:n]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	s, err := OpenSeekable(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	s.ra = bytes.NewReader(nil)
	if _, err := s.ReadAt(make([]byte, 1), 0); !errors.Is(err, ErrDamaged) {
		t.Errorf("a chunk that became shorter: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	good, _, _ := pack(f, 1, file("document/a", []byte("hello")), file("document/"+longNames[8], text(1, 3000)))
	f.Add(good)
	links, _, _ := pack(f, 1, member{Entry: Entry{Name: "document/b", Link: "document/ø"}})
	f.Add(links)
	stored := appendStored(nil, make([]byte, 1500))
	f.Add(append(stored, appendSeekTable(nil, []frameInfo{{stored: uint32(len(stored)), raw: 1500}})...))
	pool := new(Pool)
	f.Fuzz(func(t *testing.T, b []byte) {
		members, _, err := unpackWith(pool, bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("not told as damage: %v", err)
			}
		} else {
			// What is accepted can be written again and says the same.
			again, _, _ := packWith(t, pool, 1, members...)
			back, _, err := unpackWith(pool, bytes.NewReader(again))
			if err != nil {
				t.Fatal(err)
			}
			same(t, members, back)
		}
		s, err := pool.OpenSeekable(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		defer s.Close()
		buf := make([]byte, 4096)
		for off := int64(0); off < min(s.Raw(), 1<<20); off += 100_000 {
			if _, err := s.ReadAt(buf, off); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, ErrDamaged) {
				t.Fatalf("not told as damage: %v", err)
			}
		}
	})
}
