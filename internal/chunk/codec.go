package chunk

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/parquet-go/parquet-go/format"
)

// Codec is how the pages of a table part are compressed. The zero value is Zstd.
type Codec string

// The codecs.
const (
	Zstd   Codec = "zstd"
	Snappy Codec = "snappy"
	Gzip   Codec = "gzip"
)

// Check reports a codec that is none of these.
func (c Codec) Check() error {
	switch c {
	case "", Zstd, Snappy, Gzip:
		return nil
	}
	return fmt.Errorf("codec %q: want %q, %q or %q", string(c), Zstd, Snappy, Gzip)
}

// parquet is what a footer calls the codec.
func (c Codec) parquet() format.CompressionCodec {
	switch c {
	case Snappy:
		return format.Snappy
	case Gzip:
		return format.Gzip
	}
	return format.Zstd
}

// codecOf is the codec that a footer names.
func codecOf(f format.CompressionCodec) (Codec, bool) {
	for _, c := range [...]Codec{Zstd, Snappy, Gzip} {
		if c.parquet() == f {
			return c, true
		}
	}
	return "", false
}

// most is how many bytes come out of n at the most: zstd repeats a byte 128 Ki times by four, deflate repeats 258 bytes by
// two bits, and Snappy copies 64 by three bytes.
func (c Codec) most(n int64) int64 {
	switch c {
	case Snappy:
		return n * 64 / 3
	case Gzip:
		return n * 258 * 4
	}
	return n * (maxBlock / 4)
}

// gzipLevels are the levels of deflate for ours.
var gzipLevels = [maxLevel + 1]int{1: 1, 2: 5, 3: 6}

// deflater returns the encoder's gzip.Writer, which is made when it is needed first.
func (e *encoder) deflater(w io.Writer) (*gzip.Writer, error) {
	if e.gzip == nil {
		z, err := gzip.NewWriterLevel(w, gzipLevels[e.level])
		if err != nil {
			return nil, fmt.Errorf("making a gzip encoder: %w", err)
		}
		e.gzip = z
	}
	e.gzip.Reset(w)
	e.gzip.ModTime = time.Unix(0, 0) // none
	return e.gzip, nil
}

// compress returns b compressed, until the next call.
func (e *encoder) compress(c Codec, b []byte) ([]byte, error) {
	switch c {
	case Snappy:
		e.out = e.snappy.encode(e.out[:0], b)
	case Gzip:
		e.out = e.out[:0]
		if err := e.deflate((*appender)(&e.out), b); err != nil {
			return nil, err
		}
	default:
		e.out = e.zstd.EncodeAll(b, e.out[:0])
	}
	return e.out, nil
}

// appender appends what is written.
type appender []byte

func (a *appender) Write(b []byte) (int, error) {
	*a = append(*a, b...)
	return len(b), nil
}

func (e *encoder) deflate(w io.Writer, list ...[]byte) error {
	z, err := e.deflater(w)
	if err != nil {
		return err
	}
	defer z.Reset(io.Discard)
	for _, b := range list {
		if _, err := z.Write(b); err != nil {
			return err
		}
	}
	return z.Close()
}

// stream compresses pieces that have size bytes together as one, without a copy of them.
func (e *encoder) stream(c Codec, w io.Writer, size int64, list ...[]byte) error {
	switch c {
	case Snappy:
		e.out = binary.AppendUvarint(e.out[:0], uint64(size))
		for _, b := range list {
			for len(b) > 0 {
				n := min(len(b), snappyPiece)
				e.out = e.snappy.piece(e.out, b[:n])
				if _, err := w.Write(e.out); err != nil {
					return err
				}
				e.out, b = e.out[:0], b[n:]
			}
		}
		return nil
	case Gzip:
		return e.deflate(w, list...)
	}
	z := e.zstd
	z.ResetContentSize(w, size)
	defer z.Reset(nil)
	for _, b := range list {
		if _, err := z.Write(b); err != nil {
			return err
		}
	}
	return z.Close()
}
