package push

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/pack"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/spool"
	"github.com/openomt/omt/internal/tenant"
)

const (
	idA = "019b7d00-0000-7000-8000-00000000000a"
	idB = "019b7d00-0000-7000-8000-00000000000b"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// packed describes what omt-pack wrote.
type packed struct {
	id, company, migration, mode, phase, tool string
	seed                                      int // of the chunks' bytes
	chunks                                    int
	size                                      int // of each
	missing                                   int // documents without file
	more                                      []manifest.Record
}

func small() packed {
	return packed{id: idA, company: "Kalles Æ", migration: "test", phase: "full", tool: "omt-pack 0.1.0", chunks: 3, size: 1000, missing: 2}
}

func (p packed) chunk(i int) []byte { return destinationtest.Content(1000*p.seed+i, p.size+i) }

// records are all records but end. The first chunk is a table part.
func (p packed) records() []manifest.Record {
	recs := []manifest.Record{
		manifest.Header{
			Format: manifest.Format, ID: p.id, Tool: "omt-scan 0.1.0", Created: manifest.At(time.Unix(1_700_000_000, 0)),
			Migration: p.migration, Mode: p.mode, Phase: p.phase,
		},
		manifest.Installation{Owner: p.company, Serial: "18", Engine: "sqlite", Database: "sqlite:/x", Prefix: "crm7"},
		manifest.User{ID: 7, Login: "KK"},
		manifest.Table{Name: "associate", Rows: 2, Columns: []manifest.Column{{Name: "associate_id", Type: "int"}}, Key: []string{"associate_id"}},
	}
	for i := range p.chunks {
		data := p.chunk(i)
		c := manifest.Chunk{SHA256: sha256.Sum256(data), Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: int64(len(data)), Items: 1}
		if i == 0 {
			c.Type, c.Area, c.Role, c.Table, c.Rows = manifest.ChunkParquet, manifest.Database, "", "associate", 2
			recs = append(recs, c)
			continue
		}
		recs = append(recs, c, manifest.File{
			Area: manifest.Document, ID: int64(i), Path: fmt.Sprintf("bob/%05d.txt", i), Size: 10, State: manifest.Present,
			SHA256: sha256.Sum256([]byte{byte(i)}), Chunk: c.SHA256,
		})
	}
	for i := range p.missing {
		recs = append(recs, manifest.File{
			Area: manifest.Document, ID: int64(90_000 + i), Path: fmt.Sprintf("carl/%05d.txt", i), State: manifest.Missing, Title: "Offer",
		})
	}
	recs = append(recs, manifest.Check{Rule: "plan-seats", Plugin: "crm 0.1.0", Tool: "omt-assign 0.1.0", Status: manifest.CheckDone})
	return append(recs, p.more...)
}

// bytes is the manifest.
func (p packed) bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, p.tool)
	for _, rec := range p.records() {
		check(t, w.Write(rec))
	}
	_, err := w.End()
	check(t, err)
	return b.Bytes()
}

// fill puts the chunks into a spool.
func (p packed) fill(t testing.TB, dir string) {
	t.Helper()
	s, err := spool.Open(dir)
	check(t, err)
	tmp, err := s.Temp("pack")
	check(t, err)
	for i := range p.chunks {
		typ := manifest.ChunkTar
		if i == 0 {
			typ = manifest.ChunkParquet
		}
		name := filepath.Join(tmp, "new")
		check(t, os.WriteFile(name, p.chunk(i), 0o600))
		check(t, s.Publish(name, sha256.Sum256(p.chunk(i)), typ))
	}
}

func (p packed) names() []string {
	var names []string
	for i := range p.chunks {
		typ := manifest.ChunkTar
		if i == 0 {
			typ = manifest.ChunkParquet
		}
		names = append(names, tenant.ChunkName(sha256.Sum256(p.chunk(i)), typ))
	}
	return names
}

// place is a spool and a destination, and an archive to look again in.
type place struct {
	spool, to string
	archive   string
	notices   *lines
	logged    *lines
}

func newPlace(t testing.TB, p packed) place {
	t.Helper()
	top := t.TempDir()
	at := place{spool: filepath.Join(top, "spool"), to: filepath.Join(top, "tenant"), archive: filepath.Join(top, "arc"), notices: &lines{}, logged: &lines{}}
	p.fill(t, at.spool)
	at.put(t, "some/other/file.txt", "no document")
	return at
}

// put puts a file into the archive.
func (at place) put(t testing.TB, name, content string) {
	t.Helper()
	name = filepath.Join(at.archive, filepath.FromSlash(name))
	check(t, os.MkdirAll(filepath.Dir(name), 0o755))
	check(t, os.WriteFile(name, []byte(content), 0o644))
}

// repack looks again in the archive, as the command does.
func (at place) repack(ctx context.Context, o Repacking, out *manifest.Writer) (Repacked, error) {
	r, err := pack.Again(ctx, pack.AgainOptions{
		Base: o.Base, Input: o.Input, Fetch: o.Fetch, Edit: o.Edit, Spool: o.Spool, Level: 1, Workers: 1, Tool: "omt-push 0.1.0",
		Site: func(i manifest.Installation) (manifest.Installation, error) {
			i.Roots = map[string][]string{"document": {at.archive}}
			return i, nil
		},
		Progress: progress.None{}, Log: slog.New(slog.DiscardHandler),
	}, out)
	areas := map[manifest.Area]Gained{}
	for a, g := range r.Areas {
		areas[a] = Gained(g)
	}
	return Repacked{Made: r.Made, Areas: areas, Lost: r.Lost}, err
}

// lines is what people were told.
type lines struct {
	mu   sync.Mutex
	list []string
}

func (l *lines) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, fmt.Sprintf(format, args...))
}

func (l *lines) Write(p []byte) (int, error) {
	l.add("%s", p)
	return len(p), nil
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.list, "\n")
}

func (at place) destination(t testing.TB) destination.Destination {
	t.Helper()
	d, err := dir.Open(at.to, time.Now)
	check(t, err)
	return d
}

// options push the manifest in data from a file.
func (at place) options(t testing.TB, data []byte) Options {
	t.Helper()
	o := at.base(at.destination(t))
	o.Again = func() (*manifest.Reader, error) {
		return manifest.NewReader(bytes.NewReader(data), manifest.ReadOptions{AcceptEdits: o.AcceptEdits}), nil
	}
	o.In = manifest.NewReader(bytes.NewReader(data), manifest.ReadOptions{})
	return o
}

func (at place) base(d destination.Destination) Options {
	ids := 0
	return Options{
		Spool: at.spool, To: d, Workers: 3, By: "karl", Tool: "omt-push 0.1.0",
		Retry:    destination.Retry{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
		Now:      func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		NewID:    func() string { ids++; return fmt.Sprintf("spool-%d-%p", ids, &ids) },
		Progress: progress.None{}, Log: slog.New(slog.NewTextHandler(at.logged, nil)), Notice: at.notices.add, Say: at.logged.add,
		Repack: at.repack, Line: func(r tenant.Recover) string { return "omt-push --recover " + string(r) },
	}
}

// run runs a push and ends its output as a stage does.
func run1(ctx context.Context, o Options) (out []byte, err error) {
	var b bytes.Buffer
	w := manifest.NewWriter(&b, o.Tool)
	err = Run(ctx, o, w)
	if err == nil || manifest.StatusOf(err) == manifest.Remarks {
		if _, werr := w.End(); werr != nil {
			return nil, werr
		}
		return b.Bytes(), err
	}
	return nil, err
}

func (at place) push(t testing.TB, data []byte) (out []byte, err error) {
	t.Helper()
	return run1(t.Context(), at.options(t, data))
}

// stream makes the options read data as a stream.
func stream(o Options, data []byte) Options {
	o.Again = nil
	o.In = manifest.NewReader(&slowly{data}, manifest.ReadOptions{AcceptEdits: o.AcceptEdits})
	return o
}

// slowly gives a few bytes at a time.
type slowly struct{ rest []byte }

func (s *slowly) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest[:min(len(s.rest), 37)])
	s.rest = s.rest[n:]
	return n, nil
}

// wantPushed checks that what a push of p must leave is there and whole, and returns the tenant's commit.
func (at place) wantPushed(t testing.TB, p packed) tenant.Commit {
	t.Helper()
	d := at.destination(t)
	tn := tenant.Open(d)
	c, err := tn.Last(t.Context(), tenant.Phase(p.phase), p.id)
	check(t, err)
	if p.phase == "full" {
		s, err := tn.State(t.Context())
		check(t, err)
		if s.State != tenant.OfflineMaintenance || s.Migration == nil || s.Migration.ID != p.id || s.Migration.Revision != c.Revision {
			t.Fatalf("state is %+v", s)
		}
	}
	objects := destinationtest.Listed(t, d, "chunks/")
	for i, name := range p.names() {
		if got := destinationtest.Read(t, d, name); !bytes.Equal(got, p.chunk(i)) {
			t.Errorf("%q is not what was packed", name)
		}
		delete(objects, name)
	}
	rc, err := tn.OpenManifest(t.Context(), c)
	check(t, err)
	defer rc.Close()
	at.wantManifest(t, rc, p)
	return c
}

// wantManifest checks a manifest that push wrote.
func (at place) wantManifest(t testing.TB, r io.Reader, p packed) {
	t.Helper()
	lines := manifest.NewReader(r, manifest.ReadOptions{})
	receipts := map[string]int64{}
	kinds := map[manifest.Kind]int{}
	for {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		check(t, err)
		kinds[l.Kind]++
		if l.Kind == manifest.KindReceipt {
			var rec manifest.Receipt
			check(t, l.Decode(&rec))
			receipts[rec.Chunk.String()] = rec.Bytes
		}
	}
	if h := lines.Header(); h.Mode != "initial" || h.ID != p.id || h.Tool != "omt-scan 0.1.0" {
		t.Errorf("header is %+v", h)
	}
	if lines.End().Tool != "omt-push 0.1.0" {
		t.Errorf("written by %q", lines.End().Tool)
	}
	for i := range p.chunks {
		digest := manifest.Digest(sha256.Sum256(p.chunk(i)))
		if receipts[digest.String()] != int64(len(p.chunk(i))) {
			t.Errorf("chunk %d has no receipt with its size", i)
		}
	}
	want := map[manifest.Kind]int{}
	for _, rec := range p.records() {
		want[rec.RecordKind()]++
	}
	if p.chunks > 0 {
		want[manifest.KindReceipt] = p.chunks
	}
	for k := range kinds {
		if kinds[k] != want[k] {
			t.Errorf("%d records of kind %s, want %d", kinds[k], k, want[k])
		}
	}
	if len(kinds) != len(want) {
		t.Errorf("kinds are %v, want %v", kinds, want)
	}
}

// wantNothingCommitted checks that no revision and no state came into being.
func (at place) wantNothingCommitted(t testing.TB) {
	t.Helper()
	for name := range destinationtest.Listed(t, at.destination(t), "") {
		if !strings.HasPrefix(name, "chunks/") {
			t.Errorf("%q is there", name)
		}
	}
}

func (at place) spoolFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(at.spool, "chunks", "*", "*"))
	check(t, err)
	return files
}

func wantError(t testing.TB, err error, status manifest.Status, text string) {
	t.Helper()
	if err == nil || manifest.StatusOf(err) != status || !strings.Contains(err.Error(), text) {
		t.Errorf("error is %v (status %d), want status %d and %q", err, manifest.StatusOf(err), status, text)
	}
}
