package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// List writes what a migration holds as tab-separated lines, in manifest order: for a table "table", rows, name; for a
// file its area, state, size, path. With names it writes the tar name of each stored file alone, as tar -T reads it
// (with --verbatim-files-from, where a name begins with a hyphen).
func List(ctx context.Context, m Migration, names bool, w io.Writer) error {
	rc, err := m.Tenant.OpenManifest(ctx, m.Commit)
	if err != nil {
		return err
	}
	defer rc.Close()
	r := manifest.NewReader(rc, manifest.ReadOptions{})
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = list(l, names, w)
		}
		if err != nil {
			return fmt.Errorf("listing %s: %w", m.Revision(), err)
		}
	}
}

func list(l manifest.Line, names bool, w io.Writer) error {
	switch l.Kind {
	case manifest.KindTable:
		var t manifest.Table
		if err := l.Decode(&t); err != nil || names {
			return err
		}
		_, err := fmt.Fprintf(w, "table\t%d\t%s\n", t.Rows, t.Name)
		return err
	case manifest.KindFile:
		f, err := l.File()
		if err != nil {
			return err
		}
		if !names {
			_, err = fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", f.Area, f.State, f.Size, oneLine(f.Path))
		} else if !f.Chunk.IsZero() {
			_, err = fmt.Fprintln(w, entryName(f))
		}
		return err
	}
	return nil
}

// oneLine keeps a name with a line end or a tab in it from looking like two.
func oneLine(s string) string {
	return strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
}
