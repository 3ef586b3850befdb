package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// Why a record of the base is not in the new manifest: another takes its place, or it is that of a file without a row that
// a row has found by now.
const (
	graveReplaced byte = iota
	graveOrphan
)

// change is a record that takes the place of one of the base.
type change struct {
	was, is manifest.File
	how     how
}

// how says what is to be done for a change.
type how byte

const (
	howRecord  how = iota // the record alone changes
	howDisk               // the file is packed from disk
	howContent            // the content is taken out of the chunk that is names, and packed anew
)

// changes are records that replace others, on disk, in the order of the new records. It is filled, then read, any number of
// times.
type changes struct {
	sorter *manifest.Sorter // by area and the key of the new record
	dead   *manifest.Sorter // the area and the key of the old record: graveReplaced, or graveOrphan
	sizes  sizes            // of the contents
	packs  int64            // changes that are to be packed
}

// changeMemory is what one sorter of changes holds.
const changeMemory = 8 << 20

func newChanges(temp string) *changes {
	return &changes{sorter: manifest.NewSorter(temp, changeMemory), dead: manifest.NewSorter(temp, changeMemory)}
}

func (c *changes) close() {
	c.sorter.Close() //nolint:errcheck // temporary files
	c.dead.Close()   //nolint:errcheck // temporary files
}

// areaKey is the key of a record among those of all areas.
func areaKey(dst []byte, f manifest.File) []byte {
	return manifest.FileKey(append(dst, byte(f.Area.Rank())), f.Path, f.ID)
}

// add takes a change.
func (c *changes) add(x change) error {
	v := make([]byte, 5, 1024)
	v[0] = byte(x.how)
	v, err := x.was.AppendJSON(v)
	if err == nil {
		binary.BigEndian.PutUint32(v[1:], uint32(len(v)))
		v, err = x.is.AppendJSON(v)
	}
	if err == nil {
		err = c.sorter.Add(areaKey(nil, x.is), v)
	}
	if err == nil {
		err = c.dead.Add(areaKey(nil, x.was), []byte{graveReplaced})
	}
	if err == nil && x.is.Disk != "" && !isStored(x.was) {
		err = c.dead.Add(areaKey(nil, manifest.File{Area: x.is.Area, Path: x.is.Disk}), []byte{graveOrphan})
	}
	if err != nil {
		return fmt.Errorf("keeping the record of file %q (id %d): %w", x.is.DiskPath(), x.is.ID, err)
	}
	if x.how != howRecord {
		c.packs++
		c.sizes.add(x.is.Size)
	}
	if isStored(x.was) {
		c.sizes.add(x.was.Size)
	}
	return nil
}

// each calls fn for every change, in order.
func (c *changes) each(ctx context.Context, fn func(change) error) error {
	r, err := c.read(ctx)
	for err == nil {
		var x change
		if x, err = r.next(); errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = fn(x)
		}
	}
	return err
}

// changeReader gives changes one after another.
type changeReader struct{ cursor manifest.Cursor }

func (c *changes) read(ctx context.Context) (*changeReader, error) {
	cursor, err := c.sorter.Sort(ctx)
	return &changeReader{cursor}, err
}

// next returns io.EOF behind the last one.
func (r *changeReader) next() (change, error) {
	_, v, err := r.cursor.Next()
	if err != nil {
		return change{}, err
	}
	n := binary.BigEndian.Uint32(v[1:])
	x := change{how: how(v[0])}
	if x.was, err = fileOf(v[5:n]); err == nil {
		x.is, err = fileOf(v[n:])
	}
	return x, err
}

func fileOf(raw []byte) (manifest.File, error) {
	return manifest.Line{Kind: manifest.KindFile, Raw: raw}.File()
}

// graves tells which records of the base are gone, which are asked for in their order.
type graves struct {
	cursor manifest.Cursor
	key    []byte
	why    byte
	more   bool
}

func (c *changes) graves(ctx context.Context) (*graves, error) {
	cursor, err := c.dead.Sort(ctx)
	if err != nil {
		return nil, err
	}
	g := &graves{cursor: cursor}
	return g, g.advance()
}

func (g *graves) advance() error {
	key, v, err := g.cursor.Next()
	if g.more = err == nil; g.more {
		g.key, g.why = key, v[0]
		return nil
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// has reports whether a record, with its key, is gone.
func (g *graves) has(f manifest.File, key []byte) (bool, error) {
	for g.more {
		switch bytes.Compare(g.key, key) {
		case 0:
			return g.why == graveReplaced || f.ID == 0 && !isStored(f) && f.State == manifest.NoRow, nil
		case 1:
			return false, nil
		}
		if err := g.advance(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// sizes is a set of sizes that may say yes to one that is not in it. Only files of such sizes can have the content of a
// file that is packed, so that the index of contents needs no others.
type sizes struct{ bits [1 << 17]uint64 }

func (s *sizes) place(n int64) (word int, bit uint64) {
	h := uint64(n) * 0x9e3779b97f4a7c15 >> 41
	return int(h >> 6), 1 << (h & 63)
}

func (s *sizes) add(n int64) {
	w, b := s.place(n)
	s.bits[w] |= b
}

// lacks reports whether the size in a line is for certain not in the set, without decoding the line.
func (s *sizes) lacks(line []byte) bool {
	const key = `"size":` // in a string the quotes would be escaped
	return bytes.Contains(line, []byte(key)) && !s.has(number(line, key))
}

func (s *sizes) has(n int64) bool {
	w, b := s.place(n)
	return s.bits[w]&b != 0
}
