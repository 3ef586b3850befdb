package restore

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

// earlier is a migration with a chunk of an earlier one, of which one file has changed since, one is gone, and one is left
// that was a copy of the one that changed.
func earlier(t *testing.T) (*store, *draft) {
	s := newStore(t)
	d := s.draft()
	d.pack(manifest.Document, item{path: "a.doc", content: "old"}, item{path: "b.doc", same: "a.doc"},
		item{path: "gone.doc", content: "gone"}, item{path: "stays.doc", content: "stays"})
	was := d.areas[manifest.Document]
	d.areas = map[manifest.Area][]manifest.Record{}
	d.pack(manifest.Document, item{path: "a.doc", content: "new!"})
	now := d.areas[manifest.Document]
	stored := func(i int) manifest.File {
		f := was[i].(manifest.File)
		f.State = manifest.Stored
		return f
	}
	d.areas[manifest.Document] = []manifest.Record{was[0], now[0], now[1], stored(2), stored(4)}
	return s, d
}

// A chunk that holds more than the manifest refers to is no problem, and gives what the records say.
func TestChunksThatHoldMore(t *testing.T) {
	_, d := earlier(t)
	m := d.commit()
	for _, depth := range []Depth{Names, Hash, Content} {
		p, problems := verify(t, m, VerifyOptions{Depth: depth})
		if len(problems) > 0 || p.Chunks != 2 || depth == Content && p.Files != 3 {
			t.Errorf("%s: %+v %q", depth, p, problems)
		}
	}
	o := options(t)
	o.Files = filepath.Join(t.TempDir(), "out")
	u, err := Unpack(t.Context(), m, o)
	check(t, err)
	want := map[string]string{"document/a.doc": "new!", "document/b.doc": "old", "document/stays.doc": "stays"}
	if d := cmp.Diff(want, tree(t, o.Files)); d != "" || u.Files != 3 {
		t.Errorf("%+v (-want +got):\n%s", u, d)
	}
	var names bytes.Buffer
	check(t, List(t.Context(), m, true, &names))
	if got := names.String(); got != "document/a.doc\ndocument/b.doc\ndocument/stays.doc\n" {
		t.Errorf("names %q", got)
	}
}

// What is in such a chunk and is not referred to is still proved as a part of it.
func TestDamageBesideWhatIsMeant(t *testing.T) {
	s, d := earlier(t)
	m := d.commit()
	flipMiddle(t, s.file(d.areas[manifest.Document][0].(manifest.Chunk)))
	if _, problems := verify(t, m, VerifyOptions{Depth: Content}); len(problems) != 1 {
		t.Errorf("problems %q", problems)
	}
}
