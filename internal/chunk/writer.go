package chunk

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// ErrSize is wrapped where content turned out shorter or longer than its entry says, as it does when a file changes
// while it is read.
var ErrSize = errors.New("content is not of the announced size")

// Options are the choices of writers.
type Options struct {
	Level int   // 1 fastest, 2 default, 3 smallest; 0 is 2
	Pool  *Pool // where buffers come from and go to; nil: made anew
}

// Summary is what Close says of a chunk.
type Summary struct {
	SHA256 manifest.Digest // of its bytes
	Bytes  int64           // as stored
	Raw    int64           // of the tar stream
	Items  int             // entries
}

// Writer writes a file chunk as a stream. The same entries and level give the same bytes. After an error of Add the
// chunk is of no use, but Close must still be called, to give buffers back.
type Writer struct {
	framer  *framer
	enc     *encoder
	pool    *Pool
	content hash.Hash // of the entry being added
	items   int
	links   bool
	files   int // files whose content is in the open frame
	one     [1]byte
	err     error
}

// NewWriter makes a Writer on w, which it does not close.
func NewWriter(w io.Writer, o Options) *Writer {
	pool := o.Pool
	if pool == nil {
		pool = new(Pool)
	}
	enc, err := pool.encoder(o.Level)
	if err == nil && cap(enc.raw) == 0 {
		enc.raw = make([]byte, 0, maxFrame)
	}
	return &Writer{framer: newFramer(w), enc: enc, pool: pool, content: sha256.New(), err: err}
}

// Add writes an entry with content of exactly its size (nil for a link) and returns where the content begins in the tar
// stream and its SHA-256. Content of another size is an error that wraps ErrSize.
func (w *Writer) Add(e Entry, content io.Reader) (offset int64, sum [32]byte, err error) {
	if offset, err = w.begin(e); err != nil {
		return 0, sum, err
	}
	w.content.Reset()
	if content == nil {
		content = bytes.NewReader(nil)
	}
	if err := w.copy(e, content, w.content); err != nil {
		w.err = err
		return 0, sum, err
	}
	w.content.Sum(sum[:0])
	return offset, sum, nil
}

// AddBytes writes an entry whose content is in memory and has been hashed already.
func (w *Writer) AddBytes(e Entry, content []byte) (offset int64, err error) {
	if offset, err = w.begin(e); err != nil {
		return 0, err
	}
	if err := w.copy(e, bytes.NewReader(content), nil); err != nil {
		w.err = err
		return 0, err
	}
	return offset, nil
}

// begin ends a full frame and writes the header; it returns the offset of what follows.
func (w *Writer) begin(e Entry) (int64, error) {
	if w.err != nil {
		return 0, w.err
	}
	if err := e.check(); err != nil {
		w.err = err
		return 0, err
	}
	if w.items > 0 && w.links != (e.Link != "") {
		w.err = fmt.Errorf("entry %q: a chunk holds either files or links", e.Name)
		return 0, w.err
	}
	w.links = e.Link != ""
	if len(w.enc.raw) >= frameSize {
		if w.err = w.cut(); w.err != nil {
			return 0, w.err
		}
	}
	if w.enc.raw, w.err = appendHeader(w.enc.raw, e); w.err != nil {
		return 0, w.err
	}
	w.items++
	if e.Size > 0 {
		w.files++
	}
	return w.framer.raw + int64(len(w.enc.raw)), nil
}

// copy reads content into the frame and adds it to sum, if there is one. Inside a file it ends a frame after every
// frameSize bytes when more are to come.
func (w *Writer) copy(e Entry, content io.Reader, sum hash.Hash) error {
	const piece = 256 << 10 // stays in the processor's cache between reading and hashing
	inFrame := 0
	for done := int64(0); done < e.Size; {
		if inFrame == frameSize {
			if err := w.cut(); err != nil {
				return err
			}
			w.files, inFrame = 1, 0
		}
		n := int(min(e.Size-done, int64(frameSize-inFrame), piece))
		at := len(w.enc.raw)
		got, err := io.ReadFull(content, w.enc.raw[at:at+n])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return sizeError(e, done+int64(got))
		}
		if err != nil {
			return fmt.Errorf("entry %q: reading at byte %d: %w", e.Name, done+int64(got), err)
		}
		w.enc.raw = w.enc.raw[:at+n]
		if sum != nil {
			sum.Write(w.enc.raw[at:])
		}
		done += int64(n)
		inFrame += n
	}
	for range padding(e.Size) {
		w.enc.raw = append(w.enc.raw, 0)
	}
	if _, err := io.ReadFull(content, w.one[:]); err == nil {
		return fmt.Errorf("entry %q: %w: more than %d bytes", e.Name, ErrSize, e.Size)
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("entry %q: reading at byte %d: %w", e.Name, e.Size, err)
	}
	return nil
}

func sizeError(e Entry, got int64) error {
	return fmt.Errorf("entry %q: %w: %d bytes, not %d", e.Name, ErrSize, got, e.Size)
}

// cut ends the frame.
func (w *Writer) cut() error {
	joined := w.files > 1
	w.files = 0
	return w.framer.frame(w.enc, joined)
}

// Close ends the chunk. It does not close the underlying writer.
func (w *Writer) Close() (Summary, error) {
	if w.enc == nil && w.err == nil {
		return Summary{}, errors.New("chunk is closed already")
	}
	defer func() {
		w.pool.putEncoder(w.enc)
		w.enc = nil
	}()
	if w.err == nil && w.items == 0 {
		w.err = errors.New("chunk has no entries")
	}
	if w.err != nil {
		return Summary{}, w.err
	}
	w.enc.raw = append(w.enc.raw, make([]byte, tarEnd)...)
	if w.err = w.cut(); w.err != nil {
		return Summary{}, w.err
	}
	if w.err = w.framer.seekTable(); w.err != nil {
		return Summary{}, w.err
	}
	s := Summary{SHA256: w.framer.sum(), Bytes: w.framer.stored, Raw: w.framer.raw, Items: w.items}
	w.err = errors.New("chunk is closed already")
	return s, nil
}
