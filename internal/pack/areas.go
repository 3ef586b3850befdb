package pack

import (
	"context"
	"errors"
	"fmt"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

func (r *run) tables(ctx context.Context) error {
	m := r.o.Progress.Meter(string(manifest.Database), r.in.forecast[manifest.Database].Rows, progress.Items)
	defer m.Done()
	var rows int64
	for _, t := range r.counted {
		rows += t.Rows
	}
	m.SetTotal(rows)
	x := &exporter{spool: r.spool, temp: r.temp, reader: r.src.Reader, codec: chunk.Codec(r.o.Codec), level: r.o.Level, pool: r.packer.pool, room: &r.packer.room, known: r.known}
	if r.known != nil || r.preseed() {
		var err error
		if x.sketches, err = openSketches(r.spool); err != nil {
			return err
		}
	}
	begun := r.o.Now()
	if err := r.exportTables(ctx, x, m, rows); err != nil {
		return err
	}
	if err := noteReading(r.spool, rows, r.o.Now().Sub(begun)); err != nil {
		return err
	}
	return r.endSketches(x.sketches)
}

func (r *run) exportTables(ctx context.Context, x *exporter, m progress.Meter, rows int64) error {
	if !r.src.Reader.Consistent() {
		return r.oneMoment(ctx, x, m, rows)
	}
	for _, t := range r.counted {
		if err := r.table(ctx, x, t, m); err != nil {
			return err
		}
	}
	return nil
}

// endSketches clears away what no later run needs.
func (r *run) endSketches(k *sketches) error {
	if k == nil {
		return nil
	}
	if k.lacked > 0 {
		r.o.Notice("%d parts of tables that changed were packed whole, since this spool has no row digests of what is at the destination", k.lacked)
	}
	return k.clean(r.known)
}

// table writes a table whose rows are counted in the snapshot that they are read from, each part as it is made.
func (r *run) table(ctx context.Context, x *exporter, t manifest.Table, m progress.Meter) error {
	if err := r.emit(t); err != nil {
		return err
	}
	read, err := x.export(ctx, t, m, func(c manifest.Chunk) error { return r.emit(c) })
	if err == nil && read != t.Rows {
		err = fmt.Errorf("table %q: %d rows were counted and %d read in one snapshot", t.Name, t.Rows, read)
	}
	return err
}

func (r *run) files(ctx context.Context, area manifest.Area) error {
	m := r.o.Progress.Meter(string(area), r.in.forecast[area].Bytes, progress.Bytes)
	defer m.Done()
	copies, err := newLinks(r.temp)
	if err != nil {
		return err
	}
	defer copies.close()
	copies.loose = r.packer.loose
	join := r.join
	if err := join.begin(area); err != nil {
		return err
	}
	list := func(ctx context.Context, emit func(manifest.File) error) error {
		if r.planned != nil {
			return r.planned.list(ctx, area, emit)
		}
		return r.inv.Files(ctx, area, emit)
	}
	err = r.packer.pack(ctx, list, m, func(rec manifest.Record) error {
		if f, ok := rec.(manifest.File); ok {
			if err := errors.Join(copies.add(f), join.add(f)); err != nil {
				return err
			}
		}
		return r.emit(rec)
	})
	if err == nil {
		err = join.finish(ctx, r)
	}
	if err != nil {
		return err
	}
	return copies.chunks(ctx, area, r.packer.newDraft, func(c manifest.Chunk) error { return r.emit(c) })
}
