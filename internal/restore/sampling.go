package restore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

const (
	// largeChunk is from how many bytes of tar stream on a sample takes pieces of a chunk and not the whole. Such a chunk
	// holds one file that is larger than chunks usually are.
	largeChunk = 64 << 20
	// pieceSize is the tar stream of a piece.
	pieceSize = 16 << 20
	// rangeSize is how much is asked for at once of a large chunk, at most.
	rangeSize = 4 << 20
)

// sampling chooses what is read.
type sampling struct {
	share, from float64
	only        manifest.Digest // what is read where the share would choose nothing
}

func (s sampling) all() bool { return s.share <= 0 || s.share >= 1 }

// distance is how far behind the beginning of the sample a digest lies, from 0 up to 1.
func (s sampling) distance(d manifest.Digest) float64 {
	at := float64(binary.BigEndian.Uint64(d[:8])) / (1 << 64)
	_, f := math.Modf(at - s.from + 1)
	return f
}

// has reports whether a digest lies in the sample.
func (s sampling) has(d manifest.Digest) bool {
	return s.all() || d == s.only || s.distance(d) < s.share
}

// newSample chooses among chunks. There is always something in it.
func newSample(share, from float64, chunks []manifest.Chunk) sampling {
	s := sampling{share: share, from: from}
	if s.all() {
		return s
	}
	nearest, only := math.Inf(1), manifest.Digest{}
	for _, k := range chunks {
		for n := range s.pieces(k) {
			d := pieceDigest(k, n)
			switch x := s.distance(d); {
			case x < share:
				return s
			case x < nearest:
				nearest, only = x, d
			}
		}
	}
	s.only = only
	return s
}

// pieces is how many pieces a chunk has for the sample; 1: it is read as a whole.
func (s sampling) pieces(k manifest.Chunk) int64 {
	if s.all() || k.Type != manifest.ChunkTar || k.Role == manifest.RoleLinks || k.Raw < largeChunk {
		return 1
	}
	return (k.Raw + pieceSize - 1) / pieceSize
}

// pieceDigest is what chooses a piece: the chunk's own digest where there is one piece alone.
func pieceDigest(k manifest.Chunk, n int64) manifest.Digest {
	if k.Raw < largeChunk {
		return k.SHA256
	}
	return keyOf(fmt.Sprintf("%s %d", k.SHA256, n))
}

func keyOf(text string) manifest.Digest { return sha256.Sum256([]byte(text)) }

// chosen are the pieces of a large chunk that are in the sample.
func (s sampling) chosen(k manifest.Chunk) (list []int64) {
	for n := range s.pieces(k) {
		if s.has(pieceDigest(k, n)) {
			list = append(list, n)
		}
	}
	return list
}

// share of a chunk that a sample reads, in bytes as stored: exact for whole chunks, else in proportion.
func (s sampling) bytes(k manifest.Chunk) int64 {
	if n := s.pieces(k); n > 1 {
		return k.Bytes * int64(len(s.chosen(k))) / n
	}
	if s.has(pieceDigest(k, 0)) {
		return k.Bytes
	}
	return 0
}

// piece reads one piece of a large chunk by ranges: the seek table and the frames that the piece touches, each of which
// has a checksum of its own.
func (m Migration) piece(ctx context.Context, pool *chunk.Pool, k manifest.Chunk, n int64) (read int64, err error) {
	r := &ranged{ctx: ctx, m: m, name: tenant.ChunkName(k.SHA256, k.Type), size: k.Bytes}
	defer r.close()
	s, err := pool.OpenSeekable(r, k.Bytes)
	if err != nil {
		return r.read, fmt.Errorf("chunk %s: %w", k.SHA256, err)
	}
	defer s.Close()
	if s.Raw() != k.Raw {
		return r.read, fmt.Errorf("chunk %s: its seek table tells of %d bytes, and its record of %d", k.SHA256, s.Raw(), k.Raw)
	}
	from := n * pieceSize
	if _, err := io.Copy(io.Discard, io.NewSectionReader(s, from, min(pieceSize, k.Raw-from))); err != nil {
		return r.read, fmt.Errorf("chunk %s, from byte %d of what it holds: %w", k.SHA256, from, err)
	}
	return r.read, nil
}

// ranged is an object as an io.ReaderAt. Reads that follow each other share a request.
type ranged struct {
	ctx  context.Context
	m    Migration
	name string
	size int64
	rc   io.ReadCloser
	at   int64 // where rc stands
	end  int64 // where rc ends
	read int64
}

// ReadAt implements io.ReaderAt.
func (r *ranged) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at := off + int64(n)
		if at >= r.size {
			return n, io.EOF
		}
		if r.rc == nil || r.at != at || r.at == r.end {
			if err := r.open(at, max(rangeSize, int64(len(p)-n))); err != nil {
				return n, err
			}
		}
		got, err := r.rc.Read(p[n:min(int64(len(p)), int64(n)+r.end-r.at)])
		n, r.at, r.read = n+got, r.at+int64(got), r.read+int64(got)
		switch {
		case errors.Is(err, io.EOF) && r.at < r.end:
			return n, fmt.Errorf("%s ends at byte %d", r.name, r.at)
		case err != nil && !errors.Is(err, io.EOF):
			return n, err
		}
	}
	return n, nil
}

func (r *ranged) open(at, n int64) (err error) {
	r.close()
	n = min(n, r.size-at)
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if r.rc, err = r.m.Dest.Open(r.ctx, r.name, at, n); err != nil {
		return fmt.Errorf("opening %s at %s: %w", r.name, r.m.Dest.URL(), err)
	}
	r.at, r.end = at, at+n
	return nil
}

func (r *ranged) close() {
	if r.rc != nil {
		r.rc.Close()
		r.rc = nil
	}
}
