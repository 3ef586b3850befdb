package chunk

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/openomt/omt/internal/manifest"
)

// Reader reads a file chunk as a stream, entry by entry, and refuses everything that Writer does not write.
type Reader struct {
	pool    *Pool
	want    *manifest.Chunk // nil: any chunk will do
	bytes   *counter        // with want
	frames  *unframer
	tar     *tar.Reader
	end     int64 // where the present entry's padding ends in the tar stream
	entries int
	links   bool
	err     error
}

// NewReader makes a Reader of r. Close it to free its buffers early.
func NewReader(r io.Reader) *Reader { return new(Pool).NewReader(r) }

// NewReader makes a Reader of r that takes its buffers from the pool, to which Close returns them.
func (p *Pool) NewReader(r io.Reader) *Reader { return p.newReader(r, math.MaxInt64) }

// CheckedReader makes a Reader of the chunk that a record describes: Next returns io.EOF only when length and SHA-256 of
// its bytes, and length and entries of its tar stream, are those of the record. What was read before that may be wrong
// in every way that entries can be.
func (p *Pool) CheckedReader(r io.Reader, want manifest.Chunk) *Reader {
	c := newCounter(r)
	cr := p.newReader(c, want.Raw)
	cr.want, cr.bytes = &want, c
	if cr.err == nil && want.Type != manifest.ChunkTar {
		cr.err = fmt.Errorf("chunk %q: is of type %q, not %q", want.SHA256, want.Type, manifest.ChunkTar)
	}
	return cr
}

func (p *Pool) newReader(r io.Reader, limit int64) *Reader {
	dec, err := p.decoder()
	u := &unframer{in: bufio.NewReaderSize(r, 64<<10), dec: dec, limit: limit}
	return &Reader{pool: p, frames: u, tar: tar.NewReader(u), err: err}
}

// Next returns the next entry and where its content begins in the tar stream. What is left of the content before it is
// skipped. After the last entry, io.EOF means that the chunk was whole: every frame agreed with its checksum, the seek
// table with the frames, and nothing followed.
func (r *Reader) Next() (Entry, int64, error) {
	if r.err != nil {
		return Entry{}, 0, r.err
	}
	h, err := r.tar.Next()
	if errors.Is(err, io.EOF) {
		err = r.finish()
	} else if err != nil {
		err = r.blame(err)
	}
	if err != nil {
		r.err = err
		return Entry{}, 0, err
	}
	e, err := r.entry(h)
	if err != nil {
		r.err = err
		return Entry{}, 0, err
	}
	return e, r.frames.taken, nil
}

// blame tells an error of the stream below from one of the tar format.
func (r *Reader) blame(err error) error {
	if below := r.frames.err; below != nil && !errors.Is(below, io.EOF) {
		return below
	}
	return damaged("tar stream at byte %d: %w", r.frames.taken, err)
}

// entry checks that a header is one that Writer writes.
func (r *Reader) entry(h *tar.Header) (Entry, error) {
	e := Entry{Name: h.Name, Size: h.Size, MTime: h.ModTime.UTC(), Link: h.Linkname}
	if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeLink || (h.Typeflag == tar.TypeLink) != (e.Link != "") {
		return e, damaged("entry %q: of type %q", h.Name, h.Typeflag)
	}
	if err := e.check(); err != nil {
		return e, damaged("%w", err)
	}
	if got, want := r.frames.taken-r.end, headerSize(e); got != want {
		return e, damaged("entry %q: its header has %d bytes, not %d", h.Name, got, want)
	}
	for key := range h.PAXRecords {
		if key != "path" && key != "linkpath" && key != "size" {
			return e, damaged("entry %q: with a %q record", h.Name, key)
		}
	}
	if link := e.Link != ""; r.entries > 0 && link != r.links {
		return e, damaged("entry %q: files and links in one chunk", h.Name)
	}
	r.links = e.Link != ""
	r.entries++
	r.end = r.frames.taken + e.Size + padding(e.Size)
	return e, nil
}

// finish checks the end of the tar stream and reads on to the end of the chunk.
func (r *Reader) finish() error {
	if below := r.frames.err; below != nil && !errors.Is(below, io.EOF) {
		return below
	}
	if r.frames.err != nil || r.frames.taken != r.end+tarEnd {
		return damaged("the tar stream does not end at byte %d with two blocks of zeros", r.end+tarEnd)
	}
	var one [1]byte
	if _, err := io.ReadFull(r.frames, one[:]); err == nil {
		return damaged("bytes follow the end of the tar stream, from byte %d", r.end+tarEnd)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	if r.entries == 0 {
		return damaged("it has no entries")
	}
	if r.want != nil {
		return r.compare()
	}
	return io.EOF
}

// compare checks a chunk that was read to its end against its record; io.EOF means that they agree.
func (r *Reader) compare() error {
	if err := r.bytes.check(*r.want); err != nil {
		return err
	}
	switch {
	case r.frames.raw != r.want.Raw:
		return damaged("its tar stream has %d bytes, not %d", r.frames.raw, r.want.Raw)
	case r.entries != r.want.Items:
		return damaged("it has %d entries, not %d", r.entries, r.want.Items)
	case r.links != (r.want.Role == manifest.RoleLinks):
		return damaged("it does not hold what its role %q says", r.want.Role)
	}
	return io.EOF
}

// Read reads the content of the entry that Next returned last.
func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.tar.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = r.blame(err)
		err = r.err
	}
	return n, err
}

// Close gives the buffers back to the pool. It does not close the underlying reader.
func (r *Reader) Close() {
	r.pool.putDecoder(r.frames.dec)
	r.frames.dec, r.frames.rest = nil, nil
	if r.err == nil || errors.Is(r.err, io.EOF) {
		r.err = errors.New("reader is closed")
	}
}

// counter hashes and counts what is read through it.
type counter struct {
	r      io.Reader
	digest hash.Hash
	n      int64
}

func newCounter(r io.Reader) *counter { return &counter{r: r, digest: sha256.New()} }

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.digest.Write(p[:n])
	c.n += int64(n)
	return n, err
}

// check reads on to the end, but not far beyond what is wanted, and compares length and digest.
func (c *counter) check(want manifest.Chunk) error {
	if c.n <= want.Bytes {
		if _, err := io.Copy(io.Discard, io.LimitReader(c, want.Bytes-c.n+1)); err != nil {
			return fmt.Errorf("reading chunk %q: %w", want.SHA256, err)
		}
	}
	var got manifest.Digest
	c.digest.Sum(got[:0])
	switch {
	case c.n > want.Bytes:
		return damaged("it has more than %d bytes", want.Bytes)
	case c.n < want.Bytes:
		return damaged("it has %d bytes, not %d", c.n, want.Bytes)
	case got != want.SHA256:
		return damaged("its bytes have the SHA-256 %s", got)
	}
	return nil
}

// Verify reads a whole file chunk and checks it against its record: length and SHA-256 of its bytes, the checksum of
// every frame, the seek table, the tar stream, and the number of bytes and entries in it.
func Verify(r io.Reader, want manifest.Chunk) error { return new(Pool).Verify(r, want) }

// Verify is the function Verify with buffers from the pool.
func (p *Pool) Verify(r io.Reader, want manifest.Chunk) error {
	cr := p.CheckedReader(r, want)
	defer cr.Close()
	var err error
	for err == nil {
		_, _, err = cr.Next()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	if errors.Is(err, ErrDamaged) {
		// That the bytes are other ones says more than where decoding met them.
		if whole := cr.bytes.check(want); whole != nil {
			err = whole
		}
	}
	return fmt.Errorf("verifying chunk %q: %w", want.SHA256, err)
}
