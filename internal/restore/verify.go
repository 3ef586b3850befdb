package restore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

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

// VerifyOptions are the choices of Verify. Now must be set where State is.
type VerifyOptions struct {
	Depth  Depth
	Sample float64 // share of the chunks that is read, above 0 up to 1; names are always compared whole
	From   float64 // where the sample begins, from 0 up to 1: samples that follow each other read all in the end
	// State is a folder for what was found good, so that a proof that is broken off is gone on with; empty: begin anew.
	State    string
	Now      func() time.Time
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
	Chunks, Read     int   // chunks of the manifest; those that were read whole
	InPart           int   // large ones that were read in part
	Bytes, BytesRead int64 // as stored
	Files, Rows      int64 // whose content was compared
	Problems         int
	First            []string // the first few problems, in words
	Database         Compared
	Finished         bool      // everything was looked at
	Kept             int64     // bytes of BytesRead that earlier runs have read
	Begun            time.Time // by the first of its runs
	Runs             int
}

// maxFirst is how many problems a proof keeps in words.
const maxFirst = 10

// Verify compares a migration with its manifest, and a database with the migration. It goes on after a problem; the error
// is of status Failed when there was any.
func Verify(ctx context.Context, m Migration, o VerifyOptions) (Proof, error) {
	c, err := m.read(ctx, o.Temp, func(manifest.File) bool { return o.Depth == Content })
	if err != nil {
		return Proof{}, err
	}
	defer c.sorter.Close() //nolint:errcheck // temporary files
	v := &verifier{m: m, c: c, o: o, pool: new(chunk.Pool), wrong: map[manifest.Digest]bool{}, done: map[manifest.Digest]bool{},
		sample: newSample(o.Sample, o.From, c.chunks)}
	v.proof.Chunks = len(c.chunks)
	for _, k := range c.chunks {
		v.proof.Bytes += k.Bytes
	}
	db, err := v.open(ctx) // before hours are spent on chunks
	if err != nil {
		return v.proof, err
	}
	v.goOn()
	err = v.prove(ctx, db)
	if cerr := v.log.close(err == nil); cerr != nil {
		o.Log.Warn("the progress of the proof is not kept", "reason", cerr)
	}
	if err == nil {
		v.proof.Finished = true
		err = v.verdict(db)
	}
	return v.proof, err
}

// goOn finds out how far an earlier run of the same proof has come.
func (v *verifier) goOn() {
	if v.o.Now != nil {
		v.proof.Begun = v.o.Now()
	}
	v.proof.Runs = 1
	if v.o.State == "" || v.o.Depth == Names {
		return
	}
	kept, err := openProofLog(v.o.State, proofHead{Destination: v.m.Dest.URL(), Revision: string(v.m.Commit.Phase) + " " + v.m.Revision(), End: v.m.Commit.End,
		Depth: v.o.Depth, Begun: manifest.At(v.proof.Begun)})
	if err != nil {
		v.o.Log.Warn("the progress of the proof is not kept", "reason", err)
		return
	}
	v.log, v.proof.Begun, v.proof.Runs = kept, kept.head.Begun.Time, kept.runs
	v.o.Log.Info("progress of the proof", "file", kept.f.Name(), "read before", len(kept.good), "begun", kept.head.Begun.String())
}

// prove looks at everything.
func (v *verifier) prove(ctx context.Context, db *source.Database) error {
	if err := v.names(ctx); err != nil {
		return err
	}
	if v.o.Depth != Names {
		if err := v.read(ctx); err != nil {
			return err
		}
	}
	if db != nil {
		return v.database(ctx, db)
	}
	return nil
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
	m      Migration
	c      *contents
	o      VerifyOptions
	pool   *chunk.Pool
	mu     sync.Mutex
	proof  Proof
	wrong  map[manifest.Digest]bool
	done   map[manifest.Digest]bool // chunks that were read: one of several jobs counts once
	meter  progress.Meter
	log    *proofLog
	sample sampling
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
	if len(v.proof.First) < maxFirst {
		v.proof.First = append(v.proof.First, err.Error())
	}
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
