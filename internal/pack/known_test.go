package pack

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

var kalles = manifest.Installation{Owner: "Kalles", Serial: "1801830017", Areas: []manifest.Area{manifest.Document}}

// pushed makes the manifest that a push would have made of a result, with receipts for some of its chunks.
func pushed(t testing.TB, res result, has func(manifest.Chunk) bool) []byte {
	t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, "omt-push 0.1.0")
	put := func(r manifest.Record) {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	put(manifest.Header{ID: "1", Phase: "full"})
	put(kalles)
	for _, r := range res.records {
		put(r)
	}
	for _, c := range res.chunks() {
		if has == nil || has(c) {
			put(manifest.Receipt{Chunk: c.SHA256, Bytes: c.Bytes})
		}
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func knownOf(name string, lines []byte) Known {
	return Known{Name: name, Each: func(ctx context.Context, fn func(manifest.Line) error) error {
		return Each(ctx, manifest.NewReader(bytes.NewReader(lines), manifest.ReadOptions{}), fn)
	}}
}

// know reads manifests, the older first.
func know(t testing.TB, manifests ...[]byte) *known {
	t.Helper()
	k, err := newKnown(t.TempDir(), kalles)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.close)
	for i, m := range manifests {
		if err := k.read(t.Context(), knownOf(fmt.Sprint("manifest ", i), m)); err != nil {
			t.Fatal(err)
		}
	}
	k.order()
	return k
}

// joined gives the files below the root as byTime plans them, and the chunks in their order.
func (s *site) joined(k *known) []manifest.File {
	s.t.Helper()
	join, err := k.join()
	if err != nil {
		s.t.Fatal(err)
	}
	list := s.list()
	for i, f := range list {
		c, err := join.look(f)
		if err != nil {
			s.t.Fatal(err)
		}
		list[i] = join.stored(f, c, byTime(f))
	}
	s.earlier = k.inOrder()
	return list
}

// byKnown packs what is not known.
func (s *site) byKnown(manifests ...[]byte) result {
	s.t.Helper()
	res, err := s.try(2, s.joined(know(s.t, manifests...)))
	if err != nil {
		s.t.Fatal(err)
	}
	return res
}

// states says of each file what became of it.
func (r result) states() string {
	var b strings.Builder
	for _, f := range r.files() {
		fmt.Fprintf(&b, "%s %s;", f.Path, f.State)
	}
	return b.String()
}

// What is known of a name, by how a file and the manifests are.
func TestWhatIsKnown(t *testing.T) {
	const name = "bob/1.doc"
	cases := map[string]struct {
		change func(s *site)
		lines  func(lines []byte, res result) []byte
		want   manifest.State
	}{
		"nothing changed":  {want: manifest.Stored},
		"another time":     {change: func(s *site) { s.later = time.Nanosecond; s.put(name, []byte("content")) }, want: manifest.Present},
		"another size":     {change: func(s *site) { s.put(name, []byte("content!")) }, want: manifest.Present},
		"the bytes differ": {change: func(s *site) { s.put(name, []byte("CONTENT")) }, want: manifest.Stored}, // nobody looked
		"no receipt": {lines: func(_ []byte, res result) []byte {
			return pushed(t, res, func(c manifest.Chunk) bool { return c.Role == manifest.RoleLinks })
		}, want: manifest.Present},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			s := newSite(t)
			s.put(name, []byte("content"))
			s.put("bob/2.doc", []byte("twice"))
			s.put("bob/3.doc", []byte("twice"))
			res := s.pack(1)
			lines := pushed(t, res, nil)
			if c.lines != nil {
				lines = c.lines(lines, res)
			}
			if c.change != nil {
				c.change(s)
			}
			f := s.joined(know(t, lines))[0]
			if f.State != c.want || isStored(f) != (c.want == manifest.Stored) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestKnownIsRefused(t *testing.T) {
	s := newSite(t)
	s.put("bob/1.doc", []byte("content"))
	res := s.pack(1)
	good := pushed(t, res, nil)
	cases := map[string]struct {
		lines  []byte
		status manifest.Status
		want   string
	}{
		"no receipts":     {pushed(t, res, func(manifest.Chunk) bool { return false }), manifest.Refused, "x.jsonl has no receipts"},
		"another company": {bytes.Replace(good, []byte("Kalles"), []byte("Ola"), 1), manifest.Refused, `it is of "Ola", serial number "1801830017"`},
		"cut short":       {good[:len(good)-30], manifest.BadInput, "reading what is known from x.jsonl: "},
		"edited":          {bytes.Replace(good, []byte("bob/1.doc"), []byte("bob/2.doc"), 1), manifest.BadInput, "reading what is known from x.jsonl: "},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			k, err := newKnown(t.TempDir(), kalles)
			if err != nil {
				t.Fatal(err)
			}
			defer k.close()
			err = k.read(t.Context(), knownOf("x.jsonl", c.lines))
			if manifest.StatusOf(err) != c.status || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A chunk that the destination does not list is not known, whatever a receipt says; nor is one of another size.
func TestOnlyWhatIsListedIsKnown(t *testing.T) {
	s := newSite(t)
	s.put("bob/1.doc", []byte("content"))
	res := s.pack(1)
	for what, c := range map[string]struct {
		list func(c manifest.Chunk) int64
		want manifest.State
	}{
		"listed":       {func(c manifest.Chunk) int64 { return c.Bytes }, manifest.Stored},
		"another size": {func(c manifest.Chunk) int64 { return c.Bytes + 1 }, manifest.Present},
		"gone":         {func(manifest.Chunk) int64 { return 0 }, manifest.Present},
	} {
		k := know(t, pushed(t, res, nil))
		err := k.seen(t.Context(), func(_ context.Context, fn func(manifest.Digest, string, int64) error) error {
			for _, x := range res.chunks() {
				if n := c.list(x); n > 0 {
					if err := fn(x.SHA256, x.Type, n); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if f := s.joined(k)[0]; f.State != c.want {
			t.Errorf("%s: %+v", what, f)
		}
	}
}

// A file that got its former content back, with its former time, lies in an old chunk that stands before one with its
// content in between: a stock tar would restore that, so it is packed anew. All others are not.
func TestContentThatCameBack(t *testing.T) {
	s := newSite(t)
	s.put("bob/1.doc", []byte("first"))
	s.put("bob/2.doc", []byte("stays"))
	first := s.pack(1)
	s.later = time.Hour
	s.put("bob/1.doc", []byte("later"))
	s.put("bob/3.doc", []byte("new"))
	second := s.byKnown(pushed(t, first, nil))
	if got, want := second.states(), "bob/1.doc present;bob/2.doc stored;bob/3.doc present;"; got != want {
		t.Fatalf("second %s", got)
	}
	s.later = 0
	s.put("bob/1.doc", []byte("first"))
	third := s.byKnown(pushed(t, first, nil), pushed(t, second, nil))
	if got, want := third.states(), "bob/1.doc present;bob/2.doc stored;bob/3.doc stored;"; got != want {
		t.Errorf("third %s", got)
	}
	s.whole(third, haveTar())
}

// Of two manifests that know nothing of each other, both are good for what the other does not have.
func TestManifestsSideBySide(t *testing.T) {
	s := newSite(t)
	s.put("bob/1.doc", []byte("one"))
	s.put("bob/2.doc", []byte("two"))
	first := s.pack(1)
	os.Remove(filepath.Join(s.root, "bob/2.doc"))
	s.put("bob/3.doc", []byte("three"))
	s.put("bob/4.doc", []byte("four"))
	second := s.pack(1)
	s.put("bob/2.doc", []byte("two"))
	all := s.byKnown(pushed(t, first, nil), pushed(t, second, nil))
	if got := all.states(); strings.Contains(got, "present") {
		t.Errorf("packed anew: %s", got)
	}
	s.whole(all, haveTar())
}

// Whatever manifests are known, of whatever former states, each pushed with or without knowledge of some of the others:
// the result says the right thing of each file, and a stock tar restores it from the chunks in their order.
func TestRandomKnowledge(t *testing.T) {
	seeds := 10
	if testing.Short() {
		seeds = 3
	}
	anew, kept := 0, 0
	for seed := range seeds {
		s := newSite(t)
		s.r = rand.New(rand.NewPCG(uint64(seed), 9))
		contents := [][]byte{nil, s.bytes(10), s.bytes(700), s.bytes(9000)}
		times := []time.Duration{0, time.Hour}
		var all [][]byte
		for range 6 {
			for range 3 + s.r.IntN(8) {
				name := fmt.Sprintf("%c/%d.doc", 'a'+s.r.IntN(3), s.r.IntN(5))
				s.later = times[s.r.IntN(2)]
				switch s.r.IntN(6) {
				case 0:
					os.Remove(filepath.Join(s.root, name))
				default:
					// The size and the time say which content it is, so that what was may come back.
					i := s.r.IntN(len(contents))
					content := slices.Clone(contents[i])
					if len(content) > 0 {
						content[0] = name[0]&3 + byte(s.later/time.Hour)
					}
					s.put(name, content)
				}
			}
			if s.r.IntN(2) == 0 {
				os.Remove(filepath.Join(s.spool, "pack.journal"))
			}
			var some [][]byte
			for _, m := range all {
				if s.r.IntN(4) > 0 {
					some = append(some, m)
				}
			}
			files := s.joined(know(t, some...))
			res, err := s.try(2, files)
			if err != nil {
				t.Fatal(err)
			}
			s.whole(res, haveTar())
			if t.Failed() {
				t.Fatalf("seed %d, knowing %d of %d manifests", seed, len(some), len(all))
			}
			for _, f := range res.files() {
				if f.State == manifest.Stored {
					kept++
				} else {
					anew++
				}
			}
			all = append(all, pushed(t, res, nil))
		}
	}
	if kept < anew/2 {
		t.Errorf("%d files were kept and %d packed: this proves too little", kept, anew)
	}
}

// Two rows of one file, and areas and names that only one side has.
func TestJoin(t *testing.T) {
	k := &known{}
	list, err := newKnownList(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	k.list = list
	defer k.close()
	k.chunks = []*knownChunk{{Chunk: manifest.Chunk{SHA256: sum("chunk")}, receipt: true, clear: true}}
	s := list.begin()
	at := manifest.At(time.Unix(1e9, 123))
	for _, f := range []manifest.File{
		{Area: manifest.Template, Path: "a"}, {Area: manifest.Document, Path: "a"}, {Area: manifest.Document, Path: "b", Same: "a"},
		{Area: manifest.Document, Path: "c", Raw: true}, {Area: manifest.Service, Path: "a"}, {Area: "mail", Path: "z"},
	} {
		f.Size, f.MTime, f.SHA256 = 5, at, sum(string(f.Area)+f.Path)
		if err := list.add(f, 0); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = list.end(s); err != nil {
		t.Fatal(err)
	}
	k.froms = []*knownFrom{{section: s}}
	join, err := k.join()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range []manifest.File{
		{Area: manifest.Document, ID: 1, Path: "A"}, {Area: manifest.Document, ID: 1, Path: "a"}, {Area: manifest.Document, ID: 2, Path: "a"},
		{Area: manifest.Document, ID: 3, Path: "b", State: manifest.NoAppointment}, {Area: manifest.Document, ID: 4, Path: "c"},
		{Area: manifest.Attachment, Path: "z"},
	} {
		f.Size, f.MTime = 5, at
		if f.State == "" {
			f.State = manifest.Present
		}
		c, err := join.look(f)
		if err != nil {
			t.Fatal(err)
		}
		f = join.stored(f, c, byTime(f))
		got = append(got, fmt.Sprintf("%s %s %d %s %v", f.Area, f.Path, f.ID, f.State, f.SHA256 == sum(string(f.Area)+f.Path)))
	}
	want := []string{
		"document A 1 present false", "document a 1 stored true", "document a 2 stored true", "document b 3 no-appointment true",
		"document c 4 present false", "attachment z 0 present false",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// steps makes manifests of one site by hand: each step sets the files that there are and packs with some manifests known.
type steps struct {
	*site
	made map[string][]byte
}

func (s *steps) pack(name string, files map[string]string, knows ...string) result {
	s.t.Helper()
	if err := os.RemoveAll(s.root); err != nil {
		s.t.Fatal(err)
	}
	for path, content := range files {
		s.later = time.Duration(len(content)) * time.Hour
		s.put(path, []byte(content))
	}
	var some [][]byte
	for _, k := range knows {
		some = append(some, s.made[k])
	}
	res := s.byKnown(some...)
	s.made[name] = pushed(s.t, res, nil)
	return res
}

// Chunks also hold files that have changed since, and not every manifest that says so is at hand: the order of chunks, and
// what is taken of other manifests than the largest, must not let such a file come out of a stock tar.
func TestWhatOldChunksHide(t *testing.T) {
	p1, p2, p3 := "1", "v2", "v_3"
	cases := map[string]struct {
		before func(s *steps)
		now    map[string]string
		knows  []string
		want   string
	}{
		"an old chunk of the largest manifest": {
			before: func(s *steps) {
				s.pack("m1", map[string]string{"p": p1, "q": "qqqq"})
				s.pack("m2", map[string]string{"p": p2})
				s.pack("m3", map[string]string{"q": "qqqq", "r": "rrrrr"}, "m1")
			},
			now: map[string]string{"p": p2, "q": "qqqq", "r": "rrrrr"}, knows: []string{"m2", "m3"},
			want: "p present;q stored;r stored;",
		},
		"an old chunk of another manifest": {
			before: func(s *steps) {
				s.pack("m0", map[string]string{"p": p1, "r": "rrrrr"})
				s.pack("a0", map[string]string{"x": "xxxxxx"})
				s.pack("a", map[string]string{"p": p3, "x": "xxxxxx"}, "a0")
				s.pack("b", map[string]string{"r": "rrrrr"}, "m0")
			},
			now: map[string]string{"p": p3, "r": "rrrrr", "x": "xxxxxx"}, knows: []string{"a", "b"},
			want: "p stored;r present;x stored;",
		},
		"another manifest has the largest one's chunks in another order": {
			before: func(s *steps) {
				s.pack("m0", map[string]string{"p": p1, "r": "rrrrr"})
				s.pack("m1", map[string]string{"p": p2, "q": "qqqq"})
				s.pack("m2", map[string]string{"p": p2, "q": "qqqq", "r": "rrrrr"}, "m0", "m1")
			},
			now: map[string]string{"p": p2, "q": "qqqq", "r": "rrrrr"}, knows: []string{"m1", "m2"},
			want: "p stored;q stored;r stored;",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := &steps{newSite(t), map[string][]byte{}}
			c.before(s)
			res := s.pack("now", c.now, c.knows...)
			if got := res.states(); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			s.whole(res, haveTar())
		})
	}
}

// Copies of one content that are known from two manifests are no more links to one name than it may have.
func TestKnownLinksOfTwoManifests(t *testing.T) {
	s := newSite(t)
	same := []byte("the same")
	for i := range maxLinks + 1 {
		s.put(fmt.Sprintf("bob/%05d.txt", i), same)
	}
	first := pushed(t, s.pack(2), nil)
	if err := os.Rename(s.root, s.root+".away"); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		s.put(fmt.Sprintf("zoe/%d.txt", i), same)
	}
	second := pushed(t, s.pack(2), nil)
	if err := os.Rename(s.root+".away/bob", s.root+"/bob"); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(s.root, "zoe/0.txt"))
	links := map[string]int{}
	res := s.byKnown(first, second)
	for _, f := range res.files() {
		links[f.Same]++
	}
	if links["bob/00000.txt"] != maxLinks || links["zoe/1.txt"] != 3 {
		t.Errorf("links: %v", links)
	}
	s.whole(res, false)
}
