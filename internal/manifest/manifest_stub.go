package manifest

import (
	"context"
	"encoding/json"
	"io"
)

// Format is the version of the format that this package writes.
const Format = "omt/1"

// Line is one record as it was read. Raw is valid until the next call of Next.
type Line struct {
	Kind Kind
	Raw  []byte // the record without its line end, decoded to UTF-8 (ASCII when one of ours wrote it)
}

// Decode decodes the record into rec, ignoring unknown fields.
func (l Line) Decode(rec any) error { return json.Unmarshal(l.Raw, rec) }

// ReadOptions are the choices of a Reader.
type ReadOptions struct {
	AcceptEdits bool // an end record that does not match is accepted; Edited then tells
}

// Reader reads a manifest as a stream.
type Reader struct{}

// NewReader makes a Reader of r.
func NewReader(r io.Reader, o ReadOptions) *Reader { panic("stub") }

// Next returns the next record before end. After a good end it returns io.EOF. A manifest that is cut short, edited,
// not a manifest, of a newer format, or ended by an abort gives an *Error (status BadInput, or for an abort the status
// that the last stage must end with).
func (r *Reader) Next() (Line, error) { panic("stub") }

// End returns the end record after Next returned io.EOF.
func (r *Reader) End() End { panic("stub") }

// Edited returns the digest that the end record had when the manifest was edited and edits were accepted.
func (r *Reader) Edited() (was Digest, edited bool) { panic("stub") }

// Writer writes a manifest as a stream: kind first, ASCII only, LF.
type Writer struct{}

// NewWriter makes a Writer for tool ("omt-scan 0.1.0") on w.
func NewWriter(w io.Writer, tool string) *Writer { panic("stub") }

// Write writes one record. A record that is out of the order of the package comment is an error.
func (w *Writer) Write(rec Record) error { panic("stub") }

// WriteRaw copies a line read elsewhere through.
func (w *Writer) WriteRaw(l Line) error { panic("stub") }

// End writes the end record and flushes; it returns what it wrote.
func (w *Writer) End() (End, error) { panic("stub") }

// Abort writes the abort record in place of end and flushes.
func (w *Writer) Abort(status Status, message string) error { panic("stub") }

// Sorter sorts pairs of key and value by the bytes of the key, then of the value, spilling to temporary files.
type Sorter struct{}

// NewSorter makes a Sorter that holds at most memory bytes and spills into files below dir.
func NewSorter(dir string, memory int) *Sorter { panic("stub") }

// Add adds a pair; both slices are copied.
func (s *Sorter) Add(key, value []byte) error { panic("stub") }

// Sort ends adding and returns the pairs in order.
func (s *Sorter) Sort(ctx context.Context) (Cursor, error) { panic("stub") }

// Close removes the temporary files.
func (s *Sorter) Close() error { panic("stub") }

// Cursor is an ordered stream of pairs. The slices are valid until the next call. After the last pair it returns io.EOF.
type Cursor interface {
	Next() (key, value []byte, err error)
}

// MergeJoin walks two cursors in step. For each key it calls fn once with all values of the left and all of the right
// side under that key (either may be empty, not both). The slices are valid during the call. Groups are held in memory.
func MergeJoin(left, right Cursor, fn func(key []byte, left, right [][]byte) error) error { panic("stub") }

// FileKey appends the sort key of a file record inside its area: path bytes, then id; records without path last, by id.
func FileKey(dst []byte, path string, id int64) []byte { panic("stub") }
