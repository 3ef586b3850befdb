package restore

import (
	"errors"
	"io"
	"iter"
	"os"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// partRows reads the rows of a part from temporary files, which Close removes.
type partRows struct {
	*chunk.ChainReader
	files []*os.File
}

// openPart has the files of a part fetched, one after another, and opens them together.
func openPart(pool *chunk.Pool, t manifest.Table, p part, fetch func(k manifest.Chunk) (*os.File, error)) (rows *partRows, err error) {
	r := &partRows{}
	defer func() {
		if err != nil {
			r.discard()
		}
	}()
	links := make([]chunk.Link, len(p))
	for i, k := range p {
		f, err := fetch(k)
		if err != nil {
			return nil, err
		}
		r.files = append(r.files, f)
		links[i] = chunk.Link{File: f, Chunk: k}
	}
	if r.ChainReader, err = pool.NewChainReader(t, links); err != nil {
		return nil, err
	}
	return r, nil
}

// all yields the rows, and fails after the last one when they are not those that the records promise, so that the
// transaction they are loaded in fails with it.
func (r *partRows) all() iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for {
			row, err := r.Read()
			if errors.Is(err, io.EOF) || !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the reading and removes the files.
func (r *partRows) Close() {
	r.ChainReader.Close()
	r.discard()
}

func (r *partRows) discard() {
	for _, f := range r.files {
		discard(f)
	}
	r.files = nil
}
