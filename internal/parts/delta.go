package parts

import (
	"bytes"
	"fmt"
	"os"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Change is a chunk that changes a part, in a file that is the caller's to sync, place or remove.
type Change struct {
	Op   string // manifest.OpDelta or OpDelete
	File *os.File
	Part chunk.Part
}

// DeltaWriter finds out what changed in a part since its sketch was made, while the part's rows pass. Rows that came or
// changed go into one chunk, the keys of rows that went into another.
type DeltaWriter struct {
	keyed
	of     chunk.Key
	rows   manifest.Table
	old    *Sketch
	o      chunk.PartOptions
	create func() (*os.File, error)
	put    *change
	gone   *change
	at     []byte
}

type change struct {
	f *os.File
	w *chunk.PartWriter
}

// NewDeltaWriter makes a DeltaWriter for a part of t whose sketch is old. create makes a temporary file.
func NewDeltaWriter(t manifest.Table, old *Sketch, o chunk.PartOptions, create func() (*os.File, error)) (*DeltaWriter, error) {
	k, err := keyedOf(t)
	if err != nil {
		return nil, err
	}
	of, err := chunk.KeyOf(source.FromRecord(t))
	return &DeltaWriter{keyed: k, of: of, rows: t, old: old, o: o, create: create}, err
}

// Add takes the part's next row, in the order of keys, with its digest (chunk.RowDigest).
func (d *DeltaWriter) Add(row source.Row, digest manifest.Digest) (err error) {
	if d.at, err = d.of.Append(d.at[:0], row); err != nil {
		return err
	}
	if err := d.before(d.at); err != nil {
		return err
	}
	if d.old.row == nil || !bytes.Equal(d.old.at, d.at) {
		return d.write(&d.put, d.rows, row)
	}
	same := bytes.Equal(d.old.digest[:], digest[:sketchDigest])
	if err := d.old.next(); err != nil {
		return err
	}
	if same {
		return nil
	}
	return d.write(&d.put, d.rows, row)
}

// before takes the rows that went whose keys come before a key; nil: all.
func (d *DeltaWriter) before(key []byte) error {
	for d.old.row != nil && (key == nil || bytes.Compare(d.old.at, key) < 0) {
		if err := d.write(&d.gone, d.table, d.old.row); err != nil {
			return err
		}
		if err := d.old.next(); err != nil {
			return err
		}
	}
	return nil
}

func (d *DeltaWriter) write(c **change, t manifest.Table, row source.Row) error {
	if *c == nil {
		f, err := d.create()
		if err != nil {
			return fmt.Errorf("creating a delta in the spool: %w", err)
		}
		*c = &change{f: f}
		if (*c).w, err = chunk.NewPartWriter(f, t, d.o); err != nil {
			return err
		}
	}
	return (*c).w.Write(row)
}

// Close ends the part, and gives what changes it: nothing, where it is the same.
func (d *DeltaWriter) Close() ([]Change, error) {
	if err := d.before(nil); err != nil {
		return nil, err
	}
	var list []Change
	for _, c := range []struct {
		op string
		*change
	}{{manifest.OpDelete, d.gone}, {manifest.OpDelta, d.put}} {
		if c.change == nil {
			continue
		}
		part, err := c.w.Close()
		if err != nil {
			return nil, err
		}
		list = append(list, Change{Op: c.op, File: c.f, Part: part})
	}
	d.gone, d.put = nil, nil
	return list, nil
}

// Abandon removes what was written and not given away by Close.
func (d *DeltaWriter) Abandon() {
	for _, c := range []*change{d.gone, d.put} {
		if c != nil {
			c.f.Close()
			os.Remove(c.f.Name())
		}
	}
	d.gone, d.put = nil, nil
}
