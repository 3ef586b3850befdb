package pack

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/manifest"
)

// after gives the records of the files below the root, those that are as they were in an earlier result as stored.
func (s *site) after(was result) []manifest.File {
	s.t.Helper()
	s.earlier = nil
	for _, c := range was.chunks() {
		if c.Role == manifest.RoleContent {
			s.earlier = append(s.earlier, c)
		}
	}
	known := map[string]manifest.File{}
	for _, f := range was.files() {
		known[f.Path] = f
	}
	list := s.list()
	for i := range list {
		f := &list[i]
		if k, ok := known[f.Path]; ok && !k.Chunk.IsZero() && k.Size == f.Size && k.MTime.Equal(f.MTime.Time) {
			f.State, f.SHA256, f.Chunk, f.Offset, f.Same = manifest.Stored, k.SHA256, k.Chunk, k.Offset, k.Same
		}
	}
	return list
}

// whole compares what a result says with the files: digests, what lies in the chunks where the records say, and what a
// stock tar restores from the chunks in their order. The chunks lie in the site's spool.
func (s *site) whole(res result, tar bool) {
	s.t.Helper()
	there := map[manifest.Digest]bool{}
	for _, c := range res.chunks() {
		there[c.SHA256] = true
	}
	list := res.files()
	at := map[manifest.Digest]map[int64]string{}
	for i, f := range s.list() {
		content, err := os.ReadFile(filepath.Join(s.root, f.Path))
		if err != nil {
			s.t.Fatal(err)
		}
		got := list[i]
		if got.Path != f.Path || got.SHA256 != sha256.Sum256(content) || !there[got.Chunk] {
			s.t.Errorf("record %+v of a file with the digest %x", got, sha256.Sum256(content))
			continue
		}
		if at[got.Chunk] == nil {
			at[got.Chunk] = s.entries(res, got.Chunk)
		}
		if at[got.Chunk][got.Offset] != string(content) {
			s.t.Errorf("%s: there is something else in its chunk", f.Path)
		}
	}
	if len(list) != len(s.list()) {
		s.t.Errorf("%d records", len(list))
	}
	if tar {
		s.untar(res)
	}
}

// entries are the contents of a chunk, by where they begin.
func (s *site) entries(res result, d manifest.Digest) map[int64]string {
	s.t.Helper()
	f, err := os.Open(res.packer.spool.ChunkPath(d, manifest.ChunkTar))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	r := new(chunk.Pool).NewReader(f)
	defer r.Close()
	found := map[int64]string{}
	for {
		_, off, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		b, rerr := io.ReadAll(r)
		if err := errors.Join(err, rerr); err != nil {
			s.t.Fatal(err)
		}
		found[off] = string(b)
	}
}

// untar unpacks the chunks in their order with tar and zstd. Names that are no longer there are extra.
func (s *site) untar(res result) {
	s.t.Helper()
	out := s.t.TempDir()
	for _, c := range res.chunks() {
		x := exec.Command("tar", "--zstd", "-xf", res.packer.spool.ChunkPath(c.SHA256, c.Type), "-C", out)
		if b, err := x.CombinedOutput(); err != nil {
			s.t.Fatalf("tar: %v: %s", err, b)
		}
	}
	for _, f := range s.list() {
		was, err := os.ReadFile(filepath.Join(s.root, f.Path))
		if err != nil {
			s.t.Fatal(err)
		}
		is, err := os.ReadFile(filepath.Join(out, "document", f.Path))
		if err != nil || !bytes.Equal(was, is) {
			s.t.Errorf("%s came out of tar with other bytes (%v)", f.Path, err)
		}
	}
}

func haveTar() bool {
	_, err := exec.LookPath("tar")
	_, err2 := exec.LookPath("zstd")
	return err == nil && err2 == nil
}

// hide makes what is stored impossible to read.
func (s *site) hide(files []manifest.File) {
	for _, f := range files {
		if isStored(f) {
			os.Remove(filepath.Join(s.root, f.Path))
		}
	}
}

// Stored files are passed through, and not one of them is opened: they are gone.
func TestStoredFilesAreNotRead(t *testing.T) {
	s := newSite(t)
	s.many()
	was := s.pack(2)
	s.later = time.Hour
	s.put("bob/2002.2/doc 031 ø.doc", s.bytes(777))
	s.put("bob/2002.2/new.doc", s.bytes(999))
	files := s.after(was)
	s.hide(files)
	s.spool = filepath.Join(t.TempDir(), "fresh")
	res, err := s.try(2, files)
	if err != nil {
		t.Fatal(err)
	}
	stored, packed := 0, 0
	for i, f := range res.files() {
		if f.State != manifest.Stored {
			packed++
			continue
		}
		stored++
		if d := cmp.Diff(files[i], f); d != "" {
			t.Errorf("a stored record became (-was +is):\n%s", d)
		}
	}
	if packed != 2 || stored != len(files)-2 {
		t.Errorf("%d packed, %d stored", packed, stored)
	}
	var roles []string
	var made int64
	for _, c := range res.chunks() {
		roles = append(roles, c.Role)
		if _, err := os.Stat(res.packer.spool.ChunkPath(c.SHA256, c.Type)); err == nil && c.Role == manifest.RoleContent {
			made += c.Raw
		}
	}
	if want := []string{"content", "content", "content", "content", "content", "links"}; !cmp.Equal(roles, want) {
		t.Errorf("chunks %v, want %v", roles, want)
	}
	if made > 6000 {
		t.Errorf("the new chunk has %d bytes for two files of 1776", made)
	}
	if res.skipped == 0 {
		t.Error("what was stored does not count as progress")
	}
}

// What happens to copies when one end of them changes.
func TestStoredCopies(t *testing.T) {
	original, copied := "bob/2.doc", "cleo/3.doc"
	cases := map[string]struct {
		change func(s *site)
		want   map[string]string // path to state and the name that it is the same as
	}{
		"nothing": {func(*site) {}, map[string]string{original: "stored", copied: "stored bob/2.doc"}},
		"copy changed": {func(s *site) { s.put(copied, []byte("other")) },
			map[string]string{original: "stored", copied: "present"}},
		"original changed": {func(s *site) { s.put(original, []byte("other")) },
			map[string]string{original: "present", copied: "present"}},
		"original gone": {func(s *site) { os.Remove(filepath.Join(s.root, original)) },
			map[string]string{copied: "present"}},
		"a new copy before": {func(s *site) { s.put("abe/1.doc", []byte("the same")) },
			map[string]string{"abe/1.doc": "present bob/2.doc", original: "stored", copied: "stored bob/2.doc"}},
		"a new copy behind": {func(s *site) { s.put("zoe/4.doc", []byte("the same")) },
			map[string]string{original: "stored", copied: "stored bob/2.doc", "zoe/4.doc": "present bob/2.doc"}},
		"original changed, and a new copy": {func(s *site) { s.put(original, []byte("other")); s.put("abe/1.doc", []byte("the same")) },
			map[string]string{"abe/1.doc": "present", original: "present", copied: "present abe/1.doc"}},
		"both gone": {func(s *site) { os.RemoveAll(filepath.Join(s.root, "bob")); os.RemoveAll(filepath.Join(s.root, "cleo")) },
			map[string]string{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			for _, p := range []string{original, copied} {
				s.put(p, []byte("the same"))
			}
			s.put("dora/alone.doc", []byte("alone"))
			was := s.pack(2)
			s.later = time.Hour
			c.change(s)
			res, err := s.try(2, s.after(was))
			if err != nil {
				t.Fatal(err)
			}
			s.whole(res, haveTar())
			got := map[string]string{}
			for _, f := range res.files() {
				if f.Path != "dora/alone.doc" {
					got[f.Path] = strings.TrimSpace(string(f.State) + " " + f.Same)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Two rows may name one file, stored or not; a row of its own may then be the only one that is left.
func TestStoredRowsOfOneFile(t *testing.T) {
	s := newSite(t)
	s.put("bob/1.doc", []byte("one file"))
	one := s.list()[0]
	two := one
	two.ID = 2
	was, err := s.try(1, []manifest.File{one, two})
	if err != nil {
		t.Fatal(err)
	}
	s.earlier = was.chunks()
	one, two = was.files()[0], was.files()[1]
	if two.Same != two.Path {
		t.Fatalf("the second row is %+v", two)
	}
	for _, files := range [][]manifest.File{{one, two}, {two}} {
		s.put("bob/2.doc", []byte("one file"))
		res, err := s.try(1, append(files[:len(files):len(files)], s.list()[1]))
		if err != nil {
			t.Fatal(err)
		}
		n := len(files)
		if d := cmp.Diff(files, res.files()[:n]); d != "" {
			t.Errorf("stored rows became (-was +is):\n%s", d)
		}
		if c := res.files()[n]; c.Same != "bob/1.doc" || c.Chunk != one.Chunk {
			t.Errorf("the copy is %+v", c)
		}
	}
}

// A name is linked to a thousand times, stored links included, and stored copies keep the name that they have.
func TestThousandStoredLinks(t *testing.T) {
	s := newSite(t)
	for i := range maxLinks + 500 {
		s.put(fmt.Sprintf("bob/%05d.txt", i), []byte("the same"))
	}
	was := s.pack(2)
	for i := range 600 {
		s.put(fmt.Sprintf("abe/%05d.txt", i), []byte("the same"))
	}
	files := s.after(was)
	res, err := s.try(2, files)
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]int{}
	for i, f := range res.files() {
		if isStored(files[i]) && f.Same != files[i].Same {
			t.Fatalf("the stored copy %s of %s became one of %s", f.Path, files[i].Same, f.Same)
		}
		if isCopy(f) {
			links[f.Same]++
		}
	}
	for name, n := range links {
		if n > maxLinks {
			t.Errorf("%d links to %s", n, name)
		}
	}
	if links["bob/00000.txt"] != maxLinks || links["bob/01001.txt"] != 498 {
		t.Errorf("links: %v", links)
	}
	s.whole(res, false)
}

// A copy that cannot stay one may be kept all the same; it then has no link.
func TestLooseCopy(t *testing.T) {
	s := newSite(t)
	s.put("bob/1.doc", []byte("the same"))
	s.put("bob/2.doc", []byte("the same"))
	was := s.pack(1)
	s.later = time.Hour
	s.put("bob/1.doc", []byte("another"))
	files := s.after(was)
	s.hide(files)
	s.lost = func(f manifest.File) (manifest.File, error) { return f, nil }
	res, err := s.try(1, files)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(files[1], res.files()[1]); d != "" {
		t.Errorf("the copy became (-was +is):\n%s", d)
	}
	if res.files()[0].State != manifest.Present {
		t.Errorf("the original is %+v", res.files()[0])
	}
	var got []manifest.Digest
	for _, c := range res.chunks() {
		if c.Role == manifest.RoleLinks {
			t.Error("it has a link")
		}
		got = append(got, c.SHA256)
	}
	if len(got) != 2 || got[0] != files[1].Chunk || s.entries(res, got[0])[files[1].Offset] != "the same" {
		t.Errorf("chunks %v", got)
	}
}

// Random trees with random changes, several generations of them: every generation says the same of the files as a run
// that knows of nothing, and gives the same tree.
func TestGenerations(t *testing.T) {
	seeds := 6
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newSite(t)
			s.r = rand.New(rand.NewPCG(uint64(seed), 7))
			contents := [][]byte{nil, s.bytes(10), s.bytes(10), s.bytes(5000), s.bytes(70_000), s.bytes(1 << 20)}
			var was result
			spool := s.spool
			for generation := range 5 {
				s.later += time.Hour
				for range 4 + s.r.IntN(12) {
					name := fmt.Sprintf("%c/%c%d.doc", 'a'+s.r.IntN(4), 'k'+s.r.IntN(4), s.r.IntN(3))
					switch s.r.IntN(5) {
					case 0:
						os.Remove(filepath.Join(s.root, name))
					case 1:
						s.put(name, s.bytes(s.r.IntN(3000)))
					default:
						s.put(name, contents[s.r.IntN(len(contents))])
					}
				}
				if s.r.IntN(3) == 0 {
					os.Remove(filepath.Join(spool, "pack.journal"))
				}
				s.spool = spool
				files := s.after(was)
				res, err := s.try(1+s.r.IntN(3), files)
				if err != nil {
					t.Fatal(err)
				}
				s.whole(res, generation > 0 && haveTar())
				s.spool = filepath.Join(t.TempDir(), "fresh")
				fresh := s.pack(2).files()
				for i, f := range res.files() {
					if f.SHA256 != fresh[i].SHA256 || f.Path != fresh[i].Path || f.Size != fresh[i].Size || !f.MTime.Equal(fresh[i].MTime.Time) {
						t.Errorf("generation %d: %+v, and without the one before %+v", generation, f, fresh[i])
					}
				}
				was = res
			}
		})
	}
}
