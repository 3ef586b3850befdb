package chunk

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxStored bounds the bytes of an encoded frame: every block can be stored as it is.
const maxStored = maxFrame + 1<<10

// ErrDamaged is wrapped by every error that the bytes of a chunk are to blame for, and not the way they were read.
var ErrDamaged = errors.New("chunk is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, args...))
}

// unframer reads a chunk frame by frame and is an io.Reader of the decoded stream. io.EOF means that the seek table
// followed, agreed with the frames, and was the end.
type unframer struct {
	in    *bufio.Reader
	dec   *decoder
	at    int64 // bytes of the chunk read
	table []frameInfo
	limit int64  // most bytes that may be decoded
	raw   int64  // bytes decoded
	rest  []byte // decoded and not yet read
	taken int64  // decoded bytes that were read
	err   error
}

func (u *unframer) Read(p []byte) (int, error) {
	for len(u.rest) == 0 {
		if u.err == nil {
			u.err = u.next()
		}
		if u.err != nil {
			return 0, u.err
		}
	}
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	u.taken += int64(n)
	return n, nil
}

// next decodes the next frame, or checks the seek table and returns io.EOF.
func (u *unframer) next() error {
	head, err := u.in.Peek(zstd.HeaderMaxSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the chunk at byte %d: %w", u.at, err)
	}
	if len(head) < 4 {
		return damaged("it ends at byte %d, before its seek table", u.at)
	}
	if binary.LittleEndian.Uint32(head) == skipMagic {
		return u.seekTable()
	}
	size, raw, err := frameHeader(head)
	if err != nil {
		return damaged("frame at byte %d: %w", u.at, err)
	}
	if u.raw+int64(raw) > u.limit {
		return damaged("it unpacks to more than %d bytes", u.limit)
	}
	start := u.at
	if err := u.frame(size); err != nil {
		return err
	}
	if u.rest, err = u.dec.frame(u.dec.in, raw); err != nil {
		return damaged("frame at byte %d: %w", start, err)
	}
	u.table = append(u.table, frameInfo{
		stored: uint32(len(u.dec.in)),
		raw:    uint32(raw),
		sum:    binary.LittleEndian.Uint32(u.dec.in[len(u.dec.in)-4:]),
	})
	u.raw += int64(raw)
	return nil
}

// frameHeader checks that a frame is one of ours (its size is told, its content has a checksum, no dictionary) and
// returns the sizes of the header and of the content.
func frameHeader(head []byte) (size, raw int, err error) {
	var h zstd.Header
	if err := h.Decode(head); err != nil {
		return 0, 0, fmt.Errorf("not a zstd frame: %w", err)
	}
	switch {
	case h.Skippable:
		return 0, 0, errors.New("a skippable frame that is no seek table")
	case !h.HasFCS || h.FrameContentSize == 0 || h.FrameContentSize > maxFrame:
		return 0, 0, fmt.Errorf("content size %d: want 1 to %d", h.FrameContentSize, maxFrame)
	case !h.HasCheckSum:
		return 0, 0, errors.New("without a checksum")
	case h.DictionaryID != 0:
		return 0, 0, fmt.Errorf("with dictionary %d", h.DictionaryID)
	}
	return h.HeaderSize, int(h.FrameContentSize), nil
}

// frame reads the bytes of a whole frame into dec.in by walking its blocks.
func (u *unframer) frame(header int) error {
	u.dec.in = u.dec.in[:0]
	if err := u.read(header); err != nil {
		return err
	}
	for last := false; !last; {
		if err := u.read(3); err != nil {
			return err
		}
		b := u.dec.in[len(u.dec.in)-3:]
		h := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		last = h&1 != 0
		size := int(h >> 3)
		if h>>1&3 == 1 {
			size = 1 // one byte, repeated
		}
		if size > maxBlock || len(u.dec.in)+size > maxStored {
			return damaged("frame with a block of %d bytes before byte %d", size, u.at)
		}
		if err := u.read(size); err != nil {
			return err
		}
	}
	return u.read(4)
}

// read appends n bytes to dec.in.
func (u *unframer) read(n int) error {
	at := len(u.dec.in)
	if cap(u.dec.in) < at+n {
		u.dec.in = append(make([]byte, 0, min(maxStored+maxBlock, 2*cap(u.dec.in)+n+maxBlock)), u.dec.in...)
	}
	u.dec.in = u.dec.in[:at+n]
	got, err := io.ReadFull(u.in, u.dec.in[at:])
	u.at += int64(got)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("it ends at byte %d, inside a frame", u.at)
	}
	if err != nil {
		return fmt.Errorf("reading the chunk at byte %d: %w", u.at, err)
	}
	return nil
}

// seekTable checks that the table says what the frames were, and that nothing follows.
func (u *unframer) seekTable() error {
	want := appendSeekTable(nil, u.table)
	got := make([]byte, len(want))
	n, err := io.ReadFull(u.in, got)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("reading the seek table at byte %d: %w", u.at, err)
	}
	if n != len(want) || !bytes.Equal(got, want) {
		return damaged("the seek table at byte %d does not agree with the %d frames before it", u.at, len(u.table))
	}
	u.at += int64(n)
	if _, err := u.in.Peek(1); err == nil {
		return damaged("bytes follow the seek table, from byte %d", u.at)
	} else if !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the chunk at byte %d: %w", u.at, err)
	}
	return io.EOF
}

// frame decodes one whole frame, whose content must be raw bytes long. The result is valid until the next call.
func (d *decoder) frame(stored []byte, raw int) ([]byte, error) {
	if cap(d.out) < raw {
		d.out = make([]byte, 0, min(maxFrame, 2*raw))
	}
	out, err := d.zstd.DecodeAll(stored, d.out[:0])
	if err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	if len(out) != raw {
		return nil, fmt.Errorf("decodes to %d bytes, not %d", len(out), raw)
	}
	return out, nil
}
