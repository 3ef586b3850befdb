package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/openomt/omt/internal/manifest"
)

// take finds in another manifest what the base does not have or has with other content. The two are walked side by side,
// in their order; what one side alone has is met once more by the ids of rows, since the path of a row may depend on where
// its file was found.
func (a *again) take(ctx context.Context) error {
	var err error
	if a.input, err = readOlder(ctx, a.o.Input); err != nil {
		return err
	}
	a.roots = a.rootsOfBoth()
	t := &taking{again: a, lacking: manifest.NewSorter(a.o.Temp, changeMemory), offered: manifest.NewSorter(a.o.Temp, changeMemory)}
	defer t.lacking.Close() //nolint:errcheck // temporary files
	defer t.offered.Close() //nolint:errcheck // temporary files
	if err := t.walk(ctx); err != nil {
		return err
	}
	return t.byID(ctx)
}

// rootsOfBoth are the roots of the base, with those of the input behind them that it does not have.
func (a *again) rootsOfBoth() map[string][]string {
	out := map[string][]string{}
	for area, dirs := range a.base.installation.Roots {
		out[area] = slices.Clone(dirs)
	}
	for area, dirs := range a.input.installation.Roots {
		for _, dir := range dirs {
			if !slices.Contains(out[area], dir) {
				out[area] = append(out[area], dir)
			}
		}
	}
	return out
}

// taking is the comparison of two manifests.
type taking struct {
	*again
	lacking *manifest.Sorter // records of the base without content, by area and id
	offered *manifest.Sorter // records of the input with content that the base has no record of, by area and id
}

// records gives the file records of a manifest in order.
type records struct {
	ctx   context.Context
	lines *manifest.Reader
	f     manifest.File
	key   []byte
	more  bool
	n     int
}

func (m *older) records(ctx context.Context) (*records, error) {
	lines, err := m.again()
	if err != nil {
		return nil, err
	}
	r := &records{ctx: ctx, lines: lines}
	return r, r.advance()
}

func (r *records) advance() error {
	for {
		l, err := r.lines.Next()
		if errors.Is(err, io.EOF) {
			r.more = false
			return nil
		}
		if r.n++; err == nil && r.n%1024 == 0 {
			err = r.ctx.Err()
		}
		if err != nil {
			return err
		}
		if l.Kind == manifest.KindFile {
			if r.f, err = l.File(); err != nil {
				return err
			}
			r.key, r.more = areaKey(r.key[:0], r.f), true
			return nil
		}
	}
}

func (t *taking) walk(ctx context.Context) error {
	base, err := t.base.records(ctx)
	if err != nil {
		return err
	}
	input, err := t.input.records(ctx)
	if err != nil {
		return err
	}
	for base.more || input.more {
		order := 0
		switch {
		case !input.more:
			order = -1
		case !base.more:
			order = 1
		default:
			order = bytes.Compare(base.key, input.key)
		}
		switch {
		case order == 0:
			err = t.both(base.f, input.f)
		case order < 0:
			err = t.lacks(base.f)
		default:
			err = t.offers(input.f)
		}
		if err == nil && order <= 0 {
			err = base.advance()
		}
		if err == nil && order >= 0 {
			err = input.advance()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *taking) both(was, is manifest.File) error {
	switch {
	case !isStored(is):
		return t.lacks(was)
	case isStored(was) && was.SHA256 == is.SHA256:
		return nil
	}
	return t.taken(was, is)
}

func (t *taking) lacks(f manifest.File) error {
	if isStored(f) {
		return nil
	}
	if f.ID != 0 {
		return t.keep(t.lacking, f)
	}
	return t.lost(f)
}

func (t *taking) offers(f manifest.File) error {
	switch {
	case !isStored(f):
		return nil
	case f.ID != 0:
		return t.keep(t.offered, f)
	}
	t.gain(f.Area, func(g *Gained) { g.Unknown++ })
	return nil
}

// lost notes one of the first records that still lack their file.
func (t *taking) lost(f manifest.File) error {
	switch f.State {
	case manifest.NoRow, manifest.Shadowed, manifest.Left:
		return nil
	}
	if len(t.result.Lost) < shownLost {
		t.result.Lost = append(t.result.Lost, f)
	}
	return nil
}

func (t *taking) keep(s *manifest.Sorter, f manifest.File) error {
	key := binary.BigEndian.AppendUint64([]byte{byte(f.Area.Rank())}, uint64(f.ID)^1<<63)
	v, err := f.AppendJSON(nil)
	if err != nil {
		return err
	}
	return s.Add(key, v)
}

// byID meets what is left on both sides.
func (t *taking) byID(ctx context.Context) error {
	lacking, err := t.lacking.Sort(ctx)
	if err != nil {
		return err
	}
	offered, err := t.offered.Sort(ctx)
	if err != nil {
		return err
	}
	return manifest.MergeJoin(lacking, offered, func(_ []byte, left, right [][]byte) error {
		if len(left) == 0 {
			f, err := fileOf(right[0])
			t.gain(f.Area, func(g *Gained) { g.Unknown += int64(len(right)) })
			return err
		}
		for n, l := range left {
			was, err := fileOf(l)
			if err != nil {
				return err
			}
			if n > 0 || len(right) == 0 {
				if err := t.lost(was); err != nil {
					return err
				}
				continue
			}
			for _, r := range right {
				is, err := fileOf(r)
				if err == nil {
					err = t.taken(was, is)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// taken takes a record of the input in the place of one of the base.
func (t *taking) taken(was, is manifest.File) error {
	if is.State == manifest.Stored {
		is.State = manifest.Present
	}
	if dir := rootOf(t.input.installation.Roots, is); dir != "" {
		is.Root = slices.Index(t.roots[string(is.Area)], dir)
	}
	return t.todo.add(change{was: was, is: is, how: howContent})
}
