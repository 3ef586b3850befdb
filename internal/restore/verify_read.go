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

// one reads a chunk, or what one job needs of it, unless it is not in the sample or was found good before. check reads also
// what stands beside it: the chunks that change a part.
func (r *reading) one(k manifest.Chunk, check func() (proofLine, error), beside ...manifest.Chunk) {
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
	r.start(k, key, check, beside...)
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

func (r *reading) start(k manifest.Chunk, key string, check func() (proofLine, error), beside ...manifest.Chunk) {
	read := func(p proofLine, before bool) {
		r.v.wasRead(k, p, before)
		for _, b := range beside {
			r.v.wasRead(b, proofLine{}, before)
		}
	}
	if p, ok := r.v.log.done(key); ok {
		read(p, true)
		return
	}
	r.eg.Go(func() error {
		p, err := check()
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		switch {
		case errors.Is(err, destination.ErrTransient), errors.Is(err, destination.ErrDenied), errors.Is(err, destination.ErrBlocked):
			return fmt.Errorf("reading chunk %s (%s): %w", k.SHA256, k.Area, err) // it says nothing of the chunk
		case err != nil:
			r.v.problem(k, err)
		default:
			p.Key = key
			r.v.log.note(p)
		}
		read(p, false)
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
func (v *verifier) contents(ctx context.Context, one func(manifest.Chunk, func() (proofLine, error), ...manifest.Chunk)) error {
	whole := v.c.hasTables()
	for _, t := range v.c.tables {
		for _, p := range t.parts {
			one(p[0], func() (proofLine, error) { return v.part(ctx, t, p) }, p[1:]...)
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
		if slices.ContainsFunc(files, func(f manifest.File) bool { return isOf(f, e.Name) }) {
			return content(files, e, r, io.Discard)
		}
		return fmt.Errorf("chunk %s: the entry %q has the content of %q, but not its name", j.chunk.SHA256, e.Name, entryName(files[0]))
	})
	if err != nil {
		return proofLine{}, err
	}
	return proofLine{Files: int64(len(j.files))}, nil
}

// isOf reports whether a record is of the entry with the name, or of a copy of it. Copies alone are left of an entry whose
// file was changed after it was packed, and is now in another chunk.
func isOf(f manifest.File, entry string) bool {
	return entryName(f) == entry || f.Same != "" && string(f.Area)+"/"+f.Same == entry
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

// part compares the rows of a part with its record, and of one that was changed those of all of its chunks.
func (v *verifier) part(ctx context.Context, t table, p part) (proofLine, error) {
	if err := v.rows(ctx, t.Table, p); err != nil {
		return proofLine{}, fmt.Errorf("table %q: part %s: %w", t.Name, p[0].SHA256, err)
	}
	return proofLine{Rows: p.whole().Rows}, nil
}

func (v *verifier) rows(ctx context.Context, t manifest.Table, p part) error {
	fetch := func(k manifest.Chunk) (*os.File, error) { return v.m.download(ctx, v.o.Temp, k) }
	if len(p) == 1 {
		f, err := fetch(p[0])
		if err != nil {
			return err
		}
		defer discard(f)
		return v.pool.VerifyPart(f, p[0].Bytes, p[0], t)
	}
	rows, err := openPart(v.pool, t, p, fetch)
	if err != nil {
		return err
	}
	defer rows.Close()
	for err == nil {
		_, err = rows.Read()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
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
