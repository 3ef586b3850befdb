package parts

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

const (
	sketchMagic = "omtrows1"
	// sketchDigest is how many bytes of a row's digest tell a changed row from one that is the same.
	sketchDigest = 16
	// maxSketchKey bounds a key that is read back; no server has an index over more than some thousand bytes.
	maxSketchKey = 1 << 20
)

// ErrSketch says that a sketch is damaged or cut short, so that nothing can be told from it.
var ErrSketch = errors.New("the row digests of a part are damaged")

// keyed is the key of a table as a table of its own.
type keyed struct {
	table manifest.Table
	cols  []source.Column
	key   chunk.Key // in its rows
}

func keyedOf(t manifest.Table) (k keyed, err error) {
	if k.table, err = chunk.KeyTable(t); err != nil {
		return k, err
	}
	st := source.FromRecord(k.table)
	k.cols = st.Stored()
	k.key, err = chunk.KeyOf(st)
	return k, err
}

// SketchWriter notes what must be known of a part's rows to tell later which of them came, changed or went: for each row
// its key and a digest. It is written beside the part, and never leaves the machine.
//
// The form is "omtrows1"; for each row the length of its key plus one as a varint, the key's values in the canonical encoding,
// and 16 bytes of the row's digest; a zero; and the SHA-256 of all that.
type SketchWriter struct {
	keyed
	of   chunk.Key // in the table's rows
	to   io.Writer
	w    *bufio.Writer // to and hash
	hash hash.Hash
	buf  []byte
	err  error
}

// NewSketchWriter makes a SketchWriter for rows of t, which has a key, on w.
func NewSketchWriter(w io.Writer, t manifest.Table) (*SketchWriter, error) {
	k, err := keyedOf(t)
	if err != nil {
		return nil, err
	}
	of, err := chunk.KeyOf(source.FromRecord(t))
	s := &SketchWriter{keyed: k, of: of, to: w, hash: sha256.New()}
	s.w = bufio.NewWriterSize(io.MultiWriter(w, s.hash), 32<<10)
	s.buf = append(s.buf, sketchMagic...)
	s.write()
	return s, err
}

// Add takes the part's next row with its digest (chunk.RowDigest).
func (s *SketchWriter) Add(row source.Row, digest manifest.Digest) error {
	key, err := chunk.AppendRow(nil, s.cols, s.of.Values(row))
	if err != nil {
		return err
	}
	s.buf = binary.AppendUvarint(s.buf, uint64(len(key))+1)
	s.buf = append(s.buf, key...)
	s.buf = append(s.buf, digest[:sketchDigest]...)
	s.write()
	return s.err
}

func (s *SketchWriter) write() {
	if s.err == nil {
		_, s.err = s.w.Write(s.buf)
	}
	s.buf = s.buf[:0]
}

// Close ends the sketch. It does not close the underlying writer.
func (s *SketchWriter) Close() error {
	s.buf = append(s.buf, 0)
	s.write()
	if s.err == nil {
		s.err = s.w.Flush()
	}
	if s.err == nil {
		_, s.err = s.to.Write(s.hash.Sum(nil))
	}
	if s.err != nil {
		return fmt.Errorf("writing the row digests of a part: %w", s.err)
	}
	return nil
}

// Sketch reads what a SketchWriter wrote, row by row.
type Sketch struct {
	keyed
	r      *bufio.Reader
	row    source.Row // the key at hand; nil behind the last
	at     []byte     // in the order of keys
	digest [sketchDigest]byte
}

// OpenSketch reads a sketch of a part of t from its beginning to its end, to see that it is whole, and opens it.
func OpenSketch(f io.ReadSeeker, t manifest.Table) (*Sketch, error) {
	k, err := keyedOf(t)
	if err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil && size < int64(len(sketchMagic))+1+sha256.Size {
		err = ErrSketch
	}
	if err == nil {
		err = checkSketch(f, size-sha256.Size)
	}
	if err == nil {
		_, err = f.Seek(int64(len(sketchMagic)), io.SeekStart)
	}
	if err != nil {
		return nil, err
	}
	s := &Sketch{keyed: k, r: bufio.NewReaderSize(f, 32<<10)}
	return s, s.next()
}

func checkSketch(f io.ReadSeeker, n int64) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	h := sha256.New()
	magic := make([]byte, len(sketchMagic))
	if _, err := io.ReadFull(f, magic); err != nil {
		return err
	}
	h.Write(magic)
	if _, err := io.CopyN(h, f, n-int64(len(magic))); err != nil {
		return err
	}
	sum := make([]byte, sha256.Size)
	if _, err := io.ReadFull(f, sum); err != nil {
		return err
	}
	if string(magic) != sketchMagic || !bytes.Equal(sum, h.Sum(nil)) {
		return ErrSketch
	}
	return nil
}

// next takes the next key.
func (s *Sketch) next() error {
	n, err := binary.ReadUvarint(s.r)
	if err != nil || n > maxSketchKey {
		return ErrSketch
	}
	if n == 0 {
		s.row, s.at = nil, nil
		return nil
	}
	b := make([]byte, n-1)
	if _, err := io.ReadFull(s.r, b); err != nil {
		return ErrSketch
	}
	if _, err := io.ReadFull(s.r, s.digest[:]); err != nil {
		return ErrSketch
	}
	if s.row, err = chunk.DecodeRow(s.cols, b); err != nil {
		return ErrSketch
	}
	if s.at, err = s.key.Append(s.at[:0], s.row); err != nil {
		return ErrSketch
	}
	return nil
}
