package inventory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestDocumentStates(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.files(
		"arc/bob/2002.1/present.txt", "arc/bob/2002.1/no appointment.txt", "arc/bob/2002.1/no associate.txt",
		"arc/bob/mail.htm", "arc/bob/letters.sxf", "arc/bob/2002.1/orphan.txt", "arc/bob/2002.1/old/orphan.txt",
		"arc/bob/2002.1/~$present.txt", "arc/bob/2002.1/x.TMP", "arc/bob/Thumbs.db", "arc/desktop.ini", "arc/bob/2002.1/wanted.tmp",
		"arc/S1/a.UP", "arc/s12/b.DWN", "arc/Data/so_log.txt", "arc/TEMPLATE/US/x.dotx", "arc/Template/Travel/AREA0.DB",
		"arc/Wishlist/w", "arc/Script/s", "arc/Travel/t", "arc/fred/2001.2/gone.doc", "arc/top.txt", "arc/S/not a system folder.txt",
	)
	row := func(id int64, name string, change func(*source.Doc)) source.Doc {
		d := doc(id, "bob", name)
		d.Title = fmt.Sprintf("Title %d", id)
		change(&d)
		return d
	}
	w.docs(
		row(1, "present.txt", func(*source.Doc) {}),
		row(2, "missing.txt", func(*source.Doc) {}),
		row(3, " ", func(*source.Doc) {}),
		row(4, "elsewhere.txt", func(d *source.Doc) { d.Provider = 5 }),
		row(5, "", func(d *source.Doc) { d.Provider = 5 }),
		row(6, "no appointment.txt", func(d *source.Doc) { d.HasAppointment = false }),
		row(7, "no associate.txt", func(d *source.Doc) { d.HasAssociate = false }),
		row(8, "missing too.txt", func(d *source.Doc) { d.HasAppointment = false }),
		row(9, "missing also.txt", func(d *source.Doc) { d.HasAssociate = false }),
		row(10, "author.txt", func(d *source.Doc) { d.AuthorLogin = "" }),
		row(11, `..\..\secret.txt`, func(*source.Doc) {}),
		row(12, "/etc/passwd", func(*source.Doc) {}),
		row(13, "wanted.tmp", func(*source.Doc) {}),
		row(14, "present.txt", func(*source.Doc) {}),
		row(15, "gone.doc", func(d *source.Doc) {
			d.AuthorLogin, d.Registered = "fred", time.Date(2001, 12, 1, 0, 0, 0, 0, time.UTC)
		}),
		row(16, "x.txt", func(d *source.Doc) { d.AuthorLogin = ".." }),
		row(17, "bad\xff.txt", func(*source.Doc) {}),
	)
	i := w.want(manifest.Document,
		"S/not a system folder.txt no-row",
		"bob/2002.1/missing also.txt missing id=9 reason=no-associate owner=bob",
		"bob/2002.1/missing too.txt missing id=8 reason=no-appointment owner=bob",
		"bob/2002.1/missing.txt missing id=2 owner=bob",
		"bob/2002.1/no appointment.txt no-appointment id=6 owner=bob",
		"bob/2002.1/no associate.txt no-associate id=7 owner=bob",
		"bob/2002.1/old/orphan.txt no-row owner=bob",
		"bob/2002.1/orphan.txt no-row owner=bob",
		"bob/2002.1/present.txt present id=1 owner=bob",
		"bob/2002.1/present.txt present id=14 owner=bob",
		"bob/2002.1/wanted.tmp present id=13 owner=bob",
		"bob/letters.sxf no-row owner=bob",
		"bob/mail.htm no-row owner=bob",
		"fred/2001.2/gone.doc present id=15 owner=fred",
		"top.txt no-row",
		"- blank-name id=3 owner=bob",
		"- elsewhere id=4 reason=provider 5 owner=bob",
		"- elsewhere id=5 reason=provider 5 owner=bob",
		"- no-associate id=10 reason=author",
		"- missing id=11 reason=outside owner=bob",
		"- missing id=12 reason=outside owner=bob",
		"- missing id=16 reason=outside owner=..",
		"- missing id=17 reason=outside owner=bob",
	)
	w.wantFindings(i,
		"folder-owner warning [folder:S]: folder \"S\" (1 files) belongs to no user, and no missing document has its file there",
	)
	files, _ := w.list(New(w.o), manifest.Document)
	n := slices.IndexFunc(files, func(f manifest.File) bool { return f.ID == 1 })
	info, err := os.Stat(filepath.Join(w.dir, "arc/bob/2002.1/present.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if f := files[n]; f.Size != info.Size() || !f.MTime.Equal(info.ModTime()) || f.Title != "Title 1" {
		t.Errorf("record %+v does not say size %d, time %v and title", f, info.Size(), info.ModTime())
	}
}

func TestDocumentNames(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	long := strings.Repeat("y", 196) + ".pdf"
	nfd := norm.NFD.String("Tilbud Åse é.doc")
	w.files("arc/BOB/2002.1/MY FILE.TXT", "arc/BOB/2002.1/brød og æble.DOC", "arc/BOB/2002.1/文書.docx", "arc/BOB/2002.1/😀 O'Neil.msg",
		"arc/BOB/2002.1/"+long, "arc/BOB/2002.1/"+nfd, "arc/BOB/2002.1/dots", "arc/"+norm.NFD.String("åse")+"/2002.1/x",
		"arc/BOB/2002.1/br\xf8d.txt", "arc/BOB/2002.1/50%.txt", "arc/ANN/2002.1/Both.txt", "arc/ANN/2002.1/both.txt")
	w.docs(doc(1, "bob", "my file.txt"), doc(2, "bob", "Brød og Æble.doc"), doc(3, "bob", "文書.docx"), doc(4, "bob", "😀 O'Neil.msg"),
		doc(5, "bob", long), doc(6, "bob", norm.NFC.String(nfd)), doc(7, "bob", "dots. ."), doc(8, "Åse", "x"), doc(9, "bob", "brød.txt"),
		doc(10, "bob", "50%.txt"), doc(11, "bob", "br%F8d.txt"), doc(12, "ANN", "both.txt"), doc(13, "ann", "BOTH.TXT"))
	w.want(manifest.Document,
		"ANN/2002.1/both.txt present id=12 owner=ANN",
		"BOB/2002.1/br%F8d.txt no-row owner=bob raw",
		"ann/2002.1/BOTH.TXT present id=13 disk=ANN/2002.1/Both.txt owner=ann",
		"bob/2002.1/50%.txt present id=10 disk=BOB/2002.1/50%.txt owner=bob",
		"bob/2002.1/Brød og Æble.doc present id=2 disk=BOB/2002.1/brød og æble.DOC owner=bob",
		"bob/2002.1/"+norm.NFC.String(nfd)+" present id=6 disk=BOB/2002.1/"+nfd+" owner=bob",
		"bob/2002.1/br%F8d.txt missing id=11 owner=bob",
		"bob/2002.1/brød.txt missing id=9 owner=bob candidates=BOB/2002.1/br%F8d.txt",
		"bob/2002.1/dots. . present id=7 disk=BOB/2002.1/dots owner=bob",
		"bob/2002.1/my file.txt present id=1 disk=BOB/2002.1/MY FILE.TXT owner=bob",
		"bob/2002.1/"+long+" present id=5 disk=BOB/2002.1/"+long+" owner=bob",
		"bob/2002.1/文書.docx present id=3 disk=BOB/2002.1/文書.docx owner=bob",
		"bob/2002.1/😀 O'Neil.msg present id=4 disk=BOB/2002.1/😀 O'Neil.msg owner=bob",
		"Åse/2002.1/x present id=8 disk="+norm.NFD.String("åse")+"/2002.1/x owner=Åse",
	)
}

func TestSameNameOnDisk(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.files("arc/bob/2002.1/a.txt", "arc/bob/2002.1/A.txt", "arc/bob/2002.1/a.TXT", "arc/bob/2002.1/b", "arc/bob/2002.1/B", "arc/bob/2002.1/c", "arc/bob/2002.1/C")
	if n, err := os.ReadDir(filepath.Join(w.dir, "arc/bob/2002.1")); err != nil || len(n) != 7 {
		t.Skip("this file system does not tell letter case apart")
	}
	w.docs(doc(1, "bob", "A.txt"), doc(2, "bob", "c"))
	w.want(manifest.Document,
		"bob/2002.1/A.txt present id=1 owner=bob",
		"bob/2002.1/B no-row owner=bob",
		"bob/2002.1/C no-row reason=same-name owner=bob",
		"bob/2002.1/a.TXT no-row reason=same-name owner=bob",
		"bob/2002.1/a.txt no-row reason=same-name owner=bob",
		"bob/2002.1/b no-row reason=same-name owner=bob",
		"bob/2002.1/c present id=2 owner=bob",
	)
}

func TestPeriodBoundary(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.files("arc/bob/2002.1/july.txt", "arc/bob/2002.2/july.txt", "arc/bob/2002.1/late.txt", "arc/bob/2003.1/eve.txt", "arc/bob/2002.2/far.txt",
		"arc/bob/2003.1/noon.txt")
	at := func(id int64, name, when string) source.Doc {
		d := doc(id, "bob", name)
		var err error
		if d.Registered, err = time.Parse(time.RFC3339, when); err != nil {
			t.Fatal(err)
		}
		return d
	}
	w.docs(
		at(1, "july.txt", "2002-07-31T23:00:00Z"), // in both: the one of UTC
		at(2, "late.txt", "2002-08-01T00:30:00Z"), // only in the other
		at(3, "eve.txt", "2002-12-31T23:59:59Z"),  // only in the other
		at(4, "far.txt", "2002-07-30T12:00:00Z"),  // in the other, and too far from the boundary
		at(5, "lost.txt", "2002-12-31T12:00:00Z"),
		at(6, "noon.txt", "2003-01-01T12:00:00Z"),
	)
	w.want(manifest.Document,
		"bob/2002.1/far.txt missing id=4 owner=bob candidates=bob/2002.2/far.txt",
		"bob/2002.1/july.txt present id=1 owner=bob also=bob/2002.2/july.txt",
		"bob/2002.1/late.txt present id=2 owner=bob also=bob/2002.2/late.txt",
		"bob/2002.2/far.txt no-row owner=bob",
		"bob/2002.2/july.txt no-row owner=bob",
		"bob/2002.2/lost.txt missing id=5 owner=bob also=bob/2003.1/lost.txt",
		"bob/2003.1/eve.txt present id=3 owner=bob also=bob/2002.2/eve.txt",
		"bob/2003.1/noon.txt present id=6 owner=bob also=bob/2002.2/noon.txt",
	)
}

func TestRootsInOrder(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "one", "two", "two/three")
	w.root(manifest.Template, "one/MyTemplates")
	w.files("one/bob/2002.1/a", "two/bob/2002.1/A", "two/three/bob/2002.1/a", "two/bob/2002.1/b", "two/three/ann/2002.1/c",
		"one/bob/2002.1/d", "two/bob/2002.1/d", "one/MyTemplates/t.dotx", "two/three/bob/e/f/g", "two/bob/e/f/g", "two/bob/2002.1/~$a")
	w.docs(doc(1, "bob", "a"), doc(2, "bob", "b"), doc(3, "ANN", "c"))
	i := w.want(manifest.Document,
		"ANN/2002.1/c present id=3 disk=ann/2002.1/c root=2 owner=ANN",
		"bob/2002.1/A shadowed root=1 owner=bob",
		"bob/2002.1/a shadowed root=2 owner=bob",
		"bob/2002.1/a present id=1 owner=bob",
		"bob/2002.1/b present id=2 root=1 owner=bob",
		"bob/2002.1/d no-row owner=bob",
		"bob/2002.1/d shadowed root=1 owner=bob",
		"bob/e/f/g no-row root=1 owner=bob",
		"bob/e/f/g shadowed root=2 owner=bob",
	)
	w.wantFindings(i)
}

// A folder that is named twice is one root, and Windows spells it in any letter case.
func TestOneFolderNamedTwice(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "one", "one", "two")
	w.root(manifest.Template, "two/t", "two/t")
	w.files("one/bob/2002.1/a", "two/bob/2002.1/b", "two/t/x.dotx")
	w.docs(doc(1, "bob", "a"), doc(2, "bob", "b"))
	w.want(manifest.Document, "bob/2002.1/a present id=1 owner=bob", "bob/2002.1/b present id=2 root=2 owner=bob")
	w.want(manifest.Template, "x.dotx no-row")
	l := listing{roots: []string{`D:\so_arc`, `E:\so_arc`, `d:\SO_ARC\`[:10]}}
	if got := l.firstRoot(2); got != 0 {
		t.Errorf("the root that %q repeats is %d, want 0", l.roots[2], got)
	}
}

func TestSystemFolderThatIsALogin(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.fake.accounts = append(w.fake.accounts, source.Account{ID: 20, Login: "DATA"}, source.Account{ID: 21, Login: "S1"})
	w.files("arc/Data/2002.1/a.txt", "arc/Data/so_log.txt", "arc/S1/x.UP", "arc/Script/2002.1/s.txt")
	w.docs(doc(1, "DATA", "a.txt"))
	w.want(manifest.Document, "DATA/2002.1/a.txt present id=1 disk=Data/2002.1/a.txt owner=DATA")
}

func TestRenamedUser(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	var rows []source.Doc
	for n := range int64(6) {
		rows = append(rows, doc(n+1, "bob", fmt.Sprintf("b%d.txt", n)))
		w.files(fmt.Sprintf("arc/Old Bob/2002.1/B%d.txt", n))
	}
	rows[0].Registered = time.Date(2002, 7, 31, 23, 0, 0, 0, time.UTC)
	w.files("arc/Old Bob/2002.2/b0.txt", "arc/ann/2002.1/x.txt", "arc/Old Bob/mail.htm", "arc/nobody/2009.1/b1.txt", "arc/nobody/2009.1/zz.txt")
	rows = append(rows, doc(10, "ANN", "x.txt"), doc(11, "ANN", "b2.txt"))
	w.docs(rows...)
	before := New(w.o)
	files, err := w.list(before, manifest.Document)
	if err != nil {
		t.Fatal(err)
	}
	missing := 0
	for _, f := range files {
		if f.State != manifest.Missing {
			continue
		}
		missing++
		want := "Old Bob/2002.1/" + strings.ToUpper(base(f.Path)[:1]) + base(f.Path)[1:]
		if len(f.Candidates) == 0 || f.Candidates[0] != want {
			t.Errorf("candidates of %q are %q, want %q first", f.Path, f.Candidates, want)
		}
	}
	if missing != 7 {
		t.Errorf("%d documents are missing, want 7", missing)
	}
	w.wantFindings(before,
		`folder-owner warning [folder:nobody]: folder "nobody" (2 files) belongs to no user, and no missing document has its file there`,
		`folder-owner warning [folder:Old Bob]: folder "Old Bob" (8 files) belongs to no user; 6 of the 6 missing documents of "bob" `+
			"have their file there: --folder 'bob=Old Bob'",
	)

	w.o.Installation.Folders = []string{"bob=old bob"}
	after := w.want(manifest.Document,
		"ANN/2002.1/b2.txt missing id=11 owner=ANN",
		"ANN/2002.1/x.txt present id=10 disk=ann/2002.1/x.txt owner=ANN",
		"Old Bob/2002.2/b0.txt no-row owner=bob",
		"Old Bob/mail.htm no-row owner=bob",
		"bob/2002.1/b0.txt present id=1 disk=Old Bob/2002.1/B0.txt owner=bob also=bob/2002.2/b0.txt",
		"bob/2002.1/b1.txt present id=2 disk=Old Bob/2002.1/B1.txt owner=bob",
		"bob/2002.1/b2.txt present id=3 disk=Old Bob/2002.1/B2.txt owner=bob",
		"bob/2002.1/b3.txt present id=4 disk=Old Bob/2002.1/B3.txt owner=bob",
		"bob/2002.1/b4.txt present id=5 disk=Old Bob/2002.1/B4.txt owner=bob",
		"bob/2002.1/b5.txt present id=6 disk=Old Bob/2002.1/B5.txt owner=bob",
		"nobody/2009.1/b1.txt no-row",
		"nobody/2009.1/zz.txt no-row",
	)
	w.wantFindings(after,
		`folder-owner warning [folder:nobody]: folder "nobody" (2 files) belongs to no user, and no missing document has its file there`,
	)
}

// A user's own folder goes before the one given for the user; a raw folder name is given as a record spells it.
func TestFolderAliases(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.files("arc/bob/2002.1/a.txt", "arc/was bob/2002.1/a.txt", "arc/B\xd8B/2002.1/100%.txt", "arc/B\xd8B/2002.1/other.txt", "arc/ann/2002.1/c.txt", "arc/ann/mail.htm")
	w.docs(doc(1, "bob", "a.txt"), doc(2, "bob", "100%.txt"), doc(3, "bob", "c.txt"), doc(4, "ANN", "c.txt"))
	w.o.Installation.Folders = []string{"BOB=was bob", "bob=B%D8B", "bob=ann"}
	w.want(manifest.Document,
		"ANN/2002.1/c.txt present id=4 disk=ann/2002.1/c.txt owner=ANN",
		"B%D8B/2002.1/other.txt no-row owner=bob raw",
		"ann/mail.htm no-row owner=ANN",
		"bob/2002.1/100%25.txt present id=2 disk=B%D8B/2002.1/100%25.txt owner=bob raw",
		"bob/2002.1/a.txt present id=1 owner=bob",
		"bob/2002.1/c.txt present id=3 disk=ann/2002.1/c.txt owner=bob",
		"was bob/2002.1/a.txt no-row owner=bob",
	)
	for _, bad := range []string{"bob", "bob=", "bob=a/b", "bob=..", "nobody=x", "=x"} {
		w.o.Installation.Folders = []string{bad}
		_, err := w.list(New(w.o), manifest.Document)
		if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "--folder") {
			t.Errorf("--folder %q: got %v, want a usage error that names the flag", bad, err)
		}
	}
}

func TestCandidates(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc", "more")
	w.files("arc/aaa/1999.1/offer.doc", "arc/bbb/1999.1/offer.doc", "arc/bob/2005.2/Offer.doc", "more/zzz/2002.1/OFFER.DOC", "arc/offer.doc",
		"arc/ann/2002.1/offer.doc", "arc/ann/2002.1/other.doc")
	w.docs(doc(1, "bob", "offer.doc"), doc(2, "ANN", "offer.doc"), doc(3, "Åse", "other.doc"), doc(4, "bob", "nowhere.doc"))
	files, err := w.list(New(w.o), manifest.Document)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int64][]string{
		1: {"zzz/2002.1/OFFER.DOC", "bob/2005.2/Offer.doc", "aaa/1999.1/offer.doc"}, // same place, same user, then any
		3: {"ann/2002.1/other.doc"},
	}
	for _, f := range files {
		if f.ID != 0 && !slices.Equal(f.Candidates, want[f.ID]) {
			t.Errorf("candidates of %q are %q, want %q", f.Path, f.Candidates, want[f.ID])
		}
	}
}

func TestUnreadableDocuments(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc", "more")
	w.files("arc/bob/2002.1/a", "arc/bob/2002.1/b", "arc/bob/2002.2/c", "arc/ann/2002.1/d", "more/ann/2002.1/d", "arc/bob/2002.1/gone",
		"arc/bob/2002.1/never", "arc/bob/stray", "more/ann/2002.1/later")
	if err := os.Symlink("2002.1", filepath.Join(w.dir, "arc/bob/2003.1")); err != nil {
		t.Skip("this system makes no links")
	}
	if err := os.Symlink("b", filepath.Join(w.dir, "arc/bob/2002.1/link")); err != nil {
		t.Fatal(err)
	}
	rows := []source.Doc{doc(1, "bob", "a"), doc(2, "bob", "b"), doc(3, "bob", "c"), doc(4, "bob", "link"), doc(5, "bob", "through"),
		doc(6, "ANN", "d"), doc(7, "bob", "missing"), doc(8, "bob", "gone"), doc(9, "ANN", "hidden"), doc(10, "Åse", "x")}
	rows[2].Registered = time.Date(2002, 9, 1, 0, 0, 0, 0, time.UTC)
	rows[4].Registered = time.Date(2003, 3, 1, 0, 0, 0, 0, time.UTC)
	w.docs(rows...)
	i := New(w.o)
	i.faults(map[string]string{
		"bob/2002.1/b": archive.Locked, "bob/2002.2": archive.Denied, "bob/2002.1/gone": archive.Vanished,
		"bob/2002.1/never": archive.Vanished, "bob/stray": archive.Network,
	})
	w.wantFrom(i, manifest.Document,
		"ANN/2002.1/d present id=6 disk=ann/2002.1/d owner=ANN",
		"ANN/2002.1/hidden missing id=9 owner=ANN",
		"ann/2002.1/d shadowed root=1 owner=ANN",
		"ann/2002.1/later no-row root=1 owner=ANN",
		"bob/2002.1/a present id=1 owner=bob",
		"bob/2002.1/b unreadable id=2 reason=locked owner=bob",
		"bob/2002.1/gone unreadable id=8 reason=vanished owner=bob",
		"bob/2002.1/link unreadable id=4 reason=link owner=bob",
		"bob/2002.1/missing missing id=7 owner=bob",
		"bob/2002.2/c unreadable id=3 reason=denied owner=bob",
		"bob/2003.1 unreadable reason=link owner=bob",
		"bob/2003.1/through unreadable id=5 reason=link owner=bob",
		"bob/stray unreadable reason=network owner=bob",
		"Åse/2002.1/x missing id=10 owner=Åse",
	)
	w.wantFindings(i,
		fmt.Sprintf(`file-unreadable error [folder:bob/2002.2]: folder "bob/2002.2" below %q cannot be listed: access is denied; the files in it are not known`,
			filepath.Join(w.dir, "arc")),
		`file-unreadable error [file:document:2]: file "bob/2002.1/b" cannot be read: another program holds it`,
		`file-unreadable error [file:document:8]: file "bob/2002.1/gone" cannot be read: it was gone when it was looked at`,
		`file-unreadable error [file:document:4]: file "bob/2002.1/link" cannot be read: it is a link, and links are not followed`,
		`file-unreadable error [file:document:3]: file "bob/2002.2/c" cannot be read: access is denied`,
		`file-unreadable error [file:document:bob/2003.1]: file "bob/2003.1" cannot be read: it is a link, and links are not followed`,
		`file-unreadable error [file:document:5]: file "bob/2003.1/through" cannot be read: it is a link, and links are not followed`,
		`file-unreadable error [file:document:bob/stray]: file "bob/stray" cannot be read: the share does not answer`,
	)
}

// Under a user's folder that cannot be listed in any root nothing is missing.
func TestUnreadableUserFolder(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.files("arc/bob/2002.1/a", "arc/old/2002.1/b", "arc/ann/x")
	w.docs(doc(1, "bob", "a"), doc(2, "bob", "b"), doc(3, "ANN", "b"))
	w.o.Installation.Folders = []string{"ANN=old"}
	i := New(w.o)
	i.faults(map[string]string{"bob": archive.Network, "old": archive.Denied})
	w.wantFrom(i, manifest.Document,
		"ANN/2002.1/b unreadable id=3 reason=denied owner=ANN",
		"ann/x no-row owner=ANN",
		"bob/2002.1/a unreadable id=1 reason=network owner=bob",
		"bob/2002.1/b unreadable id=2 reason=network owner=bob",
	)
	if _, findings := i.Results(); len(findings) != 5 {
		t.Errorf("got %d findings, want 5: two folders, three files", len(findings))
	}
}

func TestUnreadableFindingsAreCapped(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.files("arc/bob/2002.1/a")
	var rows []source.Doc
	for n := range int64(maxFindings + 5) {
		rows = append(rows, doc(n+1, "bob", fmt.Sprintf("%05d", n)))
	}
	w.docs(rows...)
	i := New(w.o)
	i.faults(map[string]string{"bob/2002.1": archive.Denied})
	if _, err := w.list(i, manifest.Document); err != nil {
		t.Fatal(err)
	}
	checks, findings := i.Results()
	if len(findings) != maxFindings+1 {
		t.Fatalf("got %d findings, want %d and a summary", len(findings), maxFindings)
	}
	if last := findings[maxFindings]; !strings.HasPrefix(last.Message, "6 more files or folders") || last.Severity != manifest.SeverityError {
		t.Errorf("the summary is %+v, want it to speak of 6 more", last)
	}
	if n := slices.IndexFunc(checks, func(c manifest.Check) bool { return c.Rule == ruleRead }); checks[n].Findings != maxFindings+1 {
		t.Errorf("the check counts %d findings", checks[n].Findings)
	}
}

func TestOlderThan(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.files("arc/bob/2002.1/old", "arc/bob/2002.1/new", "arc/bob/2002.1/exact", "arc/bob/stray")
	limit := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, at := range map[string]time.Time{"2002.1/old": limit.Add(-time.Second), "2002.1/exact": limit} {
		if err := os.Chtimes(filepath.Join(w.dir, "arc/bob", name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	d := doc(2, "bob", "new")
	d.HasAppointment = false
	w.docs(doc(1, "bob", "old"), d, doc(3, "bob", "exact"), doc(4, "bob", "missing"))
	w.o.OlderThan = limit
	w.want(manifest.Document,
		"bob/2002.1/exact present id=3 owner=bob",
		"bob/2002.1/missing missing id=4 owner=bob",
		"bob/2002.1/new left id=2 reason=age owner=bob",
		"bob/2002.1/old present id=1 owner=bob",
		"bob/stray left reason=age owner=bob",
	)
}

func TestDocumentErrors(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc", "gone")
	w.files("arc/bob/a", "gone/bob/a")
	if err := os.RemoveAll(filepath.Join(w.dir, "gone")); err != nil {
		t.Fatal(err)
	}
	_, err := w.list(New(w.o), manifest.Document)
	if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(manifest.HintOf(err), "ImpersonateUser") || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a root that is gone: got %v with hint %q", err, manifest.HintOf(err))
	}
	w.root(manifest.Document, "gone")
	w.o.Installation.Roots["document"] = w.o.Installation.Roots["document"][:2]
	if _, err := w.list(New(w.o), manifest.Document); !errors.Is(err, archive.ErrEmptyRoot) {
		t.Errorf("an empty root: got %v", err)
	}
	w.files("gone/bob/a")

	boom := errors.New("boom")
	w.fake.docs = stream([]source.Doc{doc(1, "bob", "a")}, boom)
	i := New(w.o)
	if _, err := w.list(i, manifest.Document); !errors.Is(err, boom) {
		t.Errorf("an error of the database: got %v", err)
	}
	if checks, _ := i.Results(); len(checks) != 0 {
		t.Errorf("a listing that failed has checks: %+v", checks)
	}
	w.docs(doc(1, "bob", "a"))
	if err := New(w.o).Files(t.Context(), manifest.Document, func(manifest.File) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("an error of emit: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := New(w.o).Files(ctx, manifest.Document, func(manifest.File) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	w.root(manifest.Template, "arc")
	if _, err := w.list(New(w.o), manifest.Document); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "template") {
		t.Errorf("one folder for two areas: got %v, want a usage error", err)
	}
	delete(w.o.Installation.Roots, "document")
	if _, err := w.list(New(w.o), manifest.Document); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(manifest.HintOf(err), "--root document=") {
		t.Errorf("no root: got %v, want a usage error", err)
	}
	if _, err := w.list(New(w.o), "mail"); manifest.StatusOf(err) != manifest.Usage {
		t.Errorf("an unknown area: got %v, want a usage error", err)
	}
}

// A root that goes away while it is walked ends the listing, and nothing is called missing.
func TestRootDisappears(t *testing.T) {
	w := newWorld(t)
	w.root(manifest.Document, "arc")
	w.files("arc/bob/2002.1/a", "arc/ann/2002.1/b")
	w.docs(doc(1, "bob", "a"), doc(2, "ANN", "b"))
	i := New(w.o)
	i.walk = func(ctx context.Context, root string, fn func(archive.Entry) error) error {
		return archive.Walk(ctx, root, func(e archive.Entry) error {
			if err := os.RemoveAll(root); err != nil {
				t.Fatal(err)
			}
			return fn(e)
		})
	}
	n := 0
	err := i.Files(t.Context(), manifest.Document, func(manifest.File) error { n++; return nil })
	if manifest.StatusOf(err) != manifest.Failed || n != 0 {
		t.Errorf("got %d records and %v, want none and status 1", n, err)
	}
}
