package chunk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// largePrefix is the length before a large value.
	largePrefix = 4
	// maxHeader bounds a page header, which has no statistics but the number of NULLs.
	maxHeader = 256
	// maxBody bounds the decoded body of a page that holds no large value: it ends with the value that passes maxPage,
	// which is below bigValue, and integers and lengths take at most 5 bytes more.
	maxBody = maxPage + bigValue + 5*groupRows + 1<<10
	// deltaBlock and deltaMinis are the block of DELTA_BINARY_PACKED as parquet-go writes it.
	deltaBlock = 128
	deltaMinis = 4
)

// pageReader reads the pages of one leaf.
type pageReader struct {
	leaf
	ra    io.ReaderAt
	codec Codec
	at    int64 // where the next page of the row group begins, and below where the last one ends
	end   int64
	room  int64 // what the pages that follow have before compression, their headers counted
	left  int   // values of the row group behind the open page

	values  int    // in the open page
	next    int    // the value to be read next, NULLs counted
	stored  int    // the same without NULLs
	levels  []byte // 1 for a value; of an optional leaf
	blank   bool   // all values are NULL, and levels is empty
	i32     []int32
	i64     []int64
	data    []byte // byte arrays one behind the other, never used again for another page; or values in PLAIN
	text    string // data, of texts
	offsets []uint32

	in, body []byte
}

// page reads the next page.
func (p *pageReader) page(d *decoder) error {
	h, front, err := p.header()
	if err != nil {
		return err
	}
	v2 := &h.DataPageHeaderV2.V
	raw := int(h.UncompressedPageSize) - int(v2.DefinitionLevelsByteLength)
	size := int(h.CompressedPageSize) - int(v2.DefinitionLevelsByteLength)
	start := p.at + int64(front)
	p.at = start + int64(h.CompressedPageSize)
	levels := make([]byte, v2.DefinitionLevelsByteLength)
	if err := readAt(p.ra, levels, start); err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	p.values, p.next, p.stored = int(v2.NumValues), 0, 0
	p.left -= p.values
	if err := p.setLevels(levels, int(v2.NumNulls)); err != nil {
		return err
	}
	body := io.NewSectionReader(p.ra, start+int64(len(levels)), int64(size))
	sum := crc32.ChecksumIEEE(levels)
	if v2.Encoding == format.Plain && p.typ == format.ByteArray {
		return p.large(d, body, raw, v2.IsCompressed.V, sum, uint32(h.CRC))
	}
	if cap(p.in) < size {
		p.in = make([]byte, size)
	}
	p.in = p.in[:size]
	if _, err := io.ReadFull(body, p.in); err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	if crc32.Update(sum, crc32.IEEETable, p.in) != uint32(h.CRC) {
		return errors.New("a page does not agree with its checksum")
	}
	if !v2.IsCompressed.V {
		p.body = append(p.body[:0], p.in...)
	} else if p.body, err = d.unpack(p.codec, p.in, p.body, raw); err != nil {
		return err
	}
	return p.decode(int(v2.NumValues - v2.NumNulls))
}

// header reads the header of the next page and checks what will be relied on.
func (p *pageReader) header() (h format.PageHeader, front int, err error) {
	b := make([]byte, min(maxHeader, p.end-p.at))
	if err := readAt(p.ra, b, p.at); err != nil {
		return h, 0, fmt.Errorf("reading a page header: %w", err)
	}
	r := new(thrift.CompactProtocol).NewReaderFromBytes(b)
	if err := thrift.NewDecoder(r).Decode(&h); err != nil {
		return h, 0, fmt.Errorf("decoding a page header: %w", err)
	}
	front = r.BytesRead()
	v := &h.DataPageHeaderV2
	known := h.Type == format.DataPageV2 && v.Valid && v.V.IsCompressed.Valid && v.V.RepetitionLevelsByteLength == 0
	if !known || !p.countsFit(&v.V) || !p.sizesFit(&h, p.end-p.at-int64(front)) {
		return h, 0, errors.New("a page header says what no part has")
	}
	p.room -= int64(front) + int64(h.UncompressedPageSize)
	if p.room < 0 {
		return h, 0, errors.New("a page header says more than the footer does")
	}
	return h, front, nil
}

// countsFit checks the numbers of values of a page.
func (p *pageReader) countsFit(v *format.DataPageHeaderV2) bool {
	return v.NumValues >= 1 && int(v.NumValues) <= p.left && v.NumRows == v.NumValues &&
		v.NumNulls >= 0 && v.NumNulls <= v.NumValues
}

// sizesFit checks the lengths in a page header, behind which the row group has room bytes.
func (p *pageReader) sizesFit(h *format.PageHeader, room int64) bool {
	v := &h.DataPageHeaderV2.V
	levels := v.DefinitionLevelsByteLength
	if levels < 0 || levels > groupRows || (levels > 0) != p.optional || h.CompressedPageSize < levels {
		return false
	}
	raw := int64(h.UncompressedPageSize) - int64(levels)
	stored := int64(h.CompressedPageSize) - int64(levels)
	if int64(h.CompressedPageSize) > room || v.IsCompressed.V != (stored < raw) || stored > raw || raw > p.codec.most(stored) {
		return false
	}
	if v.Encoding == format.Plain && p.typ == format.ByteArray {
		return v.NumValues == 1 && v.NumNulls == 0 && raw >= largePrefix+bigValue
	}
	return v.Encoding == p.encoding() && raw <= maxBody
}

// setLevels decodes the levels: a hybrid of runs and of packed groups of eight, each one bit wide.
func (p *pageReader) setLevels(b []byte, nulls int) error {
	p.levels, p.blank = p.levels[:0], false
	if !p.optional {
		if nulls > 0 {
			return errors.New("NULLs in a column that is declared NOT NULL")
		}
		return nil
	}
	if p.blank = nulls == p.values && allNull(b, nulls); p.blank {
		return nil
	}
	for len(b) > 0 {
		var err error
		if b, err = p.run(b); err != nil {
			return err
		}
	}
	if got := bytes.Count(p.levels, []byte{0}); len(p.levels) != p.values || got != nulls {
		return fmt.Errorf("a page has levels for %d values of which %d are NULL, want %d and %d", len(p.levels), got, p.values, nulls)
	}
	return nil
}

// run decodes the first run or the first packed groups of levels, and returns what follows.
func (p *pageReader) run(b []byte) ([]byte, error) {
	head, n := binary.Uvarint(b)
	if n <= 0 || n == len(b) || head>>1 > groupRows {
		return nil, errors.New("levels of a page are cut")
	}
	b = b[n:]
	n = int(head >> 1)
	room := p.values - len(p.levels)
	if head&1 == 0 {
		if n > room || b[0] > 1 {
			return nil, errors.New("levels of a page are too many, or none")
		}
		for range n {
			p.levels = append(p.levels, b[0])
		}
		return b[1:], nil
	}
	if n > len(b) || 8*n > room {
		return nil, errors.New("levels of a page are cut, or too many")
	}
	for _, packed := range b[:n] {
		for i := range 8 {
			p.levels = append(p.levels, packed>>i&1)
		}
	}
	return b[n:], nil
}

// allNull reports whether levels are as they are written for n NULLs: a run of eights, and one of the rest.
func allNull(b []byte, n int) bool {
	var want []byte
	for _, run := range [2]int{n &^ 7, n & 7} {
		if run > 0 {
			want = append(binary.AppendUvarint(want, uint64(run)<<1), 0)
		}
	}
	return bytes.Equal(b, want)
}

// decode takes the values of a page from its body. count is how many there are without NULLs.
func (p *pageReader) decode(count int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoding a page: %v", r)
		}
	}()
	var ok bool
	switch p.typ {
	case format.Int32, format.Int64, format.ByteArray:
		return p.decodeDelta(count)
	case format.Boolean:
		p.data = p.data[:0]
		for i := range min(count, 8*len(p.body)) {
			p.data = append(p.data, p.body[i/8]>>(i%8)&1)
		}
		ok = len(p.body) == (count+7)/8 && (count%8 == 0 || p.body[count/8]>>(count%8) == 0)
	default:
		p.data = append(p.data[:0], p.body...)
		ok = len(p.data) == count*p.plainSize()
	}
	if !ok {
		return fmt.Errorf("decoding a page: %d bytes are not %d values", len(p.body), count)
	}
	return nil
}

// decodeDelta takes integers or byte arrays from the body.
func (p *pageReader) decodeDelta(count int) error {
	width := 32
	if p.typ == format.Int64 {
		width = 64
	}
	size, err := packedSize(p.body, count, width)
	if err != nil {
		return fmt.Errorf("decoding a page: %w", err)
	}
	switch p.typ {
	case format.Int32:
		p.i32, err = new(delta.BinaryPackedEncoding).DecodeInt32(p.i32, p.body)
	case format.Int64:
		p.i64, err = new(delta.BinaryPackedEncoding).DecodeInt64(p.i64, p.body)
	default:
		p.data, p.offsets, err = new(delta.LengthByteArrayEncoding).DecodeByteArray([]byte{}, p.body, p.offsets)
		if err == nil && !slices.IsSorted(p.offsets) {
			err = errors.New("lengths that add up to more than there is") // beyond 32 bits
		}
		size += len(p.data)
		if p.logical != nil {
			p.text = textOf(p.data)
		}
	}
	if err == nil && size != len(p.body) {
		err = fmt.Errorf("its values have %d bytes, not %d", size, len(p.body))
	}
	if err != nil {
		return fmt.Errorf("decoding a page: %w", err)
	}
	return nil
}

// plainSize returns the bytes of a value in PLAIN.
func (p *pageReader) plainSize() int {
	switch p.typ {
	case format.Double:
		return 8
	case format.Float:
		return 4
	}
	return p.width
}

// packedSize returns how many bytes of b are count integers in DELTA_BINARY_PACKED, of at most width bits. The decoder
// itself takes how much memory it needs from the head, and goes on where bytes are missing.
func packedSize(b []byte, count, width int) (int, error) {
	head := binary.AppendUvarint(nil, deltaBlock)
	head = binary.AppendUvarint(head, deltaMinis)
	head = binary.AppendUvarint(head, uint64(count))
	if !bytes.HasPrefix(b, head) {
		return 0, fmt.Errorf("it does not begin with a block of %d values", count)
	}
	at := len(head)
	number := func() { // the first value, and the smallest difference of each block
		if _, n := binary.Varint(b[min(at, len(b)):]); n > 0 {
			at += n
		} else {
			at = len(b) + 1
		}
	}
	number()
	left := count - 1
	for left > 0 && at+deltaMinis < len(b) {
		number()
		minis := b[min(at, len(b)):min(at+deltaMinis, len(b))]
		at += deltaMinis
		for _, bits := range minis {
			if int(bits) > width || left <= 0 && bits > 0 { // nothing is left for it
				return 0, fmt.Errorf("integers of %d bits", bits)
			}
			at += int(bits) * deltaBlock / deltaMinis / 8
			left -= deltaBlock / deltaMinis
		}
	}
	if left > 0 || at > len(b) {
		return 0, errors.New("integers are cut")
	}
	return at, nil
}
