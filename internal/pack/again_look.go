package pack

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/inventory"
	"github.com/openomt/omt/internal/manifest"
)

// look finds on disk what is missing and what has changed.
func (a *again) look(ctx context.Context) error {
	var err error
	if a.site, err = a.o.Site(a.base.installation); err != nil {
		return err
	}
	a.roots = joined(a.base.installation.Roots, a.site.Roots)
	inv := inventory.New(inventory.Options{Installation: a.site, Temp: a.o.Temp, Tool: a.o.Tool, Progress: a.o.Progress, Log: a.o.Log})
	for _, area := range manifest.Areas[1:] {
		if a.base.files[area] == 0 || len(a.site.Roots[string(area)]) == 0 {
			continue
		}
		c := &comparison{again: a, ctx: ctx}
		seen, err := inv.Again(ctx, area, a.base.logins, a.base.earlier(ctx, area), c.add)
		if err == nil {
			err = c.flush()
		}
		if err != nil {
			return outOfReach(area, err)
		}
		a.gain(area, func(g *Gained) { g.Gone, g.Touched = seen.Gone, g.Touched+seen.Shut })
	}
	return nil
}

// outOfReach adds to an error of an area's folders what can be done on a machine that has other ones.
func outOfReach(area manifest.Area, err error) error {
	err = fmt.Errorf("looking at %s: %w", area, err)
	if hint := manifest.HintOf(err); hint != "" && manifest.StatusOf(err) == manifest.Failed {
		return manifest.Errorf(manifest.Failed, "%w", err).
			WithHint("%s; where the folders have other names, give --root %s=DIR or --map 'FROM=TO'; --root %s= leaves the area as it is", hint, area, area)
	}
	return err
}

// joined are the roots of the new manifest: those of the base, since it is the scanning machine that they name, with
// folders behind them that this machine has more.
func joined(base, site map[string][]string) map[string][]string {
	out := map[string][]string{}
	for area, dirs := range base {
		out[area] = slices.Clone(dirs)
		if more := site[area]; len(more) > len(dirs) {
			out[area] = append(out[area], more[len(dirs):]...)
		}
	}
	return out
}

// comparison takes what the inventory tells of an area. Stored files with another time than before are read, some side by
// side: most often their content is what it was.
type comparison struct {
	*again
	ctx   context.Context
	batch []change
	sums  []manifest.Digest
}

const (
	compareBatch   = 256
	compareWorkers = 4
)

func (c *comparison) add(was, is manifest.File) error {
	x := change{was: was, is: is}
	switch {
	case packable(is, true):
		x.how = howDisk
	case len(c.result.Lost) < shownLost:
		c.result.Lost = append(c.result.Lost, is)
	}
	c.batch = append(c.batch, x)
	if len(c.batch) == compareBatch {
		return c.flush()
	}
	return nil
}

func (c *comparison) flush() error {
	c.sums = slices.Grow(c.sums[:0], len(c.batch))[:len(c.batch)]
	clear(c.sums)
	var rs roots
	defer rs.close()
	eg, ctx := errgroup.WithContext(c.ctx)
	eg.SetLimit(compareWorkers)
	for n, x := range c.batch {
		if isStored(x.was) && x.was.Size == x.is.Size {
			eg.Go(func() (err error) {
				c.sums[n], err = digestOf(ctx, &rs, rootOf(c.site.Roots, x.is), x.is)
				return err
			})
		}
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	for n, x := range c.batch {
		if isStored(x.was) && x.was.Size == x.is.Size && (c.sums[n].IsZero() || c.sums[n] == x.was.SHA256) {
			c.gain(x.was.Area, func(g *Gained) { g.Touched++ })
			continue
		}
		if err := c.todo.add(x); err != nil {
			return err
		}
	}
	c.batch = c.batch[:0]
	return nil
}

// digestOf is the digest of a file's content; none where it cannot be read.
func digestOf(ctx context.Context, rs *roots, dir string, f manifest.File) (d manifest.Digest, err error) {
	root, err := rs.get(dir)
	if err != nil {
		return d, err
	}
	file, err := root.Open(f.DiskPath(), f.Raw)
	if err == nil {
		defer file.Close()
		h := sha256.New()
		if _, err = io.Copy(h, contextReader{ctx, file}); err == nil {
			return manifest.Digest(h.Sum(nil)), nil
		}
	}
	if ctx.Err() != nil {
		return d, ctx.Err()
	}
	if rs.stands(dir) {
		return d, nil
	}
	return d, fmt.Errorf("reading %q: %w", entryName(f), err)
}
