package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// records lists an area as the scan does, in manifest order.
func (w *world) records(area manifest.Area) []manifest.File {
	w.Helper()
	var list []manifest.File
	if err := New(w.o).Files(w.Context(), area, func(f manifest.File) error { list = append(list, f); return nil }); err != nil {
		w.Fatal(err)
	}
	return list
}

// again looks again for records, and gives a line for each that changes.
func (w *world) again(area manifest.Area, list []manifest.File) ([]string, Seen) {
	w.Helper()
	lines, seen, err := w.tryAgain(area, list)
	if err != nil {
		w.Fatal(err)
	}
	return lines, seen
}

func (w *world) tryAgain(area manifest.Area, list []manifest.File) (lines []string, seen Seen, err error) {
	o := w.o
	o.Reader = nil // no database is asked
	earlier := func(yield func(manifest.File) error) error {
		for _, f := range list {
			if err := yield(f); err != nil {
				return err
			}
		}
		return nil
	}
	var last []byte
	seen, err = New(o).Again(w.Context(), area, []string{"bob", "ANN", "fred"}, earlier, func(was, is manifest.File) error {
		key := manifest.FileKey(nil, was.Path, was.ID)
		if slices.Compare(last, key) > 0 {
			w.Errorf("%q comes behind %q", key, last)
		}
		last = key
		lines = append(lines, tell(is))
		return nil
	})
	return lines, seen, err
}

// tell is a record on a line.
func tell(f manifest.File) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", cmp.Or(f.Path, "-"), f.State)
	for _, x := range []struct{ name, value string }{
		{"disk", f.Disk}, {"reason", f.Reason}, {"also", f.Also}, {"candidates", strings.Join(f.Candidates, ",")},
	} {
		if x.value != "" {
			fmt.Fprintf(&b, " %s=%s", x.name, x.value)
		}
	}
	if f.ID != 0 {
		fmt.Fprintf(&b, " id=%d", f.ID)
	}
	if f.Size != 0 {
		fmt.Fprintf(&b, " size=%d", f.Size)
	}
	if f.Root != 0 {
		fmt.Fprintf(&b, " root=%d", f.Root)
	}
	if f.Raw {
		b.WriteString(" raw")
	}
	if !f.Chunk.IsZero() || !f.SHA256.IsZero() || f.Same != "" {
		b.WriteString(" STORED")
	}
	return b.String()
}

// pack makes stored records of those whose file is there.
func pack(list []manifest.File) []manifest.File {
	list = slices.Clone(list)
	for n := range list {
		switch f := &list[n]; f.State {
		case manifest.Present, manifest.NoAppointment, manifest.NoAssociate:
			f.SHA256, f.Chunk, f.Offset = manifest.Digest{1}, manifest.Digest{2}, 512
		}
	}
	return list
}

func (w *world) wantAgain(got, want []string) {
	w.Helper()
	if d := gocmp.Diff(want, got); d != "" {
		w.Error(d)
	}
}

// What was missing is found at its place in any root, at the other side of a period's boundary and in any letter case;
// what is stored and was written on is told; nothing else is.
func TestAgainDocuments(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc", "arc2")
	w.files("arc/bob/2002.1/stored.txt", "arc/bob/2002.1/edited.txt", "arc/bob/2002.1/touched.txt", "arc/bob/2002.1/gone.txt",
		"arc/bob/2002.1/nobody's.txt", "arc2/ANN/x.txt", "arc/else/2002.1/elsewhere.txt")
	boundary := doc(8, "bob", "boundary.txt")
	boundary.Registered = time.Date(2002, 7, 31, 20, 0, 0, 0, time.UTC)
	moved := boundary
	moved.ID, moved.Name = 13, "moved.txt"
	w.files("arc/bob/2002.1/moved.txt")
	lone := doc(9, "bob", "lone.txt")
	lone.HasAppointment = false
	outside := doc(10, "bob", `..\x.txt`)
	w.docs(doc(1, "bob", "stored.txt"), doc(2, "bob", "edited.txt"), doc(3, "bob", "touched.txt"), doc(4, "bob", "gone.txt"),
		doc(5, "bob", "cased.txt"), doc(6, "bob", "other root.txt"), doc(7, "bob", "elsewhere.txt"), boundary, lone, outside,
		doc(11, "fred", "renamed folder.txt"), doc(12, "bob", "never.txt"), moved)
	list := pack(w.records(manifest.Document))

	got, seen := w.again(manifest.Document, list)
	w.wantAgain(got, []string{
		"bob/2002.1/boundary.txt missing also=bob/2002.2/boundary.txt id=8",
		"bob/2002.1/cased.txt missing id=5",
		"bob/2002.1/elsewhere.txt missing candidates=else/2002.1/elsewhere.txt id=7",
		"bob/2002.1/lone.txt missing reason=no-appointment id=9",
		"bob/2002.1/never.txt missing id=12",
		"bob/2002.1/other root.txt missing id=6",
		"fred/2002.1/renamed folder.txt missing id=11",
	})
	if want := (Seen{Sought: 7, Stored: 5, Same: 5}); seen != want {
		t.Errorf("saw %+v, want %+v", seen, want)
	}

	w.files("arc/BOB/2002.1/Cased.TXT ", "arc2/bob/2002.1/other root.txt", "arc/bob/2002.2/boundary.txt", "arc/bob/2002.1/lone.txt",
		"arc/frederic/2002.1/renamed folder.txt", "arc2/bob/2001.2/never.txt")
	w.o.Installation.Folders = []string{"fred=frederic"}
	at := func(name string) string { return filepath.Join(w.dir, "arc/bob/2002.1", name) }
	for _, err := range []error{
		os.WriteFile(at("edited.txt"), []byte("longer than it was"), 0o644),
		os.Chtimes(at("touched.txt"), time.Unix(1, 0), time.Unix(1, 0)), os.Remove(at("gone.txt")),
		os.Remove(at("moved.txt")), os.WriteFile(at("../2002.2/moved.txt"), []byte("moved and changed"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got, seen = w.again(manifest.Document, list)
	w.wantAgain(got, []string{
		"bob/2002.2/boundary.txt present also=bob/2002.1/boundary.txt id=8 size=27",
		"bob/2002.1/cased.txt present disk=BOB/2002.1/Cased.TXT  id=5 size=25",
		"bob/2002.1/edited.txt present id=2 size=18",
		"bob/2002.1/elsewhere.txt missing candidates=else/2002.1/elsewhere.txt id=7",
		"bob/2002.1/lone.txt no-appointment id=9 size=23",
		"bob/2002.1/moved.txt present disk=bob/2002.2/moved.txt also=bob/2002.2/moved.txt id=13 size=17",
		"bob/2002.1/never.txt missing candidates=bob/2001.2/never.txt id=12",
		"bob/2002.1/other root.txt present id=6 size=30 root=1",
		"bob/2002.1/touched.txt present id=3 size=26",
		"fred/2002.1/renamed folder.txt present disk=frederic/2002.1/renamed folder.txt id=11 size=38",
	})
	if want := (Seen{Sought: 7, Found: 5, Stored: 5, Same: 1, Other: 3, Gone: 1}); seen != want {
		t.Errorf("saw %+v, want %+v", seen, want)
	}
}

// A file that cannot be read is told of where it was missing, and is no reason to touch what is stored.
func TestAgainUnreadable(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.files("arc/bob/2002.1/stored.txt", "arc/bob/2002.1/shut.txt", "arc/ANN/2002.1/x.txt")
	w.docs(doc(1, "bob", "stored.txt"), doc(2, "bob", "missing.txt"), doc(3, "ANN", "x.txt"), doc(4, "ANN", "y.txt"))
	list := pack(w.records(manifest.Document))
	dir := filepath.Join(w.dir, "arc", "bob", "2002.1")
	for _, name := range []string{"stored.txt", "missing.txt"} {
		os.Remove(filepath.Join(dir, name))
		if err := os.Symlink(filepath.Join(dir, "shut.txt"), filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	got, seen := w.again(manifest.Document, list)
	w.wantAgain(got, []string{
		"ANN/2002.1/y.txt missing id=4",
		"bob/2002.1/missing.txt unreadable reason=link id=2",
	})
	if want := (Seen{Sought: 2, Stored: 2, Same: 1, Shut: 1}); seen != want {
		t.Errorf("saw %+v, want %+v", seen, want)
	}
}

// A root that is gone or empty ends it: that all its files are missing is not what it means.
func TestAgainRoots(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc", "arc2")
	w.files("arc/bob/2002.1/a.txt", "arc2/bob/2002.1/b.txt")
	w.docs(doc(1, "bob", "a.txt"), doc(2, "bob", "b.txt"))
	list := pack(w.records(manifest.Document))
	if err := os.RemoveAll(filepath.Join(w.dir, "arc2", "bob")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.tryAgain(manifest.Document, list); !errors.Is(err, archive.ErrEmptyRoot) || manifest.StatusOf(err) != manifest.Failed {
		t.Errorf("an empty root: %v", err)
	}
	if err := os.RemoveAll(filepath.Join(w.dir, "arc2")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.tryAgain(manifest.Document, list); err == nil || manifest.StatusOf(err) != manifest.Failed || !strings.Contains(manifest.HintOf(err), "share") {
		t.Errorf("a root that is gone: %v", err)
	}
	// Fewer roots than the manifest has: what lay in the others is gone, and stays stored.
	w.o.Installation.Roots["document"] = w.o.Installation.Roots["document"][:1]
	got, seen := w.again(manifest.Document, list)
	if want := (Seen{Stored: 2, Same: 1, Gone: 1}); seen != want || len(got) > 0 {
		t.Errorf("saw %+v, want %+v: %q", seen, want, got)
	}
	w.o.Installation.Roots["document"] = nil
	if _, _, err := w.tryAgain(manifest.Document, list); manifest.StatusOf(err) != manifest.Usage {
		t.Errorf("without a folder: %v", err)
	}
	w.o.Installation.Roots["document"] = []string{filepath.Join(w.dir, "arc")}
	w.o.Installation.Folders = []string{"nobody=x"}
	if _, _, err := w.tryAgain(manifest.Document, list); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "nobody has the login") {
		t.Errorf("a folder of nobody: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	earlier := func(func(manifest.File) error) error { return nil }
	w.o.Installation.Folders = nil
	if _, err := New(w.o).Again(ctx, manifest.Document, nil, earlier, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// Names that are not Unicode keep their form.
func TestAgainRaw(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Service, "cs")
	name := filepath.Join(w.dir, "cs", "bl\xe5 100%.eml")
	if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
		t.Skip("the file system takes Unicode alone")
	}
	list := pack(w.records(manifest.Service))
	if len(list) != 1 || !list[0].Raw {
		t.Skipf("the file system changed the name: %v", list)
	}
	if got, seen := w.again(manifest.Service, list); len(got) > 0 || seen.Same != 1 {
		t.Errorf("%q, %+v", got, seen)
	}
	if err := os.WriteFile(name, []byte("longer"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, _ := w.again(manifest.Service, list)
	w.wantAgain(got, []string{"bl%E5 100%25.eml present size=6 raw"})
}

// The files of Service have no rows: the base's are looked at, each in its own folder, and new ones are not added.
func TestAgainService(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Service, "cs", "", "text")
	w.files("cs/a.txt", "text/a.txt", "text/b.txt")
	list := pack(w.records(manifest.Service))
	for n := range list { // as if one could not be read
		if list[n].Path == "text/b.txt" {
			list[n].State, list[n].Reason, list[n].Chunk, list[n].SHA256, list[n].Offset = manifest.Unreadable, "locked", manifest.Digest{}, manifest.Digest{}, 0
		}
	}
	w.files("cs/new.txt")
	if err := os.WriteFile(filepath.Join(w.dir, "text/a.txt"), []byte("changed"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, seen := w.again(manifest.Service, list)
	w.wantAgain(got, []string{
		"text/a.txt present disk=a.txt size=7 root=2",
		"text/b.txt present disk=b.txt size=10 root=2",
	})
	if want := (Seen{Sought: 1, Found: 1, Stored: 2, Same: 1, Other: 1}); seen != want {
		t.Errorf("saw %+v, want %+v", seen, want)
	}
}

// A template may lie in several folders of languages; each is a record, as the scan would have made it.
func TestAgainTemplates(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Template, "tpl")
	w.files("tpl/there.docx", "tpl/other/named.docx")
	w.fake.templates = []source.Tmpl{{ID: 1, File: "there.docx"}, {ID: 2, File: "letter.docx"}, {ID: 3, File: "top.docx", Deleted: true}, {ID: 4, File: "named.docx"}}
	list := pack(w.records(manifest.Template))
	w.files("tpl/NO/letter.docx", "tpl/US/Letter.docx", "tpl/top.docx", "tpl/Travel/x.db")
	got, seen := w.again(manifest.Template, list)
	w.wantAgain(got, []string{
		"NO/letter.docx present id=2 size=18",
		"US/Letter.docx present id=2 size=18",
		"named.docx missing candidates=other/named.docx id=4",
		"top.docx present id=3 size=12",
	})
	if want := (Seen{Sought: 3, Found: 2, Stored: 1, Same: 1}); seen != want {
		t.Errorf("saw %+v, want %+v", seen, want)
	}
}

// An attachment's file is known by the number in its name, in its row's location; one of another location is a candidate.
func TestAgainAttachments(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Attachment, "att", "att2")
	w.files("att/1", "att2/0/2", "att/5")
	w.fake.locations = []source.Location{{ID: 1}, {ID: 2}}
	w.fake.attached = []source.Attached{{ID: 1, Location: 1}, {ID: 2, Location: 2}, {ID: 3, Location: 1}, {ID: 4, Location: 2}, {ID: 6, Location: 2}, {ID: 5, Location: 1}}
	list := pack(w.records(manifest.Attachment))
	w.files("att/3_letter.txt", "att/4", "att2/0/6", "att/6", "att2/7")
	got, seen := w.again(manifest.Attachment, list)
	w.wantAgain(got, []string{
		"3_letter.txt present id=3 size=16",
		"- missing candidates=4 id=4 root=1",
		"0/6 present id=6 size=8 root=1",
	})
	if want := (Seen{Sought: 3, Found: 2, Stored: 3, Same: 3}); seen != want {
		t.Errorf("saw %+v, want %+v", seen, want)
	}
	list[len(list)-1].Reason = "naming"
	if got, _ := w.again(manifest.Attachment, list); strings.Contains(strings.Join(got, "\n"), fmt.Sprint("id=", list[len(list)-1].ID)) {
		t.Errorf("a row whose naming was not recognised is matched: %q", got)
	}
}
