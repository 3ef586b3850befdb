package pack

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/parts"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/spool"
)

// What a part's deltas may come to, in shares of what the part would be if it was written anew.
const (
	maxDelta  = 0.5 // all of its deltas together
	maxDeltas = chunk.MaxChain
)

// sketches are the row digests of parts, in the spool: rows/<digest>, a file for each part, by which a later run tells the
// rows of the part that changed. They are no more than a help: a part without one is sent whole, as is one whose file is
// damaged. They are not synced, and not counted for the spool's limit.
type sketches struct {
	dir    string
	used   map[string]bool
	lacked int // parts that changed, and had none
}

// openSketches opens those of a spool.
func openSketches(s *spool.Spool) (*sketches, error) {
	k := &sketches{dir: s.Path("rows"), used: map[string]bool{}}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder for row digests: %w", err)
	}
	return k, nil
}

func sketchName(c manifest.Chunk) string {
	return manifest.Digest(sha256.Sum256(append(c.Content[:], c.Schema[:]...))).String()
}

// open opens the sketch of a part, or gives nil.
func (k *sketches) open(c manifest.Chunk, t manifest.Table) (*parts.Sketch, *os.File) {
	f, err := os.Open(filepath.Join(k.dir, sketchName(c)))
	if err != nil {
		return nil, nil
	}
	old, err := parts.OpenSketch(f, t)
	if err != nil {
		f.Close()
		return nil, nil
	}
	return old, f
}

// keep gives the sketch of a part its name.
func (k *sketches) keep(f *os.File, c manifest.Chunk) error {
	name := sketchName(c)
	k.used[name] = true
	if err := f.Close(); err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("keeping the row digests of a part: %w", err)
	}
	if err := os.Rename(f.Name(), filepath.Join(k.dir, name)); err != nil {
		return fmt.Errorf("keeping the row digests of a part: %w", err)
	}
	return nil
}

// clean removes those of parts that neither this run nor what is known has.
func (k *sketches) clean(known *known) error {
	if known != nil {
		for _, list := range known.ofTable {
			for _, p := range list {
				k.used[sketchName(p.whole())] = true
			}
		}
	}
	entries, err := os.ReadDir(k.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking through the row digests: %w", err)
	}
	for _, e := range entries {
		if !k.used[e.Name()] && !strings.HasPrefix(e.Name(), ".") {
			os.Remove(filepath.Join(k.dir, e.Name()))
		}
	}
	return nil
}

// changing is what is found out beside a part while it is written: its sketch, and what changed since the known part in
// its place.
type changing struct {
	f     *os.File
	w     *parts.SketchWriter
	prior *knownPart
	old   *os.File
	delta *parts.DeltaWriter
}

// begin begins the sketch of a part that begins with row, and its delta where there is what it could be one to.
func (p *partsWriter) beginChanging(row source.Row) error {
	if p.x.sketches == nil || p.order.Keyless() {
		return nil
	}
	f, err := os.CreateTemp(p.x.temp, "rows-*")
	if err != nil {
		return fmt.Errorf("creating the row digests of a part: %w", err)
	}
	p.side = &changing{f: f}
	if p.side.w, err = parts.NewSketchWriter(f, p.table); err != nil {
		return err
	}
	key, err := p.order.Append(nil, row)
	if err != nil {
		return err
	}
	prior := p.placed[p.order.Place(p.order.Text(key, row))]
	if prior == nil {
		return nil
	}
	schema, err := chunk.SchemaDigest(p.table)
	if n, _ := prior.changed(); err != nil || n+2 > maxDeltas || *prior.records[0].Schema != schema {
		return err
	}
	p.side.prior = prior
	old, from := p.x.sketches.open(prior.whole(), p.table)
	if old == nil {
		return nil
	}
	p.side.old = from
	o := chunk.PartOptions{Codec: p.x.codec, Level: p.x.level, Pool: p.x.pool}
	p.side.delta, err = parts.NewDeltaWriter(p.table, old, o, func() (*os.File, error) { return os.CreateTemp(p.x.temp, "delta-*") })
	return err
}

// add takes the row that was written last.
func (c *changing) add(row source.Row, digest manifest.Digest, large bool) error {
	if c == nil {
		return nil
	}
	if err := c.w.Add(row, digest); err != nil {
		return err
	}
	if large {
		c.dropDelta() // it would hold the row once more
	}
	if c.delta == nil {
		return nil
	}
	return c.delta.Add(row, digest)
}

func (c *changing) dropDelta() {
	if c.delta != nil {
		c.delta.Abandon()
		c.delta = nil
	}
	if c.old != nil {
		c.old.Close()
		c.old = nil
	}
}

// drop removes what is not kept.
func (c *changing) drop() {
	if c == nil {
		return
	}
	c.dropDelta()
	if c.f != nil {
		remove(c.f)
		c.f = nil
	}
}

// end keeps the sketch of the finished part, and returns what changed since the part in its place, or nothing where a
// delta would not be worth it.
func (p *partsWriter) endChanging(c *changing, part manifest.Chunk) ([]parts.Change, error) {
	if c == nil {
		return nil, nil
	}
	defer c.drop()
	if err := c.w.Close(); err != nil {
		return nil, err
	}
	f := c.f
	c.f = nil
	if err := p.x.sketches.keep(f, part); err != nil {
		return nil, err
	}
	if c.delta == nil {
		if c.prior != nil {
			p.x.sketches.lacked++
		}
		return nil, nil
	}
	changes, err := c.delta.Close()
	if err != nil {
		return nil, err
	}
	_, bytes := c.prior.changed()
	for _, x := range changes {
		bytes += x.Part.Bytes
	}
	if float64(bytes) > maxDelta*float64(part.Bytes) {
		removeChanges(changes)
		return nil, nil
	}
	return changes, nil
}

func removeChanges(changes []parts.Change) {
	for _, x := range changes {
		remove(x.File)
	}
}

// settleChanges sees that the chunks which change a part are in the spool, and returns the records of the whole part.
func (p *partsWriter) settleChanges(ctx context.Context, prior *knownPart, part manifest.Chunk, changes []parts.Change) ([]manifest.Chunk, error) {
	defer removeChanges(changes)
	records := append([]manifest.Chunk(nil), prior.records...)
	base := records[0].SHA256
	keys, err := chunk.KeyTable(p.table)
	if err != nil {
		return nil, err
	}
	for i, x := range changes {
		c, t := x.Part.Chunk(p.table.Name), p.table
		c.Op, c.Of = x.Op, &base
		if x.Op == manifest.OpDelete {
			t = keys
		}
		if i == len(changes)-1 {
			c.After = &manifest.After{Rows: part.Rows, Raw: part.Raw, First: part.First, Last: part.Last, Content: *part.Content}
		}
		if err := p.store(ctx, x.File, c, t); err != nil {
			return nil, err
		}
		records = append(records, c)
	}
	return records, nil
}
