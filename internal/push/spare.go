package push

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// digests is a set of digests, by their first 8 bytes. It may take a chunk for a member that is none, of one in more
// than a billion at the sizes that occur: that chunk is then kept, which does no harm.
type digests struct{ list []uint64 }

func (s *digests) add(d manifest.Digest) { s.list = append(s.list, binary.BigEndian.Uint64(d[:])) }

// settle makes what was added findable.
func (s *digests) settle() {
	slices.Sort(s.list)
	s.list = slices.Compact(s.list)
}

// find gives a member's place, from 0.
func (s *digests) find(d manifest.Digest) (int, bool) {
	return slices.BinarySearch(s.list, binary.BigEndian.Uint64(d[:]))
}

// spare is a chunk that no committed manifest names.
type spare struct {
	digest   manifest.Digest
	size     int64 // below zero for a Parquet file: -1 - its bytes
	modified int64 // in nanoseconds since 1970
}

func newSpare(d manifest.Digest, typ string, bytes int64, modified time.Time) spare {
	s := spare{digest: d, size: bytes, modified: modified.UnixNano()}
	if typ == manifest.ChunkParquet {
		s.size = -1 - bytes
	}
	return s
}

func (s spare) bytes() int64 {
	if s.size < 0 {
		return -1 - s.size
	}
	return s.size
}

func (s spare) typ() string {
	if s.size < 0 {
		return manifest.ChunkParquet
	}
	return manifest.ChunkTar
}

// same reports whether two are of one object.
func (s spare) same(o spare) bool { return s.digest == o.digest && (s.size < 0) == (o.size < 0) }

// spares is a list of them that grows without being copied.
type spares struct {
	blocks [][]spare
	n      int
}

const spareBlock = 1 << 14

func (l *spares) add(s spare) {
	if l.n == len(l.blocks)*spareBlock {
		l.blocks = append(l.blocks, make([]spare, spareBlock))
	}
	l.n++
	*l.at(l.n - 1) = s
}

func (l *spares) at(i int) *spare { return &l.blocks[i/spareBlock][i%spareBlock] }

// Len implements sort.Interface, as Less and Swap.
func (l *spares) Len() int { return l.n }

// Less orders by digest, and then by type.
func (l *spares) Less(i, j int) bool {
	a, b := l.at(i), l.at(j)
	if n := bytes.Compare(a.digest[:], b.digest[:]); n != 0 {
		return n < 0
	}
	return a.size < 0 && b.size >= 0
}

// Swap swaps two.
func (l *spares) Swap(i, j int) {
	a, b := l.at(i), l.at(j)
	*a, *b = *b, *a
}

// unique removes what was listed twice.
func (l *spares) unique() {
	sort.Sort(l)
	var last spare
	first := true
	l.keep(func(s spare) bool {
		if !first && last.same(s) {
			return false
		}
		last, first = s, false
		return true
	})
}

// keep leaves those for which f says so.
func (l *spares) keep(f func(spare) bool) {
	n := 0
	for i := range l.n {
		if s := *l.at(i); f(s) {
			*l.at(n) = s
			n++
		}
	}
	l.n = n
	l.blocks = l.blocks[:(n+spareBlock-1)/spareBlock]
}
