package restore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// differ compares the rows of a table in a database with those of a migration. The database's rows are cut into parts as
// they were when the migration was packed. Where both sides stand at a boundary, parts with one digest are passed over;
// elsewhere both sides are walked in the order of their keys, until they stand at a boundary together again. So a row that
// is missing where a part began, and makes one part of two, or one too many that makes two of one, costs the download of
// the parts beside it and no more.
//
// What is passed over is the same rows on both sides, beginning at the same place: a walk over them would have paired
// each with its like. So the counts are those of a walk over everything.
type differ struct {
	side  side
	parts *stored // side, where digests can be compared; nil elsewhere
	was   []source.Column
	is    []source.Column
	order parts.Order // of the database's rows
	gone  *removals
	t     *tallied
}

// meterEvery is how many rows are counted at once.
const meterEvery = 1 << 12

// compare takes all rows of the database, in their order.
func (d *differ) compare(ctx context.Context, items iter.Seq2[parts.Item, error], part *held, meter progress.Meter) error {
	cut := d.order.Cutter()
	told := int64(0)
	tell := func() {
		meter.Add(d.t.live - told)
		told = d.t.live
	}
	part.reset()
	for it, err := range items {
		if err != nil {
			return err
		}
		if cut.BeginsAt(it.Key) {
			if err := d.take(ctx, part); err != nil {
				return err
			}
			part.reset()
		}
		if err := part.add(it); err != nil {
			return err
		}
		if d.t.live++; d.t.live-told == meterEvery {
			tell()
		}
	}
	tell()
	if err := d.take(ctx, part); err != nil {
		return err
	}
	return d.rest(ctx)
}

// take compares one part of the database, up to its last row.
func (d *differ) take(ctx context.Context, part *held) error {
	digest := part.end()
	var b *entry
	for begun := false; ; {
		if !begun {
			if passed, err := d.pass(part, digest, b); passed || err != nil {
				return err
			}
		}
		var err error
		if b == nil {
			if b, err = d.read(part); b == nil || err != nil {
				return err
			}
		}
		used, err := d.step(ctx, b)
		if err != nil {
			return err
		}
		if used {
			b, begun = nil, true
		}
	}
}

// step compares a row of the database with the one that comes next in the migration, and passes over the one that is
// behind, or both. It reports whether b was passed over.
func (d *differ) step(ctx context.Context, b *entry) (used bool, err error) {
	if d.beyond(b) {
		d.extra(b)
		return true, nil
	}
	a, err := d.side.peek(ctx)
	if err != nil {
		return false, err
	}
	order := 1
	if a != nil {
		order = bytes.Compare(a.Key, b.Key)
	}
	switch {
	case order < 0:
		d.missing(a)
	case order == 0:
		err = d.both(a, b)
	default:
		d.extra(b)
		return true, nil
	}
	if err == nil {
		err = d.side.advance()
	}
	return order == 0, err
}

// beyond reports whether the record of the migration's next part says that it begins behind a row, so that it need not be
// opened.
func (d *differ) beyond(b *entry) bool {
	if d.parts == nil || !d.parts.boundary() {
		return false
	}
	k, ok := d.parts.next()
	if !ok {
		return false
	}
	first, ok := d.order.Key(k.First)
	return ok && bytes.Compare(first, b.Key) > 0
}

// pass passes over a part of the database that is the same in the migration, and over what can be told without a look at
// rows: a part before whose first key the other side ends, where a record says in so many words what its keys are. b is the
// part's first row, if it was read already.
func (d *differ) pass(part *held, digest manifest.Digest, b *entry) (bool, error) {
	for d.parts != nil && d.parts.boundary() && part.rows > 0 {
		k, ok := d.parts.next()
		if !ok {
			return false, nil
		}
		if k.Content != nil && *k.Content == digest && k.Rows == part.rows {
			d.t.pass(same, k.Rows)
			d.t.compared += k.Rows
			d.t.agreed++
			d.parts.skip()
			return true, nil
		}
		first, ok := d.order.Key(k.First)
		last, ok2 := d.order.Key(k.Last)
		switch {
		case !ok || !ok2:
			return false, nil
		case bytes.Compare(first, part.last) > 0:
			return true, d.allExtra(part, b)
		case d.gone != nil || bytes.Compare(last, part.first) >= 0:
			return false, nil
		}
		d.missingPart(k)
	}
	return false, nil
}

func (d *differ) allExtra(part *held, b *entry) error {
	for {
		if b != nil {
			d.extra(b)
		}
		var err error
		if b, err = d.read(part); b == nil || err != nil {
			return err
		}
	}
}

// rest counts the migration's rows behind the last one of the database.
func (d *differ) rest(ctx context.Context) error {
	for {
		if d.parts != nil && d.gone == nil && d.parts.boundary() {
			if k, ok := d.parts.next(); ok {
				d.missingPart(k)
				continue
			}
		}
		a, err := d.side.peek(ctx)
		if a == nil || err != nil {
			return err
		}
		d.missing(a)
		if err := d.side.advance(); err != nil {
			return err
		}
	}
}

// read reads the next row of a part of the database, nil behind its last.
func (d *differ) read(part *held) (*entry, error) {
	canonical, err := part.next()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e := &entry{}
	e.Item, e.row, err = d.order.Decode(canonical)
	return e, err
}

func (d *differ) missingPart(k manifest.Chunk) {
	d.t.compared += k.Rows
	d.t.add(missing, k.Rows, k.First, k.Last)
	d.parts.skip()
}

func (d *differ) missing(a *entry) {
	d.t.compared++
	if d.gone.match(a.row) {
		d.t.pass(removed, 1)
		return
	}
	text := d.order.Text(a.Key, a.row)
	d.t.add(missing, 1, text, text)
}

func (d *differ) extra(b *entry) {
	text := d.order.Text(b.Key, b.row)
	d.t.add(extra, 1, text, text)
}

// both compares two rows of one key.
func (d *differ) both(a, b *entry) error {
	d.t.compared++
	if bytes.Equal(a.Row, b.Row) {
		d.t.pass(same, 1)
		return nil
	}
	text := d.order.Text(b.Key, b.row)
	d.t.add(changed, 1, text, text)
	var was, is []byte
	for i := range d.was {
		var err error
		if was, err = chunk.AppendRow(was[:0], d.was[i:i+1], a.row[i:i+1]); err != nil {
			return err
		}
		if is, err = chunk.AppendRow(is[:0], d.is[i:i+1], b.row[i:i+1]); err != nil {
			return err
		}
		if !bytes.Equal(was, is) {
			d.t.columns[i]++
		}
	}
	return nil
}
