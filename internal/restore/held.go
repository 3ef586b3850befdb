package restore

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
)

// held is the rows of one part as a database has them, kept until it is known whether they differ from the migration's: in
// memory, or what is beyond heldMemory in a temporary file. Their digest is taken as they come, as package chunk takes it
// of a part's rows: over the canonical rows, each after its length in 8 bytes.
type held struct {
	temp   string
	file   *os.File
	stored int64 // bytes of the file that count
	buf    []byte
	hashed int // of buf
	hash   hash.Hash
	rows   int64

	first, last []byte // what the first and the last row are sorted by

	r    *bufio.Reader
	left int64 // rows that were not read yet
	row  []byte
}

const (
	heldMemory = 16 << 20
	// hashEvery is how many bytes are hashed at once, since hashing row by row costs more than the hashing.
	hashEvery = 64 << 10
)

func newHeld(temp string) *held { return &held{temp: temp, hash: sha256.New()} }

// reset begins another part.
func (h *held) reset() {
	h.hash.Reset()
	if cap(h.buf) > heldMemory+heldMemory/4 {
		h.buf = nil
	}
	h.buf, h.hashed, h.stored, h.rows, h.left = h.buf[:0], 0, 0, 0, 0
	h.r = nil
}

// add takes the next row.
func (h *held) add(it parts.Item) error {
	if h.last = append(h.last[:0], it.Key...); h.rows == 0 {
		h.first = append(h.first[:0], it.Key...)
	}
	h.buf = binary.BigEndian.AppendUint64(h.buf, uint64(len(it.Row)))
	h.rows++
	if len(h.buf)+len(it.Row) >= heldMemory {
		return h.spill(it.Row)
	}
	h.buf = append(h.buf, it.Row...)
	if len(h.buf)-h.hashed >= hashEvery {
		h.flushHash()
	}
	return nil
}

func (h *held) flushHash() {
	h.hash.Write(h.buf[h.hashed:])
	h.hashed = len(h.buf)
}

// spill moves what is in memory to the file, and the row behind it, of which there is no copy: it may be a large one.
func (h *held) spill(row []byte) error {
	h.flushHash()
	h.hash.Write(row)
	if h.file == nil {
		f, err := os.CreateTemp(h.temp, "omt-rows-*")
		if err != nil {
			return fmt.Errorf("creating a temporary file: %w", err)
		}
		h.file = f
	}
	for _, b := range [][]byte{h.buf, row} {
		if _, err := h.file.WriteAt(b, h.stored); err != nil {
			return manifest.Errorf(manifest.Failed, "writing a temporary file: %w", err).
				WithHint("--temp DIR keeps temporary files in another folder")
		}
		h.stored += int64(len(b))
	}
	h.buf, h.hashed = h.buf[:0], 0
	return nil
}

// end is told that the part has no more rows, and returns their digest. The rows can then be read.
func (h *held) end() (d manifest.Digest) {
	h.flushHash()
	h.hash.Sum(d[:0])
	h.left = h.rows
	return d
}

// next reads the next row, which is good until the one after it.
func (h *held) next() ([]byte, error) {
	if h.left == 0 {
		return nil, io.EOF
	}
	if h.r == nil {
		var r io.Reader = bytes.NewReader(h.buf)
		if h.stored > 0 {
			r = io.MultiReader(io.NewSectionReader(h.file, 0, h.stored), r)
		}
		h.r = bufio.NewReaderSize(r, hashEvery)
	}
	var size [8]byte
	_, err := io.ReadFull(h.r, size[:])
	if err == nil {
		n := int(binary.BigEndian.Uint64(size[:]))
		if cap(h.row) < n {
			h.row = make([]byte, n)
		}
		h.row = h.row[:n]
		_, err = io.ReadFull(h.r, h.row)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a temporary file: %w", err)
	}
	h.left--
	return h.row, nil
}

func (h *held) close() {
	if h.file != nil {
		discard(h.file)
	}
}
