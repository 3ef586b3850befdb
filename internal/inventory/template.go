package inventory

import (
	"context"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// templates is the listing of the template area. Rows are held in memory: the table is a list that administrators keep.
type templates struct {
	*listing
	lost   *lost
	rows   []template
	byPath map[string][]int // rows by folded file name
	byName map[string][]int // rows by folded last element, for candidates
	join   *manifest.Sorter
	out    *output
}

type template struct {
	row        source.Tmpl
	path       string // slash-separated; empty: nothing to look for
	seen       bool
	candidates []string
}

func (l *listing) templates(ctx context.Context) error {
	t := &templates{
		listing: l, lost: newLost(), byPath: map[string][]int{}, byName: map[string][]int{}, join: l.newSorter(), out: l.newOutput(),
	}
	defer t.out.close()
	defer t.join.Close() //nolint:errcheck // temporary files
	if err := t.readRows(ctx); err != nil {
		return err
	}
	for index, root := range t.roots {
		if t.firstRoot(index) != index {
			continue
		}
		err := t.walkTree(ctx, tree{index: index, root: root, lost: t.lost, skip: travel, file: func(f manifest.File) error {
			if temporary(f.Disk) {
				return nil
			}
			return keep(t.join, []byte(foldPath(f.Disk, f.Raw)), tagFile, &f)
		}})
		if err != nil {
			return err
		}
	}
	if err := t.match(ctx); err != nil {
		return err
	}
	if err := t.settleRows(); err != nil {
		return err
	}
	return t.out.flush(ctx)
}

// travel leaves out the folder of prototypes for Travel.
func travel(path string) bool { return archive.Fold(path) == "travel" }

func (t *templates) readRows(ctx context.Context) error {
	for row, err := range t.o.Reader.Templates(ctx) {
		if err != nil {
			return fmt.Errorf("reading the templates: %w", err)
		}
		t.meter.Add(1)
		r := template{row: row}
		if name := strings.TrimSpace(row.File); name != "" && !strings.Contains(name, "://") && !archive.Outside(name) {
			r.path = strings.ReplaceAll(name, `\`, "/")
			folded := archive.Fold(r.path)
			t.byPath[folded] = append(t.byPath[folded], len(t.rows))
			t.byName[base(folded)] = append(t.byName[base(folded)], len(t.rows))
		}
		t.rows = append(t.rows, r)
	}
	return nil
}

// match gives the files to their rows. Files of one path come by root: the first wins.
func (t *templates) match(ctx context.Context) error {
	last, root := "\x00", 0 // no path
	err := each(ctx, t.join, func(key []byte, _ byte, f manifest.File) error {
		folded := string(key)
		f.Path = f.Disk
		switch {
		case folded != last:
			last, root = folded, f.Root
			return t.file(folded, f)
		case f.Root != root:
			f.State, f.Reason = manifest.Shadowed, ""
		case f.State == manifest.Present:
			f.State, f.Reason = manifest.NoRow, "same-name"
		}
		return t.out.add(f)
	})
	if err != nil {
		return err
	}
	return t.join.Close()
}

// file makes a record of the file for each row that names it, or one without row.
func (t *templates) file(folded string, f manifest.File) error {
	rows := t.byPath[folded]
	if lang, rest, ok := strings.Cut(folded, "/"); ok && len(rows) == 0 && language(lang) {
		rows = t.byPath[rest]
	}
	for _, n := range rows {
		r := &t.rows[n]
		r.seen = true
		f.ID, f.Title = r.row.ID, valid(r.row.Title)
		if err := t.out.add(f); err != nil {
			return err
		}
	}
	if len(rows) > 0 || f.State == manifest.Unreadable && f.Reason == archive.Vanished {
		return nil
	}
	if f.State == manifest.Present {
		f.State = manifest.NoRow
		for _, n := range t.byName[base(folded)] {
			if r := &t.rows[n]; len(r.candidates) < maxCandidates {
				r.candidates = append(r.candidates, f.Path)
			}
		}
	}
	return t.out.add(f)
}

// language reports whether a folder at the top can be one of a language.
func language(folded string) bool {
	return len(folded) == 2 && folded[0] >= 'a' && folded[0] <= 'z' && folded[1] >= 'a' && folded[1] <= 'z'
}

// settleRows makes the records of the rows that no file belongs to.
func (t *templates) settleRows() error {
	for _, r := range t.rows {
		if r.seen {
			continue
		}
		f := manifest.File{
			Area: t.area, ID: r.row.ID, Title: valid(r.row.Title), State: manifest.Missing, Path: r.path, Candidates: r.candidates,
		}
		name := strings.TrimSpace(r.row.File)
		reason, unknown := t.lostPlace(r.path)
		switch {
		case name == "":
			f.State = manifest.BlankName
		case strings.Contains(name, "://"):
			f.State, f.Reason = manifest.Elsewhere, "url"
		case r.path == "":
			f.Reason = "outside"
		case unknown:
			f.State, f.Reason = manifest.Unreadable, reason
		case r.row.Provider != 0:
			f.State, f.Reason, f.Path = manifest.Elsewhere, fmt.Sprintf("provider %d", r.row.Provider), ""
		case r.row.Deleted:
			f.Reason = "deleted"
		}
		if err := t.out.add(f); err != nil {
			return err
		}
	}
	return nil
}

// lostPlace tells whether a row's file may lie in a folder that could not be listed.
func (t *templates) lostPlace(path string) (reason string, ok bool) {
	folded := archive.Fold(path)
	if reason, ok = t.lost.above(folded); ok {
		return reason, true
	}
	for _, key := range sortedKeys(t.lost.reason) {
		lang, rest, _ := strings.Cut(key, "/")
		if language(lang) && (rest == "" || strings.HasPrefix(folded, rest+"/")) {
			return t.lost.reason[key], true
		}
	}
	return "", false
}
