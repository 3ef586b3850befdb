package parts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"golang.org/x/sync/semaphore"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// sortMemory is what the rows of a table take in memory while they are sorted.
const sortMemory = 48 << 20

// Stream is the rows of a table in the order of its parts. It is read once, by Rows or by Items.
type Stream struct {
	Order
	given  iter.Seq2[source.Row, error] // of an integer key
	sorter *manifest.Sorter
	cursor manifest.Cursor
}

// Ordered puts the rows of a table into the order of its parts. Rows of a table without an integer key are all read
// before it returns; they lie in temp until Close. The rows are those of the table's stored columns.
func Ordered(ctx context.Context, t source.Table, rows iter.Seq2[source.Row, error], temp string) (*Stream, error) {
	order, err := OrderOf(t)
	if err != nil {
		return nil, err
	}
	s := &Stream{Order: order, given: rows}
	if order.Integer() {
		return s, nil
	}
	s.sorter = manifest.NewSorter(temp, sortMemory)
	if err = s.fill(Ahead(ctx, rows)); err == nil {
		s.cursor, err = s.sorter.Sort(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stream) fill(rows iter.Seq2[source.Row, error]) error {
	var order, canonical []byte
	for row, err := range rows {
		if err != nil {
			return err
		}
		if order, canonical, err = s.appendBoth(order[:0], canonical[:0], row); err != nil {
			return err
		}
		if err := s.sorter.Add(order, canonical); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the temporary files.
func (s *Stream) Close() {
	if s.sorter != nil {
		s.sorter.Close() //nolint:errcheck // temporary files
	}
}

// Rows yields the rows.
func (s *Stream) Rows() iter.Seq2[source.Row, error] {
	if s.sorter == nil {
		return s.given
	}
	return func(yield func(source.Row, error) bool) {
		for {
			_, val, err := s.cursor.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			var row source.Row
			if err == nil {
				row, err = chunk.DecodeRow(s.cols, val)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// Items yields the rows as they are compared. An item is good until the next one. Rows of an integer key are read ahead,
// and are an error where they do not come in its order.
func (s *Stream) Items(ctx context.Context) iter.Seq2[Item, error] {
	if s.sorter == nil {
		return func(yield func(Item, error) bool) { s.givenItems(ctx, yield) }
	}
	return func(yield func(Item, error) bool) {
		for {
			key, val, err := s.cursor.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(Item{Key: key, Row: val}, err) || err != nil {
				return
			}
		}
	}
}

// largeItem is the size of an encoding whose memory is not kept for the next row.
const largeItem = 1 << 20

func (s *Stream) givenItems(ctx context.Context, yield func(Item, error) bool) {
	var it Item
	var last []byte
	for row, err := range Ahead(ctx, s.given) {
		if err == nil {
			it.Key, it.Row, err = s.appendBoth(it.Key[:0], it.Row[:0], row)
		}
		if err == nil && bytes.Compare(it.Key, last) < 0 {
			err = fmt.Errorf("the row with the key %d came behind that with %d", s.Int(it.Key), s.Int(last))
		}
		if !yield(it, err) || err != nil {
			return
		}
		last = append(last[:0], it.Key...)
		if cap(it.Row) > largeItem {
			it.Row = nil
		}
	}
}

const (
	// batchRows and batchBytes are how many rows travel at once from the reading to the working side, at most.
	batchRows  = 256
	batchBytes = 256 << 10
	// aheadBytes is what the rows that are read ahead may take. A larger row is read ahead alone.
	aheadBytes = 16 << 20
)

// batch is rows that travel together.
type batch struct {
	rows []source.Row
	size int64 // what they count for
}

// Ahead yields the same rows, read by a goroutine of its own that is ahead by up to 16 MiB of rows, or by one row where that
// is larger. The goroutine has ended when the loop over the rows has, however it was left. When ctx is over the last of
// them is its error.
func Ahead(ctx context.Context, rows iter.Seq2[source.Row, error]) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		reading, stop := context.WithCancel(ctx)
		batches, failed := make(chan batch, 4), make(chan error, 1)
		room := semaphore.NewWeighted(aheadBytes)
		go func() {
			failed <- read(reading, rows, room, batches)
			close(batches)
		}()
		defer func() {
			stop()
			for range batches {
				continue // what was read ahead is not wanted any more
			}
		}()
		for b := range batches {
			for i, row := range b.rows {
				b.rows[i] = nil
				if !yield(row, nil) {
					return
				}
			}
			room.Release(b.size)
		}
		err := <-failed
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// read moves rows into batches and sends them.
func read(ctx context.Context, rows iter.Seq2[source.Row, error], room *semaphore.Weighted, to chan<- batch) error {
	var b batch
	send := func() error {
		b.size = min(b.size, aheadBytes)
		if err := room.Acquire(ctx, b.size); err != nil {
			return err
		}
		select {
		case to <- b:
			b = batch{}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		if b.rows == nil {
			b.rows = make([]source.Row, 0, batchRows)
		}
		b.rows, b.size = append(b.rows, row), b.size+int64(row.Size())
		if len(b.rows) == batchRows || b.size >= batchBytes {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(b.rows) == 0 {
		return nil
	}
	return send()
}
