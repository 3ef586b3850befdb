package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/spool"
)

// exporter turns tables into Parquet parts. One connection reads; decoding and encoding run beside it.
type exporter struct {
	spool  *spool.Spool
	temp   string // for parts that are being written, and for sorting
	reader source.Reader
	codec  chunk.Codec
	level  int
	pool   *chunk.Pool
	room   *room // nil: parts do not wait for room
}

// batchRows is how many rows travel at once from the reading to the encoding side; batches of both sides together are
// what memory holds of a table besides the part writer's own buffers.
const batchRows = 256

// export writes the parts of a table into the spool, hands their chunk records to emit in order, and returns the number
// of rows read.
func (x *exporter) export(ctx context.Context, t manifest.Table, m progress.Meter, emit func(manifest.Chunk) error) (rows int64, err error) {
	st := source.FromRecord(t)
	key, err := chunk.KeyOf(st)
	if err != nil {
		return 0, err
	}
	stream := x.reader.Rows(ctx, st)
	if !key.Integer() {
		sorted, err := x.sorted(ctx, st, key, stream)
		if err != nil {
			return 0, fmt.Errorf("reading table %q: %w", t.Name, err)
		}
		defer sorted.close()
		stream = sorted.rows()
	}
	w := &partsWriter{x: x, table: t, cols: st.Stored(), key: key, emit: emit}
	defer w.abandon()
	batches := make(chan []source.Row, 4)
	eg, ctx := errgroup.WithContext(ctx)
	eg.Go(func() error {
		defer close(batches)
		return batch(ctx, stream, batches)
	})
	eg.Go(func() error {
		for rows := range batches {
			for _, row := range rows {
				if err := w.add(ctx, row); err != nil {
					return err
				}
			}
			m.Add(int64(len(rows)))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return w.finish(ctx)
	})
	if err := eg.Wait(); err != nil {
		return 0, fmt.Errorf("reading table %q: %w", t.Name, err)
	}
	return w.rows, nil
}

// batch moves rows into slices and sends them.
func batch(ctx context.Context, rows iter.Seq2[source.Row, error], to chan<- []source.Row) error {
	b := make([]source.Row, 0, batchRows)
	send := func() error {
		select {
		case to <- b:
			b = make([]source.Row, 0, batchRows)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		if b = append(b, row); len(b) == batchRows {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

// partsWriter writes rows into parts, one after another.
type partsWriter struct {
	x     *exporter
	table manifest.Table
	cols  []source.Column
	key   chunk.Key
	cut   chunk.Cutter
	buf   []byte
	f     *os.File
	w     *chunk.PartWriter
	emit  func(manifest.Chunk) error
	rows  int64
}

func (p *partsWriter) add(ctx context.Context, row source.Row) error {
	begins, err := p.begins(row)
	if err != nil {
		return err
	}
	if begins {
		if err := p.finish(ctx); err != nil {
			return err
		}
	}
	if p.w == nil {
		if p.f, err = os.CreateTemp(p.x.temp, "part-*"); err != nil {
			return fmt.Errorf("creating a part in the spool: %w", err)
		}
		if p.w, err = chunk.NewPartWriter(p.f, p.table, chunk.PartOptions{Codec: p.x.codec, Level: p.x.level, Pool: p.x.pool}); err != nil {
			return err
		}
	}
	p.rows++
	return p.w.Write(row)
}

// begins reports whether a new part begins with the row.
func (p *partsWriter) begins(row source.Row) (bool, error) {
	if p.key.Integer() {
		n, err := p.key.Int(row)
		return err == nil && p.cut.Int(n), err
	}
	var err error
	if p.buf, err = orderOf(p.buf[:0], p.key, p.cols, row); err != nil {
		return false, err
	}
	return p.cut.Key(p.buf), nil
}

// orderOf appends what rows of a table without an integer key are sorted by: the key's bytes, or the row's digest.
func orderOf(dst []byte, key chunk.Key, cols []source.Column, row source.Row) ([]byte, error) {
	if !key.Empty() {
		return key.Append(dst, row)
	}
	canonical, err := chunk.AppendRow(nil, cols, row)
	if err != nil {
		return dst, err
	}
	d := chunk.RowDigest(canonical)
	return append(dst, d[:]...), nil
}

// finish closes the part, sees that it is in the spool, and hands its record on.
func (p *partsWriter) finish(ctx context.Context) error {
	if p.w == nil {
		return nil
	}
	made, err := p.w.Close()
	if err != nil {
		return err
	}
	c := made.Chunk(p.table.Name)
	if p.there(c) {
		p.abandon()
	} else if err := p.settle(ctx, c); err != nil {
		return err
	}
	p.f, p.w = nil, nil
	return p.emit(c)
}

// there reports whether an earlier run left the same part in the spool, whole: then nothing has to be synced again.
func (p *partsWriter) there(c manifest.Chunk) bool {
	f, err := os.Open(p.x.spool.ChunkPath(c.SHA256, c.Type))
	if err != nil {
		return false
	}
	defer f.Close()
	if p.x.pool.VerifyPart(f, c.Bytes, c, p.table) != nil {
		return false
	}
	if r := p.x.room; r != nil {
		r.own(c.SHA256)
	}
	return true
}

// settle syncs the part, reads it back and puts it in its place.
func (p *partsWriter) settle(ctx context.Context, c manifest.Chunk) error {
	if err := p.f.Sync(); err != nil {
		return fmt.Errorf("syncing a part: %w", err)
	}
	if err := p.x.pool.VerifyPart(p.f, c.Bytes, c, p.table); err != nil {
		return fmt.Errorf("reading back part %s: %w", c.SHA256, err)
	}
	if err := p.f.Close(); err != nil {
		return fmt.Errorf("closing a part: %w", err)
	}
	return p.publish(ctx, c)
}

func (p *partsWriter) publish(ctx context.Context, c manifest.Chunk) error {
	if r := p.x.room; r != nil {
		if err := r.take(ctx, c.Bytes); err != nil {
			return err
		}
		defer r.free(c.Bytes)
		r.own(c.SHA256)
	}
	return p.x.spool.Publish(p.f.Name(), c.SHA256, c.Type)
}

func (p *partsWriter) abandon() {
	if p.f != nil {
		p.f.Close()
		os.Remove(p.f.Name())
	}
}

// sortedRows are a table's rows in an order that does not depend on the server: by key bytes, or by row digest.
type sortedRows struct {
	sorter *manifest.Sorter
	cursor manifest.Cursor
	cols   []source.Column
}

const sortMemory = 48 << 20

func (x *exporter) sorted(ctx context.Context, st source.Table, key chunk.Key, rows iter.Seq2[source.Row, error]) (*sortedRows, error) {
	s := &sortedRows{sorter: manifest.NewSorter(x.temp, sortMemory), cols: st.Stored()}
	if err := s.fill(key, rows); err != nil {
		s.close()
		return nil, err
	}
	var err error
	if s.cursor, err = s.sorter.Sort(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *sortedRows) fill(key chunk.Key, rows iter.Seq2[source.Row, error]) error {
	var order, canonical []byte
	for row, err := range rows {
		if err != nil {
			return err
		}
		if order, err = orderOf(order[:0], key, s.cols, row); err != nil {
			return err
		}
		if canonical, err = chunk.AppendRow(canonical[:0], s.cols, row); err != nil {
			return err
		}
		if err := s.sorter.Add(order, canonical); err != nil {
			return err
		}
	}
	return nil
}

func (s *sortedRows) rows() iter.Seq2[source.Row, error] {
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

func (s *sortedRows) close() { s.sorter.Close() } //nolint:errcheck // temporary files
