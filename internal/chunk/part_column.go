package chunk

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/parquet-go/parquet-go/format"

	"github.com/openomt/omt/internal/source"
)

// column collects the values of a leaf for one page, and the pages of a row group.
type column struct {
	leaf
	levels  []byte // of an optional leaf: 1 for every value and 0 for every NULL
	values  int    // NULLs too
	nulls   int
	bytes   int // about what the values take
	i32     []int32
	i64     []int64
	data    []byte   // byte arrays one behind the other; or values in PLAIN; or one byte for each boolean
	offsets []uint32 // where byte arrays begin, and where the last one ends
	at      []uint32 // of a sparse leaf: the places of values in the page, all others are NULL

	pages   [][]byte // headers and bodies
	stored  int64    // bytes of pages
	raw     int64    // the same before compression
	count   int64    // values in pages, NULLs too
	missing int64    // NULLs in pages
	large   bool     // one of the pages holds a large value
}

func newColumn(l leaf) *column { return &column{leaf: l, offsets: []uint32{0}} }

// reset forgets the open page.
func (c *column) reset() {
	c.levels, c.values, c.nulls, c.bytes = c.levels[:0], 0, 0, 0
	c.i32, c.i64, c.data, c.offsets = c.i32[:0], c.i64[:0], c.data[:0], c.offsets[:1]
	if c.sparse {
		c.at, c.levels = c.at[:0], nil
	}
}

func (c *column) null() {
	c.levels = append(c.levels, 0)
	c.values++
	c.nulls++
}

// present counts a value of some bytes that is not NULL.
func (c *column) present(bytes int) {
	if c.optional {
		c.levels = append(c.levels, 1)
	}
	c.values++
	c.bytes += bytes
}

// int puts an integer into a leaf of either width.
func (c *column) int(v int64) {
	if c.typ == format.Int32 {
		c.i32 = append(c.i32, int32(v))
		c.present(4)
	} else {
		c.i64 = append(c.i64, v)
		c.present(8)
	}
}

// fixed puts a value that is in its PLAIN form already.
func (c *column) fixed(b []byte) {
	c.data = append(c.data, b...)
	c.present(len(b))
}

// partField puts the values of a column of the table into its leaves.
type partField struct {
	source.Column
	value, ticks, offset *column
	utf16                *column // sparse: nothing is put there but texts that are no Unicode
}

func newPartField(f field) partField {
	p := partField{Column: f.col, value: newColumn(f.value)}
	if f.ticks != nil {
		p.ticks = newColumn(*f.ticks)
	}
	if f.offset != nil {
		p.offset = newColumn(*f.offset)
	}
	if f.utf16 != nil {
		p.utf16 = newColumn(*f.utf16)
	}
	return p
}

// dense returns the leaves that every value is put into.
func (f *partField) dense(all []*column) []*column {
	all = append(all, f.value)
	if f.ticks != nil {
		all = append(all, f.ticks)
	}
	if f.offset != nil {
		all = append(all, f.offset)
	}
	return all
}

// columns returns the leaves in their order.
func (f *partField) columns(all []*column) []*column {
	all = f.dense(all)
	if f.utf16 != nil {
		all = append(all, f.utf16)
	}
	return all
}

// put adds a value that has a canonical encoding and is not large.
func (f *partField) put(v any) {
	c := f.value
	switch v := v.(type) {
	case nil:
		for _, c := range f.dense(make([]*column, 0, 3)) {
			c.null()
		}
	case int64:
		c.int(v)
	case string:
		if f.Type.Kind == source.Decimal {
			f.decimal(v)
			return
		}
		c.data = append(c.data, v...)
		c.array(len(v))
	case []byte:
		c.data = append(c.data, v...)
		c.array(len(v))
	case time.Time:
		f.time(v)
	case bool:
		b := byte(0)
		if v {
			b = 1
		}
		c.data = append(c.data, b)
		c.present(1)
	case float64:
		var b [8]byte
		if f.Type.Kind == source.Real {
			c.fixed(binary.LittleEndian.AppendUint32(b[:0], math.Float32bits(float32(v))))
		} else {
			c.fixed(binary.LittleEndian.AppendUint64(b[:0], math.Float64bits(v)))
		}
	case [16]byte:
		c.fixed(v[:])
	}
}

// array counts a byte array that was added to data.
func (c *column) array(n int) {
	c.offsets = append(c.offsets, uint32(len(c.data)))
	c.present(n + 4)
}

// add puts a byte array into a sparse leaf, for a row of the row group.
func (c *column) add(row int64, b []byte) {
	c.at = append(c.at, uint32(row-c.count))
	c.data = append(c.data, b...)
	c.offsets = append(c.offsets, uint32(len(c.data)))
	c.bytes += len(b) + 4
}

func (f *partField) decimal(v string) {
	n, _ := parseDecimal(v, f.Type.Precision, f.Type.Scale)
	if f.value.typ != format.FixedLenByteArray {
		f.value.int(int64(n.lo))
		return
	}
	var b [16]byte
	f.value.fixed(n.append(b[:0])[16-f.value.width:])
}

func (f *partField) time(v time.Time) {
	if f.Type.Kind == source.Date {
		days, _ := daysOf(v)
		f.value.int(int64(days))
		return
	}
	ticks, _ := ticksOf(&f.Type, v)
	micros := floorDiv(ticks, ticksPerMicro)
	f.value.int(micros)
	if f.ticks != nil {
		f.ticks.int(ticks - micros*ticksPerMicro)
	}
	if f.offset != nil {
		f.offset.int(int64(offsetOf(v)))
	}
}
