package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/parquet-go/parquet-go/format"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// PartReader reads the rows of a table part and refuses everything that PartWriter does not write. It holds one page of
// every column.
type PartReader struct {
	schema  *partSchema
	source  *faults
	pool    *Pool
	dec     *decoder
	footer  *footer
	group   int // the row group to be opened next
	left    int // rows left of the open one
	fields  []fieldReader
	leaves  []*pageReader
	content *content
	first   string
	last    source.Row
	slab    []any // room for rows to come
	ended   bool
	err     error
}

// fieldReader reads the values of a column of the table from its leaves.
type fieldReader struct {
	source.Column
	value, ticks, offset, utf16 *pageReader
}

// NewPartReader opens a part of t that has size bytes and reads its footer.
func NewPartReader(ra io.ReaderAt, size int64, t manifest.Table) (*PartReader, error) {
	return new(Pool).NewPartReader(ra, size, t)
}

// NewPartReader is the function NewPartReader with buffers from the pool, to which Close returns them.
func (p *Pool) NewPartReader(ra io.ReaderAt, size int64, t manifest.Table) (*PartReader, error) {
	s, err := newPartSchema(t)
	if err != nil {
		return nil, err
	}
	from := &faults{ra: ra}
	f, err := readFooter(from, size, s)
	if err != nil {
		return nil, fmt.Errorf("part of table %q: %w", t.Name, err)
	}
	dec, err := p.decoder()
	if err != nil {
		return nil, err
	}
	r := &PartReader{schema: s, source: from, pool: p, dec: dec, footer: f, content: newContent(s.cols)}
	open := func(l *leaf) *pageReader {
		if l == nil {
			return nil
		}
		pr := &pageReader{leaf: *l, ra: from, codec: f.codec}
		r.leaves = append(r.leaves, pr)
		return pr
	}
	for i := range s.fields {
		f := &s.fields[i]
		r.fields = append(r.fields, fieldReader{Column: f.col, value: open(&f.value), ticks: open(f.ticks), offset: open(f.offset), utf16: open(f.utf16)})
	}
	return r, nil
}

// Rows returns how many rows the part holds.
func (r *PartReader) Rows() int64 { return r.footer.rows }

// Read returns the next row, which is the caller's. After the last one it returns io.EOF, and Part tells what was read.
// The rows of a part are to be used for good only after that, and when Part agrees with the part's record.
func (r *PartReader) Read() (source.Row, error) {
	if r.err != nil {
		return nil, r.err
	}
	n := r.content.rows + 1
	row, err := r.read()
	if err != nil {
		return nil, r.fail(n, err)
	}
	return row, nil
}

// fail ends the reading before row n, which may be the end of the part.
func (r *PartReader) fail(n int64, err error) error {
	r.err = io.EOF
	if !r.ended {
		r.err = fmt.Errorf("part of table %q: row %d: %w", r.schema.table.Name, n, r.source.blame(err))
	}
	return r.err
}

func (r *PartReader) read() (source.Row, error) {
	if r.left == 0 {
		if err := r.open(); err != nil {
			return nil, err
		}
	}
	n := len(r.fields)
	if len(r.slab) < n {
		r.slab = make([]any, 64*n)
	}
	row := source.Row(r.slab[:n:n])
	r.slab = r.slab[n:]
	halves, large := 0, false
	for i := range r.fields {
		v, half, err := r.fields[i].read(r.dec)
		if err != nil {
			return nil, r.fields[i].blame(err)
		}
		row[i] = v
		if half {
			halves++
		}
		large = large || len(bytesOf(v)) >= bigValue
	}
	// Encoding the row again also checks that every value is one of its type.
	if _, err := r.content.add(row); err != nil {
		return nil, err
	}
	if halves != r.content.halves {
		return nil, errNoUTF16
	}
	if r.content.rows == 1 {
		r.first = r.keyText(row)
	}
	r.left--
	r.last = row
	if large { // what is kept of it would stay while others are read
		r.slab, r.last = nil, withoutLarge(row)
	}
	return row, nil
}

func (r *PartReader) keyText(row source.Row) string {
	if r.schema.key.Empty() {
		return r.content.rowDigest().String()
	}
	return r.schema.key.Text(row)
}

// open begins the next row group.
func (r *PartReader) open() error {
	for _, p := range r.leaves {
		if p.next != p.values || p.at != p.end || p.room != 0 {
			return fmt.Errorf("column %q: bytes follow the last value of a row group", p.name)
		}
	}
	if r.group == len(r.footer.groups) {
		r.ended = true
		return io.EOF
	}
	g := &r.footer.groups[r.group]
	r.group++
	r.left = int(g.NumRows)
	for i, p := range r.leaves {
		m := &g.Columns[i].MetaData
		p.at, p.end = m.DataPageOffset, m.DataPageOffset+m.TotalCompressedSize
		p.room, p.left, p.values, p.next = m.TotalUncompressedSize, r.left, 0, 0
	}
	return nil
}

// Part returns what was read, after Read returned io.EOF. SHA256 and Bytes are not known here.
func (r *PartReader) Part() (Part, error) {
	if !errors.Is(r.err, io.EOF) {
		return Part{}, errors.New("part is not read to its end")
	}
	schema, err := SchemaDigest(r.schema.table)
	if err != nil {
		return Part{}, err
	}
	p := Part{Raw: r.content.raw, Rows: r.content.rows, Schema: schema, First: r.first, Last: r.keyText(r.last)}
	p.Content = r.content.sum()
	return p, nil
}

// Close gives the buffers back to the pool. It does not close the underlying reader.
func (r *PartReader) Close() {
	r.pool.putDecoder(r.dec)
	r.dec = nil
	if r.err == nil {
		r.err = errors.New("part is closed")
	}
}

// advance moves to the next value and returns its place among those that are not NULL.
func (p *pageReader) advance(d *decoder) (at int, present bool, err error) {
	if p.next == p.values {
		if p.left == 0 || p.at >= p.end {
			return 0, false, errors.New("values are missing")
		}
		if err := p.page(d); err != nil {
			return 0, false, err
		}
	}
	p.next++
	if p.blank || p.optional && p.levels[p.next-1] == 0 {
		return 0, false, nil
	}
	p.stored++
	return p.stored - 1, true, nil
}

// blame says which column is at fault.
func (f *fieldReader) blame(err error) error { return fmt.Errorf("column %q: %w", f.Name, err) }

// read returns the next value of a column. half tells that it is a text that is no Unicode.
func (f *fieldReader) read(d *decoder) (v any, half bool, err error) {
	at, present, err := f.value.advance(d)
	if err != nil {
		return nil, false, err
	}
	if f.utf16 != nil {
		text, half, err := f.text(d, at, present)
		if err != nil || !present {
			return nil, false, err
		}
		return text, half, nil
	}
	ticks, err := f.ticks.companion(d, present)
	if err != nil {
		return nil, false, err
	}
	offset, err := f.offset.companion(d, present)
	if err != nil || !present {
		return nil, false, err
	}
	v, err = f.get(at, int64(ticks), int16(offset))
	return v, false, err
}

// text returns the text that is at a place of the open page, or the one in UTF-16 that belongs to it.
func (f *fieldReader) text(d *decoder, at int, present bool) (s string, half bool, err error) {
	u, k := f.utf16, 0
	if u.blank && u.next < u.values { // as it is almost always
		u.next++
	} else if k, half, err = u.advance(d); err != nil {
		return "", false, err
	}
	if !present {
		if half {
			err = fmt.Errorf("%q has a value where the text is NULL", u.name)
		}
		return "", false, err
	}
	text := f.value.text[f.value.offsets[at]:f.value.offsets[at+1]]
	if !half {
		return text, false, nil
	}
	whole, ok := source.DecodeUTF16(u.data[u.offsets[k]:u.offsets[k+1]])
	if !ok || utf8.ValidString(whole) || source.Unicode(whole) != text {
		return "", false, fmt.Errorf("%q does not agree with the text", u.name)
	}
	return whole, true, nil
}

// companion returns the value that belongs to one of another leaf. A nil pageReader has zeros.
func (p *pageReader) companion(d *decoder, want bool) (int32, error) {
	if p == nil {
		return 0, nil
	}
	at, present, err := p.advance(d)
	if err != nil {
		return 0, err
	}
	if present != want {
		return 0, fmt.Errorf("%q is NULL where its value is not, or the reverse", p.name)
	}
	if !present {
		return 0, nil
	}
	return p.i32[at], nil
}

// get makes the value at a place of the open page.
func (f *fieldReader) get(at int, ticks int64, offset int16) (any, error) {
	p := f.value
	switch f.Type.Kind {
	case source.Bool:
		return p.data[at] == 1, nil
	case source.Int:
		return p.int(at), nil
	case source.Float:
		return math.Float64frombits(binary.LittleEndian.Uint64(p.data[8*at:])), nil
	case source.Real:
		v := float64(math.Float32frombits(binary.LittleEndian.Uint32(p.data[4*at:])))
		if math.Float32bits(float32(v)) != binary.LittleEndian.Uint32(p.data[4*at:]) {
			return nil, errors.New("a signalling NaN, which no value is")
		}
		return v, nil
	case source.Decimal:
		return p.decimal(at).format(f.Type.Scale), nil
	case source.Text:
		return p.text[p.offsets[at]:p.offsets[at+1]], nil
	case source.Bytes:
		return p.data[p.offsets[at]:p.offsets[at+1]:p.offsets[at+1]], nil
	case source.UUID:
		return [16]byte(p.data[16*at:]), nil
	case source.Date:
		return timeOf(0).AddDate(0, 0, int(p.i32[at])), nil
	}
	micros := p.int(at)
	if ticks < 0 || ticks >= ticksPerMicro || micros < firstSecond*1e6 || micros > (lastSecond+1)*1e6 {
		return nil, errors.New("a time that no type has")
	}
	return zoned(timeOf(micros*ticksPerMicro+ticks), offset), nil
}

func (p *pageReader) int(at int) int64 {
	if p.typ == format.Int32 {
		return int64(p.i32[at])
	}
	return p.i64[at]
}

func (p *pageReader) decimal(at int) int128 {
	if p.typ != format.FixedLenByteArray {
		v := p.int(at)
		return int128{v >> 63, uint64(v)}
	}
	value := p.data[p.width*at:][:p.width]
	var b [16]byte
	if value[0]&0x80 != 0 {
		for i := range b {
			b[i] = 0xFF
		}
	}
	copy(b[16-p.width:], value)
	return decimalOf(b[:])
}

// faults remembers whether reading failed, so that damage can be told from it.
type faults struct {
	ra  io.ReaderAt
	err error
}

func (f *faults) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.ra.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// blame marks err as damage unless reading failed. A page that ends too early is not the end of the part.
func (f *faults) blame(err error) error {
	if errors.Is(err, io.EOF) {
		err = errors.New(err.Error())
	}
	switch {
	case f.err != nil && !errors.Is(err, f.err):
		return fmt.Errorf("%w: %w", err, f.err)
	case f.err != nil || errors.Is(err, ErrDamaged):
		return err
	}
	return damaged("%w", err)
}

// textOf is bytes that nobody will change as a text, without copying them.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
