package azblob

import (
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
)

// hashBlock is what SHA-256 works on; at multiples of it its state is all that it holds.
const hashBlock = sha256.BlockSize

const idLen = 8 + 1 + 8 + 4 + 32

// block is what the id of a block says.
type block struct {
	key   [8]byte
	gen   byte
	off   int64
	size  int64
	state [32]byte
}

// keyOf tells blocks of one object from those of another of the same name.
func keyOf(name string, size int64, sum [32]byte) [8]byte {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%x", name, size, sum))
	return [8]byte(h[:8])
}

// id is the block's id as the service wants it: of the same length for all blocks of a blob.
func (b block) id() string {
	raw := make([]byte, 0, idLen)
	raw = append(raw, b.key[:]...)
	raw = append(raw, b.gen)
	raw = binary.BigEndian.AppendUint64(raw, uint64(b.off))
	raw = binary.BigEndian.AppendUint32(raw, uint32(b.size))
	return base64.StdEncoding.EncodeToString(append(raw, b.state[:]...))
}

// parseID reads an id; ok is false for one that is not ours.
func parseID(id string, size int64) (b block, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(id)
	if err != nil || len(raw) != idLen {
		return b, false
	}
	b = block{
		key: [8]byte(raw), gen: raw[8], off: int64(binary.BigEndian.Uint64(raw[9:])),
		size: int64(binary.BigEndian.Uint32(raw[17:])), state: [32]byte(raw[21:]),
	}
	return b, b.off >= 0 && b.size > 0 && b.size == size
}

// chain is a run of blocks from the object's first byte on.
type chain struct {
	gen    byte
	blocks []string
	end    int64
	state  [32]byte
}

// chainOf finds what an upload goes on from among the blocks that the service holds.
func chainOf(blocks []block, key [8]byte, size int64, sum [32]byte) (chain, error) {
	var c chain
	mine := slices.DeleteFunc(slices.Clone(blocks), func(b block) bool {
		return b.key != key || b.off+b.size > size || b.off+b.size != size && (b.off+b.size)%hashBlock != 0
	})
	for _, b := range mine {
		c.gen = max(c.gen, b.gen)
	}
	from := map[int64]block{}
	for _, b := range mine {
		if b.gen == c.gen && b.size > from[b.off].size {
			from[b.off] = b
		}
	}
	for c.end < size {
		b, ok := from[c.end]
		if !ok {
			return c, nil
		}
		c.blocks, c.end, c.state = append(c.blocks, b.id()), c.end+b.size, b.state
	}
	if size > 0 && c.state != sum { // what was sent is damaged
		if c.gen == 255 {
			return c, errors.New("it was damaged on its way 256 times")
		}
		return chain{gen: c.gen + 1}, nil
	}
	return c, nil
}

// The form in which crypto/sha256 gives its state: what follows is only the state where no bytes are left over.
const hashMagic = "sha\x03"

// stateOf is the state of a hash that has taken a multiple of 64 bytes.
func stateOf(h hash.Hash) ([32]byte, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return [32]byte{}, errors.New("this SHA-256 does not give its state")
	}
	raw, err := m.MarshalBinary()
	if err == nil && (len(raw) != len(hashMagic)+32+hashBlock+8 || string(raw[:len(hashMagic)]) != hashMagic) {
		err = errors.New("this SHA-256 gives its state in another form")
	}
	if err != nil {
		return [32]byte{}, err
	}
	return [32]byte(raw[len(hashMagic):]), nil
}

// hashFrom goes on from a state after n bytes, a multiple of 64.
func hashFrom(state [32]byte, n int64) (hash.Hash, error) {
	h := sha256.New()
	if n == 0 {
		return h, nil
	}
	u, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, errors.New("this SHA-256 does not take a state")
	}
	raw := append([]byte(hashMagic), state[:]...)
	raw = append(raw, make([]byte, hashBlock)...)
	return h, u.UnmarshalBinary(binary.BigEndian.AppendUint64(raw, uint64(n)))
}
