package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// UnpackOptions are the choices of Unpack.
type UnpackOptions struct {
	Files    string        // folder to unpack into; empty: no files
	DB       source.Loader // database to fill; nil: none
	Prefix   string        // of the database's tables; empty: the source's
	Only     []manifest.Area
	Workers  int
	Temp     string
	Progress progress.Reporter
	Notice   func(format string, args ...any)
}

// Unpacked is what Unpack made.
type Unpacked struct {
	Tables, Rows     int64
	Files, Bytes     int64
	Removed, NotSent int64 // e-mail rows removed; file records whose content is not at the destination
}

func (o UnpackOptions) wants(a manifest.Area) bool {
	return len(o.Only) == 0 || slices.Contains(o.Only, a)
}

// Unpack makes files and a database of a migration.
func Unpack(ctx context.Context, m Migration, o UnpackOptions) (Unpacked, error) {
	var u Unpacked
	c, err := m.read(ctx, o.Temp, func(f manifest.File) bool { return o.Files != "" && o.wants(f.Area) })
	if err != nil {
		return u, err
	}
	defer c.sorter.Close()
	if err := refuseSource(c.installation, o); err != nil {
		return u, err
	}
	if o.DB != nil && o.wants(manifest.Database) {
		if err := m.database(ctx, c, o, &u); err != nil {
			return u, err
		}
	}
	if o.Files != "" {
		if err := m.files(ctx, c, o, &u); err != nil {
			return u, err
		}
	}
	return u, nil
}

// refuseSource keeps a run from filling the very database or folders that the migration was taken from.
func refuseSource(inst manifest.Installation, o UnpackOptions) error {
	if o.DB != nil && o.DB.URL() == inst.Database {
		return manifest.Errorf(manifest.Refused, "%s is the database that this migration was taken from", inst.Database).
			WithHint("name another, empty database with --db")
	}
	if o.Files == "" {
		return nil
	}
	into, err := os.Stat(o.Files)
	if err != nil {
		return nil //nolint:nilerr // a folder that is not there yet is not the source's
	}
	for area, dirs := range inst.Roots {
		for _, dir := range dirs {
			if st, err := os.Stat(dir); err == nil && os.SameFile(into, st) {
				return manifest.Errorf(manifest.Refused, "%q is a folder of %s that this migration was taken from", o.Files, area).
					WithHint("name another, empty folder with --files")
			}
		}
	}
	return nil
}

func (m Migration) files(ctx context.Context, c *contents, o UnpackOptions, u *Unpacked) error {
	want := mark{Revision: m.Revision(), Areas: o.Only}
	f, err := openFolder(o.Files, want)
	if err != nil {
		return err
	}
	defer f.close()
	meters := map[manifest.Area]progress.Meter{}
	for _, a := range manifest.Areas[1:] {
		t := c.files[a]
		if !o.wants(a) {
			continue
		}
		u.Files += t.Stored
		u.Bytes += t.Bytes
		for _, n := range t.NotStored {
			u.NotSent += n
		}
		meters[a] = progress.None{}.Meter("", 0, progress.Bytes)
		if t.Stored > 0 {
			meters[a] = o.Progress.Meter(string(a), t.Bytes, progress.Bytes)
		}
	}
	if err := f.unpack(ctx, m, c, max(1, o.Workers), meters); err != nil {
		return err
	}
	for _, meter := range meters {
		meter.Done()
	}
	return f.complete()
}

// database fills an empty database, part by part, and then removes the addresses that became user names.
func (m Migration) database(ctx context.Context, c *contents, o UnpackOptions, u *Unpacked) error {
	prefix := o.Prefix
	if prefix == "" {
		prefix = c.installation.Prefix
	}
	var tables []source.Table
	var total int64
	for _, t := range c.tables {
		tables = append(tables, source.FromRecord(t.Table))
		total += t.Rows
	}
	if err := o.DB.Begin(ctx, m.Revision(), prefix, tables); err != nil {
		return err
	}
	meter := o.Progress.Meter(string(manifest.Database), total, progress.Items)
	defer meter.Done()
	for i, t := range c.tables {
		for _, n := range t.parts {
			if err := m.load(ctx, o, t.Table, tables[i], c.chunks[n], meter); err != nil {
				return fmt.Errorf("table %q: %w", t.Name, err)
			}
		}
		u.Tables++
		u.Rows += t.Rows
	}
	for _, r := range c.removals {
		n, err := o.DB.RemoveAddress(ctx, r.Person, r.Email)
		if err != nil {
			return fmt.Errorf("removing an address from person %d: %w", r.Person, err)
		}
		u.Removed += n
	}
	return o.DB.Finish(ctx)
}

func (m Migration) load(ctx context.Context, o UnpackOptions, t manifest.Table, st source.Table, k manifest.Chunk, meter progress.Meter) error {
	part := t.Name + " " + k.SHA256.String()
	switch there, err := o.DB.Loaded(ctx, part); {
	case err != nil:
		return err
	case there:
		meter.Skip(k.Rows)
		return nil
	}
	f, err := m.download(ctx, o.Temp, k)
	if err != nil {
		return err
	}
	defer discard(f)
	rows, err := chunk.NewPartReader(f, k.Bytes, t)
	if err != nil {
		return fmt.Errorf("part %s: %w", k.SHA256, err)
	}
	defer rows.Close()
	n, err := o.DB.Load(ctx, part, st, checked(rows, k))
	meter.Add(n)
	return err
}

// checked yields the rows of a part and fails after the last one when they are not those that the record promises, so
// that the transaction they are loaded in fails with it.
func checked(rows *chunk.PartReader, k manifest.Chunk) iter.Seq2[source.Row, error] {
	return func(yield func(source.Row, error) bool) {
		for {
			row, err := rows.Read()
			if errors.Is(err, io.EOF) {
				if err := agrees(rows, k); err != nil {
					yield(nil, err)
				}
				return
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func agrees(rows *chunk.PartReader, k manifest.Chunk) error {
	p, err := rows.Part()
	if err != nil {
		return err
	}
	if p.Rows != k.Rows || k.Content == nil || p.Content != *k.Content {
		return fmt.Errorf("part %s: its %d rows have the content %s, and its record says otherwise", k.SHA256, p.Rows, p.Content)
	}
	return nil
}
