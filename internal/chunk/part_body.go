package chunk

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// unpack returns the raw bytes of a body, in the room of out where they fit.
func (d *decoder) unpack(c Codec, in, out []byte, raw int) ([]byte, error) {
	if cap(out) < raw {
		out = make([]byte, 0, raw)
	}
	if c != Zstd {
		return out[:raw], d.inflate(c, bytes.NewReader(in), out[:raw])
	}
	if err := checkFrame(in, raw); err != nil {
		return nil, err
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

// inflate decompresses all of r into all of dst.
func (d *decoder) inflate(c Codec, r io.Reader, dst []byte) error {
	if d.from == nil {
		d.from = bufio.NewReaderSize(r, 32<<10)
	}
	d.from.Reset(r)
	defer d.from.Reset(nil)
	var err error
	switch c {
	case Snappy:
		err = unsnappy(dst, d.from)
	case Gzip:
		err = d.gunzip(dst)
	default:
		err = unzstd(dst, d.from)
	}
	if err == nil {
		err = atEnd(d.from)
	}
	if err != nil {
		return fmt.Errorf("decompressing a page: %w", err)
	}
	return nil
}

// atEnd reports that something follows.
func atEnd(r io.Reader) error {
	var b [1]byte
	n, err := io.ReadFull(r, b[:])
	if n > 0 {
		return errors.New("there is more than it says")
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// gzipHeader begins what a gzip.Writer writes: deflate, no fields, no time.
const gzipHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00"

func (d *decoder) gunzip(dst []byte) error {
	head, err := d.from.Peek(len(gzipHeader))
	if err != nil {
		return err
	}
	if string(head) != gzipHeader {
		return errors.New("its header is none of a page")
	}
	if d.gzip == nil {
		d.gzip = new(gzip.Reader)
	}
	if err := d.gzip.Reset(d.from); err != nil {
		return err
	}
	d.gzip.Multistream(false)
	if _, err := io.ReadFull(d.gzip, dst); err != nil {
		return err
	}
	return atEnd(d.gzip)
}

// unzstd decompresses one frame.
func unzstd(dst []byte, r *bufio.Reader) error {
	head, err := r.Peek(zstd.HeaderMaxSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := checkFrame(head, len(dst)); err != nil {
		return err
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(2*window))
	if err != nil {
		return err
	}
	defer z.Close()
	if _, err := io.ReadFull(z, dst); err != nil {
		return err
	}
	return atEnd(z)
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

// large reads the one large value of a page into the memory it will stay in.
func (p *pageReader) large(d *decoder, body io.Reader, raw int, compressed bool, sum, want uint32) error {
	crc := &crcReader{r: body, sum: sum}
	page := make([]byte, raw)
	var err error
	if compressed {
		err = d.inflate(p.codec, crc, page)
	} else {
		_, err = io.ReadFull(crc, page)
	}
	if err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	if crc.sum != want {
		return errors.New("a page does not agree with its checksum")
	}
	value := page[largePrefix:]
	if n := binary.LittleEndian.Uint32(page); int(n) != len(value) {
		return fmt.Errorf("a page of %d bytes has a value of %d", raw, n)
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
