package chunk

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// member is an entry with its content.
type member struct {
	Entry
	content []byte
}

var someTime = time.Date(2002, 9, 1, 10, 0, 0, 0, time.UTC)

func file(name string, content []byte) member {
	return member{Entry{Name: name, Size: int64(len(content)), MTime: someTime}, content}
}

// text makes n bytes that compress to about a quarter; noise makes n bytes that do not compress.
func text(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 0, n+16)
	for len(b) < n {
		b = append(strconv.AppendInt(append(b, "word"...), int64(r.IntN(500)), 10), ' ')
	}
	return b[:n]
}

func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	b := make([]byte, n+8)
	for i := 0; i < n; i += 8 {
		x := r.Uint64()
		for k := range 8 {
			b[i+k] = byte(x >> (8 * k))
		}
	}
	return b[:n]
}

// pack writes members as a chunk and returns its bytes, its record and the offsets of contents.
func pack(t testing.TB, level int, members ...member) ([]byte, manifest.Chunk, []int64) {
	t.Helper()
	return packWith(t, new(Pool), level, members...)
}

func packWith(t testing.TB, pool *Pool, level int, members ...member) ([]byte, manifest.Chunk, []int64) {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, Options{Level: level, Pool: pool})
	offsets := make([]int64, len(members))
	for i, m := range members {
		off, sum, err := w.Add(m.Entry, bytes.NewReader(m.content))
		if err != nil {
			t.Fatalf("Add(%q): %v", m.Name, err)
		}
		if sum != sha256.Sum256(m.content) {
			t.Fatalf("Add(%q): wrong SHA-256", m.Name)
		}
		offsets[i] = off
	}
	s, err := w.Close()
	if err != nil {
		t.Fatalf("Close: %v", err)
	}
	if s.SHA256 != sha256.Sum256(out.Bytes()) || s.Bytes != int64(out.Len()) || s.Items != len(members) {
		t.Fatalf("Close says %+v of %d bytes and %d entries", s, out.Len(), len(members))
	}
	return out.Bytes(), record(s, members), offsets
}

func record(s Summary, members []member) manifest.Chunk {
	c := manifest.Chunk{
		SHA256: s.SHA256, Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent,
		Bytes: s.Bytes, Raw: s.Raw, Items: s.Items,
	}
	if len(members) > 0 && members[0].Link != "" {
		c.Role = manifest.RoleLinks
	}
	return c
}

// unpack reads a whole chunk.
func unpack(r io.Reader) (members []member, offsets []int64, err error) {
	return unpackWith(new(Pool), r)
}

func unpackWith(pool *Pool, r io.Reader) (members []member, offsets []int64, err error) {
	cr := pool.NewReader(r)
	defer cr.Close()
	for {
		e, off, err := cr.Next()
		if errors.Is(err, io.EOF) {
			return members, offsets, nil
		}
		if err != nil {
			return members, offsets, err
		}
		content, err := io.ReadAll(cr)
		if err != nil {
			return members, offsets, err
		}
		members = append(members, member{e, content})
		offsets = append(offsets, off)
	}
}

// same fails unless the entries that came back are those that went in.
func same(t testing.TB, want, got []member) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d entries came back of %d", len(got), len(want))
	}
	for i := range want {
		w, g := want[i], got[i]
		w.MTime = TarTime(w.MTime)
		if w.Entry != g.Entry {
			t.Fatalf("entry %d: got %+v, want %+v", i, g.Entry, w.Entry)
		}
		if !bytes.Equal(w.content, g.content) {
			t.Fatalf("entry %q: %d bytes came back of %d, or other ones", w.Name, len(g.content), len(w.content))
		}
	}
}
