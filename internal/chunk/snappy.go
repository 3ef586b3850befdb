package chunk

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// The raw block format of Snappy: the length of the content as a varint, then elements, which are literals and copies of
// what was decoded before. Content is encoded in pieces of snappyPiece, which copy nothing from before themselves.

const (
	snappyPiece = 64 << 10
	// snappyBits is the largest table of places by hash; pieces that are short use less of it.
	snappyBits = 14
	// snappyTail is how many bytes at the end of a piece are literals, so that eight may be looked at anywhere before.
	snappyTail = 15
)

// snappyTable finds where four bytes stood before. Its zero value is ready for use.
type snappyTable struct {
	at [1 << snappyBits]uint16
}

// encode appends src as a whole block.
func (t *snappyTable) encode(dst, src []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(src)))
	for len(src) > 0 {
		n := min(len(src), snappyPiece)
		dst = t.piece(dst, src[:n])
		src = src[n:]
	}
	return dst
}

// piece appends the elements of at most snappyPiece bytes.
func (t *snappyTable) piece(dst, src []byte) []byte {
	done := 0
	if limit := len(src) - snappyTail; limit > 0 {
		width := min(snappyBits, max(8, bits.Len(uint(len(src)))))
		clear(t.at[:1<<width])
		for s := 1; ; {
			at, from := t.match(src, s, limit, width)
			if at < 0 {
				break
			}
			dst = appendLiteral(dst, src[done:at])
			n := 4 + common(src, from+4, at+4)
			dst = appendCopy(dst, at-from, n)
			done = at + n
			if done >= limit {
				break
			}
			t.at[hash4(src, done-1, width)] = uint16(done - 1)
			s = done
		}
	}
	return appendLiteral(dst, src[done:])
}

// match looks from s on for a place below limit whose four bytes stood before, and returns both places, or -1. The longer
// it finds nothing, the fewer places it tries.
func (t *snappyTable) match(src []byte, s, limit, width int) (at, from int) {
	for step := 32; s < limit; step++ {
		h := hash4(src, s, width)
		from := int(t.at[h])
		t.at[h] = uint16(s)
		if binary.LittleEndian.Uint32(src[s:]) == binary.LittleEndian.Uint32(src[from:]) {
			return s, from
		}
		s += step >> 5
	}
	return -1, 0
}

func hash4(src []byte, s, width int) uint32 {
	return binary.LittleEndian.Uint32(src[s:]) * 0x1E35A7BD >> (32 - width)
}

// common returns how many bytes from two places on are the same.
func common(src []byte, a, b int) int {
	n := 0
	for b+n+8 <= len(src) {
		if x := binary.LittleEndian.Uint64(src[a+n:]) ^ binary.LittleEndian.Uint64(src[b+n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
		n += 8
	}
	for b+n < len(src) && src[a+n] == src[b+n] {
		n++
	}
	return n
}

func appendLiteral(dst, b []byte) []byte {
	switch n := len(b) - 1; {
	case n < 0:
		return dst
	case n < 60:
		dst = append(dst, byte(n)<<2)
	case n < 1<<8:
		dst = append(dst, 60<<2, byte(n))
	default:
		dst = append(dst, 61<<2, byte(n), byte(n>>8))
	}
	return append(dst, b...)
}

// appendCopy appends copies of together n bytes, at least four, from offset bytes back.
func appendCopy(dst []byte, offset, n int) []byte {
	long := func(n int) { dst = append(dst, byte(n-1)<<2|2, byte(offset), byte(offset>>8)) }
	for ; n >= 68; n -= 64 {
		long(64)
	}
	if n > 64 {
		long(60) // what is left has at least four
		n -= 60
	}
	if n > 11 || offset >= 1<<11 {
		long(n)
		return dst
	}
	return append(dst, byte(offset>>8)<<5|byte(n-4)<<2|1, byte(offset))
}

// unsnappy decodes a block whose content fills dst, and reads nothing behind it.
func unsnappy(dst []byte, r *bufio.Reader) error {
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return fmt.Errorf("reading its length: %w", err)
	}
	if size != uint64(len(dst)) {
		return fmt.Errorf("it unpacks to %d bytes, not %d", size, len(dst))
	}
	for d := 0; d < len(dst); {
		if _, err := r.Peek(1); err != nil {
			return fmt.Errorf("it unpacks to %d bytes, not %d: %w", d, len(dst), err)
		}
		in, err := r.Peek(max(r.Buffered(), maxElement)) // an element's head, even where the buffer's end cuts it
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		to, used, literal, err := elements(dst, d, in)
		if err != nil {
			return err
		}
		r.Discard(used) //nolint:errcheck // it was peeked at
		if _, err := io.ReadFull(r, dst[to:to+literal]); err != nil {
			return fmt.Errorf("reading %d bytes: %w", literal, err)
		}
		d = to + literal
	}
	return nil
}

// maxElement is the longest head of an element.
const maxElement = 5

// elements decodes the elements whose heads are whole in src into dst from d on, at least one. It stops at a literal that
// goes on behind src and returns how much of it is to be read.
func elements(dst []byte, d int, src []byte) (to, used, literal int, err error) {
	s := 0
	for d < len(dst) && s < len(src) {
		tag := src[s]
		head := 1 + int([4]byte{0, 1, 2, 4}[tag&3])
		if tag&3 == 0 && tag >= 60<<2 {
			head += int(tag>>2) - 59
		}
		if head > len(src)-s {
			break
		}
		n, offset := element(src[s : s+head])
		s += head
		if n <= 0 || n > len(dst)-d {
			return d, s, 0, errors.New("it unpacks to more than it says")
		}
		if tag&3 == 0 {
			k := copy(dst[d:d+n], src[s:])
			d, s = d+k, s+k
			if k < n {
				return d, s, n - k, nil
			}
			continue
		}
		if offset <= 0 || offset > d || offset > snappyPiece {
			return d, s, 0, errors.New("it copies from where nothing is")
		}
		repeat(dst, d, offset, n)
		d += n
	}
	if s == 0 {
		return d, s, 0, io.ErrUnexpectedEOF
	}
	return d, s, 0, nil
}

// element reads the head of an element: how many bytes it stands for and, of a copy, from how far back.
func element(head []byte) (n, offset int) {
	tag, x := head[0], 0
	for i, b := range head[1:] {
		x |= int(b) << (8 * i)
	}
	switch {
	case tag&3 == 0 && len(head) > 1:
		return x + 1, 0
	case tag&3 == 1:
		return 4 + int(tag>>2&7), int(tag>>5)<<8 | x
	}
	return int(tag>>2) + 1, x
}

// repeat copies n bytes from offset back; where they overlap, what was copied is copied again.
func repeat(dst []byte, d, offset, n int) {
	for n > 0 {
		k := copy(dst[d:d+min(n, offset)], dst[d-offset:d])
		d, n = d+k, n-k
	}
}
