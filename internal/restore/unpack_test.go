package restore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
)

func TestUnpackFiles(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	o := options(t)
	o.Files = filepath.Join(t.TempDir(), "a", "out")
	u, err := Unpack(t.Context(), m, o)
	check(t, err)
	if diff := cmp.Diff(want, tree(t, o.Files)); diff != "" {
		t.Error(diff)
	}
	if w := (Unpacked{Files: 8, Bytes: 2700 + 9 + 5000 + 3*6 + 3, NotSent: 1}); u != w {
		t.Errorf("it says %+v, want %+v", u, w)
	}
	for i, name := range []string{"bob/2002.1/first.doc", "bob/2002.1/empty.txt", "bob/2002.2/long.doc"} {
		st, err := os.Stat(filepath.Join(o.Files, "document", name))
		check(t, err)
		if want := at.Add(time.Duration(i) * time.Hour); !st.ModTime().Equal(want) {
			t.Errorf("%s is of %s, want %s", name, st.ModTime(), want)
		}
	}
	if left, _ := os.ReadDir(o.Temp); len(left) > 0 {
		t.Errorf("left in the folder for temporary files: %v", left)
	}
}

func TestUnpackSomeAreas(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	o := options(t)
	o.Files, o.Only, o.DB = filepath.Join(t.TempDir(), "out"), []manifest.Area{manifest.Template, manifest.Service}, &loader{}
	u, err := Unpack(t.Context(), m, o)
	check(t, err)
	got := tree(t, o.Files)
	if len(got) != 2 || got["template/a.dotx"] == "" || u.Files != 2 || o.DB.(*loader).begun != "" {
		t.Errorf("it unpacked %v (%+v), and the database is %+v", got, u, o.DB)
	}
}

// A run that dies at any chunk is gone on with: what was finished is not fetched again, and the end is the same.
func TestUnpackGoesOn(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	const opens = 1 + 4 // the manifest, and the content chunks
	for call := 2; call <= opens; call++ {
		o := options(t)
		o.Files, o.Workers = filepath.Join(t.TempDir(), "out"), 1
		dying := destinationtest.NewFaulty(t, d.s.d, destinationtest.Fault{Op: destinationtest.OpOpen, Call: call, Die: true})
		if _, err := Unpack(t.Context(), m.over(dying), o); !errors.Is(err, destinationtest.ErrDied) {
			t.Fatalf("dying at call %d: %v", call, err)
		}
		if _, err := os.Stat(filepath.Join(o.Files, markName)); err != nil {
			t.Errorf("dying at call %d: the folder has no mark: %v", call, err)
		}
		again := destinationtest.NewFaulty(t, d.s.d)
		_, err := Unpack(t.Context(), m.over(again), o)
		check(t, err)
		if got, want := again.Calls(destinationtest.OpOpen), opens-(call-2); got != want {
			t.Errorf("dying at call %d: the second run opened %d objects, want %d", call, got, want)
		}
		if diff := cmp.Diff(want, tree(t, o.Files)); diff != "" {
			t.Errorf("dying at call %d: %s", call, diff)
		}
	}
}

// The error is what went wrong with a chunk, not that others were broken off because of it.
func TestUnpackTellsTheCause(t *testing.T) {
	for _, workers := range []int{1, 2, 99} {
		_, d := sample(t)
		for i := range 20 {
			d.pack(manifest.Attachment, item{path: fmt.Sprintf("%d", 100+i), content: strings.Repeat("y", 100+i)})
		}
		slices.SortStableFunc(d.areas[manifest.Attachment], func(a, b manifest.Record) int {
			f, ok := a.(manifest.File)
			g, ok2 := b.(manifest.File)
			if ok && ok2 && (f.Path == "") != (g.Path == "") {
				return len(g.Path) - len(f.Path)
			}
			return 0
		})
		list := d.areas[manifest.Attachment]
		d.areas[manifest.Attachment] = append(list[1:], list[0])
		m := d.commit()
		bad := list[len(list)/2]
		k, ok := bad.(manifest.Chunk)
		if !ok {
			k, ok = list[len(list)/2+1].(manifest.Chunk)
		}
		if !ok {
			t.Fatal("no chunk in the middle")
		}
		check(t, os.Truncate(d.s.file(k), 50))
		o := options(t)
		o.Files, o.Workers = filepath.Join(t.TempDir(), "out"), workers
		_, err := Unpack(t.Context(), m, o)
		if err == nil || errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), k.SHA256.String()) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d workers: %v", workers, err)
		}
	}
}

func TestUnpackInterrupted(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	o := options(t)
	o.Files = filepath.Join(t.TempDir(), "out")
	if _, err := Unpack(ctx, m, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRefuseSource(t *testing.T) {
	top := t.TempDir()
	arc := filepath.Join(top, "arc")
	check(t, os.MkdirAll(filepath.Join(arc, "bob"), 0o755))
	check(t, os.MkdirAll(filepath.Join(top, "arc2"), 0o755))
	if err := os.Symlink(arc, filepath.Join(top, "link")); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(arc, "bob"), filepath.Join(top, "link2")); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	inst := manifest.Installation{Database: "sqlite:/srv/crm.sqlite", Fingerprint: "f1", Roots: map[string][]string{"document": {filepath.Join(top, "gone"), arc}}}
	cases := map[string]struct {
		files, db string
		refused   bool
		print     string
	}{
		"nothing":               {"", "", false, ""},
		"the database":          {"", "sqlite:/srv/crm.sqlite", true, ""},
		"another database":      {"", "sqlite:/srv/crm2.sqlite", false, "f2"},
		"by another name":       {"", "sqlite:/mnt/crm.sqlite", true, "f1"},
		"of no fingerprint":     {"", "sqlite:/srv/crm2.sqlite", false, ""},
		"the folder":            {arc, "", true, ""},
		"with a slash":          {arc + "/", "", true, ""},
		"below it":              {filepath.Join(arc, "bob"), "", true, ""},
		"to be made below it":   {filepath.Join(arc, "new", "er"), "", true, ""},
		"by a link":             {filepath.Join(top, "link"), "", true, ""},
		"below a link":          {filepath.Join(top, "link", "new"), "", true, ""},
		"a link to below it":    {filepath.Join(top, "link2"), "", true, ""},
		"below such a link":     {filepath.Join(top, "link2", "new", "er"), "", true, ""},
		"beside it":             {filepath.Join(top, "arc2"), "", false, ""},
		"beside, with its name": {filepath.Join(top, "arc.new"), "", false, ""},
		"above it":              {top, "", false, ""}, // not empty: refused for that
		"nowhere":               {filepath.Join(top, "x", "y"), "", false, ""},
		"a root that is not":    {filepath.Join(top, "gone"), "", false, ""},
	}
	for name, c := range cases {
		o := UnpackOptions{Files: c.files}
		if c.db != "" {
			o.DB = &loader{url: c.db, print: c.print}
		}
		err := refuseSource(t.Context(), inst, o)
		if (manifest.StatusOf(err) == manifest.Refused) != c.refused || !c.refused && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.refused && manifest.HintOf(err) == "" {
			t.Errorf("%s: no hint: %v", name, err)
		}
		if told := strings.Contains(fmt.Sprint(err), "which it calls sqlite:/srv/crm.sqlite"); told != (c.print == "f1") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A manifest without a fingerprint is compared by its URL alone, and one that cannot be had is no other database.
	o := UnpackOptions{DB: &loader{url: "sqlite:/srv/x", print: "unreadable"}}
	if err := refuseSource(t.Context(), inst, o); err == nil || !strings.Contains(err.Error(), "looking whether the database is the source: the server does not say") {
		t.Errorf("a server that does not answer: %v", err)
	}
	inst.Fingerprint = ""
	o.DB = &loader{url: "sqlite:/srv/x"}
	if err := refuseSource(t.Context(), inst, o); err != nil {
		t.Errorf("a manifest without a fingerprint: %v", err)
	}
}

// wantRows are sample's tables.
func wantRows(t *testing.T, l *loader) {
	t.Helper()
	if diff := cmp.Diff(append(rows(1, 5), rows(70_000, 4)...), l.rows["associate"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(rows(1, 3), l.rows["email"]); diff != "" || len(l.rows["nothing"]) != 0 || len(l.tables) != 4 {
		t.Errorf("%d tables: %s", len(l.tables), diff)
	}
	if diff := cmp.Diff(wantUsers, l.rows["omt_user"]); diff != "" || l.tables[3].Name != "omt_user" {
		t.Errorf("the users in %s: %s", l.tables[3].Name, diff)
	}
	if diff := cmp.Diff([]string{"7 b@x.example", "8 c@x.example"}, l.emails); diff != "" {
		t.Error(diff)
	}
	if !l.finished || l.begun != idA+"/000001 crm7" {
		t.Errorf("finished: %v; begun: %q", l.finished, l.begun)
	}
}

func TestUnpackDatabase(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	l := &loader{}
	o := options(t)
	o.DB = l
	u, err := Unpack(t.Context(), m, o)
	check(t, err)
	wantRows(t, l)
	if w := (Unpacked{Tables: 3, Rows: 12, Removed: 2, Users: 3}); u != w {
		t.Errorf("it says %+v, want %+v", u, w)
	}
	o.DB, o.Prefix = &loader{}, "crm5"
	_, err = Unpack(t.Context(), m, o)
	check(t, err)
	if begun := o.DB.(*loader).begun; begun != idA+"/000001 crm5" {
		t.Errorf("begun as %q", begun)
	}
}

// Both targets: a run that dies before or after any step of the database, or at any object that is fetched, is gone on
// with by the same command.
func TestUnpackBothGoesOn(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	const steps, opens = 3 + 1 + 2 + 1, 1 + 3 + 4
	for n := 1; n <= 2*steps+opens-1; n++ {
		l := &loader{url: "sqlite:/new"}
		o := options(t)
		o.Files, o.DB = filepath.Join(t.TempDir(), "out"), l
		run := m
		switch {
		case n <= steps:
			l.dieAt = n
		case n <= 2*steps:
			l.dieAt, l.late = n-steps, true
		default:
			run = m.over(destinationtest.NewFaulty(t, d.s.d, destinationtest.Fault{Op: destinationtest.OpOpen, Call: n - 2*steps + 1, Die: true}))
		}
		if _, err := Unpack(t.Context(), run, o); err == nil {
			t.Fatalf("%d: it did not die", n)
		}
		l.dieAt = 0
		if _, err := Unpack(t.Context(), m, o); err != nil {
			t.Errorf("%d: going on: %v", n, err)
		}
		wantRows(t, l)
		if diff := cmp.Diff(want, tree(t, o.Files)); diff != "" {
			t.Errorf("%d: %s", n, diff)
		}
	}
}

// A target that is refused is found before anything is done to the other.
func TestUnpackRefusedTarget(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	o := options(t)
	o.Files, o.DB = filepath.Join(t.TempDir(), "out"), &loader{begun: "something else"}
	_, err := Unpack(t.Context(), m, o)
	if _, serr := os.Stat(o.Files); manifest.StatusOf(err) != manifest.Refused || !errors.Is(serr, os.ErrNotExist) {
		t.Errorf("a full database: %v; the folder: %v", err, serr)
	}
	check(t, os.MkdirAll(o.Files, 0o755))
	_, err = Unpack(t.Context(), m, o)
	if manifest.StatusOf(err) != manifest.Refused || len(tree(t, o.Files)) != 0 {
		t.Errorf("a full database: %v; in the folder: %v", err, tree(t, o.Files))
	}
	check(t, os.WriteFile(filepath.Join(o.Files, "mine"), nil, 0o644))
	l := &loader{}
	o.DB = l
	_, err = Unpack(t.Context(), m, o)
	if manifest.StatusOf(err) != manifest.Refused || l.begun != "" {
		t.Errorf("a full folder: %v; the database: %+v", err, l)
	}
	o.DB = &loader{url: d.inst.Database}
	if _, err = Unpack(t.Context(), m, o); manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), "was taken from") {
		t.Errorf("the source: %v", err)
	}
	// A database that is full and a folder that says that another one was finished.
	check(t, os.Remove(filepath.Join(o.Files, "mine")))
	o.DB = &loader{url: "sqlite:/one", dieAt: 7, late: true}
	if _, err = Unpack(t.Context(), m, o); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	o.DB = &loader{url: "sqlite:/two", finished: true}
	if _, err = Unpack(t.Context(), m, o); manifest.StatusOf(err) != manifest.Refused {
		t.Errorf("another full database: %v", err)
	}
	if _, serr := os.Stat(filepath.Join(o.Files, markName)); serr != nil {
		t.Errorf("the mark of an unfinished run is gone: %v", serr)
	}
}

func TestTablesThatAreNotWhole(t *testing.T) {
	cases := map[string]struct {
		change func(d *draft)
		status manifest.Status
		say    string
	}{
		"a part less": {func(d *draft) { d.tables = slices.Delete(d.tables, 2, 3) }, manifest.Failed, `table "associate": its parts have 5 rows, and its record says 9`},
		"no parts":    {func(d *draft) { d.tables = slices.Delete(d.tables, 4, 5) }, manifest.Failed, `table "email": its parts have 0 rows`},
		"no tables":   {func(d *draft) { d.tables = nil }, manifest.Refused, "holds no tables"},
		"listed alone": {func(d *draft) {
			d.phase = "preseed"
			d.tables = slices.DeleteFunc(d.tables, func(r manifest.Record) bool { _, ok := r.(manifest.Chunk); return ok })
		}, manifest.Refused, "holds no tables"},
	}
	for name, c := range cases {
		_, d := sample(t)
		c.change(d)
		l := &loader{}
		o := options(t)
		o.DB = l
		_, err := Unpack(t.Context(), d.commit(), o)
		if manifest.StatusOf(err) != c.status || !strings.Contains(fmt.Sprint(err), c.say) || l.begun != "" {
			t.Errorf("%s: %v (status %d); the database: %+v", name, err, manifest.StatusOf(err), l)
		}
	}
}

// A part that is damaged is never loaded, whatever is wrong with it.
func TestDamagedPart(t *testing.T) {
	s, d := sample(t)
	parts := d.table("other", rows(1, 40))
	m := d.commit()
	whole, err := os.ReadFile(s.file(parts[0]))
	check(t, err)
	other := d.table("third", rows(1, 41))[0]
	foreign, err := os.ReadFile(s.file(other))
	check(t, err)
	bad := map[string][]byte{"cut": whole[:len(whole)-1], "longer": append(slices.Clone(whole), 0), "empty": {}, "another part": foreign}
	for i := 0; i < len(whole); i += 37 {
		b := slices.Clone(whole)
		b[i] ^= 4
		bad[fmt.Sprintf("byte %d", i)] = b
	}
	for what, b := range bad {
		s.put(parts[0], b)
		l := &loader{}
		o := options(t)
		o.DB = l
		if _, err := Unpack(t.Context(), m, o); err == nil || !strings.Contains(err.Error(), parts[0].SHA256.String()) {
			t.Errorf("%s: %v", what, err)
		}
		if len(l.rows["other"]) > 0 || l.finished {
			t.Errorf("%s: %d rows were loaded", what, len(l.rows["other"]))
		}
	}
}

// A part of the right bytes whose rows are not those that its record promises is not loaded either.
func TestPartWithOtherRows(t *testing.T) {
	lies := map[string]func(k *manifest.Chunk){
		"its rows have the SHA-256": func(k *manifest.Chunk) {
			sum := *k.Content
			sum[0] ^= 1
			k.Content = &sum
		},
		"is not the record of a table part": func(k *manifest.Chunk) { k.Content = nil },
	}
	for want, lie := range lies {
		_, d := sample(t)
		k := d.tables[1].(manifest.Chunk)
		lie(&k)
		d.tables[1] = k
		l := &loader{}
		o := options(t)
		o.DB = l
		if _, err := Unpack(t.Context(), d.commit(), o); err == nil || !strings.Contains(err.Error(), want) || len(l.rows) > 0 {
			t.Errorf("%s: %v; %d tables have rows", want, err, len(l.rows))
		}
	}
}
