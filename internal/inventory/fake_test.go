package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// fake is a source.Reader of what its fields hold.
type fake struct {
	docs      iter.Seq2[source.Doc, error]
	accounts  []source.Account
	templates []source.Tmpl
	attached  []source.Attached
	locations []source.Location
	tables    []source.Table
	counts    map[string]int64
	refused   []source.Unreadable
	lists     []source.TableList
	fail      error // of every stream, at its end
}

func stream[T any](rows []T, fail error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
		if fail != nil {
			var none T
			yield(none, fail)
		}
	}
}

func (f *fake) Documents(context.Context) iter.Seq2[source.Doc, error] {
	if f.docs == nil {
		return stream[source.Doc](nil, f.fail)
	}
	return f.docs
}

func (f *fake) Templates(context.Context) iter.Seq2[source.Tmpl, error] {
	return stream(f.templates, f.fail)
}
func (f *fake) Attachments(context.Context) iter.Seq2[source.Attached, error] {
	return stream(f.attached, f.fail)
}
func (f *fake) Accounts(context.Context) ([]source.Account, error) {
	return slices.Clone(f.accounts), nil
}
func (f *fake) Locations(context.Context) ([]source.Location, error) {
	return slices.Clone(f.locations), nil
}
func (f *fake) Tables() []source.Table          { return f.tables }
func (f *fake) Unreadable() []source.Unreadable { return f.refused }
func (f *fake) TableLists(context.Context) ([]source.TableList, error) {
	return f.lists, f.fail
}

// Count gives what the fake holds, refuses a table counted as -1, and breaks on one that it does not hold.
func (f *fake) Count(_ context.Context, table string) (int64, error) {
	n, ok := f.counts[table]
	switch {
	case !ok:
		return 0, errors.New("invalid object name")
	case n < 0:
		return 0, &source.Unreadable{Table: source.Table{Name: table}, Err: errors.New("the filegroup is offline")}
	}
	return n, nil
}

func (f *fake) Mark(context.Context, string) (source.Mark, error) { return source.Mark{}, nil }

func (f *fake) Identity(context.Context) (source.Identity, error) { return source.Identity{}, nil }
func (f *fake) Rows(context.Context, source.Table) iter.Seq2[source.Row, error] {
	return stream[source.Row](nil, nil)
}
func (f *fake) Users(context.Context) ([]source.User, error) { return nil, nil }
func (f *fake) Plans(context.Context) ([]source.Plan, error) { return nil, nil }
func (f *fake) Rights(context.Context) ([]string, error)     { return nil, nil }
func (f *fake) Facts(context.Context) iter.Seq2[source.Fact, error] {
	return stream[source.Fact](nil, nil)
}
func (f *fake) Addresses(context.Context) iter.Seq2[source.Address, error] {
	return stream[source.Address](nil, nil)
}
func (f *fake) ServiceConfig(context.Context) (source.ServiceConfig, error) {
	return source.ServiceConfig{}, nil
}
func (f *fake) Consistent() bool { return true }

// world is an installation in temporary folders.
type world struct {
	*testing.T
	dir  string
	fake *fake
	o    Options
}

// newWorld makes one with the logins bob (7), ANN (8) and Åse (9), and fred (12), who is gone.
func newWorld(t *testing.T) *world {
	w := &world{T: t, dir: t.TempDir(), fake: &fake{accounts: []source.Account{
		{ID: 12, Login: "fred", Former: true}, {ID: 7, Login: "bob"}, {ID: 8, Login: "ANN"}, {ID: 9, Login: "Åse"}, {ID: 13, Login: "Bob", Former: true},
	}}}
	w.o = Options{Reader: w.fake, Temp: t.TempDir(), Tool: "omt-test 1", Memory: 1,
		Installation: manifest.Installation{Roots: map[string][]string{}}}
	return w
}

// root names folders below the world's as roots of an area; "" stays.
func (w *world) root(area manifest.Area, names ...string) {
	for _, n := range names {
		if n != "" {
			n = filepath.Join(w.dir, filepath.FromSlash(n))
			if err := os.MkdirAll(n, 0o755); err != nil {
				w.Fatal(err)
			}
		}
		w.o.Installation.Roots[string(area)] = append(w.o.Installation.Roots[string(area)], n)
	}
}

// files writes files below the world's folder, of as many bytes as their name has.
func (w *world) files(names ...string) {
	w.Helper()
	for _, n := range names {
		path := filepath.Join(w.dir, filepath.FromSlash(n))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			w.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(n), 0o644); err != nil {
			w.Fatal(err)
		}
	}
}

// doc makes a row with everything in order, registered in March 2002.
func doc(id int64, login, name string) source.Doc {
	return source.Doc{ID: id, Name: name, AuthorLogin: login, HasAppointment: true, HasAssociate: true,
		Registered: time.Date(2002, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func (w *world) docs(rows ...source.Doc) { w.fake.docs = stream(rows, nil) }

// list lists an area and checks what holds for every listing: the order, the area, names relative to the root.
func (w *world) list(i *Inventory, area manifest.Area) ([]manifest.File, error) {
	w.Helper()
	var got []manifest.File
	var last []byte
	err := i.Files(w.Context(), area, func(f manifest.File) error {
		key := manifest.FileKey(nil, f.Path, f.ID)
		if bytes.Compare(key, last) < 0 {
			w.Errorf("file %q (id %d) stands behind one that it should stand before", f.Path, f.ID)
		}
		last = key
		if f.Area != area || strings.HasPrefix(f.Path, "/") || f.Disk == f.Path && f.Path != "" || f.State == "" {
			w.Errorf("record %+v is malformed", f)
		}
		got = append(got, f)
		return nil
	})
	return got, err
}

// want compares the listing of an area with lines of the form that line gives.
func (w *world) want(area manifest.Area, want ...string) *Inventory {
	w.Helper()
	i := New(w.o)
	w.wantFrom(i, area, want...)
	return i
}

func (w *world) wantFrom(i *Inventory, area manifest.Area, want ...string) {
	w.Helper()
	files, err := w.list(i, area)
	if err != nil {
		w.Fatalf("listing %s: %v", area, err)
	}
	var got []string
	for _, f := range files {
		got = append(got, line(f))
	}
	if d := cmp.Diff(want, got); d != "" {
		w.Errorf("records of %s (- want, + got):\n%s", area, d)
	}
}

// line writes a record as "path state", and of the rest what is not empty.
func line(f manifest.File) string {
	path := f.Path
	if path == "" {
		path = "-"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", path, f.State)
	add := func(name, value string) {
		if value != "" && value != "0" {
			fmt.Fprintf(&b, " %s=%s", name, value)
		}
	}
	add("id", fmt.Sprint(f.ID))
	add("reason", f.Reason)
	add("disk", f.Disk)
	add("root", fmt.Sprint(f.Root))
	add("owner", f.Owner)
	add("also", f.Also)
	add("candidates", strings.Join(f.Candidates, ","))
	if f.Raw {
		b.WriteString(" raw")
	}
	return b.String()
}

// wantFindings compares what the rules found, as "rule severity subjects: message".
func (w *world) wantFindings(i *Inventory, want ...string) {
	w.Helper()
	checks, findings := i.Results()
	var got []string
	count := map[string]int{}
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%s %s %s: %s", f.Rule, f.Severity, f.Subjects, f.Message))
		count[f.Rule]++
		if f.Subjects == nil || f.Waived != "" {
			w.Errorf("finding %+v is malformed", f)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		w.Errorf("findings (- want, + got):\n%s", d)
	}
	for _, c := range checks {
		if c.Plugin != "omt" || c.Tool != w.o.Tool || c.Status != "done" || c.Findings != count[c.Rule] {
			w.Errorf("check %+v does not fit its %d findings", c, count[c.Rule])
		}
		delete(count, c.Rule)
	}
	for rule := range count {
		w.Errorf("rule %q has findings and no check", rule)
	}
}

// faults puts errors in the way of a walk: the folder is not listed, or the file not looked at.
func (i *Inventory) faults(fail map[string]string) {
	i.walk = func(ctx context.Context, root string, fn func(archive.Entry) error) error {
		return archive.Walk(ctx, root, func(e archive.Entry) error {
			reason, bad := fail[e.Path]
			if !bad {
				return fn(e)
			}
			if e.Kind != archive.Dir {
				e.Reason, e.Err = reason, errors.New("a fault")
				return fn(e)
			}
			if err := fn(e); err != nil {
				return err
			}
			e.Reason, e.Err = reason, errors.New("a fault")
			if err := fn(e); err != nil {
				return err
			}
			return fs.SkipDir
		})
	}
}
