package restore

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// hand writes the files of one job. The folder of its last file stays open, since the next one mostly lies there too: a
// path is then walked once for each folder and not twice for each file.
type hand struct {
	*folder
	dir string
	at  *os.Root // dir; nil before the first file
	buf []byte
}

func (h *hand) close() {
	if h.at != nil {
		h.at.Close() //nolint:errcheck // a folder has nothing to lose
		h.at = nil
	}
}

// enter makes and opens the folder of the next file.
func (h *hand) enter(dir string) error {
	if h.at != nil && h.dir == dir {
		return nil
	}
	h.close()
	if err := h.mkdir(dir); err != nil {
		return err
	}
	at, err := h.root.OpenRoot(dir)
	if err != nil {
		return err
	}
	h.dir, h.at = dir, at
	return nil
}

// entry writes one content under every name that has it.
func (h *hand) entry(files []manifest.File, e chunk.Entry, r io.Reader, meter progress.Meter) error {
	first := ""
	for _, rec := range files {
		name, err := target(rec)
		if err != nil {
			return err
		}
		if name == first {
			continue
		}
		if first == "" {
			err = h.write(name, rec, func(w io.Writer) error { return content(files, e, r, w) })
			first = name
		} else {
			err = h.write(name, rec, func(w io.Writer) error { return h.copy(w, first) })
		}
		if errors.Is(err, chunk.ErrDamaged) { // found only while a large file was being written
			err = fmt.Errorf("chunk %s: %w", rec.Chunk, err)
		}
		if err != nil {
			return fmt.Errorf("unpacking %q: %w", name, err)
		}
		meter.Add(rec.Size)
	}
	return nil
}

func (h *hand) copy(w io.Writer, name string) error {
	src, err := h.root.Open(name)
	if err != nil {
		return err
	}
	defer src.Close()
	_, err = io.Copy(w, src)
	return err
}

func (h *hand) write(name string, rec manifest.File, fill func(io.Writer) error) error {
	dir, base := path.Split(name)
	if err := h.enter(path.Clean(dir)); err != nil {
		return err
	}
	w, err := h.at.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(&buffered{w, &h.buf}), w.Close()); err != nil {
		return err
	}
	return h.at.Chtimes(base, rec.MTime.Time, rec.MTime.Time)
}

// buffered is a file that is filled by way of one buffer for all files: without it, each would have one of its own.
type buffered struct {
	*os.File
	buf *[]byte
}

// ReadFrom is what io.Copy calls.
func (b *buffered) ReadFrom(r io.Reader) (int64, error) {
	if *b.buf == nil {
		*b.buf = make([]byte, copyBuffer)
	}
	return io.CopyBuffer(struct{ io.Writer }{b.File}, r, *b.buf)
}

const copyBuffer = 64 << 10
