package chunk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// pager makes pages of columns. It serves all columns of a part.
type pager struct {
	enc    *encoder
	codec  Codec
	levels []byte
	marks  []byte // levels of sparse leaves before they are encoded
	body   []byte
	header bytes.Buffer
}

// fill makes the open page of a sparse leaf reach to a row of the row group: what was not put is NULL.
func (p *pager) fill(c *column, rows int64) {
	c.values = int(rows - c.count)
	c.nulls = c.values - len(c.at)
	p.marks = append(p.marks[:0], make([]byte, c.values)...)
	for _, at := range c.at {
		p.marks[at] = 1
	}
	c.levels = p.marks
}

// page ends the open page of a column, if it has values.
func (p *pager) page(c *column) error {
	if c.values == 0 {
		return nil
	}
	body, err := p.encode(c)
	if err != nil {
		return fmt.Errorf("column %q: encoding a page: %w", c.name, err)
	}
	stored, err := p.enc.compress(p.codec, body)
	if err != nil {
		return fmt.Errorf("column %q: compressing a page: %w", c.name, err)
	}
	if len(stored) >= len(body) {
		stored = body
	}
	err = p.add(c, c.encoding(), len(body), [][]byte{stored}, true)
	c.reset()
	return err
}

// encode puts the values of the open page that are not NULL into their encoding. The result is valid until the next
// call.
func (p *pager) encode(c *column) (body []byte, err error) {
	switch c.typ {
	case format.Int32:
		p.body, err = new(delta.BinaryPackedEncoding).EncodeInt32(p.body, c.i32)
	case format.Int64:
		p.body, err = new(delta.BinaryPackedEncoding).EncodeInt64(p.body, c.i64)
	case format.ByteArray:
		p.body, err = new(delta.LengthByteArrayEncoding).EncodeByteArray(p.body, c.data, c.offsets)
	case format.Boolean:
		p.body = append(p.body[:0], make([]byte, (len(c.data)+7)/8)...)
		for i, b := range c.data {
			p.body[i/8] |= b << (i % 8)
		}
	default:
		return c.data, nil
	}
	return p.body, err
}

// large makes a page of one large value. Where it does not compress, the page refers to the value itself.
func (p *pager) large(c *column, value []byte) error {
	if err := p.page(c); err != nil {
		return err
	}
	if len(value) > maxLarge {
		return fmt.Errorf("column %q: value of %d bytes: Parquet holds at most %d", c.name, len(value), maxLarge)
	}
	c.present(0)
	prefix := binary.LittleEndian.AppendUint32(nil, uint32(len(value)))
	raw := len(prefix) + len(value)
	stored := [][]byte{prefix, value}
	if !p.enc.incompressible(p.codec, value) {
		var out pieces
		if err := p.enc.stream(p.codec, &out, int64(raw), stored...); err != nil {
			return fmt.Errorf("column %q: compressing %d bytes: %w", c.name, raw, err)
		}
		if out.size < raw {
			stored = out.list
		}
	}
	c.large = true
	err := p.add(c, format.Plain, raw, stored, false)
	c.reset()
	return err
}

// pieces collects what is written in pieces that are not moved when more comes.
type pieces struct {
	list [][]byte
	size int
}

func (p *pieces) Write(b []byte) (int, error) {
	p.size += len(b)
	for rest := b; len(rest) > 0; {
		if n := len(p.list); n == 0 || len(p.list[n-1]) == cap(p.list[n-1]) {
			p.list = append(p.list, make([]byte, 0, frameSize))
		}
		last := &p.list[len(p.list)-1]
		n := min(len(rest), cap(*last)-len(*last))
		*last = append(*last, rest[:n]...)
		rest = rest[n:]
	}
	return len(b), nil
}

// add writes the header of the open page and adds the page to those of the row group; its body is stored in pieces that
// are copied first if they are scratch space. raw is the length of the body before compression.
func (p *pager) add(c *column, enc format.Encoding, raw int, stored [][]byte, scratch bool) error {
	p.levels = p.levels[:0]
	if c.optional {
		var err error
		if p.levels, err = (&rle.Encoding{BitWidth: 1}).EncodeLevels(p.levels, c.levels); err != nil {
			return fmt.Errorf("column %q: encoding levels: %w", c.name, err)
		}
	}
	size := 0
	sum := crc32.ChecksumIEEE(p.levels)
	for _, b := range stored {
		size += len(b)
		sum = crc32.Update(sum, crc32.IEEETable, b)
	}
	h := format.PageHeader{
		Type:                 format.DataPageV2,
		UncompressedPageSize: int32(len(p.levels) + raw),
		CompressedPageSize:   int32(len(p.levels) + size),
		CRC:                  int32(sum),
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
			NumValues:                  int32(c.values),
			NumNulls:                   int32(c.nulls),
			NumRows:                    int32(c.values),
			Encoding:                   enc,
			DefinitionLevelsByteLength: int32(len(p.levels)),
			IsCompressed:               thrift.New(size < raw),
			Statistics:                 format.Statistics{NullCount: int64(c.nulls)},
		}),
	}
	p.header.Reset()
	if err := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&p.header)).Encode(&h); err != nil {
		return fmt.Errorf("column %q: encoding a page header: %w", c.name, err)
	}
	front := p.header.Len() + len(p.levels)
	room := front
	if scratch {
		room += size
	}
	page := append(append(make([]byte, 0, room), p.header.Bytes()...), p.levels...)
	if scratch {
		for _, b := range stored {
			page = append(page, b...)
		}
		stored = nil
	}
	c.pages = append(append(c.pages, page), stored...)
	c.stored += int64(front + size)
	c.raw += int64(front + raw)
	c.count += int64(c.values)
	c.missing += int64(c.nulls)
	return nil
}
