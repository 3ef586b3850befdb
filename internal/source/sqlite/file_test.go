package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

func TestPath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"sqlite:crm.sqlite": filepath.Join(wd, "crm.sqlite"), "crm.sqlite": filepath.Join(wd, "crm.sqlite"),
		"sqlite:" + filepath.Join(wd, "x"): filepath.Join(wd, "x"), "sqlite://" + filepath.Join(wd, "x"): filepath.Join(wd, "x"),
		"sqlite:a b#?%20.db": filepath.Join(wd, "a b#?%20.db"),
	} {
		if got, err := Path(url); got != want || err != nil {
			t.Errorf("Path(%q) = %q, %v; want %q", url, got, err, want)
		}
	}
	for _, bad := range []string{"", "sqlite:", "sqlite:a\x00b"} {
		if _, err := Path(bad); manifest.StatusOf(err) != manifest.Usage {
			t.Errorf("Path(%q): %v", bad, err)
		}
		if _, err := OpenLoader(bad); manifest.StatusOf(err) != manifest.Usage {
			t.Errorf("OpenLoader(%q): %v", bad, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.sqlite")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ url, say string }{
		{"sqlite:" + filepath.Join(dir, "nope"), "no such file"},
		{"sqlite:" + dir, "it is a folder"},
		{"sqlite:", "names no file"},
	} {
		if _, err := Open(c.url); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), c.say) {
			t.Errorf("Open(%q): %v, want %q", c.url, err, c.say)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "nope")); !errors.Is(err, os.ErrNotExist) {
		t.Error("opening made a file")
	}
	d, err := Open(text)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := source.New(t.Context(), d, ""); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "no SQLite database") {
		t.Errorf("a text file: %v", err)
	}
	if _, err := d.Begin(t.Context()); err == nil {
		t.Error("a view of a text file")
	}
}

// listing is every file of a folder with its digest.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", e.Name(), sha256.Sum256(content))
	}
	return b.String()
}

// Nothing that a Driver is asked changes a byte, and what would change one is an error.
func TestReadOnly(t *testing.T) {
	d := byHand(t, append([]string{"CREATE TABLE crm7_t (id integer PRIMARY KEY, v nvarchar(5))", "INSERT INTO crm7_t VALUES (1, 'x')"}, core...)...)
	dir := filepath.Dir(d.path)
	before := listing(t, dir)
	c, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"INSERT INTO crm7_t VALUES (2, 'y')", "UPDATE crm7_t SET v = 'z'", "DELETE FROM crm7_t", "DROP TABLE crm7_t",
		"CREATE TABLE other (x)", "CREATE INDEX i ON crm7_t (v)", "VACUUM",
	} {
		if err := c.Stream(t.Context(), q, func([]driver.Value) bool { return true }); err == nil {
			t.Errorf("%s: done", q)
		}
	}
	if !c.Consistent() {
		t.Error("a transaction is not consistent")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	v := viewOf(t, d)
	for _, tab := range v.Tables() {
		for _, err := range v.Rows(t.Context(), tab) {
			if err != nil {
				t.Error(err)
			}
		}
	}
	for _, err := range v.Documents(t.Context()) {
		t.Errorf("a document of an empty table: %v", err)
	}
	if _, err := v.Users(t.Context()); err != nil {
		t.Error(err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("before:\n%safter:\n%s", before, after)
	}
}

// people is a table for loading.
var people = source.Table{
	Name: "associate", Key: []string{"associate_id"},
	Columns: []source.Column{
		{Name: "associate_id", Type: source.ParseType("int")}, {Name: "name", Type: source.ParseType("nvarchar(100)"), Null: true},
		{Name: "blob", Type: source.ParseType("varbinary(max)"), Null: true},
	},
	Indexes: []source.Index{{Name: "ix", On: "[name] DESC"}},
}

func allTables() []source.Table {
	tabs := []source.Table{people}
	for _, n := range []string{"person", "document", "company"} {
		x := people
		x.Name = n
		tabs = append(tabs, x)
	}
	return tabs
}

// part yields rows from … to - 1.
func part(from, to int) func(yield func(source.Row, error) bool) {
	return func(yield func(source.Row, error) bool) {
		for i := from; i < to; i++ {
			if !yield(source.Row{int64(i), fmt.Sprintf("name %d", i), bytes.Repeat([]byte{byte(i)}, i%3000)}, nil) {
				return
			}
		}
	}
}

const (
	partCount = 12
	perPart   = 150
)

// loadAll loads whatever is not loaded yet, and finishes.
func loadAll(ctx context.Context, path, id string) error {
	l, err := OpenLoader(path)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Begin(ctx, id, "crm7", allTables()); err != nil {
		return err
	}
	for i := range partCount {
		name := "associate/" + strconv.Itoa(i)
		done, err := l.Loaded(ctx, name)
		if err != nil {
			return err
		}
		if !done {
			if _, err := l.Load(ctx, name, people, part(i*perPart, (i+1)*perPart)); err != nil {
				return err
			}
		}
	}
	return l.Finish(ctx)
}

// The same rows in the same order give the same bytes, whatever the run is called.
func TestSameBytes(t *testing.T) {
	dir := t.TempDir()
	var first []byte
	for i, id := range []string{"0199-one", "0199-two", "0199-a-much-longer-name-of-a-run-that-takes-more-room"} {
		path := filepath.Join(dir, strconv.Itoa(i))
		if err := loadAll(t.Context(), path, id); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = content
		}
		if !bytes.Equal(first, content) {
			t.Errorf("run %q gives other bytes than the first", id)
		}
		if bytes.Contains(content, []byte(id)) {
			t.Errorf("the name of run %q is in the file", id)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("%d files for three databases, %v", len(entries), err)
	}
}

const childVariable = "OMT_TEST_SQLITE_CHILD"

// TestChild is the process that TestKill kills.
func TestChild(t *testing.T) {
	path := os.Getenv(childVariable)
	if path == "" {
		t.Skip("only as a child of TestKill")
	}
	if err := loadAll(t.Context(), path, "run"); err != nil {
		t.Fatal(err)
	}
}

// A load that is killed at any moment and begun again loads every row once.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crm.sqlite")
	r := rand.New(rand.NewPCG(5, 6))
	killed := 0
	for !loadOrDie(t, path, time.Duration(5+r.IntN(60+killed*10))*time.Millisecond) {
		if killed++; killed > 200 {
			t.Fatal("the load never ends")
		}
	}
	if killed == 0 {
		t.Error("no child was killed")
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	v := viewOf(t, d)
	tab, _ := source.FindTable(v.Tables(), "associate")
	n := 0
	for row, err := range v.Rows(t.Context(), tab) {
		if err != nil {
			t.Fatal(err)
		}
		if row[0] != int64(n) || len(row[2].([]byte)) != n%3000 {
			t.Fatalf("row %d is %v", n, row[0])
		}
		n++
	}
	if n != partCount*perPart || len(tab.Indexes) != 1 {
		t.Errorf("%d rows of %d, %d indexes", n, partCount*perPart, len(tab.Indexes))
	}
	t.Logf("killed %d times", killed)
}

// loadOrDie runs a child that is killed after some time, and reports whether the load is complete.
func loadOrDie(t *testing.T, path string, after time.Duration) bool {
	t.Helper()
	cmd := osexec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childVariable+"="+path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	var exit *osexec.ExitError
	if errors.As(err, &exit) && !exit.Exited() {
		return false
	}
	if err == nil {
		return true
	}
	// It ended by itself with an error: an earlier one was killed after it had finished, or something is wrong.
	d, openErr := Open(path)
	if openErr != nil {
		t.Fatalf("the child failed: %v", err)
	}
	defer d.Close()
	names, listErr := d.tableNames(t.Context())
	if listErr != nil || len(names) != len(allTables()) {
		t.Fatalf("the child failed: %v; tables %q, %v", err, names, listErr)
	}
	return true
}

func TestLoaderBeforeBegin(t *testing.T) {
	l, err := OpenLoader(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !strings.HasPrefix(l.URL(), "sqlite:"+string(filepath.Separator)) && !strings.Contains(l.URL(), ":") {
		t.Errorf("URL = %q", l.URL())
	}
	if _, err := l.Loaded(t.Context(), "x"); err == nil {
		t.Error("Loaded before Begin")
	}
	if _, err := l.Load(t.Context(), "x", people, part(0, 1)); err == nil {
		t.Error("Load before Begin")
	}
	if _, err := l.RemoveAddress(t.Context(), 1, "x"); err == nil {
		t.Error("RemoveAddress without an email table")
	}
	if err := l.Finish(t.Context()); err == nil {
		t.Error("Finish before Begin")
	}
	if err := l.Begin(t.Context(), "run", "crm7", allTables()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Load(t.Context(), "", people, part(0, 1)); err == nil {
		t.Error("a part without a name is loaded")
	}
}

// A database that another program has locked is an error that says so.
func TestLocked(t *testing.T) {
	d := byHand(t, core...)
	l, err := OpenLoader(d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.db.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.db.ExecContext(t.Context(), "PRAGMA busy_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	if _, err = d.Prefixes(t.Context()); err == nil || !strings.Contains(err.Error(), "another program holds it locked") {
		t.Errorf("a locked database: %v", err)
	}
}

func TestDSN(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"/srv/crm.sqlite", "file:///srv/crm.sqlite?mode=ro"},
		{"/srv/a b?c#d%e.sqlite", "file:///srv/a%20b%3Fc%23d%25e.sqlite?mode=ro"},
		{"C:/data/crm.sqlite", "file:///C:/data/crm.sqlite?mode=ro"},
		{"//server/share/crm.sqlite", "file:////server/share/crm.sqlite?mode=ro"},
	} {
		if got := dsn(c.path, "mode=ro"); got != c.want {
			t.Errorf("dsn(%q) = %q, want %q", c.path, got, c.want)
		}
	}
}

// A prefix that tables have already is refused in any letter case, of letters beyond ASCII too.
func TestTakenPrefix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crm.sqlite")
	for i, prefix := range []string{"ÅCRM 7.X", "åcrm 7.x", "Åcrm 7.x"} {
		l, err := OpenLoader(path)
		if err != nil {
			t.Fatal(err)
		}
		err = l.Begin(t.Context(), "run", prefix, allTables())
		if i > 0 && (manifest.StatusOf(err) != manifest.Refused || !strings.Contains(err.Error(), "already holds 4 tables")) {
			t.Errorf("prefix %q: %v", prefix, err)
		}
		if i == 0 {
			err = errors.Join(err, l.Finish(t.Context()))
			if err != nil {
				t.Fatal(err)
			}
		}
		l.Close()
	}
}

// The loader's own file must not be taken for another run's, and another prefix may share the file.
func TestTwoPrefixes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crm.sqlite")
	for _, prefix := range []string{"crm5", "crm7"} {
		l, err := OpenLoader(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Begin(t.Context(), "run", prefix, allTables()); err != nil {
			t.Fatal(err)
		}
		other, err := OpenLoader(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Begin(t.Context(), "run", "crm9", allTables()); manifest.StatusOf(err) != manifest.Refused {
			t.Errorf("while %s is unfinished: %v", prefix, err)
		}
		other.Close()
		if err := l.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got, err := d.Prefixes(t.Context()); err != nil || strings.Join(got, " ") != "crm5 crm7" {
		t.Errorf("Prefixes = %q, %v", got, err)
	}
}
