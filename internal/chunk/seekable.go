package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"
)

// Seekable reads ranges of the tar stream of a file chunk: each frame that a range touches is one read of the chunk and
// is decoded once, so that content of up to 1 MiB takes one read. It implements io.ReaderAt; give it to
// io.NewSectionReader for one entry's content. It is safe for concurrent use.
type Seekable struct {
	ra     io.ReaderAt
	pool   *Pool
	mu     sync.Mutex
	dec    *decoder
	stored []int64 // where each frame begins in the chunk, and after the last where the seek table does
	raw    []int64 // where each frame begins in the tar stream, and after the last where that ends
	sums   []uint32
	held   int    // the frame in data
	data   []byte // nil: none
}

// OpenSeekable reads the seek table of a chunk of size bytes. Frames are checked when they are read.
func OpenSeekable(ra io.ReaderAt, size int64) (*Seekable, error) {
	return new(Pool).OpenSeekable(ra, size)
}

// OpenSeekable is the function OpenSeekable with buffers from the pool, to which Close returns them.
func (p *Pool) OpenSeekable(ra io.ReaderAt, size int64) (*Seekable, error) {
	s := &Seekable{ra: ra, pool: p}
	if err := s.readTable(size); err != nil {
		return nil, err
	}
	var err error
	s.dec, err = p.decoder()
	return s, err
}

func (s *Seekable) readTable(size int64) error {
	le := binary.LittleEndian
	if size < skipHeader+seekFooter {
		return damaged("%d bytes are too few for a seek table", size)
	}
	var foot [seekFooter]byte
	if err := readAt(s.ra, foot[:], size-seekFooter); err != nil {
		return fmt.Errorf("reading the seek table: %w", err)
	}
	n := int64(le.Uint32(foot[:]))
	length := n*seekEntry + skipHeader + seekFooter
	if le.Uint32(foot[5:]) != seekMagic || foot[4] != seekChecksums || length > size {
		return damaged("it does not end with a seek table")
	}
	table := make([]byte, length)
	if err := readAt(s.ra, table, size-length); err != nil {
		return fmt.Errorf("reading the seek table: %w", err)
	}
	if le.Uint32(table) != skipMagic || int64(le.Uint32(table[4:])) != length-skipHeader {
		return damaged("its seek table has no header")
	}
	s.stored, s.raw, s.sums = make([]int64, n+1), make([]int64, n+1), make([]uint32, n)
	for i := range n {
		entry := table[skipHeader+i*seekEntry:]
		stored, raw := int64(le.Uint32(entry)), int64(le.Uint32(entry[4:]))
		if stored > maxStored || raw > maxFrame || raw == 0 || stored < 9 {
			return damaged("frame %d of the seek table: %d bytes that unpack to %d", i, stored, raw)
		}
		s.stored[i+1], s.raw[i+1], s.sums[i] = s.stored[i]+stored, s.raw[i]+raw, le.Uint32(entry[8:])
	}
	if s.stored[n] != size-length {
		return damaged("the frames of its seek table have %d bytes, not %d", s.stored[n], size-length)
	}
	return nil
}

// Raw returns the length of the tar stream.
func (s *Seekable) Raw() int64 { return s.raw[len(s.raw)-1] }

// ReadAt implements io.ReaderAt over the tar stream.
func (s *Seekable) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dec == nil {
		return 0, errors.New("chunk is closed")
	}
	if off < 0 {
		return 0, fmt.Errorf("negative offset %d", off)
	}
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= s.Raw() {
			return n, io.EOF
		}
		i := sort.Search(len(s.raw), func(i int) bool { return s.raw[i] > at }) - 1
		if err := s.load(i); err != nil {
			return n, err
		}
		n += copy(p[n:], s.data[at-s.raw[i]:])
	}
	return n, nil
}

// load reads and decodes frame i.
func (s *Seekable) load(i int) error {
	if s.data != nil && s.held == i {
		return nil
	}
	s.data = nil
	size := int(s.stored[i+1] - s.stored[i])
	if cap(s.dec.in) < size {
		s.dec.in = make([]byte, 0, size+maxBlock)
	}
	in := s.dec.in[:size]
	if err := readAt(s.ra, in, s.stored[i]); err != nil {
		return fmt.Errorf("reading frame %d of the chunk: %w", i, err)
	}
	_, raw, err := frameHeader(in)
	if err != nil {
		return damaged("frame %d: %w", i, err)
	}
	if int64(raw) != s.raw[i+1]-s.raw[i] || binary.LittleEndian.Uint32(in[size-4:]) != s.sums[i] {
		return damaged("frame %d does not agree with the seek table", i)
	}
	data, err := s.dec.frame(in, raw)
	if err != nil {
		return damaged("frame %d: %w", i, err)
	}
	s.held, s.data = i, data
	return nil
}

// Close gives the buffers back to the pool. It does not close the underlying reader.
func (s *Seekable) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pool.putDecoder(s.dec)
	s.dec, s.data = nil, nil
}

// readAt fills p from off; io.EOF beside a full p is no error.
func readAt(ra io.ReaderAt, p []byte, off int64) error {
	n, err := ra.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return damaged("it ends before byte %d", off+int64(len(p)))
	}
	return err
}
