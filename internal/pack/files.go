package pack

import (
	"context"
	"os"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/spool"
)

// maxLinks is how many names may be linked to one before the content is stored anew; file systems allow 1,023 and more.
const maxLinks = 1000

// packer turns an area's file records into chunks. A group goes through four steps:
//
//	load    its files are read into memory and hashed, or its outcome is found in the journal; groups side by side
//	decide  which files are copies of earlier ones; one group after another, in manifest order
//	write   the chunk is compressed, synced and read back; groups side by side
//	emit    chunk and file records are written; one after another
//
// Memory is bounded by the buffers: as many groups are under way as there are buffers of one chunk each.
type packer struct {
	spool    *spool.Spool
	temp     string // the spool's folder for unfinished work
	inst     manifest.Installation
	roots    roots
	level    int
	pool     *chunk.Pool
	workers  int
	orphans  bool
	room     room
	index    *index
	journal  *journal
	used     map[groupPrint]bool
	findings *fileFindings

	seq     uint32
	mu      sync.Mutex
	digests []manifest.Digest // by group: its chunk

	earlier earlier
	passed  int64           // files that were passed through
	loose   map[string]bool // names of stored copies without an original, which get no link
}

// pack streams the records that list gives through the four steps and hands all records to emit, in manifest order.
func (p *packer) pack(ctx context.Context, list func(context.Context, func(manifest.File) error) error,
	m progress.Meter, emit func(manifest.Record) error) error {
	eg, ctx := errgroup.WithContext(ctx)
	buffers := make(chan []byte, p.workers+1)
	for range cap(buffers) {
		buffers <- nil
	}
	queue := make(chan *group, cap(buffers))
	cpu := semaphore.NewWeighted(int64(p.workers))
	eg.Go(func() error {
		defer close(queue)
		turn := make(chan struct{})
		close(turn)
		c := &grouper{orphans: p.orphans, seq: &p.seq}
		c.emit = func(g *group) error {
			var buf []byte
			select {
			case buf = <-buffers:
			case <-ctx.Done():
				return ctx.Err()
			}
			g.turn, g.decided, g.done = turn, make(chan struct{}), make(chan struct{})
			turn = g.decided
			eg.Go(func() error { return p.work(ctx, g, buf, buffers, cpu) })
			select {
			case queue <- g:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := list(ctx, c.add); err != nil {
			return err
		}
		return c.flush()
	})
	eg.Go(func() error {
		for g := range queue {
			select {
			case <-g.done:
			case <-ctx.Done():
				return ctx.Err()
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := p.emit(g, m, emit); err != nil {
				return err
			}
		}
		return nil
	})
	return eg.Wait()
}

// work processes a group and gives its buffer back. Of a group that failed done stays open: its records must not be
// written, and what waits for them is told by the context, which ends with the error.
func (p *packer) work(ctx context.Context, g *group, buf []byte, buffers chan<- []byte, cpu *semaphore.Weighted) error {
	err := p.process(ctx, g, &buf, cpu)
	g.content, g.parts = nil, nil
	buffers <- buf
	if err == nil {
		close(g.done)
	}
	return err
}

// process takes one group through load, decide and write.
func (p *packer) process(ctx context.Context, g *group, buf *[]byte, cpu *semaphore.Weighted) error {
	if err := cpu.Acquire(ctx, 1); err != nil {
		return err
	}
	err := p.prepare(ctx, g, buf)
	cpu.Release(1)
	if err != nil {
		g.draft.drop()
		return err
	}
	select {
	case <-g.turn:
	case <-ctx.Done():
		g.draft.drop()
		return ctx.Err()
	}
	if err := p.decide(ctx, g); err != nil {
		g.draft.drop()
		return err
	}
	close(g.decided)
	if g.prior != nil && g.result.agrees(*g.prior) {
		if g.result.Chunk = g.prior.Chunk; g.result.Chunk != nil {
			p.room.own(g.result.Chunk.SHA256)
		}
		return nil
	}
	if err := cpu.Acquire(ctx, 1); err != nil {
		g.draft.drop()
		return err
	}
	defer cpu.Release(1)
	defer p.room.free(g.reserved)
	if g.prior != nil {
		if err := p.loadAgain(ctx, g, buf); err != nil {
			g.draft.drop()
			return err
		}
	}
	return p.write(g)
}

// prepare finds the group in the journal, or reads its files.
func (p *packer) prepare(ctx context.Context, g *group, buf *[]byte) error {
	if len(g.packed) == 0 {
		return nil
	}
	g.print = g.fingerprint(p.level, p.inst.Roots)
	prior, err := p.recall(g)
	if err != nil {
		return err
	}
	if prior != nil {
		g.prior = prior
		for _, f := range prior.Files {
			g.sums = append(g.sums, f.SHA256)
		}
		return nil
	}
	return p.load(ctx, g, p.buffer(g, buf))
}

// buffer is made when a group first needs it and then goes from group to group.
func (p *packer) buffer(g *group, buf *[]byte) []byte {
	if *buf == nil && !g.large {
		*buf = make([]byte, chunk.MaxRaw)
	}
	return *buf
}

// recall returns what the journal knows of a group, when its chunk is still in the spool.
func (p *packer) recall(g *group) (*outcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	prior, err := p.journal.get(g.print)
	if err != nil || prior == nil || len(prior.Files) != len(g.packed) {
		return nil, err
	}
	if c := prior.Chunk; c != nil {
		st, err := os.Stat(p.spool.ChunkPath(c.SHA256, c.Type))
		if err != nil || st.Size() != c.Bytes {
			return nil, nil //nolint:nilerr // a chunk that is gone or not whole is made again
		}
	}
	return prior, nil
}

// loadAgain reads the files of a group that the journal knew, since other files are copies than at that time.
func (p *packer) loadAgain(ctx context.Context, g *group, buf *[]byte) error {
	want, print := g.sums, g.print
	packed := slices.Clone(g.packed)
	if err := p.load(ctx, g, p.buffer(g, buf)); err != nil {
		return err
	}
	if slices.Equal(g.packed, packed) && slices.Equal(g.sums, want) {
		return nil
	}
	for k, i := range packed {
		if k >= len(g.packed) || g.packed[k] != i || g.sums[k] != want[k] {
			if err := p.forget(print); err != nil {
				return err
			}
			return manifest.Errorf(manifest.Failed,
				"%q has other content than an earlier run found, although its size and time are the same, or can no longer be read", entryName(g.files[i])).
				WithHint("run the same command again; it reads this file anew")
		}
	}
	return nil
}

// forget makes the journal not know a group.
func (p *packer) forget(print groupPrint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.journal.put(print, outcome{})
}

// decide says of each packed file whether it is stored by this group or is a copy, and where its content begins.
func (p *packer) decide(ctx context.Context, g *group) error {
	g.result.Files = make([]fileOutcome, len(g.packed))
	g.origins = make([]uint32, len(g.packed))
	var end int64
	for k, i := range g.packed {
		f, out := g.files[i], &g.result.Files[k]
		out.SHA256 = g.sums[k]
		whole := chunk.EntrySize(entryName(f), f.Size)
		head := whole - (f.Size+511)/512*512
		o, err := p.place(f, g.sums[k], original{Chunk: g.seq, Offset: end + head, Path: f.Path})
		if err != nil {
			return err
		}
		out.Offset, g.origins[k] = o.Offset, o.Chunk
		if o.Chunk == g.seq && o.Offset == end+head {
			end += whole
		} else {
			out.Same = o.Path
		}
	}
	if end == 0 || (g.prior != nil && g.result.agrees(*g.prior)) {
		return nil
	}
	if err := p.room.take(ctx, end); err != nil {
		return err
	}
	g.reserved = end
	return nil
}

// place returns the original of a content: here, when it is new or its original has no links left to give.
func (p *packer) place(f manifest.File, sum manifest.Digest, here original) (original, error) {
	if f.Size == 0 {
		return here, nil // an empty file is never a link
	}
	o, at, found, err := p.index.find(f.Area, sum)
	switch {
	case err != nil:
		return o, err
	case !found:
		return here, p.index.add(f.Area, sum, here)
	case o.Path == f.Path:
		return o, nil // two rows that name one file
	case o.Links >= maxLinks:
		return here, p.index.set(at, f.Area, sum, here)
	}
	return o, p.index.link(at, o.Links)
}

// emit writes the records of a group that is done and remembers it.
func (p *packer) emit(g *group, m progress.Meter, emit func(manifest.Record) error) error {
	var own manifest.Digest
	if g.result.Chunk != nil {
		own = g.result.Chunk.SHA256
		if err := emit(*g.result.Chunk); err != nil {
			return err
		}
	}
	for int(g.seq) >= len(p.digests) {
		p.digests = append(p.digests, manifest.Digest{})
	}
	p.digests[g.seq] = own
	for k, i := range g.packed {
		f, out := &g.files[i], g.result.Files[k]
		f.SHA256, f.Offset, f.Same, f.Chunk = out.SHA256, out.Offset, out.Same, p.chunkOf(g.origins[k])
		if g.prior != nil {
			m.Skip(f.Size)
		} else {
			m.Add(f.Size)
		}
	}
	p.passed += int64(g.passed)
	m.Skip(g.stored)
	for _, f := range g.files {
		if err := emit(f); err != nil {
			return err
		}
	}
	return p.remember(g)
}

func (p *packer) remember(g *group) error {
	if g.print == (groupPrint{}) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[g.print] = true
	if g.prior != nil && g.result.agrees(*g.prior) {
		return nil
	}
	return p.journal.put(g.print, g.result)
}
