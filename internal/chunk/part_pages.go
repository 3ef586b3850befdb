package chunk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
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
	ra   io.ReaderAt
	at   int64 // where the next page of the row group begins, and below where the last one ends
	end  int64
	left int // values of the row group behind the open page

	values  int    // in the open page
	next    int    // the value to be read next, NULLs counted
	stored  int    // the same without NULLs
	levels  []byte // 1 for a value; of an optional leaf
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
		return p.large(body, raw, v2.IsCompressed.V, sum, uint32(h.CRC))
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
	if p.body, err = unpackBody(d, p.in, p.body, raw, v2.IsCompressed.V); err != nil {
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
	if raw < 0 || int64(h.CompressedPageSize) > room || !v.IsCompressed.V && h.CompressedPageSize != h.UncompressedPageSize {
		return false
	}
	if v.Encoding == format.Plain && p.typ == format.ByteArray {
		return v.NumValues == 1 && v.NumNulls == 0 // a large value
	}
	return v.Encoding == p.encoding() && raw <= maxBody
}

// setLevels decodes the levels: a hybrid of runs and of packed groups of eight, each one bit wide.
func (p *pageReader) setLevels(b []byte, nulls int) error {
	p.levels = p.levels[:0]
	if !p.optional {
		if nulls > 0 {
			return errors.New("NULLs in a column that is declared NOT NULL")
		}
		return nil
	}
	present := 0
	for len(b) > 0 && len(p.levels) < p.values {
		head, n := binary.Uvarint(b)
		if n <= 0 || n == len(b) {
			return errors.New("levels of a page are cut")
		}
		b = b[n:]
		room := p.values - len(p.levels)
		if head&1 == 0 {
			for range min(head>>1, uint64(room)) {
				p.levels = append(p.levels, b[0]&1)
			}
			present += int(min(head>>1, uint64(room))) * int(b[0]&1)
			b = b[1:]
			continue
		}
		for groups := head >> 1; groups > 0 && room > 0; groups-- {
			if len(b) == 0 {
				return errors.New("levels of a page are cut")
			}
			for i := range min(8, room) {
				p.levels = append(p.levels, b[0]>>i&1)
				present += int(b[0] >> i & 1)
			}
			room -= min(8, room)
			b = b[1:]
		}
	}
	if len(p.levels) != p.values || p.values-present != nulls {
		return fmt.Errorf("a page has levels for %d values of which %d are NULL, want %d and %d", len(p.levels), len(p.levels)-present, p.values, nulls)
	}
	return nil
}

// unpackBody returns the raw bytes of a body.
func unpackBody(d *decoder, in, out []byte, raw int, compressed bool) ([]byte, error) {
	if !compressed {
		return append(out[:0], in...), nil
	}
	if err := checkFrame(in, raw); err != nil {
		return nil, err
	}
	if cap(out) < raw {
		out = make([]byte, 0, raw)
	}
	out, err := d.zstd.DecodeAll(in, out[:0])
	if err == nil && len(out) != raw {
		err = fmt.Errorf("it has %d bytes, not %d", len(out), raw)
	}
	if err != nil {
		return nil, fmt.Errorf("decompressing a page: %w", err)
	}
	return out, nil
}

// checkFrame refuses a frame that does not say that it unpacks to raw bytes.
func checkFrame(b []byte, raw int) error {
	var h zstd.Header
	if err := h.Decode(b); err != nil {
		return fmt.Errorf("decompressing a page: %w", err)
	}
	// Sizes below 256 bytes are left out where the window is told.
	if h.HasFCS && h.FrameContentSize != uint64(raw) || !h.HasFCS && raw >= 256 || h.Skippable {
		return fmt.Errorf("decompressing a page: it unpacks to %d bytes, not %d", h.FrameContentSize, raw)
	}
	return nil
}

// decode takes the values of a page from its body. count is how many there are without NULLs.
func (p *pageReader) decode(count int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoding a page: %v", r)
		}
	}()
	got := 0
	switch p.typ {
	case format.Int32:
		if err := checkDelta(p.body, count); err != nil {
			return err
		}
		p.i32, err = new(delta.BinaryPackedEncoding).DecodeInt32(p.i32, p.body)
		got = len(p.i32)
	case format.Int64:
		if err := checkDelta(p.body, count); err != nil {
			return err
		}
		p.i64, err = new(delta.BinaryPackedEncoding).DecodeInt64(p.i64, p.body)
		got = len(p.i64)
	case format.ByteArray:
		if err := checkDelta(p.body, count); err != nil {
			return err
		}
		p.data, p.offsets, err = new(delta.LengthByteArrayEncoding).DecodeByteArray([]byte{}, p.body, p.offsets)
		if p.logical != nil {
			p.text = textOf(p.data)
		}
		got = len(p.offsets) - 1
	case format.Boolean:
		p.data = p.data[:0]
		for i := range min(count, 8*len(p.body)) {
			p.data = append(p.data, p.body[i/8]>>(i%8)&1)
		}
		got = len(p.data)
	default:
		p.data = append(p.data[:0], p.body...)
		got = len(p.data) / p.plainSize()
	}
	if err == nil && got != count {
		err = fmt.Errorf("it has %d values, not %d", got, count)
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

// checkDelta checks the header of DELTA_BINARY_PACKED, from which its decoder takes how much memory it needs.
func checkDelta(b []byte, count int) error {
	want := binary.AppendUvarint(nil, deltaBlock)
	want = binary.AppendUvarint(want, deltaMinis)
	want = binary.AppendUvarint(want, uint64(count))
	if !bytes.HasPrefix(b, want) {
		return fmt.Errorf("decoding a page: it does not begin with a block of %d values", count)
	}
	return nil
}

// large reads the one large value of a page straight into the memory it will stay in.
func (p *pageReader) large(body io.Reader, raw int, compressed bool, sum, want uint32) error {
	if raw < 4 {
		return fmt.Errorf("a page of %d bytes has no value", raw)
	}
	crc := &crcReader{r: body, sum: sum}
	var in io.Reader = crc
	if compressed {
		head := make([]byte, zstd.HeaderMaxSize)
		n, err := io.ReadFull(crc, head)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("reading a page: %w", err)
		}
		if err := checkFrame(head[:n], raw); err != nil {
			return err
		}
		z, err := zstd.NewReader(io.MultiReader(bytes.NewReader(head[:n]), crc), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(2*window))
		if err != nil {
			return fmt.Errorf("decompressing a page: %w", err)
		}
		defer z.Close()
		in = z
	}
	var prefix [4]byte
	if _, err := io.ReadFull(in, prefix[:]); err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	if n := binary.LittleEndian.Uint32(prefix[:]); int64(n) != int64(raw-4) {
		return fmt.Errorf("a page of %d bytes has a value of %d", raw, n)
	}
	value := make([]byte, raw-4)
	if _, err := io.ReadFull(in, value); err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	if _, err := io.Copy(io.Discard, crc); err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	if crc.sum != want {
		return errors.New("a page does not agree with its checksum")
	}
	p.data, p.offsets = value, append(p.offsets[:0], 0, uint32(len(value)))
	if p.logical != nil {
		p.text = textOf(value)
	}
	return nil
}

// crcReader sums what is read through it.
type crcReader struct {
	r   io.Reader
	sum uint32
}

func (c *crcReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.sum = crc32.Update(c.sum, crc32.IEEETable, p[:n])
	return n, err
}
