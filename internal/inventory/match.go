package inventory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

// held is a file that waits for the rows of its group.
type held struct {
	f       manifest.File
	folded  string
	claimed bool
}

// match gives every row its file and settles the files that no row takes.
func (d *documents) match(ctx context.Context) error {
	var group []held
	var current []byte
	sorted := false
	err := each(ctx, d.join, func(key []byte, tag byte, f manifest.File) error {
		if !bytes.Equal(key, current) {
			if err := d.settle(group); err != nil {
				return err
			}
			group, current, sorted = group[:0], append(current[:0], key...), false
		}
		if tag == tagFile {
			group = append(group, held{f: f, folded: foldPath(f.Disk, f.Raw)})
			return nil
		}
		if !sorted {
			order(group)
			sorted = true
		}
		return d.find(group, f)
	})
	if err == nil {
		err = d.settle(group)
	}
	if err != nil {
		return err
	}
	return d.join.Close()
}

// order sorts a group by path, the roots in their order.
func order(group []held) {
	slices.SortFunc(group, func(a, b held) int {
		return cmp.Or(strings.Compare(a.folded, b.folded), cmp.Compare(a.f.Root, b.f.Root), strings.Compare(a.f.Disk, b.f.Disk))
	})
}

// find gives a row the first file in its places: of one place that of the first root, and there the one that is spelled
// as the row says.
func (d *documents) find(group []held, row manifest.File) error {
	slots := d.slots(&row)
	for _, s := range slots {
		best := -1
		for n, h := range group {
			switch {
			case h.folded != s.folded || best >= 0 && h.f.Root > group[best].f.Root:
			case best < 0 || !h.f.Raw && h.f.Disk == s.path:
				best = n
			}
		}
		if best >= 0 {
			group[best].claimed = true
			return d.out.add(found(row, s.path, group[best].f))
		}
	}
	for _, s := range slots {
		if reason, ok := d.lost.above(s.folded); ok {
			row.State, row.Reason = manifest.Unreadable, reason
			return d.out.add(row)
		}
	}
	row.Reason = ""
	if row.State != manifest.Present {
		row.Reason = string(row.State)
	}
	row.State = manifest.Missing
	return keep(d.names, []byte(nameKey(row.Path, false)), tagRow, &row)
}

// found makes the record of a row whose file is there.
func found(row manifest.File, path string, file manifest.File) manifest.File {
	if path != row.Path {
		row.Path, row.Also = path, row.Path
	}
	row.Disk, row.Root, row.Size, row.MTime, row.Raw = file.Disk, file.Root, file.Size, file.MTime, file.Raw
	if file.Raw { // one record, one form of all its names
		row.Path = strings.ReplaceAll(row.Path, "%", "%25")
		row.Also = strings.ReplaceAll(row.Also, "%", "%25")
	}
	if file.State != manifest.Present {
		row.State, row.Reason = file.State, file.Reason
	}
	return row
}

// settle makes the records of the files of a group that no row took.
func (d *documents) settle(group []held) error {
	order(group)
	for from := 0; from < len(group); {
		to := from + 1
		for to < len(group) && group[to].folded == group[from].folded {
			to++
		}
		if err := d.settlePath(group[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// settlePath does so for the files that mean the same path.
func (d *documents) settlePath(files []held) error {
	for n, h := range files {
		top, _, deep := strings.Cut(h.folded, "/")
		if h.claimed || temporary(h.f.Disk) || h.f.Reason == archive.Vanished || deep && system(top) {
			continue
		}
		f := h.f
		f.Path, f.Owner = f.Disk, valid(d.owner[top])
		switch {
		case f.Root > files[0].f.Root:
			f.State, f.Reason = manifest.Shadowed, ""
		case f.State == manifest.Present:
			f.State, f.Reason = manifest.NoRow, sameName(files, n)
		}
		if deep {
			d.stats.fileIn(top)
		}
		if err := d.out.add(f); err != nil {
			return err
		}
		if f.State == manifest.NoRow || f.State == manifest.Left {
			if err := keep(d.names, []byte(nameKey(f.Disk, f.Raw)), tagFile, &f); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameName gives the reason for a file that is not the first, or not the taken one, of its path in its root.
func sameName(files []held, n int) string {
	taken := slices.ContainsFunc(files, func(o held) bool { return o.claimed && o.f.Root == files[n].f.Root })
	if n > 0 || taken {
		return "same-name"
	}
	return ""
}
