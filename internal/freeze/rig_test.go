package freeze_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/freeze"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/sample"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// rig is a sample that is frozen.
type rig struct {
	t     testing.TB
	dir   string
	spool string
	base  string // of Service
	o     freeze.Options
}

func write(t testing.TB, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// theSample is copied by the tests.
var theSample string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if os.Getenv(childVariable) != "" {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "omt-freeze-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		theSample = filepath.Join(dir, "inst")
		_, err = sample.Write(context.Background(), sample.Options{Dir: theSample, DB: "sqlite:crm.sqlite", Prefix: "crm7", Users: 2, Documents: 1, Seed: 7, Clean: true, Files: true, Tiny: true, Progress: progress.None{}},
			func(context.Context) (source.Loader, error) {
				return sqlite.OpenLoader(filepath.Join(theSample, "crm.sqlite"))
			})
		if err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// at is the rig of a sample in dir, which is made where it is not there.
func at(t testing.TB, dir string) *rig {
	t.Helper()
	inst := filepath.Join(dir, "inst")
	db := "sqlite:" + filepath.Join(inst, "crm.sqlite")
	if _, err := os.Stat(inst); err != nil {
		if err := os.CopyFS(inst, os.DirFS(theSample)); err != nil {
			t.Fatal(err)
		}
	}
	r := &rig{t: t, dir: inst, spool: filepath.Join(dir, "spool")}
	if err := os.MkdirAll(r.spool, 0o700); err != nil {
		t.Fatal(err)
	}
	base := ""
	filepath.WalkDir(inst, func(path string, _ os.DirEntry, _ error) error {
		if filepath.Base(path) == "config" {
			base = filepath.Dir(path)
		}
		return nil
	})
	if base == "" {
		t.Fatal("the sample has no config of Service")
	}
	r.base = base
	r.o = freeze.Options{
		Spool: r.spool, Manifest: "m", Associate: 5, What: []string{freeze.Service, freeze.Event}, Now: now,
		Installation: manifest.Installation{Database: db, Prefix: "crm7", Roots: map[string][]string{"service": {base, "", ""}}},
		Open:         func(context.Context) (freeze.Database, error) { return sqlite.OpenWriter(db) },
	}
	return r
}

func now() time.Time { return time.Date(2026, 11, 27, 18, 0, 0, 987, time.UTC) }

func newRig(t testing.TB) *rig { return at(t, t.TempDir()) }

func (r *rig) config() string { return filepath.Join(r.base, "config") }

func (r *rig) freeze() []manifest.Freeze {
	r.t.Helper()
	records, err := freeze.Run(context.Background(), r.o)
	if err != nil {
		r.t.Fatal(err)
	}
	return records
}

// thaw thaws by the journal and returns what was said too.
func (r *rig) thaw(change ...func(*freeze.ThawOptions)) (freeze.Thawed, string, error) {
	r.t.Helper()
	var said []string
	o := freeze.ThawOptions{Spool: r.spool, Now: now,
		Open: func(_ context.Context, url string) (freeze.Database, error) { return sqlite.OpenWriter(url) },
		Say:  func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }}
	for _, c := range change {
		c(&o)
	}
	done, err := freeze.Thaw(context.Background(), o)
	return done, strings.Join(said, "\n"), err
}

func (r *rig) mustThaw(undone, before, left int) {
	r.t.Helper()
	done, said, err := r.thaw()
	if want := (freeze.Thawed{undone, before, left}); err != nil || done != want {
		r.t.Fatalf("%+v, want %+v: %v\n%s", done, want, err, said)
	}
}

func (r *rig) sql(query string) {
	r.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(r.dir, "crm.sqlite"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		r.t.Fatal(err)
	}
}

// look is the whole installation: every row of the database, and every file but the database's with its permissions.
func (r *rig) look() string {
	r.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(r.dir, "crm.sqlite"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	out := rowsOf(r.t, db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
	for _, name := range slices.Clone(out) {
		name = strings.TrimSuffix(name, "|")
		for _, row := range rowsOf(r.t, db, `SELECT * FROM "`+name+`"`) {
			out = append(out, name+": "+row)
		}
	}
	err = filepath.WalkDir(r.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), "crm.sqlite") {
			return err
		}
		data, err := os.ReadFile(path)
		info, _ := e.Info()
		out = append(out, fmt.Sprintf("%s %v %q", path, info.Mode(), data))
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

func rowsOf(t testing.TB, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	cols, _ := rows.Columns()
	for rows.Next() {
		v := make([]any, len(cols))
		p := make([]any, len(cols))
		for i := range v {
			p[i] = &v[i]
		}
		if err := rows.Scan(p...); err != nil {
			t.Fatal(err)
		}
		s := ""
		for _, x := range v {
			s += fmt.Sprintf("%v|", x)
		}
		out = append(out, s)
	}
	return out
}

// same compares two looks by their first difference.
func (r *rig) same(what, want string) {
	r.t.Helper()
	got := r.look()
	if got == want {
		return
	}
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			r.t.Fatalf("%s the installation is not what it was: %.300s", what, a[i])
		}
	}
	r.t.Fatalf("%s the installation lacks %d lines", what, len(b)-len(a))
}
