package inventory

import (
	"context"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Tags of what is sorted under one key: files before the rows that look for them.
const (
	tagFile byte = iota
	tagRow
)

// documents is the listing of the document area, in three steps: rows and files are sorted together by whose folder and
// which name (match), rows without file and files without row by name (candidates), and finished records by path.
type documents struct {
	*listing
	*folders
	lost  *lost
	join  *manifest.Sorter // by class of folder and name
	names *manifest.Sorter // by name
	out   *output
	stats *stats
}

func (l *listing) documents(ctx context.Context) error {
	f, err := l.folders(ctx)
	if err != nil {
		return err
	}
	d := &documents{
		listing: l, folders: f, lost: newLost(), join: l.newSorter(), names: l.newSorter(), out: l.newOutput(), stats: newStats(),
	}
	defer d.out.close()
	defer d.names.Close() //nolint:errcheck // temporary files
	defer d.join.Close()  //nolint:errcheck // temporary files
	for _, step := range []func(context.Context) error{d.readRows, d.readFiles, d.match, d.matchNames} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := d.out.flush(ctx); err != nil {
		return err
	}
	d.stats.report(d.report)
	return nil
}

func (d *documents) readRows(ctx context.Context) error {
	for row, err := range d.o.Reader.Documents(ctx) {
		if err != nil {
			return fmt.Errorf("reading the documents: %w", err)
		}
		d.meter.Add(1)
		if err := d.row(row); err != nil {
			return err
		}
	}
	return nil
}

// row settles a row that has no place in the archive, and lets any other look for its file.
func (d *documents) row(row source.Doc) error {
	f := manifest.File{Area: d.area, ID: row.ID, Owner: valid(row.AuthorLogin), Title: valid(row.Title), State: manifest.Present}
	if row.Provider != 0 {
		f.State, f.Reason = manifest.Elsewhere, fmt.Sprintf("provider %d", row.Provider)
		return d.out.add(f)
	}
	switch {
	case strings.TrimSpace(row.Name) == "":
		f.State = manifest.BlankName
		return d.out.add(f)
	case strings.TrimSpace(row.AuthorLogin) == "":
		f.State, f.Reason = manifest.NoAssociate, "author"
		return d.out.add(f)
	}
	f.Path, f.Also = archive.Paths(row.AuthorLogin, row.Registered, row.Name)
	if f.Path == "" {
		f.State, f.Reason = manifest.Missing, "outside"
		return d.out.add(f)
	}
	switch {
	case !row.HasAppointment:
		f.State = manifest.NoAppointment
	case !row.HasAssociate:
		f.State = manifest.NoAssociate
	}
	return keep(d.join, d.joinKey(archive.Fold(f.Path)), tagRow, &f)
}

// joinKey gives the key under which a file and the rows that may mean it meet: 01, the class of the user's folder, 00, the
// name. Files that no row can name have 02 and their path. Paths are folded.
func (d *documents) joinKey(folded string) []byte {
	parts := strings.Split(folded, "/")
	if len(parts) != 3 {
		return append([]byte{2}, folded...)
	}
	key := append([]byte{1}, d.of(parts[0])...)
	return append(append(key, 0), parts[2]...)
}

func (d *documents) readFiles(ctx context.Context) error {
	for index, root := range d.roots {
		if d.firstRoot(index) != index {
			continue
		}
		err := d.walkTree(ctx, tree{
			index: index, root: root, lost: d.lost, skip: d.skip, top: d.top,
			file: func(f manifest.File) error {
				return keep(d.join, d.joinKey(foldPath(f.Disk, f.Raw)), tagFile, &f)
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// skip leaves out system folders that are nobody's.
func (d *documents) skip(path string) bool {
	if strings.Contains(path, "/") {
		return false
	}
	folded := archive.Fold(path)
	return system(folded) && !d.owned(folded)
}

// top takes note of a folder at the top of a root.
func (d *documents) top(e archive.Entry) {
	folded := foldPath(e.Path, e.Raw)
	if d.owned(folded) {
		return
	}
	d.stats.unownedFolder(folded, e.Path)
}

// slot is one place where a row's file may lie.
type slot struct {
	folded string
	path   string // as the row says
}

// slots gives the places of a row, the first first.
func (d *documents) slots(row *manifest.File) []slot {
	paths := []string{row.Path}
	if row.Also != "" {
		paths = append(paths, row.Also)
	}
	out := make([]slot, 0, 4)
	for _, p := range paths {
		out = append(out, slot{archive.Fold(p), p})
	}
	login, _, _ := strings.Cut(out[0].folded, "/")
	for _, alias := range d.aliases[login] {
		for n := range paths {
			_, rest, _ := strings.Cut(out[n].folded, "/")
			out = append(out, slot{alias + "/" + rest, paths[n]})
		}
	}
	return out
}
