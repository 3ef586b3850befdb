package inventory

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// anyRoot stands for a row whose location is not known.
const anyRoot = -1

// Tags of what is sorted under the id of an attachment: the row before the files, so that no more than the best file is
// held.
const (
	tagAttachment byte = iota
	tagAttached
)

// attachments is the listing of the attachment area.
type attachments struct {
	*listing
	lost      *lost
	locations map[int64]int // location id → root
	names     []string      // root → what stands before a path that two roots have
	wanted    map[int]int   // rows by root, under anyRoot those without a location
	join      *manifest.Sorter
	out       *output
	rows      int64 // without those that an unlisted folder may hold
	matched   int64
	spare     int64 // files that no row took
}

func (l *listing) attachments(ctx context.Context) error {
	a := &attachments{
		listing: l, lost: newLost(), locations: map[int64]int{}, wanted: map[int]int{}, join: l.newSorter(), out: l.newOutput(),
	}
	defer func() { a.out.close() }()
	defer a.join.Close() //nolint:errcheck // temporary files
	for _, step := range []func(context.Context) error{a.readLocations, a.readRows, a.readFiles, a.match} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if a.rows > 2*a.matched && a.spare > 0 {
		if err := a.unrecognised(ctx); err != nil {
			return err
		}
	}
	return a.out.flush(ctx)
}

// readLocations tells which root a location is. Roots that are not one for each location hold any of them.
func (a *attachments) readLocations(ctx context.Context) error {
	locations, err := a.o.Reader.Locations(ctx)
	if err != nil {
		return fmt.Errorf("reading the attachment locations: %w", err)
	}
	slices.SortFunc(locations, func(a, b source.Location) int { return cmp.Compare(a.ID, b.ID) })
	for n := range a.roots {
		a.names = append(a.names, strconv.Itoa(n+1))
	}
	byID := func(a, b source.Location) bool { return a.ID == b.ID }
	if len(locations) != len(a.roots) || len(slices.CompactFunc(slices.Clone(locations), byID)) != len(locations) {
		return nil
	}
	for n, loc := range locations {
		a.locations[loc.ID] = a.firstRoot(n)
		a.names[n] = strconv.FormatInt(loc.ID, 10)
	}
	return nil
}

func (a *attachments) readRows(ctx context.Context) error {
	for row, err := range a.o.Reader.Attachments(ctx) {
		if err != nil {
			return fmt.Errorf("reading the attachments: %w", err)
		}
		a.meter.Add(1)
		a.rows++
		f := manifest.File{Area: a.area, ID: row.ID, Title: valid(row.Name), Size: row.Size, Root: anyRoot, State: manifest.Missing}
		if root, ok := a.locations[row.Location]; ok {
			f.Root = root
		}
		a.wanted[f.Root]++
		if err := keep(a.join, idKey(row.ID), tagAttachment, &f); err != nil {
			return err
		}
	}
	return nil
}

// idKey sorts by id as a signed number.
func idKey(id int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)^1<<63) }

func (a *attachments) readFiles(ctx context.Context) error {
	paths := a.newSorter()
	defer paths.Close() //nolint:errcheck // temporary files
	var empty []error   // of roots that no row is looked for in
	filled := false
	for index, root := range a.roots {
		if a.firstRoot(index) != index {
			continue
		}
		files := 0
		err := a.walkTree(ctx, tree{index: index, root: root, lost: a.lost, file: func(f manifest.File) error {
			files++
			return keep(paths, nestedKey(f), tagAttached, &f)
		}})
		switch {
		case err != nil && errors.Is(err, archive.ErrEmptyRoot) && files == 0 && a.wanted[index] == 0:
			empty = append(empty, err)
		case err != nil:
			return err
		default:
			filled = true
		}
	}
	if !filled && a.wanted[anyRoot] > 0 {
		return empty[0]
	}
	located := func(f *manifest.File) { f.Path = a.names[f.Root] + "/" + f.Disk }
	again := a.newSorter()
	defer again.Close() //nolint:errcheck // temporary files
	clash, err := nested(ctx, paths, again)
	if err != nil {
		return err
	}
	if clash {
		return each(ctx, again, func(_ []byte, _ byte, f manifest.File) error {
			located(&f)
			return a.file(f)
		})
	}
	return distinct(ctx, again, located, a.file)
}

// nestedKey sorts a folder's files right behind a file that is called like the folder.
func nestedKey(f manifest.File) []byte {
	return bytes.ReplaceAll([]byte(foldPath(f.Disk, f.Raw)), []byte{'/'}, []byte{0})
}

// nested moves records from one sorter to the other and reports whether a file of one root is called like a folder of
// another, as a flat location's "1" and the "1/10001" of one with sub-folders are. Then no name can stay as it is: the
// location that would stand in front of one of them may be the name of the next.
func nested(ctx context.Context, from, to *manifest.Sorter) (clash bool, err error) {
	var above manifest.File
	var folder []byte // the key of above with what stands before the names in a folder called so
	err = each(ctx, from, func(key []byte, tag byte, f manifest.File) error {
		if folder != nil && bytes.HasPrefix(key, folder) {
			clash = clash || f.Root != above.Root
		} else {
			above, folder = f, append(append(folder[:0], key...), 0)
		}
		return keep(to, key, tag, &f)
	})
	return clash, err
}

// file lets a file wait for the row with its number.
func (a *attachments) file(f manifest.File) error {
	if f.Path == "" {
		f.Path = f.Disk
	}
	id, ok := number(base(f.Disk))
	if !ok {
		return a.unclaimed(f, "")
	}
	return keep(a.join, idKey(id), tagAttached, &f)
}

// unclaimed makes the record of a file that no row took.
func (a *attachments) unclaimed(f manifest.File, reason string) error {
	if temporary(f.Disk) || f.Reason == archive.Vanished {
		return nil
	}
	a.spare++
	if f.State == manifest.Present {
		f.State, f.Reason = manifest.NoRow, reason
	}
	return a.out.add(f)
}

// claim is a row with the best file seen for it.
type claim struct {
	row, best *manifest.File
}

func (a *attachments) match(ctx context.Context) error {
	var c claim
	var current []byte
	err := each(ctx, a.join, func(key []byte, tag byte, f manifest.File) error {
		if !bytes.Equal(key, current) {
			if err := a.settle(&c); err != nil {
				return err
			}
			c, current = claim{}, append(current[:0], key...)
		}
		if tag == tagAttachment {
			if err := a.settle(&c); err != nil { // a row's id is there once, but a view without key may repeat it
				return err
			}
			c = claim{row: &f}
			return nil
		}
		return a.offer(&c, f)
	})
	if err == nil {
		err = a.settle(&c)
	}
	if err != nil {
		return err
	}
	return a.join.Close()
}

// offer takes the file as the row's if it is the first, or the first of the size that the row names.
func (a *attachments) offer(c *claim, f manifest.File) error {
	switch {
	case c.row == nil:
		return a.unclaimed(f, "")
	case c.row.Root != anyRoot && c.row.Root != f.Root:
		if len(c.row.Candidates) < maxCandidates {
			c.row.Candidates = append(c.row.Candidates, f.Path)
		}
		return a.unclaimed(f, "other-location")
	case c.best == nil:
		c.best = &f
		return nil
	case c.best.Size != c.row.Size && f.Size == c.row.Size:
		f, *c.best = *c.best, f
	}
	return a.unclaimed(f, "same-number")
}

// settle makes the record of a row.
func (a *attachments) settle(c *claim) error {
	row := c.row
	if row == nil {
		return nil
	}
	if c.best == nil {
		return a.out.add(a.absent(*row))
	}
	a.matched++
	f := *c.best
	f.ID, f.Title = row.ID, row.Title
	return a.out.add(f)
}

// absent makes the record of a row without file.
func (a *attachments) absent(row manifest.File) manifest.File {
	for _, root := range slices.Sorted(maps.Keys(a.lost.roots)) {
		if row.Root == anyRoot || row.Root == root {
			row.State, row.Reason = manifest.Unreadable, a.lost.roots[root]
			a.rows--
			break
		}
	}
	row.Root, row.Size = max(row.Root, 0), 0
	return row
}

// unrecognised turns what was matched into files without row and rows without file, since the names are not understood.
func (a *attachments) unrecognised(ctx context.Context) error {
	a.report.add(ruleNames, manifest.SeverityWarning, nil,
		"naming not recognised: %d of %d attachments found a file by the number in its name, %d files did not; all files move, without their rows",
		a.matched, a.rows, a.spare)
	old := a.out
	defer old.close()
	a.out = a.newOutput()
	return each(ctx, old.sorter, func(_ []byte, _ byte, f manifest.File) error {
		if f.ID != 0 {
			row := manifest.File{Area: f.Area, ID: f.ID, Title: f.Title, Root: f.Root, State: manifest.Missing, Reason: "naming"}
			if f.Path == "" {
				row.Candidates = f.Candidates
			}
			if f.Path == "" && f.State == manifest.Unreadable {
				row.State, row.Reason = f.State, f.Reason
			}
			if err := a.out.add(row); err != nil || f.Path == "" {
				return err
			}
			f.ID, f.Title = 0, ""
		}
		if f.State == manifest.NoRow {
			f.State, f.Reason = manifest.Present, ""
		}
		return a.out.add(f)
	})
}
