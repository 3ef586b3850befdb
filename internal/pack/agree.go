package pack

import (
	"context"
	"crypto/sha256"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/manifest"
)

// knownJoin walks the records of known manifests beside those of this run, all in manifest order.
type knownJoin struct {
	k       *known
	readers []*knownReader
	area    int
	records []knownRecord // of the name at hand
	choice  choice
}

// join begins at the first area.
func (k *known) join() (*knownJoin, error) {
	j := &knownJoin{k: k, area: -1}
	for i, from := range k.froms {
		r, err := k.list.reader(i, from.section)
		if err != nil {
			return nil, err
		}
		j.readers = append(j.readers, r)
	}
	return j, nil
}

// look returns what is known of the name of a record, of which each comes behind that of the call before. It is good until
// the next call.
func (j *knownJoin) look(f manifest.File) (*choice, error) {
	area := f.Area.Rank()
	if area == j.area && f.Path == j.choice.path {
		return &j.choice, nil // another row of the same file
	}
	j.area, j.records = area, j.records[:0]
	for _, r := range j.readers {
		for r.more && (r.next.area < area || r.next.area == area && r.next.path < f.Path) {
			if err := r.advance(); err != nil {
				return nil, err
			}
		}
		first := len(j.records)
		for r.more && r.next.area == area && r.next.path == f.Path {
			// Rows that name one file say the same: one original and one copy stand for all of a manifest.
			if !slices.ContainsFunc(j.records[first:], func(k knownRecord) bool { return k.isCopy == r.next.isCopy }) {
				j.records = append(j.records, r.next)
			}
			if err := r.advance(); err != nil {
				return nil, err
			}
		}
	}
	j.k.choose(&j.choice, f.Path, j.records)
	return &j.choice, nil
}

// stored makes a record one of a file that is stored, where what is known of its name agrees.
func (j *knownJoin) stored(f manifest.File, c *choice, agrees func(knownFile) bool) manifest.File {
	k, ok := c.original, !c.none && f.Raw == c.original.raw && agrees(c.original)
	for i := len(c.copies) - 1; !ok && i >= 0; i-- {
		k, ok = c.copies[i], f.Raw == c.copies[i].raw && agrees(c.copies[i])
	}
	if !ok {
		return f
	}
	f.SHA256, f.Chunk, f.Offset, f.Same = k.sum, j.k.chunks[k.chunk].SHA256, k.offset, k.same
	if f.State == manifest.Present {
		f.State = manifest.Stored
	}
	return f
}

// plan makes the plan of all areas that are packed, and writes the chunks at the destination that it refers to.
func (r *run) plan(ctx context.Context) error {
	if err := r.planFiles(ctx); err != nil {
		return err
	}
	for _, c := range r.packer.earlier.needed(r.known.inOrder()) {
		if err := r.emit(c); err != nil {
			return err
		}
	}
	return nil
}

// planFiles makes the plan: what is known of each file is in it.
func (r *run) planFiles(ctx context.Context) error {
	join, err := r.known.join()
	if err != nil {
		return err
	}
	if r.planned, err = r.packer.newPlan(); err != nil {
		return err
	}
	look := r.planByTime
	if r.o.Rehash {
		look = r.planByContent
	}
	for _, area := range manifest.Areas[1:] {
		if !slices.Contains(r.src.Installation.Areas, area) || !r.wanted(area) {
			continue
		}
		if err := look(ctx, area, join); err != nil {
			return err
		}
	}
	return r.planned.settle(ctx)
}

// planByTime plans an area: what has the size and time that is known is not read.
func (r *run) planByTime(ctx context.Context, area manifest.Area, join *knownJoin) error {
	return r.inv.Files(ctx, area, func(f manifest.File) error {
		if !packable(f, r.o.Orphans) {
			return r.planned.add(f)
		}
		c, err := join.look(f)
		if err != nil {
			return err
		}
		return r.planned.add(join.stored(f, c, byTime(f)))
	})
}

// byTime says whether what is known of a file agrees with its size and time.
func byTime(f manifest.File) func(knownFile) bool {
	return func(k knownFile) bool { return k.size == f.Size && k.mtime.Equal(f.MTime.Time) }
}

// reading is a file that is read to be compared with what is known of it.
type reading struct {
	f      manifest.File
	choice choice
	sum    manifest.Digest
	read   bool
	done   chan struct{}
}

// planByContent plans an area: every file of which something is known is read, and its digest decides. What cannot be read is
// left to packing, which tells.
func (r *run) planByContent(ctx context.Context, area manifest.Area, join *knownJoin) error {
	eg, ctx := errgroup.WithContext(ctx)
	queue, order := make(chan *reading), make(chan *reading, 64)
	for range r.packer.workers {
		eg.Go(func() error {
			for x := range queue {
				r.packer.digest(ctx, x)
				close(x.done)
			}
			return nil
		})
	}
	eg.Go(func() error {
		defer close(queue)
		defer close(order)
		return r.inv.Files(ctx, area, func(f manifest.File) error {
			x := &reading{f: f, done: make(chan struct{})}
			if known, err := r.knownOf(join, f); err != nil {
				return err
			} else if known == nil {
				close(x.done)
			} else {
				x.choice = *known
				x.choice.copies = slices.Clone(known.copies)
				if err := send(ctx, queue, x); err != nil {
					return err
				}
			}
			return send(ctx, order, x)
		})
	})
	eg.Go(func() error {
		for x := range order {
			select {
			case <-x.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := r.planned.add(r.compared(join, x)); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return eg.Wait()
}

func send[T any](ctx context.Context, to chan<- T, x T) error {
	select {
	case to <- x:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// knownOf is what is known of a file that moves, or nil where that is nothing.
func (r *run) knownOf(join *knownJoin, f manifest.File) (*choice, error) {
	if !packable(f, r.o.Orphans) {
		return nil, nil
	}
	c, err := join.look(f)
	if err != nil || c.none && len(c.copies) == 0 {
		return nil, err
	}
	return c, nil
}

// compared is the record of a file that was read, and counts those that differ although size and time agree.
func (r *run) compared(join *knownJoin, x *reading) manifest.File {
	if !x.read {
		return x.f
	}
	var looksSame bool
	f := join.stored(x.f, &x.choice, func(k knownFile) bool {
		same := k.sum == x.sum && k.size == x.f.Size
		looksSame = looksSame || !same && k.size == x.f.Size && k.mtime.Equal(x.f.MTime.Time)
		return same
	})
	if looksSame && !isStored(f) {
		r.sums.differ++
	}
	return f
}

// digest reads a file. One that cannot be read, or changes meanwhile, has none.
func (p *packer) digest(ctx context.Context, x *reading) {
	h := sha256.New()
	err := p.settled(&x.f, func(r io.Reader, size int64) error {
		h.Reset()
		n, err := io.Copy(h, contextReader{ctx, r})
		if err == nil && n != size {
			err = errChanged
		}
		return err
	}, func() { h.Sum(x.sum[:0]) })
	x.read = err == nil
}
