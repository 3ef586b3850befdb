package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// pack packs what is to be done into the spool, and gathers what it became in made.
func (a *again) pack(ctx context.Context) error {
	if err := a.know(ctx); err != nil {
		return err
	}
	if err := a.copies(ctx); err != nil {
		return err
	}
	dir, err := a.extract(ctx)
	if err != nil {
		return err
	}
	a.packer.inst.Roots = map[string][]string{}
	for _, area := range manifest.Areas[1:] {
		a.packer.inst.Roots[string(area)] = append(slices.Clone(a.site.Roots[string(area)]), dir)
	}
	for _, area := range manifest.Areas[1:] {
		if err := a.packArea(ctx, area); err != nil {
			return fmt.Errorf("packing %s: %w", area, err)
		}
	}
	return nil
}

// staying calls fn for the stored records of the base that nothing replaces and whose content may be that of a file that is
// packed, or was that of one that is replaced.
func (a *again) staying(ctx context.Context, fn func(manifest.File) error) error {
	g, err := a.todo.graves(ctx)
	if err != nil {
		return err
	}
	var key []byte
	return a.base.each(ctx, func(l manifest.Line) error {
		if l.Kind != manifest.KindFile || a.todo.sizes.lacks(l.Raw) {
			return nil
		}
		f, err := l.File()
		if err != nil || !isStored(f) || !a.todo.sizes.has(f.Size) {
			return err
		}
		key = areaKey(key[:0], f)
		if dead, err := g.has(f, key); dead || err != nil {
			return err
		}
		return fn(f)
	})
}

// know makes the stored originals known that files may be copies of.
func (a *again) know(ctx context.Context) error {
	return a.staying(ctx, func(f manifest.File) error {
		if isCopy(f) {
			return nil
		}
		return a.packer.know(f)
	})
}

// copies looks after stored copies: one whose original is replaced names another one or, where there is none, is taken
// out of its chunk and packed anew, since the tenant's stock tar must restore every name.
func (a *again) copies(ctx context.Context) error {
	if a.base.copies == 0 {
		return nil
	}
	more := newChanges(a.o.Temp)
	defer more.close()
	n := 0
	err := a.staying(ctx, func(f manifest.File) error {
		if !isCopy(f) {
			return nil
		}
		x := change{was: f, is: f}
		ok, err := a.packer.stays(&x.is)
		switch {
		case err != nil:
			return err
		case !ok:
			x.how = howContent
		case x.is.Same == f.Same && x.is.Chunk == f.Chunk && x.is.Offset == f.Offset:
			return nil
		}
		n++
		return more.add(x)
	})
	if err != nil || n == 0 {
		return err
	}
	all := newChanges(a.o.Temp)
	for _, c := range []*changes{a.todo, more} {
		if err := c.each(ctx, all.add); err != nil {
			all.close()
			return err
		}
	}
	a.todo.close()
	a.todo = all
	return nil
}

func (a *again) packArea(ctx context.Context, area manifest.Area) error {
	reader, err := a.todo.read(ctx)
	if err != nil {
		return err
	}
	beside, err := a.todo.read(ctx)
	if err != nil {
		return err
	}
	list := func(_ context.Context, emit func(manifest.File) error) error {
		for {
			x, err := reader.next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err == nil && x.is.Area == area {
				err = emit(a.reads(x))
			}
			if err != nil {
				return err
			}
		}
	}
	m := a.o.Progress.Meter("packing "+string(area), 0, progress.Items)
	defer m.Done()
	return a.packer.pack(ctx, list, m, func(rec manifest.Record) error {
		switch rec := rec.(type) {
		case manifest.Chunk:
			a.chunks[area] = append(a.chunks[area], rec)
		case manifest.File:
			for {
				x, err := beside.next()
				if err != nil {
					return noEOF(err)
				}
				if x.is.Area == area {
					return a.packed(x, rec)
				}
			}
		}
		return nil
	})
}

// reads is the record of a change as the packer reads its file.
func (a *again) reads(x change) manifest.File {
	if x.how != howContent {
		return x.is
	}
	f := toPack(x.is)
	f.Root, f.Disk = len(a.site.Roots[string(f.Area)]), x.is.SHA256.String()
	return f
}

// packed takes what became of a change.
func (a *again) packed(x change, f manifest.File) error {
	switch {
	case x.how == howRecord:
	case x.how == howContent && f.SHA256 != x.is.SHA256:
		return fmt.Errorf("the content of %q that was taken out of chunk %s changed in the spool", entryName(x.is), x.is.Chunk)
	case x.how == howContent:
		x.is.SHA256, x.is.Chunk, x.is.Offset, x.is.Same = f.SHA256, f.Chunk, f.Offset, f.Same
	case isStored(f):
		x.is = f
	case isStored(x.was): // it cannot be read any more, and stays as it was stored
		a.gain(f.Area, func(g *Gained) { g.Touched++ })
		return nil
	default:
		x.is = f
		if len(a.result.Lost) < shownLost {
			a.result.Lost = append(a.result.Lost, f)
		}
	}
	switch {
	case !isStored(x.is):
	case !isStored(x.was):
		a.gain(f.Area, func(g *Gained) { g.Found++ })
	case x.is.SHA256 != x.was.SHA256:
		a.gain(f.Area, func(g *Gained) { g.Changed++ })
	}
	x.how = howRecord
	a.touched[f.Area] = true
	a.base.refer(x.was, -1)
	a.base.refer(x.is, 1)
	return a.made.add(x)
}
