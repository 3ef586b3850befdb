package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/openomt/omt/internal/manifest"
)

// rewriting is the new manifest in the making: the base's records in their order, with what was made in the place of what
// it replaces.
type rewriting struct {
	*again
	ctx   context.Context
	out   *manifest.Writer
	made  *changeReader
	next  change // of made
	key   []byte
	more  bool
	dead  *graves
	own   []byte
	area  manifest.Area // whose files are at hand; empty before the first and behind the last
	links *links        // of a touched area
	kept  map[manifest.Digest]bool
	edit  bool // the edit record is still to be written
	old   bool // the chunks of earlier runs were written
}

var sameMark = []byte(`"same":"`)

// write writes the new manifest.
func (a *again) write(ctx context.Context, out *manifest.Writer) error {
	w := &rewriting{again: a, ctx: ctx, out: out, kept: map[manifest.Digest]bool{}, edit: a.o.Edit != nil}
	var err error
	if w.made, err = a.made.read(ctx); err != nil {
		return err
	}
	if w.dead, err = a.made.graves(ctx); err != nil {
		return err
	}
	if err := w.advance(); err != nil {
		return err
	}
	defer func() {
		if w.links != nil {
			w.links.close()
		}
	}()
	if err := a.base.each(ctx, w.line); err != nil {
		return err
	}
	if err := w.files(); err != nil {
		return err
	}
	if w.more {
		return fmt.Errorf("file %q (id %d) has no place in the manifest", w.next.is.Path, w.next.is.ID)
	}
	return nil
}

// advance takes the next change.
func (w *rewriting) advance() error {
	x, err := w.made.next()
	if errors.Is(err, io.EOF) {
		w.more = false
		return nil
	}
	w.next, w.key, w.more = x, areaKey(w.key[:0], x.is), err == nil
	return err
}

func (w *rewriting) line(l manifest.Line) error {
	rank := manifest.Rank(l.Kind)
	if w.edit && rank > manifest.Rank(manifest.KindEdit) {
		w.edit = false
		if err := w.out.Write(*w.o.Edit); err != nil {
			return err
		}
	}
	switch {
	case l.Kind == manifest.KindInstallation:
		return w.installation(l)
	case l.Kind == manifest.KindFile:
		return w.file(l)
	case l.Kind == manifest.KindChunk:
		return w.chunk(l)
	case rank > manifest.Rank(manifest.KindFile):
		if err := w.files(); err != nil {
			return err
		}
		if l.Kind == manifest.KindReceipt {
			return w.receipt(l)
		}
	}
	return w.out.WriteRaw(l)
}

// installation writes the record as it was, with roots that it does not have behind those that it has.
func (w *rewriting) installation(l manifest.Line) error {
	if maps.EqualFunc(w.roots, w.base.installation.Roots, slices.Equal) {
		return w.out.WriteRaw(l)
	}
	inst := w.base.installation
	inst.Roots = w.roots
	return w.out.Write(inst)
}

// chunk passes a part of a table on, and the links of an area in which nothing changed. Other chunks are written before
// the files.
func (w *rewriting) chunk(l manifest.Line) error {
	var c manifest.Chunk
	if err := l.Decode(&c); err != nil {
		return err
	}
	switch {
	case c.Type != manifest.ChunkTar:
		return w.out.WriteRaw(l)
	case c.Role != manifest.RoleLinks || w.touched[c.Area]:
		return nil
	}
	if err := w.enter(c.Area); err != nil {
		return err
	}
	w.kept[c.SHA256] = true
	return w.out.WriteRaw(l)
}

// earlier writes the chunks of earlier runs that are still referred to.
func (w *rewriting) earlier() error {
	if w.old {
		return nil
	}
	w.old = true
	for _, c := range w.base.chunks {
		if c.Role == manifest.RoleLinks || c.refs <= 0 {
			continue
		}
		w.kept[c.SHA256] = true
		if err := w.out.WriteRaw(manifest.Line{Kind: manifest.KindChunk, Raw: c.raw}); err != nil {
			return err
		}
	}
	return nil
}

// enter ends the area at hand and begins another.
func (w *rewriting) enter(area manifest.Area) error {
	if area == w.area {
		return nil
	}
	if err := w.leave(); err != nil {
		return err
	}
	if err := w.earlier(); err != nil {
		return err
	}
	w.area = area
	for _, c := range w.chunks[area] {
		w.kept[c.SHA256] = true
		if err := w.out.Write(c); err != nil {
			return err
		}
	}
	if !w.touched[area] {
		return nil
	}
	var err error
	w.links, err = newLinks(w.temp)
	return err
}

// leave writes what is left of the area at hand, and its links.
func (w *rewriting) leave() error {
	if w.area == "" {
		return nil
	}
	if err := w.before(nil); err != nil {
		return err
	}
	if w.links == nil {
		return nil
	}
	err := w.links.chunks(w.ctx, w.area, w.packer.newDraft, func(c manifest.Chunk) error {
		w.kept[c.SHA256] = true
		return w.out.Write(c)
	})
	w.links.close()
	w.links = nil
	return err
}

// files ends the files of all areas.
func (w *rewriting) files() error {
	if err := w.leave(); err != nil {
		return err
	}
	w.area = ""
	return w.earlier()
}

// before writes the changes of the area at hand that stand before a key; nil: all.
func (w *rewriting) before(key []byte) error {
	for w.more && w.next.is.Area == w.area && (key == nil || bytes.Compare(w.key, key) < 0) {
		f := w.next.is
		if err := w.links.add(f); err != nil {
			return err
		}
		if err := w.out.Write(f); err != nil {
			return err
		}
		if err := w.advance(); err != nil {
			return err
		}
	}
	return nil
}

func (w *rewriting) file(l manifest.Line) error {
	f, err := l.File()
	if err != nil {
		return err
	}
	if err := w.enter(f.Area); err != nil {
		return err
	}
	w.own = areaKey(w.own[:0], f)
	if err := w.before(w.own); err != nil {
		return err
	}
	dead, err := w.dead.has(f, w.own)
	if dead || err != nil {
		return err
	}
	if w.links != nil && bytes.Contains(l.Raw, sameMark) {
		if err := w.links.add(f); err != nil {
			return err
		}
	}
	return w.out.WriteRaw(l)
}

// receipt passes a receipt on where its chunk was.
func (w *rewriting) receipt(l manifest.Line) error {
	var r manifest.Receipt
	if err := l.Decode(&r); err != nil {
		return err
	}
	if _, ofFiles := w.base.place[r.Chunk]; ofFiles && !w.kept[r.Chunk] {
		return nil
	}
	return w.out.WriteRaw(l)
}
