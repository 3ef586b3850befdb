package restore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
)

// Rows come back as they were, wherever they lie, and of a large one there is no copy in memory.
func TestHeldRows(t *testing.T) {
	h := newHeld(t.TempDir())
	defer h.close()
	for _, sizes := range [][]int{{1, 2}, {2 * heldMemory}, {7, 3 * heldMemory, 5, heldMemory - 20, 40, 9}} {
		h.reset()
		want := sha256.New()
		var rows [][]byte
		for i, n := range sizes {
			row := bytes.Repeat([]byte{byte(i + 1)}, n)
			rows = append(rows, row)
			want.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
			want.Write(row)
			check(t, h.add(parts.Item{Key: []byte{byte(i)}, Row: row}))
		}
		if d := h.end(); d != manifest.Digest(want.Sum(nil)) || h.rows != int64(len(sizes)) {
			t.Errorf("%v: %d rows with the digest %s", sizes, h.rows, d)
		}
		if cap(h.buf) > heldMemory+heldMemory/4 {
			t.Errorf("%v: %d MiB in memory", sizes, cap(h.buf)>>20)
		}
		for i, row := range rows {
			got, err := h.next()
			if err != nil || !bytes.Equal(got, row) {
				t.Errorf("%v: row %d comes back with %d bytes: %v", sizes, i, len(got), err)
			}
		}
		if _, err := h.next(); !errors.Is(err, io.EOF) {
			t.Errorf("%v: behind the last row: %v", sizes, err)
		}
	}
}
