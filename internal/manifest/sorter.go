package manifest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

const (
	sortBlock  = 1 << 20  // the unit in which a Sorter takes memory
	runBuffer  = 64 << 10 // read-ahead of one run while merging
	refSize    = 24
	minSort    = 2 * sortBlock
	checkEvery = 4096 // pairs between two looks at the context
)

// Sorter sorts pairs of key and value by the bytes of the key, then of the value, spilling to temporary files.
//
// Runs that were sorted in memory go one behind the other into one file; merging reads at most memory/64 KiB of them
// at once and, where there are more, writes longer runs into a second file first. A temporary file has no name any
// more wherever the system allows that, so that a process that is killed leaves none behind.
type Sorter struct {
	dir    string
	memory int

	blocks [][]byte // pairs, each whole in one block
	used   int      // blocks in use; the others are kept to be used again
	size   int      // bytes of all blocks
	refs   []ref

	spill  *spill
	sorted bool
	err    error
}

// ref finds a pair; head is the first eight bytes of the key, so that most comparisons look no further.
type ref struct {
	head   uint64
	block  int32
	off    int32
	keyLen int32
	valLen int32
}

// NewSorter makes a Sorter that holds at most memory bytes and spills into files below dir ("" is the system's
// temporary directory). The process needs up to twice that while garbage waits to be collected. Less than 2 MiB counts as 2 MiB; a pair that is larger is held all the same.
func NewSorter(dir string, memory int) *Sorter {
	return &Sorter{dir: dir, memory: max(memory, minSort)}
}

// Add adds a pair; both slices are copied. A key and its value together may have up to 1 GiB.
func (s *Sorter) Add(key, value []byte) error {
	if s.err == nil && s.sorted {
		s.err = errors.New("sorting: a pair was added after the end")
	}
	if n := len(key) + len(value); s.err == nil && n > 1<<30 {
		s.err = fmt.Errorf("sorting: a pair of %d bytes is too large", n)
	}
	if s.err != nil {
		return s.err
	}
	n := len(key) + len(value)
	if s.full(n) {
		if s.err = s.flush(); s.err != nil {
			return s.err
		}
	}
	b := s.room(n)
	block := s.blocks[b]
	if len(s.refs) == cap(s.refs) {
		s.refs = append(make([]ref, 0, moreRefs(cap(s.refs))), s.refs...)
	}
	s.refs = append(s.refs, ref{head(key), int32(b), int32(len(block)), int32(len(key)), int32(len(value))})
	s.blocks[b] = append(append(block, key...), value...)
	return nil
}

// full reports whether n more bytes would not fit.
func (s *Sorter) full(n int) bool {
	if len(s.refs) == 0 {
		return false
	}
	size := s.size
	if s.used == 0 || len(s.blocks[s.used-1])+n > cap(s.blocks[s.used-1]) {
		if s.used == len(s.blocks) || n > sortBlock {
			size += max(n, sortBlock)
		}
	}
	refs := cap(s.refs)
	if len(s.refs) == refs {
		refs += moreRefs(refs) // both arrays are there while it grows
	}
	return size+refs*refSize > s.memory
}

// moreRefs is the capacity that follows n.
func moreRefs(n int) int { return n + n/4 + 1024 }

// room returns the index of a block that takes n more bytes.
func (s *Sorter) room(n int) int {
	if s.used > 0 {
		if b := s.blocks[s.used-1]; len(b)+n <= cap(b) {
			return s.used - 1
		}
	}
	if n > sortBlock {
		s.blocks = slices.Insert(s.blocks, s.used, make([]byte, 0, n))
		s.size += n
	} else if s.used == len(s.blocks) {
		s.blocks = append(s.blocks, make([]byte, 0, sortBlock))
		s.size += sortBlock
	}
	s.used++
	return s.used - 1
}

func head(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

func (s *Sorter) pair(r ref) (key, value []byte) {
	b := s.blocks[r.block][r.off:]
	return b[:r.keyLen:r.keyLen], b[r.keyLen : r.keyLen+r.valLen : r.keyLen+r.valLen]
}

// sort sorts what is in memory.
func (s *Sorter) sort() {
	slices.SortFunc(s.refs, func(a, b ref) int {
		if a.head != b.head {
			if a.head < b.head {
				return -1
			}
			return 1
		}
		ak, av := s.pair(a)
		bk, bv := s.pair(b)
		if c := bytes.Compare(ak, bk); c != 0 {
			return c
		}
		return bytes.Compare(av, bv)
	})
}

// flush writes what is in memory as a run and forgets it.
func (s *Sorter) flush() error {
	s.sort()
	if s.spill == nil {
		sp, err := newSpill(s.dir)
		if err != nil {
			return err
		}
		s.spill = sp
	}
	for _, r := range s.refs {
		if err := s.spill.add(s.pair(r)); err != nil {
			return err
		}
	}
	s.refs = s.refs[:0]
	keep := s.blocks[:0]
	for _, b := range s.blocks {
		if cap(b) == sortBlock {
			keep = append(keep, b[:0])
		}
	}
	clear(s.blocks[len(keep):])
	s.blocks, s.used, s.size = keep, 0, len(keep)*sortBlock
	return s.spill.endRun()
}

// Sort ends adding and returns the pairs in order. The Cursor ends with ctx's error when ctx is done, and is good until
// Close.
func (s *Sorter) Sort(ctx context.Context) (Cursor, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.sorted = true
	if s.spill == nil {
		s.sort()
		return &memoryCursor{ctx: ctx, s: s}, nil
	}
	if len(s.refs) > 0 {
		if s.err = s.flush(); s.err != nil {
			return nil, s.err
		}
	}
	s.blocks, s.refs = nil, nil
	width := max(s.memory/runBuffer, 2)
	for len(s.spill.runs) > width {
		if s.spill, s.err = s.spill.mergeRuns(ctx, s.dir, width); s.err != nil {
			return nil, s.err
		}
	}
	return s.spill.merge(ctx, s.spill.runs)
}

// Close removes the temporary files. Cursors end to be usable.
func (s *Sorter) Close() error {
	s.blocks, s.refs, s.sorted = nil, nil, true
	if s.err == nil {
		s.err = errors.New("sorting: the sorter is closed")
	}
	sp := s.spill
	s.spill = nil
	if sp == nil {
		return nil
	}
	return sp.close()
}

type memoryCursor struct {
	ctx context.Context
	s   *Sorter
	at  int
}

func (c *memoryCursor) Next() (key, value []byte, err error) {
	if c.at%checkEvery == 0 && c.ctx.Err() != nil {
		return nil, nil, context.Cause(c.ctx)
	}
	if c.at >= len(c.s.refs) {
		return nil, nil, io.EOF
	}
	key, value = c.s.pair(c.s.refs[c.at])
	c.at++
	return key, value, nil
}

// spill is a temporary file of sorted runs. A pair is two uvarints, the lengths of key and value, and their bytes.
type spill struct {
	file    *os.File
	removed bool
	w       *bufio.Writer
	at      int64 // bytes written
	runs    []run
	head    [2 * binary.MaxVarintLen64]byte
}

type run struct{ from, to int64 }

func newSpill(dir string) (*spill, error) {
	f, err := os.CreateTemp(dir, "omt-sort-*")
	if err != nil {
		return nil, spillError(dir, "making a temporary file", err)
	}
	return &spill{file: f, removed: os.Remove(f.Name()) == nil, w: bufio.NewWriterSize(f, 256<<10)}, nil
}

func spillError(dir, doing string, err error) error {
	if dir == "" {
		dir = os.TempDir()
	}
	return Errorf(Failed, "%s in %q: %w", doing, dir, err).
		WithHint("--temp DIR keeps temporary files in another folder")
}

func (p *spill) add(key, value []byte) error {
	n := binary.PutUvarint(p.head[:], uint64(len(key)))
	n += binary.PutUvarint(p.head[n:], uint64(len(value)))
	_, err := p.w.Write(p.head[:n])
	if err == nil {
		_, err = p.w.Write(key)
	}
	if err == nil {
		_, err = p.w.Write(value)
	}
	if err != nil {
		return p.failed(err)
	}
	p.at += int64(n + len(key) + len(value))
	return nil
}

func (p *spill) failed(err error) error {
	return spillError(dirOf(p.file.Name()), "writing a temporary file", err)
}

// endRun ends the run that began where the one before ended.
func (p *spill) endRun() error {
	if err := p.w.Flush(); err != nil {
		return p.failed(err)
	}
	r := run{to: p.at}
	if n := len(p.runs); n > 0 {
		r.from = p.runs[n-1].to
	}
	p.runs = append(p.runs, r)
	return nil
}

// mergeRuns merges each width runs into one of a new spill and closes p, whatever happens.
func (p *spill) mergeRuns(ctx context.Context, dir string, width int) (longer *spill, err error) {
	defer func() { err = errors.Join(err, p.close()) }()
	longer, err = newSpill(dir)
	if err != nil {
		return nil, err
	}
	for group := range slices.Chunk(p.runs, width) {
		if err := longer.addRun(ctx, p, group); err != nil {
			return nil, errors.Join(err, longer.close())
		}
	}
	return longer, nil
}

func (p *spill) addRun(ctx context.Context, from *spill, runs []run) error {
	c, err := from.merge(ctx, runs)
	if err != nil {
		return err
	}
	for {
		key, value, err := c.Next()
		if errors.Is(err, io.EOF) {
			return p.endRun()
		}
		if err == nil {
			err = p.add(key, value)
		}
		if err != nil {
			return err
		}
	}
}

func (p *spill) close() error {
	err := p.file.Close()
	if !p.removed {
		err = errors.Join(err, os.Remove(p.file.Name()))
	}
	return err
}
