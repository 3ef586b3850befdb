package restore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
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
	// Remark is told what a person should know of the database in the end: what is in it otherwise than at the source.
	Remark func(format string, args ...any)
}

// Unpacked is what Unpack made.
type Unpacked struct {
	Tables, Rows     int64
	Files, Bytes     int64
	Removed, NotSent int64 // e-mail rows removed; file records whose content is not at the destination
	Users            int64 // rows of source.UserTable
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
	defer c.sorter.Close() //nolint:errcheck // temporary files
	if !o.wants(manifest.Database) {
		o.DB = nil
	}
	if o.Prefix == "" {
		o.Prefix = c.installation.Prefix
	}
	if err := refuseSource(ctx, c.installation, o); err != nil {
		return u, err
	}
	if o.DB != nil {
		if err := c.loadable(m); err != nil {
			return u, err
		}
	}
	err = m.unpack(ctx, c, o, &u)
	return u, err
}

// unpack takes both targets before it writes to either, and ends both when all is in them: so the same command goes on
// after a kill at any moment, and a target that is refused is found before the work is done.
func (m Migration) unpack(ctx context.Context, c *contents, o UnpackOptions, u *Unpacked) error {
	var f *folder
	if o.Files != "" {
		var err error
		if f, err = openFolder(o.Files, mark{Revision: m.Revision(), Areas: o.Only}); err != nil {
			return err
		}
		defer f.close()
	}
	if o.DB != nil {
		switch err := o.DB.Begin(ctx, m.Revision(), o.Prefix, append(c.sourceTables(), source.UserTable())); {
		case manifest.StatusOf(err) == manifest.Refused && f != nil && f.finished(endOf(o.DB, o.Prefix)):
			o.DB = nil // a run before this one finished it, and was killed before it could finish the folder
		case err != nil:
			f.abandon()
			return err
		}
	}
	if o.DB != nil {
		if err := m.load(ctx, c, o, u); err != nil {
			return err
		}
	}
	if f != nil {
		if err := m.files(ctx, c, f, o, u); err != nil {
			return err
		}
	}
	if o.DB != nil {
		if err := m.finish(ctx, f, o); err != nil {
			return err
		}
		for _, line := range source.MergeNotes(o.DB.Notes()) {
			o.Remark("%s", line)
		}
	}
	return f.complete()
}

// finish ends the load of the database, after the folder, where there is one, was told that nothing else is left.
func (m Migration) finish(ctx context.Context, f *folder, o UnpackOptions) error {
	if f != nil {
		if err := errors.Join(f.finish(endOf(o.DB, o.Prefix)), f.sync()); err != nil {
			return err
		}
	}
	return o.DB.Finish(ctx)
}

// endOf stands, among the digests of finished chunks, for a database that needs nothing more than to be finished.
func endOf(db source.Loader, prefix string) manifest.Digest {
	return sha256.Sum256([]byte("database " + db.URL() + " " + prefix))
}

// refuseSource keeps a run from filling the very database or folders that the migration was taken from.
func refuseSource(ctx context.Context, inst manifest.Installation, o UnpackOptions) error {
	if o.DB != nil {
		if err := refuseDatabase(ctx, inst, o.DB); err != nil {
			return err
		}
	}
	if o.Files == "" {
		return nil
	}
	into, err := filepath.Abs(o.Files)
	if err != nil {
		return fmt.Errorf("looking for the folder to unpack into: %w", err)
	}
	for _, area := range slices.Sorted(maps.Keys(inst.Roots)) {
		for _, root := range inst.Roots[area] {
			if within(into, root) {
				return manifest.Errorf(manifest.Refused, "%q lies in a folder of %s that this migration was taken from, %q", o.Files, area, root).
					WithHint("name an empty folder somewhere else with --files")
			}
		}
	}
	return nil
}

func refuseDatabase(ctx context.Context, inst manifest.Installation, db source.Loader) error {
	same := db.URL() == inst.Database
	if !same && inst.Fingerprint != "" {
		print, err := db.Fingerprint(ctx)
		if err != nil {
			return fmt.Errorf("looking whether the database is the source: %w", err)
		}
		same = print == inst.Fingerprint
	}
	if !same {
		return nil
	}
	also := ""
	if db.URL() != inst.Database {
		also = ", which it calls " + inst.Database
	}
	return manifest.Errorf(manifest.Refused, "%s is the database that this migration was taken from%s", db.URL(), also).
		WithHint("name another, empty database with --db")
}

// within reports whether the folder dir, or the nearest above it that exists, is root or lies in it.
func within(dir, root string) bool {
	r, err := os.Stat(root)
	if err != nil {
		return false
	}
	for {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			dir = real
		}
		if st, err := os.Stat(dir); err == nil && os.SameFile(st, r) {
			return true
		}
		above := filepath.Dir(dir)
		if above == dir {
			return false
		}
		dir = above
	}
}

func (m Migration) files(ctx context.Context, c *contents, f *folder, o UnpackOptions, u *Unpacked) error {
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
	defer func() {
		for _, meter := range meters {
			meter.Done()
		}
	}()
	return f.unpack(ctx, m, c, o.Workers, meters)
}

// sourceTables are the tables as a loader makes them.
func (c *contents) sourceTables() []source.Table {
	tables := make([]source.Table, len(c.tables))
	for i, t := range c.tables {
		tables[i] = source.FromRecord(t.Table)
	}
	return tables
}

// load fills the database part by part, and then removes the addresses that became user names.
func (m Migration) load(ctx context.Context, c *contents, o UnpackOptions, u *Unpacked) error {
	var total int64
	for _, t := range c.tables {
		total += t.Rows
	}
	meter := o.Progress.Meter(string(manifest.Database), total, progress.Items)
	defer meter.Done()
	for i, st := range c.sourceTables() {
		t := c.tables[i]
		for _, p := range t.parts {
			if err := m.part(ctx, o, t.Table, st, p, meter); err != nil {
				return fmt.Errorf("table %q: %w", t.Name, err)
			}
		}
		u.Tables++
		u.Rows += t.Rows
	}
	if err := c.loadUsers(ctx, o.DB, u); err != nil {
		return err
	}
	for _, r := range c.removals {
		n, err := o.DB.RemoveAddress(ctx, r.Person, r.Email)
		if err != nil {
			return fmt.Errorf("removing an address from person %d: %w", r.Person, err)
		}
		u.Removed += n
	}
	return nil
}

func (m Migration) part(ctx context.Context, o UnpackOptions, t manifest.Table, st source.Table, p part, meter progress.Meter) error {
	name := t.Name + " " + p.name()
	switch there, err := o.DB.Loaded(ctx, name); {
	case err != nil:
		return err
	case there:
		meter.Skip(p.whole().Rows)
		return nil
	}
	rows, err := openPart(new(chunk.Pool), t, p, func(k manifest.Chunk) (*os.File, error) { return m.download(ctx, o.Temp, k) })
	if err != nil {
		return err
	}
	defer rows.Close()
	n, err := o.DB.Load(ctx, name, st, rows.all())
	meter.Add(n)
	return err
}
