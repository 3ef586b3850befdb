package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/spool"
)

// future is a field that this build does not know.
const future = `,"future":"æ"}`

// base makes the manifest that a push wrote: of the files below the root, and of rows without one.
func (s *site) base(missing ...string) []byte {
	s.t.Helper()
	list := s.list()
	for i, path := range missing {
		list = append(list, manifest.File{Area: manifest.Document, ID: int64(90_000 + i), Path: path, Owner: "bob", State: manifest.Missing})
	}
	slices.SortFunc(list, func(a, b manifest.File) int { return strings.Compare(a.Path, b.Path) })
	res, err := s.try(2, list)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.manifest(res.records)
}

// manifest wraps records of files.
func (s *site) manifest(recs []manifest.Record) []byte {
	s.t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, "omt-push 0.1.0")
	write := func(rec manifest.Record) {
		if err := w.Write(rec); err != nil {
			s.t.Fatal(err)
		}
	}
	write(manifest.Header{ID: "019b7d00-0000-7000-8000-00000000000a", Tool: "omt-scan 0.1.0", Created: manifest.At(time.Unix(1, 0)), Migration: "test", Mode: "initial", Phase: "full"})
	write(manifest.Installation{Owner: "Kalles", Serial: "1", Roots: map[string][]string{"document": {s.root}}})
	write(manifest.User{ID: 7, Login: "KK"})
	write(manifest.Table{Name: "associate", Columns: []manifest.Column{{Name: "associate_id", Type: "int"}}, Key: []string{"associate_id"}})
	write(manifest.Chunk{SHA256: manifest.Digest{9}, Type: manifest.ChunkParquet, Area: manifest.Database, Bytes: 9, Table: "associate"})
	receipts := []manifest.Record{manifest.Receipt{Chunk: manifest.Digest{9}, Bytes: 9, Sent: true, At: manifest.At(time.Unix(2, 0))}}
	for _, rec := range recs {
		if c, ok := rec.(manifest.Chunk); ok {
			receipts = append(receipts, manifest.Receipt{Chunk: c.SHA256, Bytes: c.Bytes, Sent: true, At: manifest.At(time.Unix(2, 0))})
		}
		write(rec)
	}
	for _, rec := range receipts {
		write(rec)
	}
	write(manifest.Check{Rule: "document-missing", Plugin: "archive 0.1.0", Tool: "omt-pack 0.1.0", Status: manifest.CheckDone, Findings: 1})
	write(manifest.Finding{Rule: "document-missing", Severity: manifest.SeverityWarning, Subjects: []string{}, Message: "some are missing"})
	if _, err := w.End(); err != nil {
		s.t.Fatal(err)
	}
	return b.Bytes()
}

// reseal ends lines anew.
func reseal(t *testing.T, lines []string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, "omt-push 0.1.0")
	for _, l := range lines {
		var head struct{ Kind manifest.Kind }
		raw := manifest.Line{Raw: []byte(l)}
		if err := raw.Decode(&head); err != nil {
			t.Fatal(err)
		}
		raw.Kind = head.Kind
		if err := w.WriteRaw(raw); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func split(data []byte) []string {
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	return lines[:len(lines)-1] // without end
}

func readerOf(data []byte) func() (*manifest.Reader, error) {
	return func() (*manifest.Reader, error) {
		return manifest.NewReader(bytes.NewReader(data), manifest.ReadOptions{}), nil
	}
}

// options look again for what a base lacks.
func (s *site) options(base []byte) AgainOptions {
	sp, err := spool.Open(s.spool)
	if err != nil {
		s.t.Fatal(err)
	}
	return AgainOptions{
		Base: readerOf(base), Site: func(i manifest.Installation) (manifest.Installation, error) { return i, nil },
		Fetch: func(_ context.Context, c manifest.Chunk) (io.ReadCloser, error) {
			return os.Open(sp.ChunkPath(c.SHA256, c.Type))
		},
		Spool: s.spool, Level: 1, Workers: 2, Tool: "omt-push 0.1.0", Progress: progress.None{}, Log: slog.New(slog.DiscardHandler),
	}
}

// run looks again; out is nil when nothing was made.
func (o AgainOptions) run(ctx context.Context) (res Result, out []byte, err error) {
	var b bytes.Buffer
	w := manifest.NewWriter(&b, o.Tool)
	if res, err = Again(ctx, o, w); err != nil || !res.Made {
		return res, nil, err
	}
	_, err = w.End()
	return res, b.Bytes(), err
}

func (s *site) again(base []byte) (Result, []byte) {
	s.t.Helper()
	res, out, err := s.options(base).run(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return res, out
}

// parse gives the chunks of files and the files of a manifest.
func (s *site) parse(data []byte) result {
	s.t.Helper()
	sp, err := spool.Open(s.spool)
	if err != nil {
		s.t.Fatal(err)
	}
	res := result{packer: &packer{spool: sp}}
	lines := manifest.NewReader(bytes.NewReader(data), manifest.ReadOptions{})
	for {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return res
		}
		if err != nil {
			s.t.Fatal(err)
		}
		switch l.Kind {
		case manifest.KindChunk:
			var c manifest.Chunk
			if err := l.Decode(&c); err != nil {
				s.t.Fatal(err)
			}
			if c.Type == manifest.ChunkTar {
				res.records = append(res.records, c)
			}
		case manifest.KindFile:
			f, err := l.File()
			if err != nil {
				s.t.Fatal(err)
			}
			res.records = append(res.records, f)
		}
	}
}

// holds checks that a manifest has the contents that are wanted by path: in its chunks, under their names, and as a stock
// tar restores them. What has no content is not stored.
func (s *site) holds(data []byte, want map[string][]byte, tar bool) {
	s.t.Helper()
	res := s.parse(data)
	at := map[manifest.Digest]map[int64]string{}
	names := map[string]string{} // what a stored original's entry is called
	for _, c := range res.chunks() {
		if refers := func(f manifest.File) bool { return f.Chunk == c.SHA256 }; c.Role == manifest.RoleContent && !slices.ContainsFunc(res.files(), refers) {
			s.t.Errorf("chunk %s is named, and nothing refers to it", c.SHA256)
		}
	}
	for _, f := range res.files() {
		if isStored(f) && !isCopy(f) {
			names[fmt.Sprint(f.Chunk, f.Offset)] = f.Path
		}
	}
	for _, f := range res.files() {
		content, ok := want[f.Path]
		if ok != isStored(f) {
			s.t.Errorf("%s: state %q, stored is %v", f.Path, f.State, isStored(f))
		}
		if !ok {
			continue
		}
		if at[f.Chunk] == nil {
			at[f.Chunk] = s.entries(res, f.Chunk)
		}
		switch {
		case f.SHA256 != sha256.Sum256(content) || at[f.Chunk][f.Offset] != string(content) || f.Size != int64(len(content)):
			s.t.Errorf("%s: the manifest has something else: %+v", f.Path, f)
		case isCopy(f) && names[fmt.Sprint(f.Chunk, f.Offset)] != f.Same:
			s.t.Errorf("%s: says that it shares the bytes of %q, and they are those of %q", f.Path, f.Same, names[fmt.Sprint(f.Chunk, f.Offset)])
		}
	}
	if tar {
		s.restores(res, want)
	}
}

func (s *site) restores(res result, want map[string][]byte) {
	s.t.Helper()
	out := s.t.TempDir()
	for _, c := range res.chunks() {
		x := exec.Command("tar", "--zstd", "-xf", res.packer.spool.ChunkPath(c.SHA256, c.Type), "-C", out)
		if b, err := x.CombinedOutput(); err != nil {
			s.t.Fatalf("tar: %v: %s", err, b)
		}
	}
	for path, content := range want {
		if got, err := os.ReadFile(filepath.Join(out, "document", path)); err != nil || !bytes.Equal(got, content) {
			s.t.Errorf("tar restores something else as %s (%v)", path, err)
		}
	}
}

// disk gives what is below the root by path.
func (s *site) disk() map[string][]byte {
	s.t.Helper()
	all := map[string][]byte{}
	for _, f := range s.list() {
		b, err := os.ReadFile(filepath.Join(s.root, f.Path))
		if err != nil {
			s.t.Fatal(err)
		}
		all[f.Path] = b
	}
	return all
}

func canTar() bool {
	_, err := exec.LookPath("zstd")
	_, terr := exec.LookPath("tar")
	return err == nil && terr == nil
}

// What is found is added, and every other record stays as it was, byte for byte.
func TestAgainKeepsRecords(t *testing.T) {
	s := newSite(t)
	s.many()
	base := s.base("bob/2002.2/lost.txt", "carl/2010.1/twin.txt", "zzz/2010.1/never.txt")
	lines := split(base)
	for n, l := range lines { // fields of a later version
		if strings.Contains(l, "doc 005") || strings.Contains(l, `"document-missing"`) || strings.Contains(l, "copy 2") || strings.Contains(l, `"kind":"receipt"`) {
			lines[n] = strings.TrimSuffix(l, "}") + future
		}
	}
	base = reseal(t, lines)
	s.put("bob/2002.2/lost.txt", s.bytes(5000))
	s.put("carl/2010.1/twin.txt", s.disk()["bob/2002.1/doc 010 ø.doc"])

	res, out := s.again(base)
	if g := res.Areas[manifest.Document]; g != (Gained{Found: 2}) || !res.Made {
		t.Errorf("gained %+v", g)
	}
	if len(res.Lost) != 1 || res.Lost[0].Path != "zzz/2010.1/never.txt" {
		t.Errorf("lost %+v", res.Lost)
	}
	was, is := map[string]bool{}, map[string]bool{}
	for _, l := range split(base) {
		was[l] = true
	}
	var fresh []string
	for _, l := range split(out) {
		if is[l] = true; !was[l] {
			fresh = append(fresh, l)
		}
	}
	for l := range was {
		if !is[l] && !strings.Contains(l, `"links"`) && !strings.Contains(l, "lost.txt") && !strings.Contains(l, "twin.txt") && !strings.Contains(l, `"receipt"`) {
			t.Errorf("gone: %s", l)
		}
	}
	if len(fresh) != 4 { // a chunk of content, one of links, and the two files
		t.Errorf("%d new lines: %s", len(fresh), strings.Join(fresh, "\n"))
	}
	s.holds(out, s.disk(), canTar())
	// The twin needs no bytes of its own, whose original comes before it.
	for _, f := range s.parse(out).files() {
		if f.Path == "carl/2010.1/twin.txt" && f.Same != "bob/2002.1/doc 010 ø.doc" {
			t.Errorf("twin is %+v", f)
		}
	}
	// The chunks of the earlier run stand before the files, in their old order.
	old, content := s.parse(base).chunks(), s.parse(out).records
	for i, n := 0, 0; n < len(old); n++ {
		if old[n].Role == manifest.RoleLinks {
			continue
		}
		if d := cmp.Diff(manifest.Record(old[n]), content[i]); d != "" {
			t.Fatal(d)
		}
		i++
	}
	// Looked at again, there is nothing more.
	if res, out := s.again(out); res.Made || out != nil || res.Gained() != 0 {
		t.Errorf("found again: %+v", res)
	}
}

// Whatever happens to the files: what is on disk is stored as it is there, what is gone stays as it was stored.
func TestAgainProperty(t *testing.T) {
	if !canTar() {
		t.Skip("no tar or zstd here")
	}
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newSite(t)
			s.r = rand.New(rand.NewPCG(seed, 1))
			contents := [][]byte{s.bytes(300), s.bytes(300), s.bytes(300), s.bytes(50_000), nil}
			name := func(i int) string { return fmt.Sprintf("bob/2002.1/%02d.txt", i) }
			const files = 24
			var missing []string
			for i := range files {
				if s.r.IntN(4) == 0 && i > 0 {
					missing = append(missing, name(i))
				} else {
					s.put(name(i), contents[s.r.IntN(len(contents))])
				}
			}
			out := s.base(missing...)
			want := s.disk()
			for round := range 4 {
				for i := range files {
					file := filepath.Join(s.root, name(i))
					at := time.Unix(int64(1000*round+i), 0)
					switch s.r.IntN(6) {
					case 0:
						s.put(name(i), contents[s.r.IntN(len(contents))])
						if err := os.Chtimes(file, at, at); err != nil {
							t.Fatal(err)
						}
					case 1:
						os.Remove(file)
					case 2:
						_ = os.Chtimes(file, at, at) // of one that is there
					}
				}
				s.put("keep/the/root.txt", nil)
				for path, content := range s.disk() {
					if path != "keep/the/root.txt" {
						want[path] = content
					}
				}
				if _, next := s.again(out); next != nil {
					out = next
				}
				s.holds(out, want, true)
			}
		})
	}
}

// A copy whose original changes, and whose own file is gone, is taken out of its chunk: its content is nowhere else.
func TestAgainOrphanedCopies(t *testing.T) {
	s := newSite(t)
	content := s.bytes(5000)
	for _, name := range []string{"a/1/x.txt", "b/1/x.txt", "c/1/x.txt", "d/1/y.txt"} {
		s.put(name, content)
	}
	s.put("d/1/y.txt", s.bytes(100))
	base := s.base()
	want := s.disk()
	s.put("a/1/x.txt", s.bytes(4000))
	want["a/1/x.txt"] = s.disk()["a/1/x.txt"]
	os.Remove(filepath.Join(s.root, "b/1/x.txt"))
	os.Remove(filepath.Join(s.root, "c/1/x.txt"))
	o := s.options(base)
	fetched := 0
	fetch := o.Fetch
	o.Fetch = func(ctx context.Context, c manifest.Chunk) (io.ReadCloser, error) {
		fetched++
		return fetch(ctx, c)
	}
	res, out, err := o.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if g := res.Areas[manifest.Document]; g != (Gained{Changed: 1, Gone: 2}) || fetched != 1 {
		t.Errorf("gained %+v, fetched %d chunks", g, fetched)
	}
	s.holds(out, want, canTar())
	broken := errors.New("broken")
	o.Fetch = func(context.Context, manifest.Chunk) (io.ReadCloser, error) { return nil, broken }
	if _, _, err := o.run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("a chunk that cannot be had: %v", err)
	}
	o.Fetch = func(ctx context.Context, c manifest.Chunk) (io.ReadCloser, error) {
		rc, err := fetch(ctx, c)
		if err != nil {
			return nil, err
		}
		b, _ := io.ReadAll(rc)
		rc.Close()
		b[len(b)/2] ^= 1
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	if _, _, err := o.run(t.Context()); err == nil {
		t.Error("a damaged chunk is taken for good")
	}
}

// onMeter calls a function when a progress line of a name begins.
type onMeter struct {
	name string
	do   func()
}

func (m onMeter) Meter(name string, total int64, unit progress.Unit) progress.Meter {
	if name == m.name {
		m.do()
	}
	return progress.None{}.Meter(name, total, unit)
}

// What changes between being looked at and being read: a stored file stays as it was stored, one that was missing is told.
func TestAgainWhileFilesChange(t *testing.T) {
	s := newSite(t)
	s.put("a/1/stored.txt", s.bytes(100))
	s.put("a/1/other.txt", s.bytes(100))
	base := s.base("a/1/lost.txt")
	want := s.disk()
	s.put("a/1/stored.txt", s.bytes(200))
	s.put("a/1/lost.txt", s.bytes(10))
	o := s.options(base)
	o.Progress = onMeter{"packing document", func() {
		os.Remove(filepath.Join(s.root, "a/1/stored.txt"))
		os.Remove(filepath.Join(s.root, "a/1/lost.txt"))
	}}
	res, out, err := o.run(t.Context())
	if err != nil || res.Made || out != nil {
		t.Errorf("made %v, %v", res, err)
	}
	if g := res.Areas[manifest.Document]; g != (Gained{Touched: 1}) || len(res.Lost) != 1 || res.Lost[0].Reason != "vanished" {
		t.Errorf("gained %+v, lost %+v", g, res.Lost)
	}
	s.put("a/1/stored.txt", s.bytes(200))
	s.put("a/1/lost.txt", s.bytes(10))
	want["a/1/lost.txt"] = s.disk()["a/1/lost.txt"]
	o.Progress = onMeter{"packing document", func() { os.Remove(filepath.Join(s.root, "a/1/stored.txt")) }}
	if _, out, err = o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.holds(out, want, canTar())
}

// The whole archive was copied without its times: everything is read, and nothing is packed.
func TestAgainOtherTimes(t *testing.T) {
	s := newSite(t)
	s.many()
	base := s.base("bob/2002.1/lost.txt")
	for _, f := range s.list() {
		if err := os.Chtimes(filepath.Join(s.root, f.Path), time.Unix(5, 0), time.Unix(5, 0)); err != nil {
			t.Fatal(err)
		}
	}
	res, out := s.again(base)
	if g := res.Areas[manifest.Document]; g != (Gained{Touched: int64(len(s.list()))}) || out != nil {
		t.Errorf("gained %+v", g)
	}
	if err := os.RemoveAll(s.root); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.options(base).run(t.Context()); manifest.StatusOf(err) != manifest.Failed || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("without the archive: %v", err)
	}
	o := s.options(base)
	o.Site = func(i manifest.Installation) (manifest.Installation, error) {
		i.Roots = map[string][]string{}
		return i, nil
	}
	if res, out, err := o.run(t.Context()); err != nil || out != nil || len(res.Areas) != 0 {
		t.Errorf("no area is looked at: %+v, %v", res, err)
	}
}

// Killed at any moment and run again, it makes what an undisturbed run makes; an interrupted run makes nothing.
func TestAgainInterrupted(t *testing.T) {
	s := newSite(t)
	s.many()
	base := s.base("bob/2002.2/lost.txt")
	s.put("bob/2002.2/lost.txt", s.bytes(5000))
	s.put("dora/2011.1/film.avi", s.bytes(40_000))
	_, want := s.again(base)
	for _, name := range []string{"looking at document", "packing document"} {
		ctx, cancel := context.WithCancel(t.Context())
		o := s.options(base)
		o.Progress = onMeter{name, cancel}
		if _, out, err := o.run(ctx); !errors.Is(err, context.Canceled) || out != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, got := s.again(base); !bytes.Equal(got, want) {
			t.Errorf("after %s was interrupted something else is made", name)
		}
		cancel()
	}
	sp, _ := spool.Open(s.spool)
	lock, err := sp.LockPack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	if _, _, err := s.options(base).run(t.Context()); manifest.StatusOf(err) != manifest.Refused {
		t.Errorf("beside an omt-pack: %v", err)
	}
}

// An edit by hand makes a manifest though nothing is found, with a record of it; more folders than the manifest has come
// behind its own.
func TestAgainEditAndRoots(t *testing.T) {
	s := newSite(t)
	s.put("a/1/x.txt", s.bytes(10))
	base := s.base("a/1/lost.txt")
	o := s.options(base)
	o.Edit = &manifest.Edit{By: "karl", Tool: "omt-push 0.1.0", Was: manifest.Digest{7}}
	res, out, err := o.run(t.Context())
	if err != nil || !res.Made {
		t.Fatal(err)
	}
	if lines := split(out); !strings.Contains(lines[1], `"kind":"edit","by":"karl"`) || len(lines) != len(split(base))+1 {
		t.Errorf("%s", out)
	}
	more := filepath.Join(filepath.Dir(s.root), "found")
	if err := os.MkdirAll(filepath.Join(more, "A/1"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(more, "A/1/lost.txt"), []byte("here"), 0o644); err != nil {
		t.Fatal(err)
	}
	o = s.options(base)
	o.Site = func(i manifest.Installation) (manifest.Installation, error) {
		i.Roots = map[string][]string{"document": {s.root, more}}
		return i, nil
	}
	if _, out, err = o.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := s.disk()
	want["a/1/lost.txt"] = []byte("here")
	s.holds(out, want, canTar())
	if !bytes.Contains(out, []byte(`found"]}`)) || !bytes.Contains(out, []byte(`"disk":"A/1/lost.txt","root":1,`)) {
		t.Errorf("%s", out)
	}
}

// Files are taken from another manifest: what is missing or differs, by row even where the path differs; nothing else.
func TestAgainTakes(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"a/1/same.txt", "a/1/differs.txt", "a/1/gone there.txt", "b/1/twin.txt"} {
		s.put(name, s.bytes(3000))
	}
	base := s.base("a/1/lost.txt", "a/2001.2/boundary.txt", "z/1/never.txt", "a/1/copy.txt", "a/1/copy too.txt")
	want := s.disk()
	other := newSite(t)
	other.r = rand.New(rand.NewPCG(9, 9))
	for name, content := range want {
		if name != "a/1/gone there.txt" {
			other.put(name, content)
		}
	}
	other.put("a/1/differs.txt", other.bytes(2000))
	other.put("a/1/lost.txt", other.bytes(700))
	other.put("a/2002.1/boundary.txt", other.bytes(50))
	other.put("a/0/unknown.txt", other.bytes(800))
	unknown := other.disk()["a/0/unknown.txt"]
	other.put("a/1/copy.txt", unknown)
	other.put("a/1/copy too.txt", want["b/1/twin.txt"])
	list := other.list()
	for i := range list { // the ids of the base's rows
		f := &list[i]
		f.ID = 10_000 + int64(i)
		for _, b := range s.parse(base).files() {
			if b.Path == f.Path || strings.HasSuffix(f.Path, "boundary.txt") && strings.HasSuffix(b.Path, "boundary.txt") {
				f.ID = b.ID
			}
		}
	}
	res, err := other.try(1, list)
	if err != nil {
		t.Fatal(err)
	}
	input := other.manifest(res.records)
	o := s.options(base)
	o.Input = readerOf(input)
	o.Site = nil
	own, theirs := o.Fetch, other.options(input).Fetch
	o.Fetch = func(ctx context.Context, c manifest.Chunk) (io.ReadCloser, error) {
		if rc, err := theirs(ctx, c); err == nil {
			return rc, nil
		}
		return own(ctx, c)
	}
	got, out, err := o.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if g := got.Areas[manifest.Document]; g != (Gained{Found: 4, Changed: 1, Unknown: 1}) {
		t.Errorf("gained %+v", g)
	}
	if len(got.Lost) != 1 || got.Lost[0].Path != "z/1/never.txt" {
		t.Errorf("lost %+v", got.Lost)
	}
	there := other.disk()
	for _, name := range []string{"a/1/differs.txt", "a/1/lost.txt", "a/2002.1/boundary.txt", "a/1/copy.txt", "a/1/copy too.txt"} {
		want[name] = there[name]
	}
	s.holds(out, want, canTar())
	for _, f := range s.parse(out).files() {
		if f.Path == "a/1/lost.txt" && f.Root != 1 {
			t.Errorf("%+v", f)
		}
	}
	o.Base = readerOf(out)
	if again, out, err := o.run(t.Context()); err != nil || out != nil {
		t.Errorf("taken twice: %+v, %v", again, err)
	}
}
