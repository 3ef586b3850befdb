package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

const (
	parquetMagic = "PAR1"
	// partWriter is what the footer's created_by says, in the form that readers of Parquet know. It changes with the
	// format, not with the program, so that the same rows stay the same bytes.
	createdBy = "omt version 1 (build 1)"
	// A row group ends when its canonical rows have groupBytes, and at groupRows.
	groupBytes = 8 << 20
	groupRows  = 65_536
	// maxGroups is the most row groups that Parquet numbers.
	maxGroups = 1<<15 - 1
	// maxLarge is the longest value for which a page of Parquet has room.
	maxLarge = 1<<31 - 1 - 64
	// All open pages together have about openPages bytes; a page has at most maxPage, but for large values. Those of
	// sparse leaves, which are mostly empty, come on top and have minPage.
	openPages = 4 << 20
	maxPage   = 256 << 10
	minPage   = 16 << 10
)

// PartOptions are the choices of a PartWriter.
type PartOptions struct {
	Codec Codec
	Level int   // of compression: 1 fastest, 2 default, 3 smallest; 0 is 1; Snappy has none
	Pool  *Pool // where buffers come from and go to; nil: made anew
}

// Part is what Close says of a table part.
type Part struct {
	SHA256      manifest.Digest // of its bytes
	Bytes       int64           // as stored
	Raw         int64           // of the canonical rows with their lengths
	Rows        int64
	Content     manifest.Digest // over the canonical rows
	Schema      manifest.Digest // SchemaDigest of the table
	First, Last string          // keys as Key.Text writes them; of a table without one, digests of rows
}

// PartWriter writes rows of a table as a Parquet file. The same rows, codec and level give the same bytes.
type PartWriter struct {
	sink    sink
	schema  *partSchema
	pool    *Pool
	pager   pager
	fields  []partField
	columns []*column
	limit   int // bytes of an open page, but for sparse leaves
	content *content
	group   struct{ rows, bytes int64 }
	groups  []format.RowGroup
	first   string
	last    source.Row
	err     error
}

// NewPartWriter makes a PartWriter for rows of t on w, which it does not close. The rows given to Write are its rows in
// the order of the key, or of row digests where it has none.
func NewPartWriter(w io.Writer, t manifest.Table, o PartOptions) (*PartWriter, error) {
	s, err := newPartSchema(t)
	if err != nil {
		return nil, err
	}
	if err := o.Codec.Check(); err != nil {
		return nil, err
	}
	if o.Pool == nil {
		o.Pool = new(Pool)
	}
	if o.Level == 0 {
		o.Level = 1
	}
	enc, err := o.Pool.encoder(o.Level)
	if err != nil {
		return nil, err
	}
	p := &PartWriter{sink: newSink(w), schema: s, pool: o.Pool, pager: pager{enc: enc, codec: o.Codec}, content: newContent(s.cols)}
	for _, f := range s.fields {
		p.fields = append(p.fields, newPartField(f))
	}
	dense := 0
	for i := range p.fields {
		p.columns = p.fields[i].columns(p.columns)
		dense += len(p.fields[i].dense(nil))
	}
	p.limit = max(minPage, min(maxPage, openPages/dense))
	return p, nil
}

// Write adds a row. Its values must be of the kinds of their columns (see source.Kind); they are not changed, and large
// ones may be kept until the row group ends.
func (w *PartWriter) Write(row source.Row) error {
	if w.err != nil {
		return w.err
	}
	n := w.content.rows + 1
	if w.err = w.write(row); w.err != nil {
		w.err = fmt.Errorf("table %q: row %d of the part: %w", w.schema.table.Name, n, w.err)
	}
	return w.err
}

// RowDigest returns the RowDigest of the row that was written last.
func (w *PartWriter) RowDigest() manifest.Digest { return w.content.rowDigest() }

func (w *PartWriter) write(row source.Row) error {
	size, err := w.content.add(row)
	if err != nil {
		return err
	}
	if w.content.rows == 1 {
		if err := w.start(); err != nil {
			return err
		}
		w.first = w.keyText(row)
	}
	for i := range w.fields {
		if err := w.put(&w.fields[i], row[i]); err != nil {
			return err
		}
	}
	if w.last = row; size >= bigValue {
		w.last = withoutLarge(row)
	}
	w.group.rows++
	w.group.bytes += size
	if w.group.bytes >= groupBytes || w.group.rows >= groupRows {
		return w.endGroup()
	}
	return nil
}

func (w *PartWriter) put(f *partField, v any) error {
	if v == nil && !f.Null {
		return fmt.Errorf("column %q: NULL, but it is declared NOT NULL", f.Name)
	}
	if w.content.halves > 0 && f.utf16 != nil {
		if s, ok := v.(string); ok && !utf8.ValidString(s) {
			v = source.Unicode(s)
			if err := w.putUTF16(f.utf16, s); err != nil {
				return err
			}
		}
	}
	if b := bytesOf(v); len(b) >= bigValue {
		return w.pager.large(f.value, b)
	}
	f.put(v)
	if f.value.bytes < w.limit {
		return nil
	}
	for _, c := range f.dense(make([]*column, 0, 3)) {
		if err := w.pager.page(c); err != nil {
			return err
		}
	}
	return nil
}

// putUTF16 puts a text of the row at hand that is no Unicode into its companion.
func (w *PartWriter) putUTF16(c *column, s string) error {
	units := 0
	for i := range len(s) { // one for each character, two for those of four bytes
		if s[i]&0xC0 != 0x80 {
			units++
		}
		if s[i] >= 0xF0 {
			units++
		}
	}
	b := source.AppendUTF16(make([]byte, 0, 2*units), s)
	if len(b) >= bigValue {
		w.pager.fill(c, w.group.rows)
		return w.pager.large(c, b)
	}
	c.add(w.group.rows, b)
	if c.bytes < minPage {
		return nil
	}
	w.pager.fill(c, w.group.rows+1)
	return w.pager.page(c)
}

// keyText is the key of the row that was added last, for people.
func (w *PartWriter) keyText(row source.Row) string {
	if w.schema.key.Empty() {
		return w.content.rowDigest().String()
	}
	return w.schema.key.Text(row)
}

func (w *PartWriter) start() error { return w.sink.write([]byte(parquetMagic)) }

// endGroup writes the pages of the row group.
func (w *PartWriter) endGroup() error {
	if len(w.groups) == maxGroups {
		return fmt.Errorf("part is too large: more than %d row groups", maxGroups)
	}
	g := format.RowGroup{NumRows: w.group.rows, FileOffset: w.sink.stored, Ordinal: int16(len(w.groups))}
	for _, c := range w.columns {
		if c.sparse {
			w.pager.fill(c, w.group.rows)
		}
		if err := w.pager.page(c); err != nil {
			return err
		}
		g.Columns = append(g.Columns, format.ColumnChunk{MetaData: c.metadata(w.pager.codec, w.sink.stored)})
		g.TotalByteSize += c.raw
		g.TotalCompressedSize += c.stored
		for _, b := range c.pages {
			if err := w.sink.write(b); err != nil {
				return err
			}
		}
		clear(c.pages)
		c.pages, c.stored, c.raw, c.count, c.missing, c.large = c.pages[:0], 0, 0, 0, 0, false
	}
	w.groups = append(w.groups, g)
	w.group.rows, w.group.bytes = 0, 0
	return nil
}

// metadata describes the pages of the row group, which begin at an offset of the file.
func (c *column) metadata(codec Codec, offset int64) format.ColumnMetaData {
	m := format.ColumnMetaData{
		Type:                  c.typ,
		Encoding:              thrift.Slice[format.Encoding]{c.encoding()},
		PathInSchema:          thrift.Slice[string]{c.name},
		Codec:                 codec.parquet(),
		NumValues:             c.count,
		TotalUncompressedSize: c.raw,
		TotalCompressedSize:   c.stored,
		DataPageOffset:        offset,
		Statistics:            format.Statistics{NullCount: c.missing},
	}
	if c.large {
		m.Encoding = append(m.Encoding, format.Plain)
	}
	if c.optional {
		m.Encoding = append(m.Encoding, format.RLE)
	}
	return m
}

// Close writes the rest and the footer. It does not close the underlying writer.
func (w *PartWriter) Close() (Part, error) {
	if w.pager.enc == nil {
		return Part{}, errors.New("part is closed already")
	}
	defer func() {
		w.pool.putEncoder(w.pager.enc)
		w.pager.enc = nil
	}()
	if w.err == nil && w.content.rows == 0 {
		w.err = fmt.Errorf("table %q: part has no rows", w.schema.table.Name)
	}
	if w.err != nil {
		return Part{}, w.err
	}
	p := Part{Raw: w.content.raw, Rows: w.content.rows, First: w.first, Last: w.keyText(w.last)}
	p.Content = w.content.sum()
	if p.Schema, w.err = SchemaDigest(w.schema.table); w.err != nil {
		return Part{}, w.err
	}
	if w.err = w.end(); w.err != nil {
		return Part{}, w.err
	}
	p.SHA256, p.Bytes = w.sink.sum(), w.sink.stored
	w.err = errors.New("part is closed already")
	return p, nil
}

func (w *PartWriter) end() error {
	if w.group.rows > 0 {
		if err := w.endGroup(); err != nil {
			return err
		}
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), &format.FileMetaData{
		Version:          2,
		Schema:           w.schema.elements(),
		NumRows:          w.content.rows,
		RowGroups:        w.groups,
		KeyValueMetadata: []format.KeyValue{{Key: tableKey, Value: string(w.schema.json)}},
		CreatedBy:        createdBy,
	})
	if err != nil {
		return fmt.Errorf("encoding the footer: %w", err)
	}
	var b []byte
	b = binary.LittleEndian.AppendUint64(b, xxhash.Sum64(footer))
	b = append(b, footer...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(footer)))
	return w.sink.write(append(b, parquetMagic...))
}

// Chunk returns the part's record for a manifest.
func (p Part) Chunk(table string) manifest.Chunk {
	return manifest.Chunk{
		SHA256: p.SHA256, Type: manifest.ChunkParquet, Area: manifest.Database,
		Bytes: p.Bytes, Raw: p.Raw, Items: int(p.Rows),
		Table: table, First: p.First, Last: p.Last, Rows: p.Rows, Content: &p.Content, Schema: &p.Schema,
	}
}

// Chunk returns the chunk's record for a manifest.
func (s Summary) Chunk(area manifest.Area, role string) manifest.Chunk {
	return manifest.Chunk{
		SHA256: s.SHA256, Type: manifest.ChunkTar, Area: area, Role: role, Bytes: s.Bytes, Raw: s.Raw, Items: s.Items,
	}
}
