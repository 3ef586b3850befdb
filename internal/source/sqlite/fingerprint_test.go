package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// fingerprint asks both who reads a file and who fills it.
func fingerprint(t *testing.T, path string) string {
	t.Helper()
	l, err := sqlite.OpenLoader("sqlite:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	print, err := l.Fingerprint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d, err := sqlite.Open(path); err == nil {
		defer d.Close()
		if again, err := d.Fingerprint(t.Context()); again != print || err != nil {
			t.Errorf("%s: the driver says %q (%v), the loader %q", path, again, err, print)
		}
	}
	return print
}

func write(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// However a file is named, it is known; and what only looks like it is told from it.
func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	at := func(elem ...string) string { return filepath.Join(append([]string{dir}, elem...)...) }
	if err := os.Mkdir(at("sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	db := write(t, at("crm.sqlite"))
	t.Chdir(dir)
	same := map[string]string{"relative": "crm.sqlite", "by a detour": dir + "/sub/../crm.sqlite", "with two slashes": "//" + db}
	if err := os.Link(db, at("sub", "hard")); err == nil {
		same["a hard link"] = at("sub", "hard")
	}
	for from, to := range map[string]string{at("link"): db, at("folder"): dir, at("far"): at("folder", "link")} {
		if err := os.Symlink(to, from); err != nil && runtime.GOOS != "windows" {
			t.Fatal(err)
		}
	}
	if runtime.GOOS != "windows" {
		same["a link"], same["below a link"], same["a link to a link"] = at("link"), at("folder", "crm.sqlite"), at("far")
	}
	first := fingerprint(t, db)
	for what, path := range same {
		if got := fingerprint(t, path); got != first {
			t.Errorf("%s: it is taken for another file", what)
		}
	}
	other := map[string]string{"a copy": write(t, at("copy.sqlite")), "one to be made": at("new.sqlite"), "another to be made": at("sub", "new.sqlite"),
		"one that differs by case": write(t, at("CRM.sqlite.x"))}
	seen := map[string]string{first: "the file"}
	for what, path := range other {
		got := fingerprint(t, path)
		if seen[got] != "" {
			t.Errorf("%s is taken for %s", what, seen[got])
		}
		seen[got] = what
	}
	if runtime.GOOS != "windows" && fingerprint(t, at("folder", "new.sqlite")) != fingerprint(t, at("new.sqlite")) {
		t.Error("a file to be made below a link is taken for another one")
	}
	// A file that stands where another one stood may have its inode.
	for range 20 {
		if err := os.Remove(at("copy.sqlite")); err != nil {
			t.Fatal(err)
		}
		got := fingerprint(t, write(t, at("copy.sqlite")))
		if runtime.GOOS == "linux" && seen[got] != "" {
			t.Errorf("a new file is taken for %s, whose place it took", seen[got])
		}
		seen[got] = "one before it"
	}
}

func TestFingerprintOfNothing(t *testing.T) {
	l, err := sqlite.OpenLoader(filepath.Join(t.TempDir(), "file", "below"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	path := strings.TrimPrefix(l.URL(), "sqlite:")
	write(t, filepath.Dir(path))
	if _, err := l.Fingerprint(t.Context()); err == nil || !strings.Contains(err.Error(), "looking at database") {
		t.Errorf("below a file: %v", err)
	}
}

// What SQLite cannot keep is named, before the end and after a restart alike.
func TestNotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sqlite")
	table := source.Table{Name: "a", Key: []string{"id"}, Columns: []source.Column{
		{Name: "id", Type: source.ParseType("int"), Default: "((0))"},
		{Name: "name", Type: source.ParseType("nvarchar(20)"), Collation: "Danish_Norwegian_CI_AS", Default: "(N'x')"},
		{Name: "at", Type: source.ParseType("datetime"), Default: "(getdate())"},
		{Name: "both", Type: source.ParseType("nvarchar(20)"), Collation: "Danish_Norwegian_CI_AS", Default: "(user_name())"},
		{Name: "twice", Type: source.ParseType("nvarchar(20)"), Collation: "Danish_Norwegian_CI_AS", Computed: "name + name"},
		{Name: "rv", Type: source.ParseType("rowversion")},
	}}
	want := []string{
		"2 columns of collation Danish_Norwegian_CI_AS made without it: crm7.a.name, crm7.a.both",
		"2 defaults left out for not being a literal: crm7.a.at, crm7.a.both",
		"1 computed column left out for being T-SQL: crm7.a.twice",
	}
	for range 2 {
		l, err := sqlite.OpenLoader(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Begin(t.Context(), "run", "crm7", []source.Table{table}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, source.MergeNotes(l.Notes())); d != "" {
			t.Error(d)
		}
		l.Close()
	}
}
