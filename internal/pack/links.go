package pack

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
)

// links collects the copies of an area, packed and stored ones, while its files are packed, in a file of the spool, and
// then makes the chunks of hard links that let a stock tar restore every name.
type links struct {
	f    *os.File
	w    *bufio.Writer
	n    int
	last string

	loose map[string]bool // names of copies that get no link, since no original of their content is in the area
}

func newLinks(dir string) (*links, error) {
	f, err := os.CreateTemp(dir, "links-*")
	if err != nil {
		return nil, fmt.Errorf("creating the list of copies: %w", err)
	}
	return &links{f: f, w: bufio.NewWriter(f)}, nil
}

// add notes a file record that was written; only a copy under a name of its own needs a link.
func (l *links) add(f manifest.File) error {
	if !isCopy(f) || f.Path == l.last || l.loose[entryName(f)] {
		return nil
	}
	l.last = f.Path
	l.n++
	b := binary.AppendVarint(nil, f.MTime.Unix())
	for _, s := range []string{entryName(f), string(f.Area) + "/" + f.Same} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	if _, err := l.w.Write(b); err != nil {
		return fmt.Errorf("writing the list of copies: %w", err)
	}
	return nil
}

func (l *links) close() {
	l.f.Close()
	os.Remove(l.f.Name())
}

// chunks makes the links chunks of the area in manifest order.
func (l *links) chunks(ctx context.Context, area manifest.Area, begin func() (*draft, error), emit func(manifest.Chunk) error) error {
	if err := l.w.Flush(); err != nil {
		return fmt.Errorf("writing the list of copies: %w", err)
	}
	if _, err := l.f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the list of copies: %w", err)
	}
	r := bufio.NewReader(l.f)
	var d *draft
	var plan chunk.Planner
	finish := func() error {
		if d == nil {
			return nil
		}
		if err := d.finish(area, manifest.RoleLinks); err != nil {
			return err
		}
		made, room := d.made, d.room
		if err := room.take(ctx, made.Bytes); err != nil {
			return err
		}
		defer room.free(made.Bytes)
		if err := d.publish(); err != nil {
			return err
		}
		d = nil
		return emit(made)
	}
	defer func() { d.drop() }()
	for range l.n {
		e, err := readLink(r)
		if err != nil {
			return fmt.Errorf("reading the list of copies: %w", err)
		}
		if plan.AddLink(e.Name, e.Link) {
			if err := finish(); err != nil {
				return err
			}
		}
		if d == nil {
			if d, err = begin(); err != nil {
				return err
			}
		}
		if _, _, err := d.w.Add(e, nil); err != nil {
			return fmt.Errorf("packing the link %q: %w", e.Name, err)
		}
	}
	return finish()
}

func readLink(r *bufio.Reader) (chunk.Entry, error) {
	mtime, err := binary.ReadVarint(r)
	if err != nil {
		return chunk.Entry{}, noEOF(err)
	}
	var names [2]string
	for i := range names {
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return chunk.Entry{}, noEOF(err)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			return chunk.Entry{}, noEOF(err)
		}
		names[i] = string(b)
	}
	return chunk.Entry{Name: names[0], Link: names[1], MTime: time.Unix(mtime, 0)}, nil
}

// noEOF keeps a list that ends too soon from looking like one that ended.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
