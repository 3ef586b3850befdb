package restore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/chunk"
	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/tenant"
)

const (
	idA = "019b7d00-0000-7000-8000-00000000000a"
	idB = "019b7d00-0000-7000-8000-00000000000b"
)

var at = time.Date(2012, 1, 2, 3, 4, 5, 123456700, time.UTC)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// store is a destination that migrations are put into.
type store struct {
	t    testing.TB
	path string
	d    *dir.Dir
}

func newStore(t testing.TB) *store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dest")
	d, err := dir.Open(path, time.Now)
	check(t, err)
	return &store{t: t, path: path, d: d}
}

// draft is a manifest and its chunks on their way into a store.
type draft struct {
	s        *store
	id       string
	phase    string
	inst     manifest.Installation
	head     []manifest.Record // behind the installation
	tables   []manifest.Record
	areas    map[manifest.Area][]manifest.Record
	revision int
}

func (s *store) draft() *draft {
	return &draft{s: s, id: idA, phase: "full", inst: manifest.Installation{Owner: "Kalles", Serial: "18", Database: "sqlite:/source", Prefix: "crm7"},
		areas: map[manifest.Area][]manifest.Record{}, revision: 1}
}

func (s *store) file(k manifest.Chunk) string {
	return filepath.Join(s.path, filepath.FromSlash(tenant.ChunkName(k.SHA256, k.Type)))
}

func (s *store) put(k manifest.Chunk, b []byte) manifest.Chunk {
	s.t.Helper()
	check(s.t, os.MkdirAll(filepath.Dir(s.file(k)), 0o755))
	check(s.t, os.WriteFile(s.file(k), b, 0o644))
	return k
}

// item is a file of a draft. One without a path has no content; one with same is a copy of that path.
type item struct {
	path, content, same string
	raw                 bool
}

// pack puts files into one chunk of an area, and a second one of links where there are copies.
func (d *draft) pack(area manifest.Area, items ...item) (content manifest.Chunk) {
	t := d.s.t
	t.Helper()
	var b, l bytes.Buffer
	w, lw := chunk.NewWriter(&b, chunk.Options{Level: 1}), chunk.NewWriter(&l, chunk.Options{Level: 1})
	first := map[string]manifest.File{}
	var files []manifest.File
	links := 0
	for i, it := range items {
		f := manifest.File{Area: area, ID: int64(i + 1), Path: it.path, Raw: it.raw, State: manifest.Present, MTime: manifest.At(at.Add(time.Duration(i) * time.Hour))}
		if it.same != "" {
			of := first[it.same]
			f.Size, f.SHA256, f.Offset, f.Same = of.Size, of.SHA256, of.Offset, it.same
			_, _, err := lw.Add(chunk.Entry{Name: entryName(f), Link: string(area) + "/" + it.same, MTime: at}, nil)
			check(t, err)
			links++
		} else {
			var err error
			f.Size, f.SHA256 = int64(len(it.content)), sha256.Sum256([]byte(it.content))
			f.Offset, err = w.AddBytes(chunk.Entry{Name: entryName(f), Size: f.Size, MTime: at}, []byte(it.content))
			check(t, err)
			first[it.path] = f
		}
		files = append(files, f)
	}
	sum, err := w.Close()
	check(t, err)
	content = d.s.put(sum.Chunk(area, manifest.RoleContent), b.Bytes())
	recs := []manifest.Record{content}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	for _, f := range files {
		f.Chunk = content.SHA256
		recs = append(recs, f)
	}
	if sum, err = lw.Close(); links > 0 {
		check(t, err)
		recs = append(recs, d.s.put(sum.Chunk(area, manifest.RoleLinks), l.Bytes()))
	}
	d.areas[area] = append(d.areas[area], recs...)
	return content
}

// table puts a table with an int key and a text, in parts of the rows given.
func (d *draft) table(name string, parts ...[]source.Row) (chunks []manifest.Chunk) {
	d.s.t.Helper()
	return d.put(manifest.Table{Name: name, Columns: []manifest.Column{{Name: "id", Type: "int"}, {Name: "text", Type: "nvarchar(99)", Null: true}}, Key: []string{"id"}}, parts...)
}

// put puts any table, in parts of the rows given.
func (d *draft) put(t manifest.Table, parts ...[]source.Row) (chunks []manifest.Chunk) {
	d.s.t.Helper()
	for _, rows := range parts {
		t.Rows += int64(len(rows))
	}
	d.tables = append(d.tables, t)
	for _, rows := range parts {
		var b bytes.Buffer
		w, err := chunk.NewPartWriter(&b, t, chunk.PartOptions{Level: 1})
		check(d.s.t, err)
		for _, r := range rows {
			check(d.s.t, w.Write(r))
		}
		p, err := w.Close()
		check(d.s.t, err)
		k := d.s.put(p.Chunk(t.Name), b.Bytes())
		chunks = append(chunks, k)
		d.tables = append(d.tables, k)
	}
	return chunks
}

// commit puts the manifest into the store, as revision d.revision, without state.
func (d *draft) commit() Migration {
	t := d.s.t
	t.Helper()
	b, c := d.build()
	folder := map[string]string{"full": "migrations", "preseed": "preseeds"}[d.phase]
	name := filepath.Join(d.s.path, folder, d.id, fmt.Sprintf("%06d", d.revision), "manifest.jsonl.zst")
	check(t, os.MkdirAll(filepath.Dir(name), 0o755))
	check(t, os.WriteFile(name, b, 0o644))
	return Migration{Dest: d.s.d, Tenant: tenant.Open(d.s.d), Commit: c}
}

// build makes the manifest as it is stored, and what its commit says.
func (d *draft) build() ([]byte, tenant.Commit) {
	t := d.s.t
	t.Helper()
	var b bytes.Buffer
	z, err := tenant.NewManifestWriter(&b)
	check(t, err)
	w := manifest.NewWriter(z, "omt-push 0.1.0")
	recs := append([]manifest.Record{
		manifest.Header{Format: manifest.Format, ID: d.id, Tool: "omt-scan 0.1.0", Migration: "test", Phase: d.phase}, d.inst,
	}, d.head...)
	recs = append(recs, d.tables...)
	for _, a := range manifest.Areas {
		recs = append(recs, d.areas[a]...)
	}
	for _, r := range recs {
		check(t, w.Write(r))
	}
	_, err = w.End()
	check(t, err)
	check(t, z.Close())
	return b.Bytes(), tenant.Commit{ID: d.id, Revision: d.revision, Phase: tenant.Phase(d.phase), Migration: "test", Company: d.inst.Owner, Serial: d.inst.Serial,
		Manifest: tenant.Stored{SHA256: sha256.Sum256(b.Bytes()), Bytes: int64(b.Len())}}
}

// over gives the same migration as another destination shows it.
func (m Migration) over(d destination.Destination) Migration {
	return Migration{Dest: d, Tenant: tenant.Open(d), Commit: m.Commit}
}

func rows(from, n int) []source.Row {
	var list []source.Row
	for i := range n {
		r := source.Row{int64(from + i), fmt.Sprintf("row %d", from+i)}
		if i%3 == 2 {
			r[1] = nil
		}
		list = append(list, r)
	}
	return list
}

// sample is a migration with a bit of everything.
func sample(t testing.TB) (*store, *draft) {
	s := newStore(t)
	d := s.draft()
	plan, none, yes, no := "SalesPREM", "", true, false
	d.head = []manifest.Record{
		manifest.User{ID: 3, Person: 7, Login: "BOB", Name: "Bob Bobsen", Company: "Kalles", Group: "Sales", Role: "User level 0", Position: "Boss", Admin: true,
			Emails: []string{"bob@x.example", "b@x.example"}, Onsite: "ten-sales", Plan: &plan, Username: "b@x.example", Welcome: &yes},
		manifest.User{ID: 5, Login: "OLA", Name: "Ola", Confidential: true, Emails: []string{}, Plan: &none, Welcome: &no},
		manifest.User{ID: 6, Login: "NEW", Name: "New", Emails: []string{}},
		manifest.Removal{Person: 7, Email: "b@x.example", User: 3}, manifest.Removal{Person: 8, Email: "c@x.example", User: 3},
	}
	d.table("associate", rows(1, 5), rows(70_000, 4))
	d.table("email", rows(1, 3))
	d.table("nothing")
	d.pack(manifest.Template, item{path: "a.dotx", content: strings.Repeat("template ", 300)})
	d.pack(manifest.Document,
		item{path: "bob/2002.1/first.doc", content: "the first"}, item{path: "bob/2002.1/empty.txt"}, item{path: "bob/2002.2/long.doc", content: strings.Repeat("x", 5000)})
	d.pack(manifest.Document,
		item{path: "erik/2003.1/same.doc", content: "copied"}, item{path: "zoe/2011.1/copy.doc", same: "erik/2003.1/same.doc"},
		item{path: "åse/2015.2/copy.doc", same: "erik/2003.1/same.doc"})
	d.pack(manifest.Service, item{path: "text/bl%E5 100%25.eml", content: "raw", raw: true})
	d.areas[manifest.Attachment] = []manifest.Record{manifest.File{Area: manifest.Attachment, ID: 9, State: manifest.Missing}}
	return s, d
}

// want is what sample's files are, by their names on a system whose names are bytes.
var want = map[string]string{
	"template/a.dotx":               strings.Repeat("template ", 300),
	"document/bob/2002.1/first.doc": "the first", "document/bob/2002.1/empty.txt": "", "document/bob/2002.2/long.doc": strings.Repeat("x", 5000),
	"document/erik/2003.1/same.doc": "copied", "document/zoe/2011.1/copy.doc": "copied", "document/åse/2015.2/copy.doc": "copied",
	"service/text/bl\xe5 100%.eml": "raw",
}

// tree reads a folder.
func tree(t testing.TB, path string) map[string]string {
	t.Helper()
	files := map[string]string{}
	check(t, filepath.WalkDir(path, func(p string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(path, p)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	}))
	return files
}

// loader is a database in memory that dies where a test wants it to. What dies never took place.
type loader struct {
	url      string
	print    string
	notes    []source.Note
	dieAt    int  // which call of Load, RemoveAddress or Finish, counted from 1
	late     bool // it dies right after that
	calls    int
	begun    string
	finished bool
	tables   []source.Table
	parts    []string
	rows     map[string][]source.Row
	emails   []string
}

var errDied = errors.New("the process died here")

// step counts a call that changes something, unless it dies.
func (l *loader) step(fn func()) error {
	l.calls++
	if l.calls == l.dieAt && !l.late {
		return errDied
	}
	fn()
	if l.calls == l.dieAt {
		return errDied
	}
	return nil
}

func (l *loader) URL() string { return l.url }

func (l *loader) Fingerprint(context.Context) (string, error) {
	if l.print == "unreadable" {
		return "", errors.New("the server does not say")
	}
	return l.print, nil
}

func (l *loader) Notes() []source.Note { return l.notes }

func (l *loader) Close() error { return nil }

func (l *loader) Begin(_ context.Context, id, prefix string, tables []source.Table) error {
	if l.finished || l.begun != "" && l.begun != id+" "+prefix {
		return manifest.Errorf(manifest.Refused, "the database is not empty")
	}
	l.begun, l.tables = id+" "+prefix, tables
	if l.rows == nil {
		l.rows = map[string][]source.Row{}
	}
	return nil
}

func (l *loader) Loaded(_ context.Context, part string) (bool, error) {
	return slices.Contains(l.parts, part), nil
}

func (l *loader) Load(_ context.Context, part string, t source.Table, rows iter.Seq2[source.Row, error]) (int64, error) {
	if slices.Contains(l.parts, part) {
		return 0, errors.New("loaded twice")
	}
	var list []source.Row
	for r, err := range rows {
		if err != nil {
			return 0, err
		}
		list = append(list, r)
	}
	return int64(len(list)), l.step(func() {
		l.parts = append(l.parts, part)
		l.rows[t.Name] = append(l.rows[t.Name], list...)
	})
}

func (l *loader) RemoveAddress(_ context.Context, person int64, email string) (n int64, err error) {
	err = l.step(func() {
		if e := fmt.Sprintf("%d %s", person, email); !slices.Contains(l.emails, e) {
			l.emails = append(l.emails, e)
			n = 1
		}
	})
	return n, err
}

func (l *loader) Finish(context.Context) error { return l.step(func() { l.finished = true }) }

func options(t testing.TB) UnpackOptions {
	return UnpackOptions{Workers: 2, Temp: t.TempDir(), Progress: progress.None{}, Remark: t.Logf}
}
