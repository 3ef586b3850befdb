package restore

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/tenant"
)

// verify proves a migration and gives the problems in words. An error that is not about them fails the test.
func verify(t testing.TB, m Migration, o VerifyOptions) (Proof, []string) {
	t.Helper()
	var problems []string
	o.Temp, o.Progress, o.Problem = t.TempDir(), progress.None{}, func(err error) { problems = append(problems, err.Error()) }
	if o.Workers == 0 {
		o.Workers = 3
	}
	p, err := Verify(t.Context(), m, o)
	if (err != nil) != (len(problems) > 0) || err != nil && manifest.StatusOf(err) != manifest.Failed || p.Problems != len(problems) {
		t.Errorf("%v with the problems %q (%+v)", err, problems, p)
	}
	if left, _ := os.ReadDir(o.Temp); len(left) > 0 {
		t.Errorf("left in the folder for temporary files: %v", left)
	}
	first := problems
	if len(first) > maxFirst {
		first = first[:maxFirst]
	}
	if !slices.Equal(p.First, first) || p.Runs == 0 && err == nil {
		t.Errorf("the proof keeps %q of %q, and has %d runs", p.First, problems, p.Runs)
	}
	return p, problems
}

func TestVerify(t *testing.T) {
	s, d := sample(t)
	m := d.commit()
	var size int64
	chunks := 0
	for _, r := range append(append(slices.Clone(d.tables), d.areas[manifest.Template]...), append(d.areas[manifest.Document], d.areas[manifest.Service]...)...) {
		if k, ok := r.(manifest.Chunk); ok {
			size += k.Bytes
			chunks++
		}
	}
	for depth, want := range map[Depth]Proof{
		Names:   {Chunks: chunks, Bytes: size},
		Hash:    {Chunks: chunks, Bytes: size, Read: chunks, BytesRead: size},
		Content: {Chunks: chunks, Bytes: size, Read: chunks, BytesRead: size, Files: 8, Rows: 12},
	} {
		want.Runs, want.Finished = 1, true
		if p, problems := verify(t, m, VerifyOptions{Depth: depth}); len(problems) > 0 || !cmp.Equal(p, want) {
			t.Errorf("%s: %+v, want %+v: %q", depth, p, want, problems)
		}
	}
	// What nothing refers to is of no concern.
	s.put(manifest.Chunk{SHA256: manifest.Digest{9}, Type: manifest.ChunkTar}, []byte("other"))
	if p, problems := verify(t, m, VerifyOptions{Depth: Content}); len(problems) > 0 || p.Chunks != chunks {
		t.Errorf("%+v: %q", p, problems)
	}
}

// Every kind of damage is found at the depth that promises it, is told once, and does not hide what comes behind it.
func TestVerifyFindsDamage(t *testing.T) {
	cases := map[string]struct {
		damage func(t *testing.T, name string)
		names  bool // found by names and sizes alone
	}{
		"gone":    {func(t *testing.T, name string) { check(t, os.Remove(name)) }, true},
		"cut":     {func(t *testing.T, name string) { check(t, os.Truncate(name, 20)) }, true},
		"flipped": {flipMiddle, false},
	}
	kinds := map[string]func(k manifest.Chunk) bool{
		"part":    func(k manifest.Chunk) bool { return k.Table == "email" },
		"content": func(k manifest.Chunk) bool { return k.Area == manifest.Service },
		"links":   func(k manifest.Chunk) bool { return k.Role == manifest.RoleLinks },
	}
	for what, c := range cases {
		for kind, is := range kinds {
			s, d := sample(t)
			m := d.commit()
			var bad manifest.Chunk
			for _, r := range slices.Concat(d.tables, d.areas[manifest.Document], d.areas[manifest.Service]) {
				if k, ok := r.(manifest.Chunk); ok && is(k) {
					bad = k
				}
			}
			c.damage(t, s.file(bad))
			for _, depth := range []Depth{Names, Hash, Content} {
				_, problems := verify(t, m, VerifyOptions{Depth: depth})
				found := len(problems) == 1 && strings.Contains(problems[0], bad.SHA256.String())
				if should := depth != Names || c.names; found != should || !should && len(problems) > 0 {
					t.Errorf("%s %s, depth %s: %q", kind, what, depth, problems)
				}
			}
		}
	}
}

func flipMiddle(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(name)
	check(t, err)
	b[len(b)/2] ^= 1
	check(t, os.WriteFile(name, b, 0o644))
}

// A manifest that says other things than its chunks hold is found out by content, though all bytes are as they were.
func TestVerifyFindsLies(t *testing.T) {
	edit := func(d *draft, area manifest.Area, path string, fn func(f *manifest.File)) {
		for i, r := range d.areas[area] {
			if f, ok := r.(manifest.File); ok && f.Path == path {
				fn(&f)
				d.areas[area][i] = f
			}
		}
	}
	cases := map[string]struct {
		lie func(d *draft)
		say string
	}{
		"another name": {func(d *draft) { edit(d, manifest.Template, "a.dotx", func(f *manifest.File) { f.Path = "b.dotx" }) }, "but not its name"},
		"another digest": {func(d *draft) {
			edit(d, manifest.Document, "bob/2002.2/long.doc", func(f *manifest.File) { f.SHA256[0] ^= 1 })
		}, "the manifest says"},
		"another size": {func(d *draft) { edit(d, manifest.Document, "zoe/2011.1/copy.doc", func(f *manifest.File) { f.Size++ }) }, "the manifest says"},
		"rows of a part": {func(d *draft) {
			k := d.tables[1].(manifest.Chunk)
			k.Rows++
			d.tables[1] = k
		}, "part"},
		"rows of a table": {func(d *draft) {
			x := d.tables[0].(manifest.Table)
			x.Rows++
			d.tables[0] = x
		}, `table "associate": its parts have 9 rows, and its record says 10`},
		"a table without parts": {func(d *draft) { d.tables = slices.Delete(d.tables, 4, 5) }, `table "email": its parts have 0 rows, and its record says 3`},
		"content of a part": {func(d *draft) {
			k := d.tables[1].(manifest.Chunk)
			sum := *k.Content
			sum[0] ^= 1
			k.Content = &sum
			d.tables[1] = k
		}, "part"},
	}
	for what, c := range cases {
		_, d := sample(t)
		c.lie(d)
		_, problems := verify(t, d.commit(), VerifyOptions{Depth: Content})
		if len(problems) == 0 || !strings.Contains(strings.Join(problems, "\n"), c.say) {
			t.Errorf("%s: %q", what, problems)
		}
	}
	// A part that goes ahead lists tables that it does not hold.
	_, d := sample(t)
	d.phase = "preseed"
	d.tables = slices.DeleteFunc(d.tables, func(r manifest.Record) bool { _, ok := r.(manifest.Chunk); return ok })
	if _, problems := verify(t, d.commit(), VerifyOptions{Depth: Content}); len(problems) > 0 {
		t.Errorf("tables without contents: %q", problems)
	}
}

func TestVerifySample(t *testing.T) {
	s := newStore(t)
	d := s.draft()
	for i := range 60 {
		d.pack(manifest.Document, item{path: string(rune('a'+i/26)) + string(rune('a'+i%26)), content: strings.Repeat("x", i)})
	}
	m := d.commit()
	first, _ := verify(t, m, VerifyOptions{Depth: Hash, Sample: 0.25})
	if first.Read < 5 || first.Read > 30 || first.Chunks != 60 {
		t.Errorf("a quarter of 60 chunks are %+v", first)
	}
	if again, _ := verify(t, m, VerifyOptions{Depth: Hash, Sample: 0.25, Workers: 1}); !cmp.Equal(again, first) {
		t.Errorf("the same share read %+v, then %+v", first, again)
	}
	if p, _ := verify(t, m, VerifyOptions{Depth: Content, Sample: 0.25}); p.Read != first.Read || int(p.Files) != first.Read {
		t.Errorf("by content a quarter are %+v", p)
	}
	for _, share := range []float64{0, 1} {
		if p, _ := verify(t, m, VerifyOptions{Depth: Hash, Sample: share}); p.Read != 60 {
			t.Errorf("with the share %v it read %d", share, p.Read)
		}
	}
}

func TestVerifyInterrupted(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	faulty := destinationtest.NewFaulty(t, d.s.d, destinationtest.Fault{Op: destinationtest.OpOpen, Call: 3, Stall: true})
	ctx := faulty.UntilFired(t)
	var problems int
	_, err := Verify(ctx, m.over(faulty), VerifyOptions{Depth: Hash, Workers: 2, Temp: t.TempDir(), Progress: progress.None{}, Problem: func(error) { problems++ }})
	if !errors.Is(err, context.Canceled) || problems > 0 {
		t.Errorf("got %v and %d problems", err, problems)
	}
}

func TestDamagedManifest(t *testing.T) {
	s, d := sample(t)
	m := d.commit()
	name := filepath.Join(s.path, "migrations", idA, "000001", "manifest.jsonl.zst")
	good, err := os.ReadFile(name)
	check(t, err)
	for i := 0; i < len(good); i += 11 {
		b := slices.Clone(good)
		b[i] ^= 16
		check(t, os.WriteFile(name, b, 0o644))
		if _, err := Verify(t.Context(), m, VerifyOptions{Depth: Names, Temp: t.TempDir(), Progress: progress.None{}, Problem: func(error) {}}); manifest.StatusOf(err) != manifest.Failed {
			t.Fatalf("byte %d: verify: %v", i, err)
		}
		if err := List(t.Context(), m, true, new(bytes.Buffer)); manifest.StatusOf(err) != manifest.Failed {
			t.Fatalf("byte %d: list: %v", i, err)
		}
		o := options(t)
		o.DB = &loader{}
		if _, err := Unpack(t.Context(), m, o); manifest.StatusOf(err) != manifest.Failed || o.DB.(*loader).begun != "" {
			t.Fatalf("byte %d: unpack: %v", i, err)
		}
	}
}

// A manifest whose digest is right may still be nonsense.
func TestNonsense(t *testing.T) {
	cases := map[string]struct {
		change func(d *draft)
		say    string
	}{
		"a chunk of no type": {func(d *draft) {
			k := d.areas[manifest.Template][0].(manifest.Chunk)
			k.Type = "exe"
			d.areas[manifest.Template][0] = k
		}, "the stored manifest of revision 1"},
		"a chunk of size below zero": {func(d *draft) {
			k := d.areas[manifest.Template][0].(manifest.Chunk)
			k.Bytes = -1
			d.areas[manifest.Template][0] = k
		}, "the stored manifest of revision 1"},
	}
	for what, c := range cases {
		_, d := sample(t)
		c.change(d)
		_, err := Unpack(t.Context(), d.commit(), options(t))
		if err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestList(t *testing.T) {
	_, d := sample(t)
	d.areas[manifest.Attachment] = append([]manifest.Record{
		manifest.File{Area: manifest.Attachment, ID: 8, Path: "odd\nname\t\\", Size: 3, State: manifest.NoRow},
	}, d.areas[manifest.Attachment]...)
	twice := d.areas[manifest.Template][1].(manifest.File)
	twice.ID = 77 // another row that names the same file
	d.areas[manifest.Template] = append(d.areas[manifest.Template], twice)
	m := d.commit()
	var all, names bytes.Buffer
	check(t, List(t.Context(), m, false, &all))
	check(t, List(t.Context(), m, true, &names))
	want := "table\t9\tassociate\ntable\t3\temail\ntable\t0\tnothing\n" +
		"template\tpresent\t2700\ta.dotx\ntemplate\tpresent\t2700\ta.dotx\n" +
		"document\tpresent\t0\tbob/2002.1/empty.txt\ndocument\tpresent\t9\tbob/2002.1/first.doc\ndocument\tpresent\t5000\tbob/2002.2/long.doc\n" +
		"document\tpresent\t6\terik/2003.1/same.doc\ndocument\tpresent\t6\tzoe/2011.1/copy.doc\ndocument\tpresent\t6\tåse/2015.2/copy.doc\n" +
		"service\tpresent\t3\ttext/bl%E5 100%25.eml\n" +
		"attachment\tno-row\t3\todd\\nname\\t\\\\\nattachment\tmissing\t0\t\n"
	if diff := cmp.Diff(want, all.String()); diff != "" {
		t.Error(diff)
	}
	want = "template/a.dotx\ndocument/bob/2002.1/empty.txt\ndocument/bob/2002.1/first.doc\ndocument/bob/2002.2/long.doc\n" +
		"document/erik/2003.1/same.doc\ndocument/zoe/2011.1/copy.doc\ndocument/åse/2015.2/copy.doc\nservice/text/bl%E5 100%25.eml\n"
	if diff := cmp.Diff(want, names.String()); diff != "" {
		t.Error(diff)
	}
}

// committed commits a draft's manifest as a push does, with state.
func (d *draft) committed(input byte) {
	t := d.s.t
	t.Helper()
	b, own := d.build()
	ten := tenant.Open(d.s.d)
	c := tenant.Claim{ID: d.id, Phase: tenant.Phase(d.phase), Migration: "test", Company: "Kalles", Serial: "18",
		Input: manifest.Digest{input}, Manifest: own.Manifest, Spool: "s", Tool: "omt-push", At: manifest.At(at)}
	c, err := ten.Begin(t.Context(), c)
	check(t, err)
	name := filepath.Join(d.s.path, filepath.FromSlash(c.ManifestName()))
	check(t, os.MkdirAll(filepath.Dir(name), 0o755))
	check(t, os.WriteFile(name, b, 0o644))
	own.Revision, own.Mode, own.Input, own.Tool, own.At = c.Revision, "initial", c.Input, "omt-push", manifest.At(at)
	_, err = ten.Commit(t.Context(), c, own, func(context.Context) error { return nil })
	check(t, err)
}

func TestFind(t *testing.T) {
	s, d := sample(t)
	find := func(id string) (string, error) {
		m, err := Find(t.Context(), s.d, id)
		if err != nil {
			return "", err
		}
		return string(m.Commit.Phase) + " " + m.Revision(), nil
	}
	wantError := func(id string, status manifest.Status) {
		t.Helper()
		if got, err := find(id); manifest.StatusOf(err) != status {
			t.Errorf("%q: %q, %v", id, got, err)
		}
	}
	wantFound := func(id, want string) {
		t.Helper()
		if got, err := find(id); got != want {
			t.Errorf("%q: %q, %v; want %q", id, got, err, want)
		}
	}
	wantError("", manifest.Refused)
	wantError(idA, manifest.Refused)
	wantError("../..", manifest.Usage)
	seed := s.draft()
	seed.id, seed.phase = idB, "preseed"
	seed.committed(1)
	wantError("", manifest.Refused)
	wantFound(idB, "preseed "+idB+"/000001")
	d.committed(2)
	wantFound("", "full "+idA+"/000001")
	d.committed(3)
	wantFound("", "full "+idA+"/000002")
	wantFound(idA, "full "+idA+"/000002")
	check(t, os.WriteFile(filepath.Join(s.path, "migrations", idA, "000002", "commit.json"), []byte("{}\n"), 0o644))
	wantError(idA, manifest.Failed)
	list, err := filepath.Glob(filepath.Join(s.path, "state", "*"))
	check(t, err)
	check(t, os.WriteFile(list[len(list)-1], []byte("{}\n"), 0o644))
	wantError("", manifest.Failed)
	// What is listed and cannot be read is not "nothing is there".
	broken := destinationtest.NewFaulty(t, s.d, destinationtest.Fault{Op: destinationtest.OpList, Call: 1, Err: destination.ErrDenied})
	if _, err := Find(t.Context(), broken, ""); !errors.Is(err, destination.ErrDenied) {
		t.Errorf("got %v", err)
	}
}
