package scan

import (
	"context"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

// left writes the rows of an area that is not in this run. The disk is not looked at, so a document stands under the
// period in UTC, and whether there is a file is not said. Service has no rows.
func (r *run) left(ctx context.Context, area manifest.Area) error {
	sorter := manifest.NewSorter(r.o.Temp, sortMemory)
	defer sorter.Close() //nolint:errcheck // temporary files alone are left
	meter := r.o.Progress.Meter(string(area), 0, 0)
	defer meter.Done()
	var key, value []byte
	add := func(f manifest.File) error {
		f.Area, f.State, f.Reason = area, manifest.Left, "area"
		if archive.Outside(f.Path) {
			f.Path = ""
		}
		var err error
		if value, err = f.AppendJSON(value[:0]); err != nil {
			return fmt.Errorf("keeping row %d: %w", f.ID, err)
		}
		key = manifest.FileKey(key[:0], f.Path, f.ID)
		meter.Skip(1)
		return sorter.Add(key, value)
	}
	if err := r.rowsOf(ctx, area, add); err != nil {
		return err
	}
	return each(ctx, sorter, func(_, value []byte) error {
		f, err := manifest.Line{Kind: manifest.KindFile, Raw: value}.File()
		if err != nil {
			return err
		}
		return r.file(f)
	})
}

// rowsOf calls add for each row of an area, with what the row alone tells.
func (r *run) rowsOf(ctx context.Context, area manifest.Area, add func(manifest.File) error) error {
	switch area {
	case manifest.Document:
		for d, err := range r.o.Reader.Documents(ctx) {
			if err != nil {
				return err
			}
			f := manifest.File{ID: d.ID, Owner: d.AuthorLogin, Title: d.Title}
			if d.AuthorLogin != "" && strings.TrimSpace(d.Name) != "" && d.Provider == 0 {
				f.Path, _ = archive.Paths(d.AuthorLogin, d.Registered, d.Name)
			}
			if err := add(f); err != nil {
				return err
			}
		}
	case manifest.Template:
		for t, err := range r.o.Reader.Templates(ctx) {
			if err != nil {
				return err
			}
			if err := add(manifest.File{ID: t.ID, Title: t.Title, Path: strings.ReplaceAll(strings.TrimSpace(t.File), `\`, "/")}); err != nil {
				return err
			}
		}
	case manifest.Attachment:
		for a, err := range r.o.Reader.Attachments(ctx) {
			if err != nil {
				return err
			}
			if err := add(manifest.File{ID: a.ID, Title: a.Name}); err != nil {
				return err
			}
		}
	}
	return nil
}
