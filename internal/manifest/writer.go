package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
)

const (
	writeBlock = 64 << 10
	keepBuffer = 1 << 20
)

// Writer writes a manifest as a stream: kind first, ASCII only, LF. It holds at most a block of 64 KiB and one line.
// After the first error of the stream below it every call returns that error.
type Writer struct {
	w      io.Writer
	tool   string
	buf    []byte // whole lines that are neither hashed nor written
	hash   hash.Hash
	order  order
	tally  tally
	json   bytes.Buffer
	enc    *json.Encoder
	closed bool
	err    error

	observe func(Line, Record) error
}

var errClosed = errors.New("writing the manifest: it has its last record already")

// NewWriter makes a Writer for tool ("omt-scan 0.1.0") on w.
func NewWriter(w io.Writer, tool string) *Writer {
	mw := &Writer{w: w, tool: tool, hash: sha256.New(), buf: make([]byte, 0, writeBlock+8<<10)}
	mw.enc = json.NewEncoder(&mw.json)
	mw.enc.SetEscapeHTML(false)
	return mw
}

// Write writes one record. A record that is out of the order of the package comment is an error and is not written; so
// is one with a string that is not valid UTF-8. A header without a format gets ours. The end and the abort record have methods of their own.
func (w *Writer) Write(rec Record) error {
	if err := w.ready(); err != nil {
		return err
	}
	kind := rec.RecordKind()
	if kind == KindEnd || kind == KindAbort {
		return fmt.Errorf("writing %s record: only End and Abort do", kind)
	}
	if h, ok := rec.(Header); ok && h.Format != Format {
		if h.Format != "" {
			return fmt.Errorf("writing %s record: format %q is not %q", kind, h.Format, Format)
		}
		h.Format = Format
		rec = h
	}
	from := len(w.buf)
	buf, err := w.encode(w.buf, rec)
	if err != nil {
		return fmt.Errorf("writing %s record: %w", kind, err)
	}
	w.buf = buf
	if err := w.accept(from, placeOf(string(kind)), kind); err != nil {
		return fmt.Errorf("writing %s record: %w", kind, err)
	}
	return w.written(from, kind, rec)
}

// WriteRaw copies a line read elsewhere through, byte for byte unless it holds characters above U+007E, which are
// escaped. A line out of order is an Error (BadInput), since the input was.
func (w *Writer) WriteRaw(l Line) error {
	if err := w.ready(); err != nil {
		return err
	}
	if l.place == placeUnknown {
		l.place = placeOf(string(l.Kind))
	}
	if l.place == placeEnd || l.place == placeAbort {
		return fmt.Errorf("copying %s record: only End and Abort write one", l.Kind)
	}
	from := len(w.buf)
	if l.ascii || isASCII(l.Raw) {
		w.buf = append(w.buf, l.Raw...)
	} else {
		w.buf = appendASCII(w.buf, l.Raw)
	}
	if err := w.accept(from, l.place, l.Kind); err != nil {
		return Errorf(BadInput, "line %d: copying %s record: %w", l.Number, l.Kind, err).
			WithHint("the input was edited or joined; run the stage that wrote it again")
	}
	return w.written(from, l.Kind, nil)
}

// Observe has f called with every record that is written from now on, but the last: its line as it stands in the manifest,
// which f must not keep, and the record where it was not copied. An error of f is that of the Write.
func (w *Writer) Observe(f func(l Line, rec Record) error) { w.observe = f }

func (w *Writer) ready() error {
	if w.err == nil && w.closed {
		return errClosed
	}
	return w.err
}

// accept makes the bytes from from on a line of the manifest, or takes them back.
func (w *Writer) accept(from, place int, kind Kind) error {
	raw := w.buf[from:]
	err := error(nil)
	if len(raw) > MaxLine {
		err = fmt.Errorf("its line has %d bytes, more than the %d that are read", len(raw), MaxLine)
	} else {
		err = w.order.add(place, kind, raw)
	}
	if err != nil {
		w.buf = w.buf[:from]
		return err
	}
	w.buf = append(w.buf, '\n')
	w.tally.add(place, kind)
	return nil
}

// written shows a line that was accepted to who observes, and hands on what is buffered.
func (w *Writer) written(from int, kind Kind, rec Record) error {
	if w.observe != nil {
		raw := w.buf[from : len(w.buf)-1]
		if err := w.observe(Line{Kind: kind, Raw: raw, ascii: true}, rec); err != nil {
			return err
		}
	}
	return w.relieve()
}

// relieve hands on what is buffered once it is a block.
func (w *Writer) relieve() error {
	if len(w.buf) < writeBlock {
		return nil
	}
	w.hash.Write(w.buf)
	return w.drain()
}

// drain writes the buffer, whose lines are hashed as far as they must be.
func (w *Writer) drain() error {
	if len(w.buf) == 0 {
		return nil
	}
	if _, err := w.w.Write(w.buf); err != nil {
		w.err = fmt.Errorf("writing the manifest: %w", err)
		return w.err
	}
	w.buf = w.buf[:0]
	if cap(w.buf) > keepBuffer {
		w.buf = make([]byte, 0, writeBlock+8<<10)
	}
	return nil
}

// Flush hands on what is buffered, so that the next stage of a pipe sees it.
func (w *Writer) Flush() error {
	if w.err != nil || w.closed {
		return w.err
	}
	w.hash.Write(w.buf)
	return w.drain()
}

// End writes the end record and flushes; it returns what it wrote. A manifest without its first record has no end.
func (w *Writer) End() (End, error) {
	if err := w.ready(); err != nil {
		return End{}, err
	}
	if w.order.lines == 0 {
		return End{}, errors.New("ending the manifest: it has no records")
	}
	if err := w.Flush(); err != nil {
		return End{}, err
	}
	end := End{Tool: w.tool, Counts: w.tally.counts()}
	w.hash.Sum(end.SHA256[:0])
	return end, w.close(end)
}

// Abort writes the abort record in place of end and flushes.
func (w *Writer) Abort(status Status, message string) error {
	if err := w.ready(); err != nil {
		return err
	}
	return w.close(Abort{Tool: w.tool, Status: status, Message: message})
}

// close writes the last record.
func (w *Writer) close(rec Record) error {
	buf, err := w.encode(w.buf, rec)
	if err != nil {
		return fmt.Errorf("writing the %s record: %w", rec.RecordKind(), err)
	}
	w.buf = append(buf, '\n')
	w.closed = true
	return w.drain()
}

// encode appends a record in our form without a line end.
func (w *Writer) encode(dst []byte, rec Record) ([]byte, error) {
	switch rec := rec.(type) {
	case File:
		return rec.AppendJSON(dst)
	case *File:
		return rec.AppendJSON(dst)
	}
	w.json.Reset()
	if err := w.enc.Encode(withLists(rec)); err != nil {
		return nil, err
	}
	line := bytes.TrimSuffix(w.json.Bytes(), []byte{'\n'})
	if bytes.Contains(line, []byte(`\ufffd`)) {
		if err := checkStrings(rec); err != nil {
			return nil, err
		}
	}
	if len(line) < 2 || line[0] != '{' {
		return nil, fmt.Errorf("%T is no JSON object", rec)
	}
	dst = append(dst, kindPrefix...)
	dst = append(dst, rec.RecordKind()...)
	dst = append(dst, '"')
	if line[1] != '}' {
		dst = append(dst, ',')
	}
	return appendASCII(dst, line[1:]), nil
}

// withLists gives every list and object that is not optional, so that a reader in another language finds [] and {}, not
// null.
func withLists(rec Record) Record {
	switch r := rec.(type) {
	case Installation:
		r.Areas = list(r.Areas)
		if r.Roots == nil {
			r.Roots = map[string][]string{}
		}
		return r
	case User:
		r.Emails = list(r.Emails)
		return r
	case Fact:
		if r.Data == nil {
			r.Data = map[string]any{}
		}
		return r
	case Table:
		r.Columns, r.Key = list(r.Columns), list(r.Key)
		return r
	case Finding:
		r.Subjects = list(r.Subjects)
		return r
	}
	return rec
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
