package restore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/tenant"
)

// Depth says how far a proof goes; each includes those before it.
type Depth string

// The depths.
const (
	Names   Depth = "names"   // every chunk is listed with its size
	Hash    Depth = "hash"    // every chunk is read and has its digest
	Content Depth = "content" // every chunk is decoded; every file and every table part has its digest, every count agrees
)

// VerifyOptions are the choices of Verify.
type VerifyOptions struct {
	Depth    Depth
	Sample   float64 // share of the chunks that are read, above 0 up to 1; names are always compared whole
	Workers  int
	Temp     string
	Progress progress.Reporter
	Log      *slog.Logger
	// Problem is told of each chunk or file that is missing or differs.
	Problem func(err error)
	// DB finds a database that is compared too, after the chunks; usual is the prefix that its tables probably have. nil:
	// none is.
	DB func(ctx context.Context, usual string) (*source.Database, error)
	// Remark is told of each difference in the database, and of what a person should know of it besides.
	Remark func(format string, args ...any)
}

// Proof is what Verify found.
type Proof struct {
	Chunks, Read     int   // chunks of the manifest; those that were read
	Bytes, BytesRead int64 // as stored
	Files, Rows      int64 // whose content was compared
	Problems         int
	Database         Compared
}

// Verify compares a migration with its manifest, and a database with the migration. It goes on after a problem; the error
// is of status Failed when there was any.
func Verify(ctx context.Context, m Migration, o VerifyOptions) (Proof, error) {
	c, err := m.read(ctx, o.Temp, func(manifest.File) bool { return o.Depth == Content })
	if err != nil {
		return Proof{}, err
	}
	defer c.sorter.Close() //nolint:errcheck // temporary files
	v := &verifier{m: m, c: c, o: o, pool: new(chunk.Pool), wrong: map[manifest.Digest]bool{}, done: map[manifest.Digest]bool{}}
	v.proof.Chunks = len(c.chunks)
	for _, k := range c.chunks {
		v.proof.Bytes += k.Bytes
	}
	db, err := v.open(ctx) // before hours are spent on chunks
	if err != nil {
		return v.proof, err
	}
	if err := v.names(ctx); err != nil {
		return v.proof, err
	}
	if o.Depth != Names {
		err = v.read(ctx)
	}
	if err == nil && db != nil {
		err = v.database(ctx, db)
	}
	if err == nil {
		err = v.verdict(db)
	}
	return v.proof, err
}

// verdict is the error of a proof that failed.
func (v *verifier) verdict(db *source.Database) error {
	var what []string
	hint := "nothing was changed"
	if n := v.proof.Problems; n > 0 {
		what = append(what, fmt.Sprintf("%d chunks or tables of %s are missing or differ", n, v.m.Revision()))
		hint = "push the same manifest again from a spool or an installation that has them; " + hint
	}
	if c := v.proof.Database; c.Differ > 0 {
		what = append(what, fmt.Sprintf("%d of %d tables in %s differ from %s", c.Differ, c.Tables, db.URL(), v.m.Revision()))
	}
	if len(what) == 0 {
		return nil
	}
	return manifest.Errorf(manifest.Failed, "%s", strings.Join(what, "; ")).WithHint("%s", hint)
}

type verifier struct {
	m     Migration
	c     *contents
	o     VerifyOptions
	pool  *chunk.Pool
	mu    sync.Mutex
	proof Proof
	wrong map[manifest.Digest]bool
	done  map[manifest.Digest]bool // chunks that were read: one of several jobs counts once
	meter progress.Meter
}

// problem counts a chunk that is wrong once, and says so.
func (v *verifier) problem(k manifest.Chunk, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.wrong[k.SHA256] {
		return
	}
	v.wrong[k.SHA256] = true
	v.proof.Problems++
	v.o.Problem(err)
}

// tableProblem stands for a table that is not whole among the chunks that are wrong.
func tableProblem(t table) manifest.Chunk {
	return manifest.Chunk{SHA256: sha256.Sum256([]byte("table " + t.Name))}
}

// names lists the destination once and compares names and sizes.
func (v *verifier) names(ctx context.Context) error {
	found := make([]int64, len(v.c.chunks))
	for i := range found {
		found[i] = -1
	}
	err := v.m.Dest.List(ctx, "chunks/", func(i destination.Info) error {
		if d, typ, ok := tenant.ParseChunkName(i.Name); ok {
			if n, ok := v.c.place[d]; ok && v.c.chunks[n].Type == typ {
				found[n] = i.Size
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing %s: %w", v.m.Dest.URL(), err)
	}
	for n, k := range v.c.chunks {
		switch {
		case found[n] < 0:
			v.problem(k, fmt.Errorf("chunk %s (%s) is not there", k.SHA256, k.Area))
		case found[n] != k.Bytes:
			v.problem(k, fmt.Errorf("chunk %s (%s) has %d bytes, and its record says %d", k.SHA256, k.Area, found[n], k.Bytes))
		}
	}
	return nil
}

// sampled chooses chunks by their digest, so that the same share chooses the same chunks.
func (v *verifier) sampled(k manifest.Chunk) bool {
	if v.o.Sample >= 1 || v.o.Sample <= 0 {
		return true
	}
	d := uint64(k.SHA256[0])<<24 | uint64(k.SHA256[1])<<16 | uint64(k.SHA256[2])<<8 | uint64(k.SHA256[3])
	return float64(d) < v.o.Sample*math.MaxUint32
}

func (v *verifier) read(ctx context.Context) error {
	var total int64
	for _, k := range v.c.chunks {
		if v.sampled(k) {
			total += k.Bytes
		}
	}
	v.meter = v.o.Progress.Meter("reading back", total, progress.Bytes)
	defer v.meter.Done()
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(min(max(1, v.o.Workers), maxWorkers))
	one := func(k manifest.Chunk, check func() error) {
		if !v.sampled(k) || ctx.Err() != nil {
			return
		}
		eg.Go(func() error {
			err := check()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				v.problem(k, err)
			}
			v.wasRead(k)
			return nil
		})
	}
	if v.o.Depth == Hash {
		for _, k := range v.c.chunks {
			one(k, func() error { return v.hash(ctx, k) })
		}
		return eg.Wait()
	}
	err := v.contents(ctx, one)
	return firstOf(eg.Wait(), err)
}

func (v *verifier) wasRead(k manifest.Chunk) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.done[k.SHA256] {
		return
	}
	v.done[k.SHA256] = true
	v.meter.Add(k.Bytes)
	v.proof.Read++
	v.proof.BytesRead += k.Bytes
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
func (v *verifier) contents(ctx context.Context, one func(manifest.Chunk, func() error)) error {
	whole := v.c.hasTables()
	for _, t := range v.c.tables {
		for _, n := range t.parts {
			one(v.c.chunks[n], func() error { return v.part(ctx, t, v.c.chunks[n]) })
		}
		if err := v.c.tableWhole(t); err != nil && whole {
			v.problem(tableProblem(t), err)
		}
	}
	seen := make([]bool, len(v.c.chunks))
	err := v.c.jobs(ctx, func(j job) error {
		seen[v.c.place[j.chunk.SHA256]] = true
		one(j.chunk, func() error { return v.files(ctx, j) })
		return nil
	})
	if err != nil {
		return err
	}
	for n, k := range v.c.chunks {
		if k.Type != manifest.ChunkTar || seen[n] {
			continue
		}
		one(k, func() error { return v.links(ctx, k) })
	}
	return nil
}

func (v *verifier) files(ctx context.Context, j job) error {
	err := v.m.walk(ctx, v.pool, j, func(files []manifest.File, e chunk.Entry, r io.Reader) error {
		if slices.ContainsFunc(files, func(f manifest.File) bool { return isOf(f, e.Name) }) {
			return content(files, e, r, io.Discard)
		}
		return fmt.Errorf("chunk %s: the entry %q has the content of %q, but not its name", j.chunk.SHA256, e.Name, entryName(files[0]))
	})
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.proof.Files += int64(len(j.files))
	return nil
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

func (v *verifier) part(ctx context.Context, t table, k manifest.Chunk) error {
	f, err := v.m.download(ctx, v.o.Temp, k)
	if err != nil {
		return err
	}
	defer discard(f)
	if err := v.pool.VerifyPart(f, k.Bytes, k, t.Table); err != nil {
		return fmt.Errorf("table %q: part %s: %w", t.Name, k.SHA256, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.proof.Rows += k.Rows
	return nil
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
