package parts

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"iter"

	"github.com/openomt/omt/internal/manifest"
)

// Digest is what tells a part from another one: a chunk record's rows and content.
type Digest struct {
	Rows    int64
	Content manifest.Digest
}

// Digests yields the digests of the parts that the rows make, without making them. After an error nothing is yielded.
func (s *Stream) Digests(ctx context.Context) iter.Seq2[Digest, error] {
	return func(yield func(Digest, error) bool) {
		cut, hash, rows := s.Cutter(), sha256.New(), int64(0)
		part := func() (d Digest) {
			d.Rows = rows
			hash.Sum(d.Content[:0])
			hash.Reset()
			rows = 0
			return d
		}
		var size [8]byte
		for it, err := range s.Items(ctx) {
			if err != nil {
				yield(Digest{}, err)
				return
			}
			if cut.BeginsAt(it.Key) && rows > 0 && !yield(part(), nil) {
				return
			}
			binary.BigEndian.PutUint64(size[:], uint64(len(it.Row)))
			hash.Write(size[:])
			hash.Write(it.Row)
			rows++
		}
		if rows > 0 {
			yield(part(), nil)
		}
	}
}
