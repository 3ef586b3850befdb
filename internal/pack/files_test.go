package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/spool"
)

// site is a folder of documents and the spool that they are packed into.
type site struct {
	t     *testing.T
	root  string
	spool string
	r     *rand.Rand
	tune  func(*packer) // may change the packer before it runs

	later   time.Duration    // of the times of files that are put
	earlier []manifest.Chunk // of earlier runs, of which records may be stored
	lost    func(manifest.File) (manifest.File, error)
}

func newSite(t *testing.T) *site {
	dir := t.TempDir()
	return &site{t: t, root: filepath.Join(dir, "arc"), spool: filepath.Join(dir, "spool"), r: rand.New(rand.NewPCG(1, 2))}
}

func (s *site) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.r.Uint32())
	}
	return b
}

func (s *site) put(name string, content []byte) {
	s.t.Helper()
	file := filepath.Join(s.root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		s.t.Fatal(err)
	}
	at := time.Date(2012, 1, 2, 3, 4, 5, 0, time.UTC).Add(s.later)
	if err := os.Chtimes(file, at, at); err != nil {
		s.t.Fatal(err)
	}
}

// list gives the records of all files below the root, as the inventory does.
func (s *site) list() []manifest.File {
	s.t.Helper()
	var list []manifest.File
	err := filepath.WalkDir(s.root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		rel, _ := filepath.Rel(s.root, p)
		list = append(list, manifest.File{Area: manifest.Document, Path: filepath.ToSlash(rel), Size: st.Size(),
			MTime: manifest.At(st.ModTime()), State: manifest.Present})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Path < list[j].Path })
	for i := range list {
		list[i].ID = int64(i + 1)
	}
	return list
}

type result struct {
	records []manifest.Record
	packer  *packer
	skipped int64 // bytes that needed no work
}

type skips struct{ n int64 }

func (*skips) Add(int64)      {}
func (*skips) SetTotal(int64) {}
func (s *skips) Skip(n int64) { s.n += n }
func (*skips) Done()          {}

func (s *site) try(workers int, files []manifest.File) (result, error) {
	s.t.Helper()
	sp, err := spool.Open(s.spool)
	if err != nil {
		s.t.Fatal(err)
	}
	temp, err := sp.ClearTemp("pack")
	if err != nil {
		s.t.Fatal(err)
	}
	ix, err := newIndex(temp, 10)
	if err != nil {
		s.t.Fatal(err)
	}
	j, err := openJournal(sp.Path("pack.journal"))
	if err != nil {
		s.t.Fatal(err)
	}
	p := &packer{spool: sp, temp: temp, inst: manifest.Installation{Roots: map[string][]string{"document": {s.root}}},
		level: 1, pool: new(chunk.Pool), workers: workers, index: ix, journal: j, used: map[groupPrint]bool{}, findings: &fileFindings{}}
	defer p.close()
	plan, err := p.newPlan()
	if err != nil {
		s.t.Fatal(err)
	}
	defer plan.close()
	if s.tune != nil {
		s.tune(p)
	}
	res := result{packer: p}
	copies, err := newLinks(temp)
	if err != nil {
		s.t.Fatal(err)
	}
	defer copies.close()
	if s.lost != nil {
		plan.lost = s.lost
	}
	for _, f := range files {
		if err := plan.add(f); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := plan.settle(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	copies.loose = p.loose
	var m skips
	emit := func(r manifest.Record) error {
		res.records = append(res.records, r)
		if f, ok := r.(manifest.File); ok {
			return copies.add(f)
		}
		return nil
	}
	for _, c := range p.earlier.needed(s.earlier) {
		if err := emit(c); err != nil {
			s.t.Fatal(err)
		}
	}
	err = p.pack(context.Background(), func(ctx context.Context, add func(manifest.File) error) error {
		return plan.list(ctx, manifest.Document, add)
	}, &m, emit)
	if err != nil {
		return res, err
	}
	res.skipped = m.n
	err = copies.chunks(context.Background(), manifest.Document, p.newDraft, func(c manifest.Chunk) error { return emit(c) })
	return res, err
}

func (s *site) pack(workers int) result {
	s.t.Helper()
	res, err := s.try(workers, s.list())
	if err != nil {
		s.t.Fatal(err)
	}
	return res
}

func (r result) files() (list []manifest.File) {
	for _, rec := range r.records {
		if f, ok := rec.(manifest.File); ok {
			list = append(list, f)
		}
	}
	return list
}

func (r result) chunks() (list []manifest.Chunk) {
	for _, rec := range r.records {
		if c, ok := rec.(manifest.Chunk); ok {
			list = append(list, c)
		}
	}
	return list
}

// many puts a tree with what packing meets: small files, a large one that is a chunk of its own between two others,
// copies near and far, empty files.
func (s *site) many() {
	for i := range 40 {
		s.put(fmt.Sprintf("bob/2002.%d/doc %03d ø.doc", 1+i%2, i), s.bytes(1000*i%40_000+17))
	}
	film := bytes.Repeat(s.bytes(1<<16), chunk.MaxRaw>>16+1)
	s.put("dora/2011.1/film.avi", film)
	s.put("zoe/2011.1/the same film.avi", film)
	s.put("erik/2011.1/after the film.doc", s.bytes(70_000))
	some, _ := os.ReadFile(filepath.Join(s.root, "bob/2002.1/doc 030 ø.doc"))
	for i := range 5 {
		s.put(fmt.Sprintf("åse/2015.2/copy %d.doc", i), some)
	}
	s.put("bob/2002.1/empty 1.txt", nil)
	s.put("åse/2015.2/empty 2.txt", nil)
}

// TestStockTarRestoresEveryName unpacks the chunks in manifest order with tar and zstd, and compares with the source.
func TestStockTarRestoresEveryName(t *testing.T) {
	for _, tool := range []string{"tar", "zstd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s here", tool)
		}
	}
	s := newSite(t)
	s.many()
	res := s.pack(2)
	out := t.TempDir()
	for _, c := range res.chunks() {
		x := exec.Command("tar", "--zstd", "-xf", res.packer.spool.ChunkPath(c.SHA256, c.Type), "-C", out)
		if b, err := x.CombinedOutput(); err != nil {
			t.Fatalf("tar: %v: %s", err, b)
		}
	}
	for _, f := range s.list() {
		was, err := os.ReadFile(filepath.Join(s.root, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		is, err := os.ReadFile(filepath.Join(out, "document", f.Path))
		if err != nil {
			t.Fatal(err)
		}
		if sha256.Sum256(was) != sha256.Sum256(is) {
			t.Errorf("%s came out with other bytes", f.Path)
		}
	}
}

func TestWorkersDoNotMatter(t *testing.T) {
	s := newSite(t)
	s.many()
	one := s.pack(1)
	for _, workers := range []int{2, 3} {
		s.spool = t.TempDir()
		if d := cmp.Diff(one.records, s.pack(workers).records); d != "" {
			t.Errorf("%d workers gave other records: %s", workers, d)
		}
	}
	var roles []string
	for _, c := range one.chunks() {
		roles = append(roles, c.Role)
	}
	if want := []string{"content", "content", "content", "content", "links"}; !cmp.Equal(roles, want) {
		t.Errorf("chunks are %v, want %v", roles, want)
	}
}

func TestCopiesNameTheFirst(t *testing.T) {
	s := newSite(t)
	s.many()
	byPath := map[string]manifest.File{}
	for _, f := range s.pack(2).files() {
		byPath[f.Path] = f
	}
	first := byPath["bob/2002.1/doc 030 ø.doc"]
	if first.Same != "" || first.Chunk.IsZero() {
		t.Fatalf("the first of its content is %+v", first)
	}
	for i := range 5 {
		c := byPath[fmt.Sprintf("åse/2015.2/copy %d.doc", i)]
		if c.Same != first.Path || c.Chunk != first.Chunk || c.Offset != first.Offset || c.SHA256 != first.SHA256 {
			t.Errorf("copy %d is %+v", i, c)
		}
	}
	film, same := byPath["dora/2011.1/film.avi"], byPath["zoe/2011.1/the same film.avi"]
	if same.Same != film.Path || same.Chunk != film.Chunk {
		t.Errorf("the large copy is %+v", same)
	}
	for _, name := range []string{"bob/2002.1/empty 1.txt", "åse/2015.2/empty 2.txt"} {
		if e := byPath[name]; e.Same != "" || e.Chunk.IsZero() {
			t.Errorf("an empty file is a link: %+v", e)
		}
	}
}

// A thousand names are linked to one; the next one is stored anew and takes over.
func TestThousandLinks(t *testing.T) {
	s := newSite(t)
	for i := range 2 + 2*maxLinks + 1 {
		s.put(fmt.Sprintf("bob/%05d.txt", i), []byte("the same"))
	}
	var stored []string
	links := map[string]int{}
	for _, f := range s.pack(2).files() {
		if f.Same == "" {
			stored = append(stored, f.Path)
		}
		links[f.Same]++
	}
	if want := []string{"bob/00000.txt", "bob/01001.txt", "bob/02002.txt"}; !cmp.Equal(stored, want) {
		t.Errorf("stored %v, want %v", stored, want)
	}
	if links["bob/00000.txt"] != maxLinks || links["bob/01001.txt"] != maxLinks {
		t.Errorf("links: %v", links)
	}
}

// A second run over an unchanged tree reads no file: the root is emptied of content before it.
func TestSecondRunReadsNothing(t *testing.T) {
	s := newSite(t)
	s.many()
	files := s.list()
	first := s.pack(2)
	if err := os.Rename(s.root, s.root+".away"); err != nil {
		t.Fatal(err)
	}
	again, err := s.try(2, files)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first.records, again.records); d != "" {
		t.Errorf("the second run gave other records: %s", d)
	}
	if again.skipped == 0 || first.skipped != 0 {
		t.Errorf("skipped %d, then %d bytes", first.skipped, again.skipped)
	}
}

// After any change to the tree, a run with the journal of the run before gives what a fresh run gives.
func TestJournalNeverLies(t *testing.T) {
	changes := map[string]func(s *site){
		"original removed": func(s *site) { os.Remove(filepath.Join(s.root, "bob/2002.1/doc 030 ø.doc")) },
		"earlier original": func(s *site) {
			b, _ := os.ReadFile(filepath.Join(s.root, "bob/2002.1/doc 030 ø.doc"))
			s.put("aaa/first.doc", b)
		},
		"content changed":    func(s *site) { s.put("bob/2002.2/doc 031 ø.doc", s.bytes(777)) },
		"large one removed":  func(s *site) { os.Remove(filepath.Join(s.root, "dora/2011.1/film.avi")) },
		"large copy renamed": func(s *site) { os.Rename(filepath.Join(s.root, "zoe"), filepath.Join(s.root, "aaa")) },
		"chunk lost": func(s *site) {
			list, _ := filepath.Glob(filepath.Join(s.spool, "chunks/*/*"))
			os.Remove(list[0])
		},
		"chunk cut": func(s *site) {
			list, _ := filepath.Glob(filepath.Join(s.spool, "chunks/*/*"))
			os.Truncate(list[0], 100)
		},
		"journal torn": func(s *site) {
			name := filepath.Join(s.spool, "pack.journal")
			st, _ := os.Stat(name)
			os.Truncate(name, st.Size()-40)
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.many()
			s.pack(2)
			change(s)
			got := s.pack(2)
			s.spool = t.TempDir()
			if d := cmp.Diff(s.pack(2).records, got.records); d != "" {
				t.Errorf("differs from a fresh run: %s", d)
			}
		})
	}
}

// Every byte of a small journal is flipped in turn; no flip changes what is packed.
func TestFlippedJournal(t *testing.T) {
	s := newSite(t)
	for i := range 4 {
		s.put(fmt.Sprintf("bob/2002.1/%d.doc", i), s.bytes(100+i))
	}
	s.put("bob/2002.1/copy.doc", []byte("x"))
	want := s.pack(1)
	name := filepath.Join(s.spool, "pack.journal")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	step := max(1, len(whole)/120)
	for i := 0; i < len(whole); i += step {
		bad := append([]byte(nil), whole...)
		bad[i] ^= 0x11
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.records, s.pack(1).records); d != "" {
			t.Fatalf("byte %d: %s", i, d)
		}
	}
}

func TestTroubleWithOneFile(t *testing.T) {
	s := newSite(t)
	for i := range 3 {
		s.put(fmt.Sprintf("bob/2002.1/%d.doc", i), s.bytes(500))
	}
	files := s.list()
	gone := manifest.File{Area: manifest.Document, ID: 99, Path: "bob/2002.1/vanished.doc", Size: 10, State: manifest.Present}
	folder := manifest.File{Area: manifest.Document, ID: 100, Path: "bob/2003.1", Size: 10, State: manifest.Present}
	if err := os.MkdirAll(filepath.Join(s.root, "bob/2003.1"), 0o755); err != nil {
		t.Fatal(err)
	}
	res, err := s.try(2, append(files, gone, folder))
	if err != nil {
		t.Fatal(err)
	}
	states := map[int64]string{}
	for _, f := range res.files() {
		states[f.ID] = strings.TrimSpace(string(f.State) + " " + f.Reason)
		if f.State != manifest.Present && !f.Chunk.IsZero() {
			t.Errorf("%s has a chunk and is %s", f.Path, f.State)
		}
	}
	want := map[int64]string{1: "present", 2: "present", 3: "present", 99: "missing vanished", 100: "unreadable irregular"}
	if d := cmp.Diff(want, states); d != "" {
		t.Error(d)
	}
	if _, findings := res.packer.findings.records("omt-pack"); len(findings) != 2 {
		t.Errorf("findings: %+v", findings)
	}
	if len(res.packer.journal.places) != 0 {
		t.Error("a group with a file that could not be read is in the journal")
	}
}

func TestRootThatGoesAwayStopsTheRun(t *testing.T) {
	s := newSite(t)
	s.put("bob/2002.1/1.doc", s.bytes(500))
	files := s.list()
	if err := os.RemoveAll(s.root); err != nil {
		t.Fatal(err)
	}
	_, err := s.try(1, files)
	if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(manifest.HintOf(err), "ImpersonateUser") {
		t.Fatalf("got %v (hint %q)", err, manifest.HintOf(err))
	}
}

var _ progress.Meter = (*skips)(nil)
