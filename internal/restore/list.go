package restore

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// List writes what a migration holds as tab-separated lines, in manifest order: for a table "table", rows, name; for a
// file its area, state, size, path. With names it writes the tar name of each stored file alone, as tar -T reads it
// (with --verbatim-files-from, where a name begins with a hyphen). Chunks of earlier pushes also hold files that have been
// changed or removed since: of a changed one the chunk that comes later in the manifest has what counts, and one that was
// removed is in no list of names, so that tar leaves it out (with --no-recursion, since a name may have been that of a folder).
func List(ctx context.Context, m Migration, names bool, w io.Writer) error {
	out := &lister{names: names, w: w}
	if _, err := m.Tenant.EachLine(ctx, m.Commit, out.list); err != nil {
		return fmt.Errorf("listing %s: %w", m.Revision(), err)
	}
	return nil
}

type lister struct {
	names bool
	w     io.Writer
	last  string // name that was written
}

func (p *lister) list(l manifest.Line) error {
	switch l.Kind {
	case manifest.KindTable:
		var t manifest.Table
		if err := l.Decode(&t); err != nil || p.names {
			return err
		}
		_, err := fmt.Fprintf(p.w, "table\t%d\t%s\n", t.Rows, t.Name)
		return err
	case manifest.KindFile:
		f, err := l.File()
		if err != nil {
			return err
		}
		if !p.names {
			_, err = fmt.Fprintf(p.w, "%s\t%s\t%d\t%s\n", f.Area, f.State, f.Size, oneLine(f.Path))
			return err
		}
		// Two rows may name one file; tar looks for a name once.
		if name := entryName(f); !f.Chunk.IsZero() && name != p.last {
			p.last = name
			_, err = fmt.Fprintln(p.w, name)
		}
		return err
	}
	return nil
}

// oneLine keeps a name with a line end or a tab in it from looking like two.
func oneLine(s string) string {
	return strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
}
