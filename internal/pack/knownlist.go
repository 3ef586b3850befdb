package pack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// knownFile is what is kept of a file record whose content is at the destination.
type knownFile struct {
	chunk  int // its number
	offset int64
	size   int64
	mtime  time.Time
	sum    manifest.Digest
	same   string
	raw    bool
}

// knownRecord is a knownFile with the name that it is of and the manifest that it is from.
type knownRecord struct {
	knownFile
	area   int // its rank
	path   string
	from   int
	isCopy bool
}

// knownList is the records of all manifests on disk, those of each in its order. Memory is a buffer for each manifest.
type knownList struct {
	f    *os.File
	w    *bufio.Writer
	size int64
	buf  []byte
}

// section is where the records of one manifest lie.
type section struct{ from, to int64 }

func newKnownList(dir string) (*knownList, error) {
	f, err := os.CreateTemp(dir, "known-*")
	if err != nil {
		return nil, fmt.Errorf("creating the list of what is known: %w", err)
	}
	return &knownList{f: f, w: bufio.NewWriterSize(f, 64<<10)}, nil
}

func (l *knownList) close() { remove(l.f) }

// begin opens the section of a manifest, and end closes it.
func (l *knownList) begin() section { return section{from: l.size} }

func (l *knownList) end(s section) (section, error) {
	s.to = l.size
	if err := l.w.Flush(); err != nil {
		return s, fmt.Errorf("writing the list of what is known: %w", err)
	}
	return s, nil
}

const rawName = 1 << 7 // beside the rank of the area

// add appends a record whose content is in the chunk with the number.
func (l *knownList) add(f manifest.File, chunk int) error {
	head := byte(f.Area.Rank())
	if f.Area.Rank() < 0 {
		return nil // an area of a later version: nothing here asks for it
	}
	if f.Raw {
		head |= rawName
	}
	b := append(l.buf[:0], head)
	b = append(b, f.SHA256[:]...)
	for _, n := range []int64{int64(chunk), f.Offset, f.Size, f.MTime.Unix(), int64(f.MTime.Nanosecond())} {
		b = binary.AppendVarint(b, n)
	}
	for _, s := range []string{f.Path, f.Same} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	l.buf = b
	l.size += int64(len(b))
	if _, err := l.w.Write(b); err != nil {
		return fmt.Errorf("writing the list of what is known: %w", err)
	}
	return nil
}

// knownReader reads the section of one manifest.
type knownReader struct {
	r    *bufio.Reader
	from int
	next knownRecord
	more bool
}

// reader reads the section of the manifest with the number from.
func (l *knownList) reader(from int, s section) (*knownReader, error) {
	r := &knownReader{r: bufio.NewReaderSize(io.NewSectionReader(l.f, s.from, s.to-s.from), 32<<10), from: from}
	return r, r.advance()
}

// advance reads the next record.
func (r *knownReader) advance() error {
	head, err := r.r.ReadByte()
	if r.more = err == nil; !r.more {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("reading the list of what is known: %w", err)
	}
	if err := r.read(head); err != nil {
		return fmt.Errorf("reading the list of what is known: %w", noEOF(err))
	}
	return nil
}

func (r *knownReader) read(head byte) error {
	k := knownRecord{area: int(head &^ rawName), from: r.from}
	k.raw = head&rawName != 0
	if _, err := io.ReadFull(r.r, k.sum[:]); err != nil {
		return err
	}
	var n [5]int64
	for i := range n {
		var err error
		if n[i], err = binary.ReadVarint(r.r); err != nil {
			return err
		}
	}
	k.chunk, k.offset, k.size, k.mtime = int(n[0]), n[1], n[2], time.Unix(n[3], n[4])
	var err error
	if k.path, err = readText(r.r); err != nil {
		return err
	}
	if k.same, err = readText(r.r); err != nil {
		return err
	}
	k.isCopy = k.same != "" && k.same != k.path
	r.next = k
	return nil
}

func readText(r *bufio.Reader) (string, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}
