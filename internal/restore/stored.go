package restore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/source"
)

// entry is a row on its way through a comparison.
type entry struct {
	parts.Item
	row source.Row
}

// side is the migration's side of a comparison: its rows in their order.
type side interface {
	// peek returns the row that comes next, nil behind the last one. It stays the same until advance.
	peek(ctx context.Context) (*entry, error)
	advance() error
	close()
}

// stored is the rows of a table as its parts hold them. Between two parts it stands at a boundary, and nothing of what
// follows is downloaded before it is asked for.
type stored struct {
	fetch func(ctx context.Context, k manifest.Chunk) (*os.File, error)
	table manifest.Table
	parts []part
	order parts.Order
	pick  []int // columns that are compared; nil: all
	read  int   // parts that were downloaded

	unsorted bool // order is not that of the parts

	at   int // the part that is open, or comes next
	rows *partRows
	head *entry
}

// boundary reports whether no part is begun.
func (s *stored) boundary() bool { return s.rows == nil }

// next is the part that comes next, at a boundary.
func (s *stored) next() (manifest.Chunk, bool) {
	if s.at == len(s.parts) {
		return manifest.Chunk{}, false
	}
	return s.parts[s.at].whole(), true
}

// skip passes over the part that comes next.
func (s *stored) skip() { s.at++ }

func (s *stored) peek(ctx context.Context) (*entry, error) {
	for s.head == nil {
		if s.rows == nil {
			if s.at == len(s.parts) {
				return nil, nil
			}
			if err := s.open(ctx); err != nil {
				return nil, err
			}
		}
		if err := s.advance(); err != nil {
			return nil, err
		}
	}
	return s.head, nil
}

func (s *stored) open(ctx context.Context) error {
	rows, err := openPart(new(chunk.Pool), s.table, s.parts[s.at], func(k manifest.Chunk) (*os.File, error) { return s.fetch(ctx, k) })
	if err != nil {
		return err
	}
	s.rows = rows
	s.read++
	return nil
}

// advance takes the next row of the open part. At the end of the part it stands at a boundary, without a row.
func (s *stored) advance() error {
	row, err := s.rows.Read()
	if errors.Is(err, io.EOF) {
		s.close()
		s.at++
		return nil
	}
	if err != nil {
		return err
	}
	last := s.head
	s.head = &entry{row: picked(row, s.pick)}
	if s.head.Item, err = s.order.Item(s.head.row); err != nil {
		return err
	}
	if last != nil && !s.unsorted && bytes.Compare(last.Key, s.head.Key) > 0 {
		return fmt.Errorf("part %s: its rows are not in their order", s.parts[s.at][0].SHA256)
	}
	return nil
}

func (s *stored) close() {
	if s.rows != nil {
		s.rows.Close()
	}
	s.rows, s.head = nil, nil
}

// all yields the rows of all parts.
func (s *stored) all(ctx context.Context) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		defer s.close()
		for {
			e, err := s.peek(ctx)
			if err == nil && e == nil {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(e.row, nil) {
				return
			}
			if err := s.advance(); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// picked gives the values of some columns.
func picked(row source.Row, pick []int) source.Row {
	if pick == nil {
		return row
	}
	out := make(source.Row, len(pick))
	for i, at := range pick {
		out[i] = row[at]
	}
	return out
}

// sorted is rows that were put into another order than that of the parts they come from.
type sorted struct {
	stream *parts.Stream
	next   func() (parts.Item, error, bool)
	stop   func()
	head   *entry
}

func newSorted(ctx context.Context, stream *parts.Stream) *sorted {
	s := &sorted{stream: stream}
	s.next, s.stop = iter.Pull2(stream.Items(ctx))
	return s
}

func (s *sorted) peek(context.Context) (*entry, error) {
	if s.head != nil {
		return s.head, nil
	}
	it, err, ok := s.next()
	if err != nil || !ok {
		return nil, err
	}
	e := &entry{}
	if e.Item, e.row, err = s.stream.Decode(it.Row); err != nil {
		return nil, err
	}
	s.head = e
	return e, nil
}

func (s *sorted) advance() error {
	s.head = nil
	return nil
}

func (s *sorted) close() {
	s.stop()
	s.stream.Close()
}
