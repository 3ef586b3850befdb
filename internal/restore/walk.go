package restore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
)

// walk reads a content chunk once, from its first byte to its last, and calls visit for every entry that records refer
// to. The chunk's length, digest, frames and entries are checked, as is that every record found its entry; a wrong
// chunk is an error even after visit has seen all of it.
func (m Migration) walk(ctx context.Context, pool *chunk.Pool, j job, visit func(files []manifest.File, e chunk.Entry, content io.Reader) error) error {
	rc, err := m.fetch(ctx, j.chunk)
	if err != nil {
		return err
	}
	defer rc.Close()
	sum := newSum(contextReader{ctx, rc})
	r := pool.NewReader(sum)
	defer r.Close()
	files := j.files
	for {
		e, offset, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("chunk %s: %w", j.chunk.SHA256, err)
		}
		if len(files) > 0 && files[0].Offset < offset {
			break
		}
		n := 0
		for n < len(files) && files[n].Offset == offset {
			n++
		}
		if n == 0 {
			continue
		}
		if err := visit(files[:n], e, r); err != nil {
			return err
		}
		files = files[n:]
	}
	if len(files) > 0 {
		return fmt.Errorf("chunk %s: no entry begins at byte %d, where %q should be", j.chunk.SHA256, files[0].Offset, files[0].Path)
	}
	return sum.check(j.chunk)
}

// sum hashes and counts what is read through it.
type sum struct {
	r io.Reader
	h hash.Hash
	n int64
}

func newSum(r io.Reader) *sum { return &sum{r: r, h: sha256.New()} }

func (s *sum) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.h.Write(p[:n])
	s.n += int64(n)
	return n, err
}

func (s *sum) digest() (d manifest.Digest) {
	s.h.Sum(d[:0])
	return d
}

// check compares what was read with a chunk's record.
func (s *sum) check(k manifest.Chunk) error {
	if s.n <= k.Bytes {
		if _, err := io.Copy(io.Discard, io.LimitReader(s, k.Bytes-s.n+1)); err != nil {
			return fmt.Errorf("chunk %s: %w", k.SHA256, err)
		}
	}
	if s.n != k.Bytes {
		return fmt.Errorf("chunk %s: it has %d bytes or more, and its record says %d", k.SHA256, s.n, k.Bytes)
	}
	if d := s.digest(); d != k.SHA256 {
		return fmt.Errorf("chunk %s: its bytes have the SHA-256 %s", k.SHA256, d)
	}
	return nil
}

// content hashes the content of an entry on its way to w and compares it with what the records say.
func content(files []manifest.File, e chunk.Entry, r io.Reader, w io.Writer) error {
	s := newSum(r)
	if _, err := io.Copy(w, s); err != nil {
		return err
	}
	d := s.digest()
	for _, f := range files {
		if f.Size != s.n || f.SHA256 != d {
			return fmt.Errorf("chunk %s: %q has %d bytes with the SHA-256 %s, and the manifest says %d bytes with %s",
				f.Chunk, e.Name, s.n, d, f.Size, f.SHA256)
		}
	}
	return nil
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
