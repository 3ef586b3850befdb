package pack

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/durable"
	"github.com/openomt/omt/internal/manifest"
)

// extract takes contents out of chunks into a folder, each as a file called by its digest.
func (a *again) extract(ctx context.Context) (dir string, err error) {
	dir = filepath.Join(a.temp, "extracted")
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making a folder for contents of chunks: %w", err)
	}
	byChunk := manifest.NewSorter(a.o.Temp, changeMemory)
	defer byChunk.Close() //nolint:errcheck // temporary files
	err = a.todo.each(ctx, func(x change) error {
		if x.how != howContent {
			return nil
		}
		v, err := x.is.AppendJSON(nil)
		if err != nil {
			return err
		}
		return byChunk.Add(binary.BigEndian.AppendUint64(slices.Clone(x.is.Chunk[:]), uint64(x.is.Offset)), v)
	})
	if err != nil {
		return "", err
	}
	c, err := byChunk.Sort(ctx)
	if err != nil {
		return "", err
	}
	e := &extraction{again: a, ctx: ctx, dir: dir}
	defer e.close()
	for {
		_, v, err := c.Next()
		if errors.Is(err, io.EOF) {
			return dir, nil
		}
		if err != nil {
			return "", err
		}
		f, err := fileOf(v)
		if err == nil {
			err = e.file(f)
		}
		if err != nil {
			return "", err
		}
	}
}

// record finds the record of a chunk, the input's before the base's.
func (a *again) record(d manifest.Digest) (manifest.Chunk, bool) {
	for _, m := range []*older{a.input, a.base} {
		if m == nil {
			continue
		}
		if n, ok := m.place[d]; ok {
			return m.chunks[n].Chunk, true
		}
	}
	return manifest.Chunk{}, false
}

// extraction takes contents out of chunks, which come in the order of their digests and offsets.
type extraction struct {
	*again
	ctx   context.Context
	dir   string
	chunk manifest.Digest
	rc    io.ReadCloser
	r     *chunk.Reader
	at    int64 // where the content of the entry at hand begins
}

func (e *extraction) close() {
	if e.r != nil {
		e.r.Close()
		e.rc.Close()
		e.r = nil
	}
}

// file takes one content out of its chunk, unless it was taken already.
func (e *extraction) file(f manifest.File) error {
	name := filepath.Join(e.dir, f.SHA256.String())
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if e.r == nil || f.Chunk != e.chunk {
		if err := e.open(f); err != nil {
			return err
		}
	}
	for e.at < f.Offset {
		_, offset, err := e.r.Next()
		if err != nil {
			return fmt.Errorf("looking for %q in chunk %s: %w", entryName(f), f.Chunk, noEOF(err))
		}
		e.at = offset
	}
	if e.at != f.Offset {
		return fmt.Errorf("chunk %s: no entry begins at byte %d, where %q should be", f.Chunk, f.Offset, f.Path)
	}
	if err := e.store(name, f); err != nil {
		return fmt.Errorf("taking %q out of chunk %s: %w", entryName(f), f.Chunk, err)
	}
	return nil
}

func (e *extraction) open(f manifest.File) error {
	e.close()
	c, ok := e.record(f.Chunk)
	if !ok {
		return manifest.Errorf(manifest.BadInput, "file %q refers to chunk %s, which the manifest does not list", entryName(f), f.Chunk)
	}
	rc, err := e.o.Fetch(e.ctx, c)
	if err != nil {
		return err
	}
	e.chunk, e.rc, e.at = f.Chunk, rc, -1
	e.r = e.packer.pool.NewReader(contextReader{e.ctx, rc})
	return nil
}

// store writes the content of the entry at hand, which must be the one that the record names.
func (e *extraction) store(name string, f manifest.File) error {
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), e.r)
	if err == nil && (n != f.Size || manifest.Digest(h.Sum(nil)) != f.SHA256) {
		err = errors.New("it is not what the manifest says")
	}
	if err == nil {
		err = out.Close()
	}
	return err
}
