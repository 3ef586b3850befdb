package inventory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestTables(t *testing.T) {
	w := newWorld(t)
	w.fake.tables = []source.Table{
		{Name: "associate", Columns: []source.Column{{Name: "associate_id", Type: source.Type{SQL: "int"}}}, Key: []string{"associate_id"}},
		{Name: "text", Columns: []source.Column{{Name: "body", Type: source.Type{SQL: "nvarchar(max)"}, Null: true}}},
	}
	w.fake.counts = map[string]int64{"associate": 5, "text": 0}
	got, err := New(w.o).Tables(t.Context())
	want := []manifest.Table{
		{Name: "associate", Rows: 5, Columns: []manifest.Column{{Name: "associate_id", Type: "int"}}, Key: []string{"associate_id"}},
		{Name: "text", Columns: []manifest.Column{{Name: "body", Type: "nvarchar(max)", Null: true}}, Key: []string{}},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("got error %v and (- want, + got):\n%s", err, d)
	}
	delete(w.fake.counts, "text")
	if _, err := New(w.o).Tables(t.Context()); err == nil || !strings.Contains(err.Error(), `"text"`) {
		t.Errorf("a table that cannot be counted: got %v, want an error that names it", err)
	}
	n := 0
	if err := New(w.o).Files(t.Context(), manifest.Database, func(manifest.File) error { n++; return nil }); err != nil || n != 0 {
		t.Errorf("the database has %d files and %v", n, err)
	}
}

// many makes an archive of n documents that exists nowhere: rows in the order of ids, files in another. Every tenth row
// has no file, every fourteenth file no row. One in a hundred is registered at a boundary and lies in the other period.
type many struct{ n, users int }

func (m many) name(id int) (owner, name string, when time.Time, other string) {
	owner = "u" + strconv.Itoa(id%m.users)
	when = time.Date(2000+id%20, 3, 1, 0, 0, 0, 0, time.UTC)
	period := strconv.Itoa(2000+id%20) + ".1"
	if id%100 == 50 {
		when = time.Date(2000+id%20, 8, 1, 5, 0, 0, 0, time.UTC)
	}
	name = fmt.Sprintf("Document to Super Company %d.docx", id/(m.users*20))
	return owner, name, when, owner + "/" + period + "/" + name
}

func (m many) missing(id int) bool { return id%10 == 3 }
func (m many) orphan(id int) bool  { return id%14 == 5 }

func (m many) docs() iter.Seq2[source.Doc, error] {
	return func(yield func(source.Doc, error) bool) {
		for id := range m.n {
			if m.orphan(id) {
				continue
			}
			owner, name, when, _ := m.name(id)
			if !yield(source.Doc{ID: int64(id + 1), Name: name, Title: "Offer " + name, AuthorLogin: owner, Registered: when, HasAppointment: true, HasAssociate: true}, nil) {
				return
			}
		}
	}
}

func (m many) walk(_ context.Context, _ string, fn func(archive.Entry) error) error {
	for u := range m.users {
		if err := fn(archive.Entry{Path: "u" + strconv.Itoa(u), Kind: archive.Dir}); err != nil && !errors.Is(err, fs.SkipDir) {
			return err
		}
	}
	for k := range m.n {
		id := (k*7 + 3) % m.n
		if m.missing(id) {
			continue
		}
		_, _, _, path := m.name(id)
		if err := fn(archive.Entry{Path: path, Size: int64(id), ModTime: time.Unix(int64(id), 0)}); err != nil {
			return err
		}
	}
	return nil
}

func (m many) inventory(o Options) *Inventory {
	f := &fake{docs: m.docs()}
	for u := range m.users {
		f.accounts = append(f.accounts, source.Account{ID: int64(u + 1), Login: "u" + strconv.Itoa(u)})
	}
	o.Reader = f
	o.Installation.Roots = map[string][]string{"document": {"/nowhere"}}
	i := New(o)
	i.walk = m.walk
	return i
}

// A hundred thousand documents with sorters that spill: every row and file comes once, in order.
func TestManyDocuments(t *testing.T) {
	m := many{n: 100_001, users: 23}
	w := newWorld(t)
	i := m.inventory(Options{Temp: t.TempDir(), Memory: 1})
	files, err := w.list(i, manifest.Document)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[int64]bool{}
	count := map[manifest.State]int{}
	for _, f := range files {
		if f.ID != 0 && ids[f.ID] {
			t.Fatalf("row %d comes twice", f.ID)
		}
		ids[f.ID] = true
		count[f.State]++
		if f.State == manifest.Present {
			if id := int(f.ID - 1); f.Size != int64(id) || (f.Also != "") != (id%100 == 50) {
				t.Fatalf("record %+v is not that of row %d", f, f.ID)
			}
		}
	}
	want := map[manifest.State]int{}
	for id := range m.n {
		switch {
		case m.orphan(id) && m.missing(id):
		case m.orphan(id):
			want[manifest.NoRow]++
		case m.missing(id):
			want[manifest.Missing]++
		default:
			want[manifest.Present]++
		}
	}
	if d := cmp.Diff(want, count); d != "" {
		t.Errorf("counts (- want, + got):\n%s", d)
	}
}

// The order in which a database and a file system give things does not matter, and nothing is lost or doubled.
func TestAnyOrderGivesTheSame(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		w.root(manifest.Document, "one", "two")
		pick := func(from ...string) string { return from[rng.IntN(len(from))] }
		onDisk := map[string]bool{}
		for range 60 {
			path := pick("one", "two") + "/" + pick("bob", "BOB", "ann", "Old", "S1", "åse") + "/" + pick("2002.1", "2002.2", "2003.1", "x") + "/" +
				pick("a", "A", "b", "b. ", "ø", "Ø", "~$t", "deep/c")
			w.files(path)
			onDisk[path] = true
		}
		w.files("one/ann/mail.htm", "two/ann/mail.htm")
		var rows []source.Doc
		for id := range int64(60) {
			d := doc(id+1, pick("bob", "ANN", "Åse", "fred", ""), pick("a", "b", "ø", "c", "", "~$t", "../x"))
			d.Registered = pick2(rng, d.Registered, time.Date(2002, 7, 31, 20, 0, 0, 0, time.UTC), time.Date(2003, 1, 1, 1, 0, 0, 0, time.UTC))
			d.HasAppointment = rng.IntN(5) > 0
			rows = append(rows, d)
		}
		w.o.Installation.Folders = []string{"ANN=Old"}
		var first []manifest.File
		var firstFindings []manifest.Finding
		for try := range 4 {
			rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			rng.Shuffle(len(w.fake.accounts), func(i, j int) { w.fake.accounts[i], w.fake.accounts[j] = w.fake.accounts[j], w.fake.accounts[i] })
			w.docs(rows...)
			i := New(w.o)
			i.walk = shuffled(rng)
			got, err := w.list(i, manifest.Document)
			if err != nil {
				t.Fatal(err)
			}
			_, findings := i.Results()
			if try == 0 {
				first, firstFindings = got, findings
				w.wantWhole(got, len(rows), onDisk)
				continue
			}
			if d := cmp.Diff(first, got); d != "" {
				t.Fatalf("seed %d: another order gives other records:\n%s", seed, d)
			}
			if d := cmp.Diff(firstFindings, findings); d != "" {
				t.Fatalf("seed %d: another order gives other findings:\n%s", seed, d)
			}
		}
	}
}

func pick2[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// shuffled walks with the files in any order, folders first.
func shuffled(rng *rand.Rand) func(context.Context, string, func(archive.Entry) error) error {
	return func(ctx context.Context, root string, fn func(archive.Entry) error) error {
		var files []archive.Entry
		err := archive.Walk(ctx, root, func(e archive.Entry) error {
			if e.Kind == archive.Dir {
				return fn(e)
			}
			files = append(files, e)
			return nil
		})
		rng.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		for _, e := range files {
			if err == nil {
				err = fn(e)
			}
		}
		return err
	}
}

// wantWhole checks that each row has one record, and each file one at least: as a row's, or one without row.
func (w *world) wantWhole(got []manifest.File, rows int, onDisk map[string]bool) {
	w.Helper()
	ids := map[int64]int{}
	seen := map[string]int{}
	for _, f := range got {
		ids[f.ID]++
		if f.State != manifest.Missing && f.Path != "" {
			path := []string{"one", "two"}[f.Root] + "/" + f.DiskPath()
			if f.ID == 0 {
				seen[path] += 1000
			}
			seen[path]++
		}
	}
	for id := range int64(rows) {
		if ids[id+1] != 1 {
			w.Errorf("row %d has %d records", id+1, ids[id+1])
		}
	}
	for path := range onDisk {
		quiet := strings.Contains(path, "/S1/") || strings.Contains(path, "~$")
		switch n := seen[path]; {
		case n == 0 && !quiet:
			w.Errorf("file %q has no record", path)
		case n > 1001 || n > 1000 && quiet:
			w.Errorf("file %q has %d records without row and %d with", path, n/1000, n%1000)
		}
	}
}

func TestUnownedFoldersAreCapped(t *testing.T) {
	m := many{n: 50, users: 5}
	i := m.inventory(Options{Temp: t.TempDir()})
	i.walk = func(ctx context.Context, root string, fn func(archive.Entry) error) error {
		for n := range maxUnowned + 7 {
			if err := fn(archive.Entry{Path: fmt.Sprintf("folder %05d", n), Kind: archive.Dir}); err != nil {
				return err
			}
		}
		return m.walk(ctx, root, fn)
	}
	if _, err := newWorld(t).list(i, manifest.Document); err != nil {
		t.Fatal(err)
	}
	_, findings := i.Results()
	findings = slices.DeleteFunc(findings, func(f manifest.Finding) bool { return f.Rule != ruleOwner })
	want := fmt.Sprintf("%d more folders belong to no user", maxUnowned+7-maxFindings)
	if len(findings) != maxFindings+1 || findings[maxFindings].Message != want {
		t.Errorf("got %d findings, the last %+v, want %d and %q", len(findings), findings[len(findings)-1], maxFindings, want)
	}
}

func TestTooManyLostFolders(t *testing.T) {
	m := many{n: 10, users: 5}
	i := m.inventory(Options{Temp: t.TempDir()})
	i.walk = func(_ context.Context, _ string, fn func(archive.Entry) error) error {
		for n := range maxLost + 1 {
			if err := fn(archive.Entry{Path: strconv.Itoa(n), Kind: archive.Dir, Reason: archive.Denied, Err: fs.ErrPermission}); err != nil {
				return err
			}
		}
		return nil
	}
	_, err := newWorld(t).list(i, manifest.Document)
	if manifest.StatusOf(err) != manifest.Failed || !errors.Is(err, errTooManyLost) {
		t.Errorf("got %v, want status 1", err)
	}
}

func TestQuoteFolder(t *testing.T) {
	for in, want := range map[string]string{
		"bob=OLDBOB": "bob=OLDBOB", "bob=Old Bob": "'bob=Old Bob'", "Åse=åse-2": "Åse=åse-2", "bob=O'Neil": `"bob=O'Neil"`, "b=B%D8": "b=B%D8", "b=$x": "'b=$x'",
	} {
		if got := quoteFolder(in); got != want {
			t.Errorf("quoteFolder(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	if got := foldPath("B%D8B/2002.1/50%25 X", true); got != badElement+"B%D8B/2002.1/50% x" {
		t.Errorf("foldPath of a raw name = %q", got)
	}
	if got := guessName("br%F8d 50%25"); got != "brød 50%" {
		t.Errorf("guessName = %q", got)
	}
	for name, want := range map[string]bool{"s1": true, "s": false, "s1a": false, "sales": false, "data": true, "datax": false, "s12": true} {
		if system(name) != want {
			t.Errorf("system(%q) = %t", name, !want)
		}
	}
	for _, reason := range []string{archive.Denied, archive.Locked, archive.Network, archive.Vanished, archive.LinkClass, archive.Irregular, archive.BadName} {
		if why(reason) == why("anything else") {
			t.Errorf("reason %q is not explained", reason)
		}
	}
}

// A year that RFC 3339 cannot hold is no reason to stop.
func TestOddTimes(t *testing.T) {
	m := many{n: 1, users: 1}
	i := m.inventory(Options{Temp: t.TempDir()})
	i.walk = func(_ context.Context, _ string, fn func(archive.Entry) error) error {
		return errors.Join(
			fn(archive.Entry{Path: "a", ModTime: time.Date(30000, 1, 1, 0, 0, 0, 0, time.UTC)}),
			fn(archive.Entry{Path: "b", ModTime: time.Date(1601, 1, 1, 0, 0, 0, 7, time.UTC)}))
	}
	files, err := newWorld(t).list(i, manifest.Document)
	if err != nil || len(files) != 3 || !files[0].MTime.IsZero() || files[1].MTime.Year() != 1601 || files[1].MTime.Nanosecond() != 7 {
		t.Errorf("got %+v and %v", files, err)
	}
}

// BenchmarkDocuments says how many documents a second are joined and sorted, without a file system; with OMT_BENCH_DOCS
// so many, and the memory it took.
func BenchmarkDocuments(b *testing.B) {
	n := 200_000
	if s := os.Getenv("OMT_BENCH_DOCS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	m := many{n: n, users: 997}
	for b.Loop() {
		i := m.inventory(Options{Temp: b.TempDir()})
		if err := i.Files(b.Context(), manifest.Document, func(manifest.File) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "documents/s")
	if status, err := os.ReadFile("/proc/self/status"); err == nil && runtime.GOOS == "linux" {
		if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			b.ReportMetric(float64(kb)/1024, "MiB-peak")
		}
	}
}
