package restore

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// Samples that follow each other read everything, each about its share, and never nothing.
func TestSamplesCoverAll(t *testing.T) {
	var chunks []manifest.Chunk
	for i := range 2000 {
		chunks = append(chunks, manifest.Chunk{SHA256: sha256.Sum256([]byte{byte(i), byte(i >> 8)}), Type: manifest.ChunkTar, Raw: 100, Bytes: 10})
	}
	large := manifest.Chunk{SHA256: manifest.Digest{7}, Type: manifest.ChunkTar, Raw: 1000*pieceSize - 5, Bytes: 1000}
	read := make([]int, len(chunks))
	pieces := map[int64]int{}
	for n := range 20 {
		s := newSample(0.05, float64(n)*0.05, append(chunks, large))
		count := 0
		for i, k := range chunks {
			if s.has(pieceDigest(k, 0)) {
				read[i]++
				count++
			}
		}
		for _, p := range s.chosen(large) {
			pieces[p]++
		}
		if count < 50 || count > 150 {
			t.Errorf("sample %d has %d of %d chunks", n, count, len(chunks))
		}
		if n := s.bytes(large); n < 25 || n > 80 {
			t.Errorf("of a large chunk of 1000 bytes it reads %d", n)
		}
	}
	for i, n := range read {
		if n != 1 {
			t.Fatalf("chunk %d was read %d times", i, n)
		}
	}
	if len(pieces) != 1000 {
		t.Errorf("%d of 1000 pieces were read", len(pieces))
	}
	for from := 0.0; from < 1; from += 0.13 {
		for n := range 5 {
			s := newSample(0.0001, from, chunks[:n])
			count := 0
			for _, k := range chunks[:n] {
				if s.has(pieceDigest(k, 0)) {
					count++
				}
			}
			if count != min(n, 1) {
				t.Errorf("from %v of %d chunks: %d are read", from, n, count)
			}
		}
	}
}

// big is a committed migration whose one file is larger than chunks are.
func big(t *testing.T) (*store, manifest.Chunk, Migration) {
	t.Helper()
	s := newStore(t)
	d := s.draft()
	content := make([]byte, largeChunk+pieceSize/3)
	rnd := rand.NewChaCha8([32]byte{1})
	rnd.Read(content)
	var b bytes.Buffer
	w := chunk.NewWriter(&b, chunk.Options{Level: 1})
	f := manifest.File{Area: manifest.Document, ID: 1, Path: "bob/large.iso", State: manifest.Present, Size: int64(len(content)), SHA256: sha256.Sum256(content)}
	offset, sum, err := w.Add(chunk.Entry{Name: entryName(f), Size: f.Size, MTime: at}, bytes.NewReader(content))
	check(t, err)
	if sum != f.SHA256 {
		t.Fatal("the content has another digest")
	}
	end, err := w.Close()
	check(t, err)
	k := s.put(end.Chunk(manifest.Document, manifest.RoleContent), b.Bytes())
	f.Offset, f.Chunk = offset, k.SHA256
	d.areas[manifest.Document] = []manifest.Record{k, f}
	return s, k, d.commit()
}

// Of a large chunk a sample reads pieces by ranges, and finds damage where it reads.
func TestPiecesOfLargeChunk(t *testing.T) {
	s, k, m := big(t)
	p, problems := verify(t, m, VerifyOptions{Depth: Content, Sample: 0.2})
	if len(problems) > 0 || p.InPart != 1 || p.Read != 0 || p.BytesRead < pieceSize || p.BytesRead > k.Bytes*2/3 || p.Files != 0 {
		t.Errorf("%+v: %q", p, problems)
	}
	if p, _ := verify(t, m, VerifyOptions{Depth: Content}); p.Read != 1 || p.InPart != 0 || p.BytesRead != k.Bytes || p.Files != 1 {
		t.Errorf("without a sample: %+v", p)
	}
	f, err := os.OpenFile(s.file(k), os.O_RDWR, 0)
	check(t, err)
	defer f.Close()
	flip := func(off int64) {
		var b [1]byte
		_, err := f.ReadAt(b[:], off)
		check(t, err)
		b[0] ^= 4
		_, err = f.WriteAt(b[:], off)
		check(t, err)
	}
	found := 0
	flip(k.Bytes / 2)
	for n := range 5 {
		p, problems := verify(t, m, VerifyOptions{Depth: Hash, Sample: 0.2, From: float64(n) * 0.2})
		if len(problems) > 1 || len(problems) == 1 && !strings.Contains(problems[0], k.SHA256.String()) || p.InPart > 1 {
			t.Errorf("sample %d: %q", n, problems)
		}
		found += len(problems)
	}
	if found < 1 || found > 4 { // a sample in which nothing lies reads what is nearest
		t.Errorf("five samples of a fifth found the damage %d times", found)
	}
	flip(k.Bytes / 2)
	flip(k.Bytes - 20) // in the seek table
	if _, problems := verify(t, m, VerifyOptions{Depth: Content, Sample: 0.2}); len(problems) != 1 {
		t.Errorf("a damaged seek table: %q", problems)
	}
}

func TestRanged(t *testing.T) {
	s := newStore(t)
	content := make([]byte, 3*rangeSize+77)
	rand.NewChaCha8([32]byte{2}).Read(content)
	k := s.put(manifest.Chunk{SHA256: sha256.Sum256(content), Type: manifest.ChunkTar, Bytes: int64(len(content))}, content)
	c := &counting{Destination: s.d}
	r := &ranged{ctx: t.Context(), m: Migration{Dest: c, Tenant: tenant.Open(c)}, name: tenant.ChunkName(k.SHA256, k.Type), size: k.Bytes}
	defer r.close()
	for i, c := range []struct{ off, n, got int64 }{{0, 10, 10}, {10, 90, 90}, {rangeSize - 5, 10, 10}, {k.Bytes - 9, 20, 9}, {k.Bytes, 1, 0}, {5, 2 * rangeSize, 2 * rangeSize}} {
		p := make([]byte, c.n)
		n, err := r.ReadAt(p, c.off)
		if int64(n) != c.got || errors.Is(err, io.EOF) != (c.got < c.n) || !bytes.Equal(p[:n], content[min(c.off, k.Bytes):min(c.off, k.Bytes)+c.got]) {
			t.Errorf("%d: %d bytes from %d: got %d, %v", i, c.n, c.off, n, err)
		}
	}
	if c.n != 4 {
		t.Errorf("%d requests", c.n)
	}
	check(t, os.Truncate(s.file(k), 100))
	if _, err := r.ReadAt(make([]byte, 200), 50); err == nil || !strings.Contains(err.Error(), "ends at byte 100") {
		t.Errorf("cut short: %v", err)
	}
}

// Samples that are kept let the next one begin behind them.
func TestKeep(t *testing.T) {
	_, d := sample(t)
	d.committed(1)
	m, err := Find(t.Context(), d.s.d, "")
	check(t, err)
	next := func(depth Depth, want string) {
		t.Helper()
		from, err := m.NextSample(t.Context(), depth)
		check(t, err)
		if got := fmt.Sprintf("%.3f", from); got != want {
			t.Errorf("the next sample of depth %s begins at %s, want %s", depth, got, want)
		}
	}
	next(Hash, "0.000")
	keep := func(depth Depth, sample float64, p Proof) tenant.Proof {
		t.Helper()
		o := VerifyOptions{Depth: depth, Sample: sample, Now: func() time.Time { return at.Add(time.Minute) }}
		got, err := m.Keep(t.Context(), p, o, "", "omt-pack 0.1.0", strings.ToUpper)
		check(t, err)
		return got
	}
	p := Proof{Chunks: 3, Bytes: 30, Read: 2, InPart: 1, BytesRead: 20, Files: 5, Rows: 7, Problems: 1, First: []string{"secret"}, Begun: at, Runs: 2}
	got := keep(Hash, 0.4, p)
	if got.Number != 1 || got.First[0] != "SECRET" || !got.Begun.Equal(at) || !got.Ended.Equal(at.Add(time.Minute)) || got.Good() || got.End != m.Commit.End {
		t.Errorf("%+v", got)
	}
	next(Hash, "0.400")
	next(Content, "0.000")
	keep(Content, 0.8, p)
	next(Hash, "0.200")
	next(Content, "0.800")
	if got := keep(Names, 0.5, p); got.Sample != 1 {
		t.Errorf("names are always compared whole: %+v", got)
	}
	if got := keep(Content, 1, p); got.Number != 4 || got.From != 0 {
		t.Errorf("%+v", got)
	}
	next(Content, "0.800")
	o := VerifyOptions{Depth: Content, Now: time.Now}
	withDB, err := m.Keep(t.Context(), Proof{Database: Compared{Tables: 3, Rows: 9, Differ: 1, Removed: 2, NotRemoved: 1}}, o, "sqlite:/x", "t", nil)
	if check(t, err); *withDB.Database != (tenant.ProvedDatabase{URL: "sqlite:/x", Tables: 3, Rows: 9, Differ: 1, Removed: 2, NotRemoved: 1}) {
		t.Errorf("%+v", withDB.Database)
	}
}
