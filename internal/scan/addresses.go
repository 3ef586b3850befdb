package scan

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// sortMemory is what the sorter of addresses, or of the rows of an area that is left, holds.
const sortMemory = 24 << 20

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
		// FileKey keeps the order of texts, those with a byte 0 too.
		key = manifest.FileKey(key[:0], folded, a.Person)
		key = binary.BigEndian.AppendUint64(key, uint64(int64(a.Rank))^1<<63)
		value, err := json.Marshal(manifest.Address(a))
		if err != nil {
			return fmt.Errorf("keeping an address of person %d: %w", a.Person, err)
		}
		if err := sorter.Add(key, value); err != nil {
			return fmt.Errorf("sorting addresses: %w", err)
		}
		r.told.addresses++
	}
	return each(ctx, sorter, func(value []byte) error {
		var a manifest.Address
		if err := json.Unmarshal(value, &a); err != nil {
			return err
		}
		return r.out.Write(a)
	})
}

// each calls fn with the values of a sorter in their order.
func each(ctx context.Context, s *manifest.Sorter, fn func(value []byte) error) error {
	cursor, err := s.Sort(ctx)
	if err != nil {
		return fmt.Errorf("sorting: %w", err)
	}
	for {
		_, value, err := cursor.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sorting: %w", err)
		}
		if err := fn(value); err != nil {
			return err
		}
	}
}
