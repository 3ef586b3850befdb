package pack

import (
	"context"
	"fmt"
	"os"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
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

	known *known // parts whose rows are at the destination are not kept; nil: none
}

// export writes the parts of a table into the spool, hands their chunk records to emit in order, and returns the number
// of rows read.
func (x *exporter) export(ctx context.Context, t manifest.Table, m progress.Meter, emit func(manifest.Chunk) error) (rows int64, err error) {
	if rows, err = x.write(ctx, t, m, emit); err != nil {
		return 0, fmt.Errorf("reading table %q: %w", t.Name, err)
	}
	return rows, nil
}

// meterEvery is how many rows are counted at once.
const meterEvery = 256

func (x *exporter) write(ctx context.Context, t manifest.Table, m progress.Meter, emit func(manifest.Chunk) error) (int64, error) {
	st := source.FromRecord(t)
	stream, err := parts.Ordered(ctx, st, x.reader.Rows(ctx, st), x.temp)
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	w := &partsWriter{x: x, table: t, cut: stream.Cutter(), emit: emit}
	ctx, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		w.abandon()
	}()
	told := int64(0)
	for row, err := range parts.Ahead(ctx, stream.Rows()) {
		if err != nil {
			return 0, err
		}
		if err := w.add(ctx, row); err != nil {
			return 0, err
		}
		if w.rows-told == meterEvery {
			m.Add(meterEvery)
			told = w.rows
		}
	}
	m.Add(w.rows - told)
	if err := w.finish(ctx); err != nil {
		return 0, err
	}
	return w.rows, w.wait()
}

// largeRow is the size of a row from which its part is settled before the next part is begun: reading it back takes the
// memory of the row once more, and the next part may have another one.
const largeRow = 4 << 20

// partsWriter writes rows into parts, one after another. While one is written, the one before it is settled: synced, read
// back, put in its place and handed on, by a goroutine of its own. So parts are handed on in their order.
type partsWriter struct {
	x       *exporter
	table   manifest.Table
	cut     *parts.Cutter
	f       *os.File
	w       *chunk.PartWriter
	large   bool       // a row of the part is one
	settled chan error // of the part before it; nil: that is done
	emit    func(manifest.Chunk) error
	rows    int64
}

func (p *partsWriter) add(ctx context.Context, row source.Row) error {
	begins, err := p.cut.Begins(row)
	if err != nil {
		return err
	}
	if begins {
		if err := p.finish(ctx); err != nil {
			return err
		}
	}
	if row.Size() >= largeRow {
		p.large = true
		if err := p.wait(); err != nil {
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

// finish closes the part and begins to settle it, once the part before it is settled.
func (p *partsWriter) finish(ctx context.Context) error {
	if p.w == nil {
		return nil
	}
	made, err := p.w.Close()
	if err != nil {
		return err
	}
	if err := p.wait(); err != nil {
		return err
	}
	f, c, settled := p.f, made.Chunk(p.table.Name), make(chan error, 1)
	p.f, p.w, p.settled = nil, nil, settled
	go func() {
		c, err := p.settle(ctx, f, c)
		if err == nil {
			err = p.emit(c)
		}
		settled <- err
	}()
	if p.large {
		p.large = false
		return p.wait()
	}
	return nil
}

// wait waits until the part before is settled.
func (p *partsWriter) wait() error {
	if p.settled == nil {
		return nil
	}
	err := <-p.settled
	p.settled = nil
	return err
}

// settle sees that a part is in the spool, or returns the record of the one at the destination that holds the same rows. Its
// file is closed, and gone from where it was written.
func (p *partsWriter) settle(ctx context.Context, f *os.File, c manifest.Chunk) (manifest.Chunk, error) {
	if have, ok := p.x.known.part(c); ok {
		remove(f)
		return have, nil
	}
	if p.there(c) {
		remove(f)
		return c, nil
	}
	err := p.place(ctx, f, c)
	if err != nil {
		remove(f)
	}
	return c, err
}

// place syncs a part, reads it back and puts it in its place.
func (p *partsWriter) place(ctx context.Context, f *os.File, c manifest.Chunk) error {
	if err := f.Sync(); err != nil {
		return fmt.Errorf("syncing a part: %w", err)
	}
	if err := p.x.pool.VerifyPart(f, c.Bytes, c, p.table); err != nil {
		return fmt.Errorf("reading back part %s: %w", c.SHA256, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("closing a part: %w", err)
	}
	return p.publish(ctx, f.Name(), c)
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

func (p *partsWriter) publish(ctx context.Context, temp string, c manifest.Chunk) error {
	if r := p.x.room; r != nil {
		if err := r.take(ctx, c.Bytes); err != nil {
			return err
		}
		defer r.free(c.Bytes)
		r.own(c.SHA256)
	}
	return p.x.spool.Publish(temp, c.SHA256, c.Type)
}

// abandon waits for what is under way and drops the part that is not finished.
func (p *partsWriter) abandon() {
	p.wait() //nolint:errcheck // there is an error already, or nothing under way
	if p.f != nil {
		remove(p.f)
	}
}

// remove closes a file and removes it.
func remove(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}
