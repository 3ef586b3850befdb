package scan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// sortMemory is what the sorter of addresses, or of the rows of an area that is left, holds.
const sortMemory = 24 << 20

// sign is flipped in numbers of keys, so that they sort as bytes.
const sign = 1 << 63

// addresses writes the e-mail addresses of persons who are not users, in the order that the manifest promises.
func (r *run) addresses(ctx context.Context) error {
	sorter := manifest.NewSorter(r.o.Temp, sortMemory)
	defer sorter.Close() //nolint:errcheck // temporary files alone are left
	var key []byte
	for a, err := range r.o.Reader.Addresses(ctx) {
		if err != nil {
			return fmt.Errorf("reading addresses: %w", err)
		}
		folded := manifest.AddressKey(a.Email)
		if folded == "" {
			continue
		}
		// FileKey keeps the order of texts, those with a byte 0 too. Person and rank are read from the key again.
		key = manifest.FileKey(key[:0], folded, a.Person)
		key = binary.BigEndian.AppendUint64(key, uint64(int64(a.Rank))^sign)
		if err := sorter.Add(key, []byte(a.Email)); err != nil {
			return fmt.Errorf("sorting addresses: %w", err)
		}
		r.told.addresses++
	}
	return each(ctx, sorter, func(key, email []byte) error {
		tail := key[len(key)-16:]
		return r.out.Write(manifest.Address{
			Person: int64(binary.BigEndian.Uint64(tail) ^ sign), Rank: int(binary.BigEndian.Uint64(tail[8:]) ^ sign), Email: string(email),
		})
	})
}

// each calls fn with the pairs of a sorter in their order.
func each(ctx context.Context, s *manifest.Sorter, fn func(key, value []byte) error) error {
	cursor, err := s.Sort(ctx)
	if err != nil {
		return fmt.Errorf("sorting: %w", err)
	}
	for {
		key, value, err := cursor.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sorting: %w", err)
		}
		if err := fn(key, value); err != nil {
			return err
		}
	}
}
