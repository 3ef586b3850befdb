package inventory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
)

// Earlier are the file records of an area in an earlier manifest, in its order; it is called more than once.
type Earlier func(yield func(manifest.File) error) error

// Seen counts what Again saw.
type Seen struct {
	Sought int64 // records without content, as far as a place is known to look at
	Found  int64 // of these
	Stored int64 // records whose content is stored
	Same   int64 // of these, those whose file has the size and time that it had
	Other  int64 // those whose file has another size or time
	Gone   int64 // those whose file is no longer there
	Shut   int64 // those whose file cannot be looked at
}

// Again looks on disk for the files of an earlier manifest's records, and asks no database: for those that are not stored,
// and for those that are and have another size or time by now. emit is called for each of them, in the order of the earlier
// records, with the record as it was and as it is now: without content, and with the place, size and time of the file; or
// missing or unreadable, with candidates as they are today. A template that lies in several folders of languages comes
// several times. Of a stored one that is as it was, is gone or cannot be looked at nothing is emitted; one that is keeps
// its path.
//
// logins are those of users and authors: see Options.Installation.Folders, and whose the folders of a root can be.
func (i *Inventory) Again(ctx context.Context, area manifest.Area, logins []string, earlier Earlier,
	emit func(was, is manifest.File) error) (Seen, error) {
	if err := i.checkRoots(area); err != nil {
		return Seen{}, err
	}
	accounts := make([]source.Account, len(logins))
	for n, l := range logins {
		accounts[n] = source.Account{ID: int64(n), Login: l}
	}
	f, err := newFolders(accounts, i.o.Installation.Folders)
	if err != nil {
		return Seen{}, err
	}
	meter := i.o.Progress.Meter("looking at "+string(area), 0, progress.Items)
	defer meter.Done()
	a := &again{
		listing: &listing{Inventory: i, area: area, roots: i.o.Installation.Roots[string(area)], report: &report{}, meter: meter},
		folders: f, earlier: earlier, lost: newLost(), rows: map[int]int{},
		join: i.newSorter(), hits: i.newSorter(), names: i.newSorter(), numbers: i.newSorter(), out: i.newSorter(),
	}
	for _, s := range []*manifest.Sorter{a.join, a.hits, a.names, a.numbers, a.out} {
		defer s.Close() //nolint:errcheck // temporary files
	}
	for _, step := range []func(context.Context) error{a.readRows, a.readFiles, a.place, a.number, a.settle, a.candidates} {
		if err := step(ctx); err != nil {
			return a.seen, err
		}
	}
	return a.seen, a.flush(ctx, emit)
}

// again is what looks again at one area. Records and files meet under the folded path (place), attachments without a path
// under their number (number); what was found is sorted by the record's key and met with the records once more (settle).
type again struct {
	*listing
	*folders
	earlier Earlier
	lost    *lost
	rows    map[int]int // records that look into a root of their own, by root

	join    *manifest.Sorter // files, and the places of records
	hits    *manifest.Sorter // what was found, by the record's key
	names   *manifest.Sorter // files that no record has, and records without file, by name
	numbers *manifest.Sorter // the same of attachments, by number
	out     *manifest.Sorter // records as they were and are
	seen    Seen
	key     []byte
}

// What stands in front of a value in hits: the number of the place, the first counting most, or one of these.
const (
	hitLanguage byte = 100 + iota // a template in a folder of a language
	hitOther                      // an attachment in another location: a candidate
)

// Keys of join that are no paths: folded paths do not begin so.
const inLanguage = "\x00"

// looked reports whether a record's file is looked for.
func looked(f manifest.File) bool {
	if !f.Chunk.IsZero() {
		return f.Path != ""
	}
	switch f.State {
	case manifest.Present, manifest.NoAppointment, manifest.NoAssociate:
		return f.Path != ""
	case manifest.Missing, manifest.Unreadable:
		return f.Path != "" || byNumber(f)
	}
	return false
}

// byNumber reports whether a record is one of an attachment that is found by the number in its name.
func byNumber(f manifest.File) bool {
	return f.Area == manifest.Attachment && f.Path == "" && f.ID != 0 && f.Reason != "naming"
}

// at is a place where a record's file may lie.
type at struct {
	key  string
	path string // as the record would be called
	root int    // or anyRoot
}

// places gives those of a record, the first first.
func (a *again) places(f *manifest.File) []at {
	if f.Path == "" {
		return nil
	}
	switch a.area {
	case manifest.Document:
		d := documents{folders: a.folders}
		var out []at
		if f.Raw {
			return []at{{foldPath(f.Path, true), f.Path, anyRoot}}
		}
		for _, s := range d.slots(f) {
			out = append(out, at{s.folded, s.path, anyRoot})
		}
		return out
	case manifest.Template:
		return []at{{foldPath(f.Path, f.Raw), f.Path, anyRoot}}
	}
	return []at{{foldPath(f.DiskPath(), f.Raw), f.Path, f.Root}}
}

func (a *again) readRows(ctx context.Context) error {
	return a.earlier(func(f manifest.File) error {
		if !looked(f) {
			return ctx.Err()
		}
		a.rows[f.Root]++
		a.key = manifest.FileKey(a.key[:0], f.Path, f.ID)
		if byNumber(f) {
			return keep(a.numbers, idKey(f.ID), tagAttachment, &f)
		}
		for n, p := range a.places(&f) {
			if err := a.want(p, byte(n)); err != nil {
				return err
			}
		}
		if a.area == manifest.Template && f.Chunk.IsZero() {
			return a.want(at{inLanguage + foldPath(f.Path, f.Raw), f.Path, anyRoot}, hitLanguage)
		}
		return nil
	})
}

// want adds a place of the record whose key is a.key.
func (a *again) want(p at, n byte) error {
	v := []byte{tagRow, byte(p.root >> 8), byte(p.root), n}
	v = binary.AppendUvarint(v, uint64(len(p.path)))
	v = append(append(v, p.path...), a.key...)
	return a.join.Add([]byte(p.key), v)
}

// wanting reads what want wrote.
func wanting(v []byte) (path string, root int, n byte, key []byte) {
	root, n = int(int16(binary.BigEndian.Uint16(v[1:]))), v[3]
	size, w := binary.Uvarint(v[4:])
	v = v[4+w:]
	return string(v[:size]), root, n, v[size:]
}

func (a *again) readFiles(ctx context.Context) error {
	for index, root := range a.roots {
		if root == "" || a.area == manifest.Service && a.covered(index) || a.area != manifest.Service && a.firstRoot(index) != index {
			continue
		}
		files := 0
		t := tree{index: index, root: root, lost: a.lost, skip: a.skip(), file: func(f manifest.File) error {
			files++
			return a.file(f)
		}}
		err := a.walkTree(ctx, t)
		spare := a.area == manifest.Service && index > 0 || a.area == manifest.Attachment && a.rows[index] == 0
		if err != nil && (!spare || files > 0 || !errors.Is(err, archive.ErrEmptyRoot)) {
			return err
		}
	}
	return nil
}

// skip gives what leaves out folders of the area.
func (a *again) skip() func(string) bool {
	switch a.area {
	case manifest.Document:
		return (&documents{folders: a.folders}).skip
	case manifest.Template:
		return travel
	}
	return nil
}

func (a *again) file(f manifest.File) error {
	folded := foldPath(f.Disk, f.Raw)
	if err := keep(a.join, []byte(folded), tagFile, &f); err != nil || a.area != manifest.Template {
		return err
	}
	if lang, rest, ok := bytes.Cut([]byte(folded), []byte{'/'}); ok && language(string(lang)) {
		return keep(a.join, append([]byte(inLanguage), rest...), tagFile, &f)
	}
	return nil
}

// place gives records the files that lie in their places.
func (a *again) place(ctx context.Context) error {
	var files []held
	var current []byte
	rows := false // some record looks here
	err := walkPairs(ctx, a.join, func(key, v []byte) error {
		if !bytes.Equal(key, current) {
			if err := a.unclaimed(current, files, rows); err != nil {
				return err
			}
			files, rows, current = files[:0], false, append(current[:0], key...)
		}
		if v[0] == tagFile {
			f, err := decode(v[headLen:])
			files = append(files, held{f: f})
			return err
		}
		rows = true
		path, root, n, old := wanting(v)
		if n == hitLanguage {
			return a.hitAll(files, n, old)
		}
		best := -1
		for k, h := range files {
			switch {
			case root != anyRoot && h.f.Root != root || best >= 0 && h.f.Root > files[best].f.Root:
			case best < 0 || !h.f.Raw && h.f.Disk == path:
				best = k
			}
		}
		if best < 0 {
			return nil
		}
		files[best].claimed = true
		f := files[best].f
		f.Path = path
		return a.hit(old, n, &f)
	})
	if err == nil {
		err = a.unclaimed(current, files, rows)
	}
	return err
}

func (a *again) hitAll(files []held, n byte, old []byte) error {
	for _, h := range files {
		f := h.f
		f.Path = f.Disk
		if err := a.hit(old, n, &f); err != nil {
			return err
		}
	}
	return nil
}

func (a *again) hit(key []byte, n byte, f *manifest.File) error {
	v, err := f.AppendJSON([]byte{n})
	if err != nil {
		return fmt.Errorf("keeping the record of file %q: %w", f.DiskPath(), err)
	}
	return a.hits.Add(key, v)
}

// unclaimed keeps the files of a path that no record has: candidates, and attachments with a number.
func (a *again) unclaimed(key []byte, files []held, rows bool) error {
	if bytes.HasPrefix(key, []byte(inLanguage)) {
		return nil
	}
	for _, h := range files {
		f := h.f
		if h.claimed || temporary(f.Disk) || f.Reason == archive.Vanished {
			continue
		}
		switch a.area {
		case manifest.Attachment:
			id, ok := number(base(f.Disk))
			if !ok {
				continue
			}
			if f.Path = f.Disk; rows || len(files) > 1 {
				f.Path = fmt.Sprintf("%d/%s", f.Root+1, f.Disk)
			}
			if err := keep(a.numbers, idKey(id), tagAttached, &f); err != nil {
				return err
			}
		case manifest.Document, manifest.Template:
			if f.State != manifest.Present {
				continue
			}
			if err := keep(a.names, []byte(nameKey(f.Disk, f.Raw)), tagFile, &f); err != nil {
				return err
			}
		}
	}
	return nil
}

// number gives attachments without a path the file with their number, in their location.
func (a *again) number(ctx context.Context) error {
	var row *manifest.File
	found, others := false, 0
	return each(ctx, a.numbers, func(key []byte, tag byte, f manifest.File) error {
		if tag == tagAttachment {
			row, found, others = &f, false, 0
			return nil
		}
		if row == nil || !bytes.Equal(idKey(row.ID), key) {
			return nil
		}
		a.key = manifest.FileKey(a.key[:0], "", row.ID)
		switch {
		case f.Root == row.Root && !found:
			found = true
			return a.hit(a.key, 0, &f)
		case f.Root != row.Root && others < maxCandidates:
			others++
			return a.hit(a.key, hitOther, &f)
		}
		return nil
	})
}

// walkPairs calls fn for every pair of a sorter, in order, and frees it.
func walkPairs(ctx context.Context, s *manifest.Sorter, fn func(key, value []byte) error) error {
	c, err := s.Sort(ctx)
	if err != nil {
		return err
	}
	for {
		key, value, err := c.Next()
		if errors.Is(err, io.EOF) {
			return s.Close()
		}
		if err == nil {
			err = fn(key, value)
		}
		if err != nil {
			return err
		}
	}
}
