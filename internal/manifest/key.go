package manifest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
)

const (
	withPath    = 1
	withoutPath = 2
)

// FileKey appends the sort key of a file record inside its area: path bytes, then id; records without path last, by id.
//
// With a path: 01, the path with each 00 as 00 FF, 00 01, the id as eight bytes big-endian with its sign bit flipped.
// Without: 02 and the id. Keys compare as bytes.
func FileKey(dst []byte, path string, id int64) []byte {
	if path == "" {
		dst = append(dst, withoutPath)
	} else {
		dst = append(dst, withPath)
		for i := 0; i < len(path); i++ {
			dst = append(dst, path[i])
			if path[i] == 0 {
				dst = append(dst, 0xff)
			}
		}
		dst = append(dst, 0, 1)
	}
	return binary.BigEndian.AppendUint64(dst, uint64(id)^1<<63)
}

// AddressKey is what address records are sorted by, and what two addresses that are the same have in common: the address
// without space around it, in lower case.
func AddressKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

var errFileKey = errors.New("not a file key")

// ParseFileKey gives back what FileKey was given.
func ParseFileKey(key []byte) (path string, id int64, err error) {
	if len(key) < 9 {
		return "", 0, errFileKey
	}
	body, tail := key[1:len(key)-8], key[len(key)-8:]
	id = int64(binary.BigEndian.Uint64(tail) ^ 1<<63)
	switch {
	case key[0] == withoutPath && len(body) == 0:
		return "", id, nil
	case key[0] == withPath && len(body) > 2 && bytes.HasSuffix(body, []byte{0, 1}):
		b := body[:len(body)-2]
		out := make([]byte, 0, len(b))
		for i := 0; i < len(b); i++ {
			out = append(out, b[i])
			if b[i] == 0 {
				if i++; i == len(b) || b[i] != 0xff {
					return "", 0, errFileKey
				}
			}
		}
		return string(out), id, nil
	}
	return "", 0, errFileKey
}
