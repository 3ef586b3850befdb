package inventory

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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
	now := a.now(row, list[0])
	now.Path, now.Also = was.Path, was.Also // the name under which it is stored
	return a.add(was, now)
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
		return a.absent(was, row)
	}
	row.State, row.Reason, row.Candidates = whole(was), "", nil
	if list[0].n != hitLanguage {
		list = list[:1]
	}
	readable := false
	for _, h := range list {
		is := a.now(row, h)
		readable = readable || is.State != manifest.Unreadable
		if err := a.add(was, is); err != nil {
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
func (a *again) absent(was, f manifest.File) error {
	if reason, ok := a.shut(&f); ok {
		f.State, f.Reason = manifest.Unreadable, reason
		return a.add(was, f)
	}
	if f.State != manifest.Missing {
		if f.Reason = ""; whole(f) != manifest.Present {
			f.Reason = string(whole(f))
		}
		f.State = manifest.Missing
	}
	f.Size, f.MTime, f.Disk = 0, manifest.Time{}, ""
	if a.area == manifest.Document || a.area == manifest.Template {
		v, err := pair(was, f, tagRow)
		if err != nil {
			return err
		}
		return a.names.Add([]byte(nameKey(f.Path, f.Raw)), v)
	}
	return a.add(was, f)
}

// pair keeps a record as it was and as it is, behind a tag.
func pair(was, is manifest.File, tag byte) ([]byte, error) {
	v := append(make([]byte, 0, 512), tag, 0, 0, 0, 0, 0, 0)
	v, err := was.AppendJSON(v)
	if err == nil {
		binary.BigEndian.PutUint32(v[headLen:], uint32(len(v)))
		v, err = is.AppendJSON(v)
	}
	if err != nil {
		return nil, fmt.Errorf("keeping the record of file %q (id %d): %w", is.DiskPath(), is.ID, err)
	}
	return v, nil
}

const pairHead = headLen + 4

// unpair reads what pair wrote.
func unpair(v []byte) (was, is manifest.File, err error) {
	n := binary.BigEndian.Uint32(v[headLen:])
	if was, err = decode(v[pairHead:n]); err == nil {
		is, err = decode(v[n:])
	}
	return was, is, err
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

// add takes a record as it was and as it is now.
func (a *again) add(was, is manifest.File) error {
	if is.Disk == is.Path {
		is.Disk = ""
	}
	v, err := pair(was, is, tagRow)
	if err != nil {
		return err
	}
	return a.out.Add(manifest.FileKey(a.key[:0], was.Path, was.ID), v)
}

// candidates looks for files of the same name as those that are missing.
func (a *again) candidates(ctx context.Context) error {
	var current []byte
	var p pool
	return walkPairs(ctx, a.names, func(key, v []byte) error {
		if !bytes.Equal(key, current) {
			p, current = pool{}, append(current[:0], key...)
		}
		if v[0] == tagFile {
			f, err := decode(v[headLen:])
			p.add(f)
			return err
		}
		p.index()
		was, is, err := unpair(v)
		if err != nil {
			return err
		}
		is.Candidates = p.candidates(&is)
		return a.add(was, is)
	})
}

func (a *again) flush(ctx context.Context, emit func(was, is manifest.File) error) error {
	return walkPairs(ctx, a.out, func(_, v []byte) error {
		was, is, err := unpair(v)
		if err != nil {
			return err
		}
		return emit(was, is)
	})
}
