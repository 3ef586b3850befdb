package pack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/openomt/omt/internal/manifest"
)

// index remembers, on disk, where each content was stored first. It is made anew by every run.
//
// It is a log of originals and a stack of hash tables of 4 KiB buckets over it: a bucket holds 256 slots of 16 bytes,
// a fingerprint and a place in the log. A bucket that is full sends what follows to the next, larger table, so a
// lookup goes down only as far as buckets are full. Memory holds one bucket; ten million files take about 1.5 GB of
// disk and two reads and a write each, most of them from the page cache.
type index struct {
	dir    string
	log    *os.File
	end    int64
	tables []*buckets
	bucket [bucketSize]byte
}

// original is a content's first place. Chunk is the number of the group that stored it or, with ofEarlier, of the chunk of
// an earlier run that holds it.
type original struct {
	Chunk  uint32
	Links  uint32 // names that were linked to it so far
	Offset int64
	Path   string
}

type buckets struct {
	f *os.File
	n uint64
}

const (
	bucketSize = 4096
	slotSize   = 16
	slots      = bucketSize / slotSize
	headSize   = 1 + 32 + 4 + 4 + 8 + 8 + 4 // area, digest, chunk, links, offset, place and length of the path
)

// newIndex makes an index below dir for about expected contents; more of them only make it slower.
func newIndex(dir string, expected int64) (*index, error) {
	x := &index{dir: dir, end: 1} // place 0 means an empty slot
	f, err := os.Create(filepath.Join(dir, "index.log"))
	if err != nil {
		return nil, fmt.Errorf("creating the index of contents: %w", err)
	}
	x.log = f
	return x, x.grow(uint64(expected)/(slots/2) + 64)
}

func (x *index) grow(n uint64) error {
	f, err := os.Create(filepath.Join(x.dir, fmt.Sprintf("index.%d", len(x.tables))))
	if err != nil {
		return fmt.Errorf("creating the index of contents: %w", err)
	}
	if err := f.Truncate(int64(n) * bucketSize); err != nil {
		return fmt.Errorf("creating the index of contents: %w", err)
	}
	x.tables = append(x.tables, &buckets{f: f, n: n})
	return nil
}

// close removes the index from disk.
func (x *index) close() error {
	files := []*os.File{x.log}
	for _, t := range x.tables {
		files = append(files, t.f)
	}
	var first error
	for _, f := range files {
		name := f.Name()
		f.Close()
		if err := os.Remove(name); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// find returns where content of an area was stored first, and its place for link.
func (x *index) find(area manifest.Area, sum manifest.Digest) (o original, place int64, found bool, err error) {
	print := fingerprint(area, sum)
	for _, t := range x.tables {
		if err := t.read(print, x.bucket[:]); err != nil {
			return o, 0, false, err
		}
		for i := 0; i < slots; i++ {
			slot := x.bucket[i*slotSize:]
			place := int64(binary.LittleEndian.Uint64(slot[8:]))
			if place == 0 {
				return o, 0, false, nil
			}
			if binary.LittleEndian.Uint64(slot) != print {
				continue
			}
			o, same, err := x.read(place, area, sum)
			if err != nil || same {
				return o, place, same, err
			}
		}
	}
	return o, 0, false, nil
}

// add remembers an original that find did not find.
func (x *index) add(area manifest.Area, sum manifest.Digest, o original) error {
	place := x.end
	x.end += headSize
	if err := x.set(place, area, sum, o); err != nil {
		return err
	}
	print := fingerprint(area, sum)
	for i := 0; ; i++ {
		if i == len(x.tables) {
			if err := x.grow(2 * x.tables[i-1].n); err != nil {
				return err
			}
		}
		if done, err := x.insert(x.tables[i], print, place); err != nil || done {
			return err
		}
	}
}

// set writes the original at a place: a new one, or one that takes over from an original with no links left to give.
func (x *index) set(place int64, area manifest.Area, sum manifest.Digest, o original) error {
	if _, err := x.log.WriteAt([]byte(o.Path), x.end); err != nil {
		return fmt.Errorf("writing the index of contents: %w", err)
	}
	var b [headSize]byte
	b[0] = byte(area.Rank())
	copy(b[1:], sum[:])
	binary.LittleEndian.PutUint32(b[33:], o.Chunk)
	binary.LittleEndian.PutUint32(b[37:], o.Links)
	binary.LittleEndian.PutUint64(b[41:], uint64(o.Offset))
	binary.LittleEndian.PutUint64(b[49:], uint64(x.end))
	binary.LittleEndian.PutUint32(b[57:], uint32(len(o.Path)))
	x.end += int64(len(o.Path))
	if _, err := x.log.WriteAt(b[:], place); err != nil {
		return fmt.Errorf("writing the index of contents: %w", err)
	}
	return nil
}

// read returns the original at a place and whether it is of this content.
func (x *index) read(place int64, area manifest.Area, sum manifest.Digest) (original, bool, error) {
	var b [headSize]byte
	if _, err := x.log.ReadAt(b[:], place); err != nil {
		return original{}, false, fmt.Errorf("reading the index of contents: %w", err)
	}
	if b[0] != byte(area.Rank()) || !bytes.Equal(b[1:33], sum[:]) {
		return original{}, false, nil
	}
	path := make([]byte, binary.LittleEndian.Uint32(b[57:]))
	if _, err := x.log.ReadAt(path, int64(binary.LittleEndian.Uint64(b[49:]))); err != nil {
		return original{}, false, fmt.Errorf("reading the index of contents: %w", err)
	}
	return original{
		Chunk:  binary.LittleEndian.Uint32(b[33:]),
		Links:  binary.LittleEndian.Uint32(b[37:]),
		Offset: int64(binary.LittleEndian.Uint64(b[41:])),
		Path:   string(path),
	}, true, nil
}

// link counts one more name linked to the original at place, which had n.
func (x *index) link(place int64, n uint32) error {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], n+1)
	if _, err := x.log.WriteAt(b[:], place+37); err != nil {
		return fmt.Errorf("writing the index of contents: %w", err)
	}
	return nil
}

func (x *index) insert(t *buckets, print uint64, place int64) (done bool, err error) {
	if err := t.read(print, x.bucket[:]); err != nil {
		return false, err
	}
	for i := 0; i < slots; i++ {
		slot := x.bucket[i*slotSize : (i+1)*slotSize]
		if binary.LittleEndian.Uint64(slot[8:]) != 0 {
			continue
		}
		binary.LittleEndian.PutUint64(slot, print)
		binary.LittleEndian.PutUint64(slot[8:], uint64(place))
		if _, err := t.f.WriteAt(slot, t.at(print)+int64(i*slotSize)); err != nil {
			return false, fmt.Errorf("writing the index of contents: %w", err)
		}
		return true, nil
	}
	return false, nil
}

func (t *buckets) at(print uint64) int64 { return int64(print%t.n) * bucketSize }

func (t *buckets) read(print uint64, b []byte) error {
	if _, err := t.f.ReadAt(b, t.at(print)); err != nil {
		return fmt.Errorf("reading the index of contents: %w", err)
	}
	return nil
}

// fingerprint is as many bits of a content's digest as a slot holds; areas are kept apart.
func fingerprint(area manifest.Area, sum manifest.Digest) uint64 {
	return binary.LittleEndian.Uint64(sum[:]) + uint64(area.Rank())*0x9e3779b97f4a7c15
}
