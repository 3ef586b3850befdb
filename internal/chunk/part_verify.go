package chunk

import (
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// VerifyPart reads a whole table part and checks it against its record: length and SHA-256 of its bytes, the checksums
// in it, and schema, keys, number and content of its rows.
func VerifyPart(ra io.ReaderAt, size int64, want manifest.Chunk, t manifest.Table) error {
	return new(Pool).VerifyPart(ra, size, want, t)
}

// VerifyPart is the function VerifyPart with buffers from the pool.
func (p *Pool) VerifyPart(ra io.ReaderAt, size int64, want manifest.Chunk, t manifest.Table) error {
	if want.Type != manifest.ChunkParquet || want.Content == nil || want.Schema == nil {
		return fmt.Errorf("chunk %q: is not the record of a table part", want.SHA256)
	}
	c := newCounter(io.NewSectionReader(ra, 0, size))
	if err := c.check(want); err != nil {
		return fmt.Errorf("verifying chunk %q: %w", want.SHA256, err)
	}
	got, err := p.readPart(ra, size, t)
	if err != nil {
		return fmt.Errorf("verifying chunk %q: %w", want.SHA256, err)
	}
	if err := got.Check(want); err != nil {
		return fmt.Errorf("verifying chunk %q: part of table %q: %w", want.SHA256, t.Name, err)
	}
	return nil
}

func (p *Pool) readPart(ra io.ReaderAt, size int64, t manifest.Table) (Part, error) {
	r, err := p.NewPartReader(ra, size, t)
	if err != nil {
		return Part{}, err
	}
	defer r.Close()
	for err == nil {
		err = r.skim()
	}
	if !errors.Is(err, io.EOF) {
		return Part{}, err
	}
	return r.Part()
}

// Check compares what was read with a part's record: schema, keys, number and content of the rows, but not the bytes that
// they are stored in.
func (p Part) Check(want manifest.Chunk) error {
	switch {
	case want.Content == nil || want.Schema == nil:
		return fmt.Errorf("chunk %q: is not the record of a table part", want.SHA256)
	case p.Schema != *want.Schema:
		return damaged("its schema has the SHA-256 %s, not %s", p.Schema, *want.Schema)
	case p.Rows != want.Rows || int(p.Rows) != want.Items:
		return damaged("it has %d rows, not %d", p.Rows, want.Rows)
	case p.Raw != want.Raw:
		return damaged("its rows have %d bytes, not %d", p.Raw, want.Raw)
	case p.Content != *want.Content:
		return damaged("its rows have the SHA-256 %s, not %s", p.Content, *want.Content)
	case p.First != want.First || p.Last != want.Last:
		return damaged("its keys are %q to %q, not %q to %q", p.First, p.Last, want.First, want.Last)
	}
	return nil
}
