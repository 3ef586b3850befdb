package restore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

func TestTarget(t *testing.T) {
	cases := []struct {
		f    manifest.File
		want string
		bad  bool
	}{
		{manifest.File{Area: "document", Path: "bob/2002.1/a b.doc"}, "document/bob/2002.1/a b.doc", false},
		{manifest.File{Area: "service", Path: "text/bl%E5 100%25.eml", Raw: true}, "service/text/bl\xe5 100%.eml", false},
		{manifest.File{Area: "template", Path: "100%25.dotx"}, "template/100%25.dotx", false},
		{manifest.File{Area: "document", Path: "...", Raw: false}, "document/...", false},
		{manifest.File{Area: "document", Path: "a..b/..c"}, "document/a..b/..c", false},
		{manifest.File{Area: "document", Path: ""}, "", true},
		{manifest.File{Area: "document", Path: "."}, "", true},
		{manifest.File{Area: "document", Path: ".."}, "", true},
		{manifest.File{Area: "document", Path: "../x"}, "", true},
		{manifest.File{Area: "document", Path: "a/../../x"}, "", true},
		{manifest.File{Area: "document", Path: "a/./x"}, "", true},
		{manifest.File{Area: "document", Path: "/etc/passwd"}, "", true},
		{manifest.File{Area: "document", Path: "a//b"}, "", true},
		{manifest.File{Area: "document", Path: "a/"}, "", true},
		{manifest.File{Area: "document", Path: "a\x00b"}, "", true},
		{manifest.File{Area: "document", Path: "%2E%2E/x", Raw: true}, "", true},
		{manifest.File{Area: "document", Path: "a%2Fb", Raw: true}, "", true},
		{manifest.File{Area: "document", Path: "a%2F..%2F..%2Fb", Raw: true}, "", true},
		{manifest.File{Area: "document", Path: "a%zz", Raw: true}, "", true},
		{manifest.File{Area: "database", Path: "x"}, "", true},
		{manifest.File{Area: "", Path: "x"}, "", true},
		{manifest.File{Area: "../..", Path: "x"}, "", true},
	}
	for _, c := range cases {
		if c.f.Raw && runtime.GOOS == "windows" {
			continue
		}
		got, err := target(c.f)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s %q: %q, %v; want %q", c.f.Area, c.f.Path, got, err, c.want)
		}
	}
}

// Whatever a name is, it is inside the folder or refused.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"bob/2002.1/a.doc", "../../x", "%2E%2E/x", "a/%2F/b", "/", "C:\\x", "a%00"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, path string, raw bool) {
		name, err := target(manifest.File{Area: manifest.Document, Path: path, Raw: raw})
		if err == nil && (!filepath.IsLocal(filepath.FromSlash(name)) || !strings.HasPrefix(filepath.ToSlash(filepath.Clean(name)), "document/")) {
			t.Errorf("%q (raw %v) goes to %q", path, raw, name)
		}
	})
}

func TestOpenFolder(t *testing.T) {
	m := mark{Revision: idA + "/000001", Areas: []manifest.Area{"document"}}
	begun := func(t *testing.T, dir string) {
		f, err := openFolder(dir, m)
		check(t, err)
		check(t, errors.Join(f.finish(manifest.Digest{1}), f.sync()))
		f.close()
	}
	write := func(name, content string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			begun(t, dir)
			check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
		}
	}
	full := func(t *testing.T, dir string) {
		check(t, os.MkdirAll(filepath.Join(dir, "x"), 0o755))
	}
	cases := map[string]struct {
		before func(t *testing.T, dir string)
		mark   mark
		status manifest.Status
		done   int
	}{
		"absent":                  {func(*testing.T, string) {}, m, 0, 0},
		"empty":                   {func(t *testing.T, dir string) { check(t, os.Mkdir(dir, 0o755)) }, m, 0, 0},
		"full":                    {full, m, manifest.Refused, 0},
		"a file":                  {func(t *testing.T, dir string) { check(t, os.WriteFile(dir, nil, 0o644)) }, m, manifest.Failed, 0},
		"begun":                   {begun, m, 0, 1},
		"begun, another revision": {begun, mark{idA + "/000002", m.Areas}, manifest.Refused, 0},
		"begun, other areas":      {begun, mark{m.Revision, []manifest.Area{"service"}}, manifest.Refused, 0},
		"begun, all areas":        {begun, mark{m.Revision, nil}, manifest.Refused, 0},
		"mark damaged":            {write(markName, `{"revision":`), m, manifest.Refused, 0},
		"killed before the mark": {func(t *testing.T, dir string) {
			check(t, os.MkdirAll(dir, 0o755))
			check(t, os.WriteFile(filepath.Join(dir, markName+".tmp"), []byte("{"), 0o644))
		}, m, 0, 0},
		"killed between two marks": {func(t *testing.T, dir string) { begun(t, dir); check(t, os.Remove(filepath.Join(dir, doneName))) }, m, 0, 0},
		"torn line":                {write(doneName, strings.Repeat("0", 64)+"\n"+strings.Repeat("1", 64)+"\n"+strings.Repeat("2", 30)), m, 0, 2},
		"damaged line":             {write(doneName, strings.Repeat("0", 64)+"\n"+strings.Repeat("g", 64)+"\n"+strings.Repeat("2", 64)+"\n"), m, 0, 2},
		"a line without end":       {write(doneName, strings.Repeat("x", 100_000)), m, 0, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			c.before(t, dir)
			f, err := openFolder(dir, c.mark)
			if manifest.StatusOf(err) != c.status {
				t.Fatalf("status %d, want %d: %v", manifest.StatusOf(err), c.status, err)
			}
			if err != nil {
				if c.status == manifest.Refused && manifest.HintOf(err) == "" {
					t.Error("no hint")
				}
				return
			}
			defer f.close()
			if len(f.done) != c.done {
				t.Errorf("%d chunks are done, want %d", len(f.done), c.done)
			}
		})
	}
}

// Chunks are noted several with one sync, and none that was not asked to be kept.
func TestDoneBySyncs(t *testing.T) {
	dir := t.TempDir()
	f, err := openFolder(dir, mark{Revision: "x/1"})
	check(t, err)
	defer f.close()
	lines := func() int {
		b, err := os.ReadFile(filepath.Join(dir, doneName))
		check(t, err)
		return strings.Count(string(b), "\n")
	}
	for i := range byte(syncEvery + 3) {
		check(t, f.finish(manifest.Digest{i + 1}))
		want := 0
		if i+1 >= syncEvery {
			want = syncEvery
		}
		if got := lines(); got != want {
			t.Fatalf("%d chunks are finished and %d noted, want %d", i+1, got, want)
		}
	}
	check(t, f.sync())
	if got := lines(); got != syncEvery+3 {
		t.Errorf("%d chunks are noted at the end, want %d", got, syncEvery+3)
	}
	for i := range byte(syncEvery + 3) {
		if !f.finished(manifest.Digest{i + 1}) {
			t.Errorf("chunk %d does not count as finished", i+1)
		}
	}
}

// What was noted behind a torn line is still known after the next one.
func TestDoneBehindATornLine(t *testing.T) {
	dir := t.TempDir()
	m := mark{Revision: "x/1"}
	f, err := openFolder(dir, m)
	check(t, err)
	check(t, errors.Join(f.finish(manifest.Digest{1}), f.sync()))
	f.close()
	g, err := os.OpenFile(filepath.Join(dir, doneName), os.O_APPEND|os.O_WRONLY, 0)
	check(t, err)
	_, err = g.WriteString("0202")
	check(t, errors.Join(err, g.Close()))
	for i := byte(2); i < 5; i++ {
		f, err = openFolder(dir, m)
		check(t, err)
		check(t, errors.Join(f.finish(manifest.Digest{i}), f.sync()))
		f.close()
	}
	f, err = openFolder(dir, m)
	check(t, err)
	defer f.close()
	for i := byte(1); i < 5; i++ {
		if i != 2 && !f.finished(manifest.Digest{i}) { // the one that was written onto the torn line is done again
			t.Errorf("chunk %d is forgotten", i)
		}
	}
	check(t, f.complete())
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Links that somebody puts into the folder lead nowhere.
func TestLinksAreNotFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making links needs a right on Windows")
	}
	for _, link := range []string{"template", "template/a.dotx"} {
		_, d := sample(t)
		m := d.commit()
		top := t.TempDir()
		out, victim := filepath.Join(top, "out"), filepath.Join(top, "victim")
		f, err := openFolder(out, mark{Revision: m.Revision()})
		check(t, err)
		f.close()
		check(t, os.MkdirAll(filepath.Dir(filepath.Join(out, link)), 0o755))
		if link == "template" {
			check(t, os.Mkdir(victim, 0o755))
		} else {
			check(t, os.WriteFile(victim, []byte("mine"), 0o644))
		}
		check(t, os.Symlink(victim, filepath.Join(out, link)))
		o := options(t)
		o.Files = out
		if _, err := Unpack(t.Context(), m, o); err == nil {
			t.Errorf("%s is a link, and it was unpacked", link)
		}
		if link == "template" {
			if left, _ := os.ReadDir(victim); len(left) > 0 {
				t.Errorf("it wrote through the link: %v", left)
			}
		} else if b, _ := os.ReadFile(victim); string(b) != "mine" {
			t.Errorf("it wrote through the link: %q", b)
		}
	}
}

// A folder with a name of a file in it, left by something else, is an error that names it.
func TestFileWhereAFolderShouldBe(t *testing.T) {
	_, d := sample(t)
	m := d.commit()
	o := options(t)
	o.Files = filepath.Join(t.TempDir(), "out")
	f, err := openFolder(o.Files, mark{Revision: m.Revision()})
	check(t, err)
	f.close()
	check(t, os.WriteFile(filepath.Join(o.Files, "template"), nil, 0o644))
	if _, err := Unpack(t.Context(), m, o); err == nil || !strings.Contains(err.Error(), `"template/a.dotx"`) {
		t.Errorf("got %v", err)
	}
}

func TestMarkEqual(t *testing.T) {
	a := mark{"x/1", []manifest.Area{"document", "service"}}
	for i, b := range []mark{{"x/2", a.Areas}, {"x/1", nil}, {"x/1", []manifest.Area{"service", "document"}}, {"x/1", a.Areas[:1]}} {
		if a.equal(b) || b.equal(a) {
			t.Errorf("%d: %+v equals %+v", i, a, b)
		}
	}
	if diff := cmp.Diff(true, a.equal(mark{"x/1", []manifest.Area{"document", "service"}})); diff != "" {
		t.Error(fmt.Sprint(diff))
	}
}
