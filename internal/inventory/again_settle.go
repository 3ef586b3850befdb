package inventory

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// finds holds what was found for the records, in their order.
type finds struct {
	cursor  manifest.Cursor
	key     []byte // of the pair at hand
	value   []byte
	more    bool
	current []byte // the key whose finds list holds
	list    []find
}

type find struct {
	n byte
	f manifest.File
}

func (h *finds) advance() error {
	var err error
	h.key, h.value, err = h.cursor.Next()
	h.more = err == nil
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// of gives the finds of a key, which are asked for in order; the same key may be asked for again.
func (h *finds) of(key []byte) ([]find, error) {
	if bytes.Equal(key, h.current) {
		return h.list, nil
	}
	h.current, h.list = append(h.current[:0], key...), h.list[:0]
	for h.more && bytes.Compare(h.key, key) <= 0 {
		if bytes.Equal(h.key, key) {
			f, err := decode(h.value[1:])
			if err != nil {
				return nil, err
			}
			h.list = append(h.list, find{h.value[0], f})
		}
		if err := h.advance(); err != nil {
			return nil, err
		}
	}
	return h.list, nil
}

// settle holds what was found against the records.
func (a *again) settle(ctx context.Context) error {
	c, err := a.hits.Sort(ctx)
	if err != nil {
		return err
	}
	h := &finds{cursor: c}
	if err := h.advance(); err != nil {
		return err
	}
	err = a.earlier(func(f manifest.File) error {
		if !looked(f) {
			return ctx.Err()
		}
		a.key = manifest.FileKey(a.key[:0], f.Path, f.ID)
		list, err := h.of(a.key)
		switch {
		case err != nil:
			return err
		case !f.Chunk.IsZero():
			return a.stored(f, list)
		}
		return a.sought(f, list)
	})
	if err != nil {
		return err
	}
	return a.hits.Close()
}

// stored compares a stored record with its file.
func (a *again) stored(was manifest.File, list []find) error {
	a.seen.Stored++
	if len(list) == 0 {
		if _, shut := a.shut(&was); shut {
			a.seen.Shut++
		} else {
			a.seen.Gone++
		}
		return nil
	}
	is := list[0].f
	switch {
	case is.State != manifest.Present:
		a.seen.Shut++
		return nil
	case is.Size == was.Size && is.MTime.Equal(was.MTime.Time):
		a.seen.Same++
		return nil
	}
	a.seen.Other++
	row := was
	row.SHA256, row.Chunk, row.Offset, row.Same = manifest.Digest{}, manifest.Digest{}, 0, ""
	if row.State == manifest.Stored {
		row.State = manifest.Present
	}
	return a.add(a.now(row, list[0]))
}

// sought makes the record of a file that was not stored, as it is now.
func (a *again) sought(was manifest.File, list []find) error {
	a.seen.Sought++
	row := was
	row.Candidates = nil
	for _, h := range list {
		if h.n == hitOther {
			row.Candidates = append(row.Candidates, h.f.Path)
		}
	}
	if len(list) == 0 || list[0].n == hitOther {
		return a.absent(row)
	}
	row.State, row.Reason = whole(was), ""
	if list[0].n != hitLanguage {
		list = list[:1]
	}
	readable := false
	for _, h := range list {
		is := a.now(row, h)
		readable = readable || is.State != manifest.Unreadable
		if err := a.add(is); err != nil {
			return err
		}
	}
	if readable {
		a.seen.Found++
	}
	return nil
}

// whole is the state of a record once its file is there.
func whole(f manifest.File) manifest.State {
	for _, s := range [...]manifest.State{manifest.NoAppointment, manifest.NoAssociate} {
		if f.State == s || f.State == manifest.Missing && f.Reason == string(s) {
			return s
		}
	}
	return manifest.Present
}

// absent keeps a record without file until its candidates are known.
func (a *again) absent(f manifest.File) error {
	if reason, ok := a.shut(&f); ok {
		f.State, f.Reason = manifest.Unreadable, reason
		return a.add(f)
	}
	if f.State != manifest.Missing {
		if f.Reason = ""; whole(f) != manifest.Present {
			f.Reason = string(whole(f))
		}
		f.State = manifest.Missing
	}
	f.Size, f.MTime, f.Disk = 0, manifest.Time{}, ""
	if a.area == manifest.Document || a.area == manifest.Template {
		return keep(a.names, []byte(nameKey(f.Path, f.Raw)), tagRow, &f)
	}
	return a.add(f)
}

// shut tells whether a record's file may lie in a folder that cannot be listed.
func (a *again) shut(f *manifest.File) (reason string, ok bool) {
	for _, p := range a.places(f) {
		if reason, ok = a.lost.above(p.key); ok {
			return reason, true
		}
	}
	if f.Path == "" {
		reason, ok = a.lost.roots[f.Root]
	}
	return reason, ok
}

// now makes the record of a row whose file is there; h.f.Path is what the record is called there.
func (a *again) now(row manifest.File, h find) manifest.File {
	file := h.f
	if row.Raw {
		if !file.Raw { // one record, one form of all its names
			file.Disk, file.Raw = strings.ReplaceAll(file.Disk, "%", "%25"), true
		}
		is := found(row, row.Path, file)
		is.Path, is.Also = row.Path, row.Also
		return is
	}
	if h.n == hitLanguage || row.Path == "" {
		is := found(row, row.Path, file)
		is.Path, is.Also = file.Path, ""
		return is
	}
	return found(row, file.Path, file)
}

// add takes a record as it is now, under the key a.key of the record that it was.
func (a *again) add(f manifest.File) error {
	if f.Disk == f.Path {
		f.Disk = ""
	}
	return keep(a.out, a.key, tagRow, &f)
}

// candidates looks for files of the same name as those that are missing.
func (a *again) candidates(ctx context.Context) error {
	var current []byte
	var p pool
	err := each(ctx, a.names, func(key []byte, tag byte, f manifest.File) error {
		if !bytes.Equal(key, current) {
			p, current = pool{}, append(current[:0], key...)
		}
		if tag == tagFile {
			p.add(f)
			return nil
		}
		p.index()
		f.Candidates = p.candidates(&f)
		a.key = manifest.FileKey(a.key[:0], f.Path, f.ID)
		return a.add(f)
	})
	if err != nil {
		return err
	}
	return a.names.Close()
}

func (a *again) flush(ctx context.Context, emit func(key []byte, is manifest.File) error) error {
	return each(ctx, a.out, func(key []byte, _ byte, f manifest.File) error { return emit(key, f) })
}
