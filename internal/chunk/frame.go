package chunk

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"

	"github.com/cespare/xxhash/v2"

	"github.com/openomt/omt/internal/manifest"
)

const (
	// frameSize is where a frame ends: at the first file boundary past it, and inside a file after as much content.
	frameSize = 1 << 20
	// maxFrame bounds the bytes of a decoded frame: less than frameSize of earlier entries, a header with a PAX record
	// for each of two names, frameSize of content, padding and the end of the stream.
	maxFrame = 2*frameSize + 256<<10
	// window is how far back zstd looks for matches, and therefore what a decoder must hold.
	window = 2 << 20

	frameMagic    = 0xFD2FB528
	skipMagic     = 0x184D2A5E // the skippable frame that holds a seek table
	seekMagic     = 0x8F92EAB1 // its last four bytes
	maxBlock      = 128 << 10
	skipHeader    = 8
	seekFooter    = 9
	seekEntry     = 12
	seekChecksums = 0x80 // in the descriptor: every entry has a checksum
)

// frameInfo is one line of the seek table.
type frameInfo struct {
	stored, raw uint32
	sum         uint32 // low four bytes of the XXH64 of the content, as at the end of the frame
}

// sink counts and hashes what is written through it.
type sink struct {
	w      io.Writer
	digest hash.Hash
	stored int64
}

func newSink(w io.Writer) sink { return sink{w: w, digest: sha256.New()} }

func (s *sink) write(b []byte) error {
	n, err := s.w.Write(b)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("writing at byte %d of the chunk: %w", s.stored, err)
	}
	s.digest.Write(b)
	s.stored += int64(n)
	return nil
}

func (s *sink) sum() (d manifest.Digest) {
	s.digest.Sum(d[:0])
	return d
}

// framer writes frames and the seek table.
type framer struct {
	sink
	raw   int64
	table []frameInfo
}

func newFramer(w io.Writer) *framer { return &framer{sink: newSink(w)} }

// frame encodes e.raw as one frame and empties it. joined tells that it holds more than one file's content.
func (f *framer) frame(e *encoder, joined bool) error {
	if !joined && e.incompressible(Zstd, e.raw) {
		e.out = appendStored(e.out[:0], e.raw)
	} else {
		e.out = e.zstd.EncodeAll(e.raw, e.out[:0])
	}
	if err := f.write(e.out); err != nil {
		return err
	}
	f.table = append(f.table, frameInfo{
		stored: uint32(len(e.out)),
		raw:    uint32(len(e.raw)),
		sum:    binary.LittleEndian.Uint32(e.out[len(e.out)-4:]),
	})
	f.raw += int64(len(e.raw))
	e.raw = e.raw[:0]
	return nil
}

// seekTable writes the skippable frame that ends the chunk.
func (f *framer) seekTable() error { return f.write(appendSeekTable(nil, f.table)) }

func appendSeekTable(dst []byte, table []frameInfo) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, skipMagic)
	dst = le.AppendUint32(dst, uint32(len(table)*seekEntry+seekFooter))
	for _, t := range table {
		dst = le.AppendUint32(dst, t.stored)
		dst = le.AppendUint32(dst, t.raw)
		dst = le.AppendUint32(dst, t.sum)
	}
	dst = le.AppendUint32(dst, uint32(len(table)))
	dst = append(dst, seekChecksums)
	return le.AppendUint32(dst, seekMagic)
}

// appendStored appends a frame whose blocks hold the content as it is.
func appendStored(dst, content []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, frameMagic)
	// Descriptor: four bytes of content size, single segment, content checksum.
	dst = append(dst, 2<<6|1<<5|1<<2)
	dst = le.AppendUint32(dst, uint32(len(content)))
	rest := content
	for {
		n := min(len(rest), maxBlock)
		head := uint32(n) << 3 // type 0: stored as it is
		if n == len(rest) {
			head |= 1 // last block
		}
		dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
		dst = append(dst, rest[:n]...)
		rest = rest[n:]
		if len(rest) == 0 {
			break
		}
	}
	return le.AppendUint32(dst, uint32(xxhash.Sum64(content)))
}

const (
	probes    = 16
	probeSize = 4 << 10
)

// incompressible guesses from evenly spread pieces whether all of b would shrink by less than 3 %.
func (e *encoder) incompressible(c Codec, b []byte) bool {
	if len(b) < 2*probes*probeSize {
		return false
	}
	e.probe = e.probe[:0]
	step := (len(b) - probeSize) / (probes - 1)
	for i := range probes {
		e.probe = append(e.probe, b[i*step:][:probeSize]...)
	}
	out, err := e.compress(c, e.probe)
	return err == nil && len(out)*100 > len(e.probe)*97
}
