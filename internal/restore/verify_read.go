package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// read reads the chunks that are in the sample. Some are told to be read before and found good, by an earlier run.
func (v *verifier) read(ctx context.Context) error {
	var total int64
	for _, k := range v.c.chunks {
		total += v.sample.bytes(k)
	}
	v.meter = v.o.Progress.Meter("reading back", total, progress.Bytes)
	defer v.meter.Done()
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(min(max(1, v.o.Workers), maxWorkers))
	r := &reading{v: v, eg: eg, ctx: ctx, jobs: map[manifest.Digest]int{}}
	if v.o.Depth == Hash {
		for _, k := range v.c.chunks {
			r.one(k, func() (proofLine, error) { return proofLine{}, v.hash(ctx, k) })
		}
		return eg.Wait()
	}
	err := v.contents(ctx, r.one)
	return firstOf(eg.Wait(), err)
}

// reading hands out what is to be read. It is used by one goroutine.
type reading struct {
	v    *verifier
	eg   *errgroup.Group
	ctx  context.Context
	jobs map[manifest.Digest]int // jobs of a chunk so far, where there is more than one
}

// one reads a chunk, or what one job needs of it, unless it is not in the sample or was found good before.
func (r *reading) one(k manifest.Chunk, check func() (proofLine, error)) {
	if r.ctx.Err() != nil {
		return
	}
	n := r.jobs[k.SHA256]
	r.jobs[k.SHA256]++
	if r.v.sample.pieces(k) > 1 {
		if n == 0 {
			r.inPieces(k)
		}
		return
	}
	if !r.v.sample.has(pieceDigest(k, 0)) {
		return
	}
	key := k.SHA256.String()
	if n > 0 {
		key += " " + strconv.Itoa(n)
	}
	r.start(k, key, check)
}

// inPieces reads the pieces of a large chunk that are in the sample.
func (r *reading) inPieces(k manifest.Chunk) {
	for _, n := range r.v.sample.chosen(k) {
		r.start(k, fmt.Sprintf("%s piece %d", k.SHA256, n), func() (proofLine, error) {
			read, err := r.v.m.piece(r.ctx, r.v.pool, k, n)
			return proofLine{Bytes: read}, err
		})
	}
}

func (r *reading) start(k manifest.Chunk, key string, check func() (proofLine, error)) {
	if p, ok := r.v.log.done(key); ok {
		r.v.wasRead(k, p, true)
		return
	}
	r.eg.Go(func() error {
		p, err := check()
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		switch {
		case errors.Is(err, destination.ErrTransient), errors.Is(err, destination.ErrDenied):
			return fmt.Errorf("reading chunk %s (%s): %w", k.SHA256, k.Area, err) // it says nothing of the chunk
		case err != nil:
			r.v.problem(k, err)
		default:
			p.Key = key
			r.v.log.note(p)
		}
		r.v.wasRead(k, p, false)
		return nil
	})
}

// wasRead counts what was read, now or by an earlier run.
func (v *verifier) wasRead(k manifest.Chunk, p proofLine, before bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.proof.Files += p.Files
	v.proof.Rows += p.Rows
	read := p.Bytes
	if v.sample.pieces(k) == 1 && !v.done[k.SHA256] {
		v.proof.Read++
		read = k.Bytes
	}
	if v.sample.pieces(k) > 1 && !v.done[k.SHA256] {
		v.proof.InPart++
	}
	v.done[k.SHA256] = true
	v.proof.BytesRead += read
	if before {
		v.proof.Kept += read
		v.meter.Skip(read)
		return
	}
	v.meter.Add(read)
}

// hash reads one chunk and compares length and digest.
func (v *verifier) hash(ctx context.Context, k manifest.Chunk) error {
	rc, err := v.m.fetch(ctx, k)
	if err != nil {
		return err
	}
	defer rc.Close()
	return newSum(contextReader{ctx, rc}).check(k)
}

// contents hands every chunk to one, with what compares all that is in it.
func (v *verifier) contents(ctx context.Context, one func(manifest.Chunk, func() (proofLine, error))) error {
	whole := v.c.hasTables()
	for _, t := range v.c.tables {
		for _, n := range t.parts {
			one(v.c.chunks[n], func() (proofLine, error) { return v.part(ctx, t, v.c.chunks[n]) })
		}
		if err := v.c.tableWhole(t); err != nil && whole {
			v.problem(tableProblem(t), err)
		}
	}
	seen := make([]bool, len(v.c.chunks))
	err := v.c.jobs(ctx, func(j job) error {
		seen[v.c.place[j.chunk.SHA256]] = true
		one(j.chunk, func() (proofLine, error) { return v.files(ctx, j) })
		return nil
	})
	if err != nil {
		return err
	}
	for n, k := range v.c.chunks {
		if k.Type != manifest.ChunkTar || seen[n] {
			continue
		}
		one(k, func() (proofLine, error) { return proofLine{}, v.links(ctx, k) })
	}
	return nil
}

func (v *verifier) files(ctx context.Context, j job) (proofLine, error) {
	err := v.m.walk(ctx, v.pool, j, func(files []manifest.File, e chunk.Entry, r io.Reader) error {
		if slices.ContainsFunc(files, func(f manifest.File) bool { return entryName(f) == e.Name }) {
			return content(files, e, r, io.Discard)
		}
		return fmt.Errorf("chunk %s: the entry %q has the content of %q, but not its name", j.chunk.SHA256, e.Name, entryName(files[0]))
	})
	if err != nil {
		return proofLine{}, err
	}
	return proofLine{Files: int64(len(j.files))}, nil
}

func entryName(f manifest.File) string { return string(f.Area) + "/" + f.Path }

// links decodes a chunk of hard links, or one that no record refers to.
func (v *verifier) links(ctx context.Context, k manifest.Chunk) error {
	rc, err := v.m.fetch(ctx, k)
	if err != nil {
		return err
	}
	defer rc.Close()
	return v.pool.Verify(contextReader{ctx, rc}, k)
}

func (v *verifier) part(ctx context.Context, t table, k manifest.Chunk) (proofLine, error) {
	f, err := v.m.download(ctx, v.o.Temp, k)
	if err != nil {
		return proofLine{}, err
	}
	defer discard(f)
	if err := v.pool.VerifyPart(f, k.Bytes, k, t.Table); err != nil {
		return proofLine{}, fmt.Errorf("table %q: part %s: %w", t.Name, k.SHA256, err)
	}
	return proofLine{Rows: k.Rows}, nil
}

// download copies a table part into a temporary file, since Parquet is read from its end; its digest is checked.
func (m Migration) download(ctx context.Context, temp string, k manifest.Chunk) (*os.File, error) {
	rc, err := m.fetch(ctx, k)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	f, err := os.CreateTemp(temp, "omt-part-*")
	if err != nil {
		return nil, fmt.Errorf("creating a temporary file: %w", err)
	}
	s := newSum(contextReader{ctx, rc})
	if _, err = io.Copy(f, s); err == nil {
		err = s.check(k)
	}
	if err != nil {
		discard(f)
		return nil, err
	}
	return f, nil
}

func discard(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}
