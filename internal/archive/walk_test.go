package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/openomt/omt/internal/manifest"
)

// write makes a file with its folders; the content is its own name.
func write(t *testing.T, root, name string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, root string) *Root {
	t.Helper()
	r, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// all walks and gives the entries sorted by path, a folder's error after the folder.
func all(t *testing.T, r *Root) []Entry {
	t.Helper()
	var got []Entry
	if err := r.Walk(t.Context(), func(e Entry) error { got = append(got, e); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(got, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return got
}

func describe(es []Entry) []string {
	var out []string
	for _, e := range es {
		s := fmt.Sprintf("%s %d", e.Path, e.Kind)
		if e.Raw {
			s += " raw"
		}
		if e.Reason != "" {
			s += " " + e.Reason
		}
		out = append(out, s)
	}
	return out
}

func TestWalkNames(t *testing.T) {
	root := t.TempDir()
	names := []string{
		"bob/2002.2/my file.txt", "bob/2002.2/MY FILE2.TXT", "bob/2002.2/brød og æble.doc", "bob/2002.2/文書.docx",
		"bob/2002.2/😀.msg", "bob/2002.2/O'Neil.xls", "bob/2002.2/" + strings.Repeat("x", 196) + ".pdf",
		"bob/2002.2/" + norm.NFD.String("Åse") + ".doc", "bob/2002.2/" + norm.NFC.String("Åse") + ".doc",
		"bob/2002.2/trailing.", "bob/2002.2/space ", "bob/2002.2/100%.txt", "top.txt", "a/b/c/d/e/f.txt",
	}
	if runtime.GOOS == "windows" {
		names = slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, ".") || strings.HasSuffix(n, " ") })
	}
	for _, n := range names {
		write(t, root, n)
	}
	r := open(t, root)
	seen := map[string]bool{}
	for _, e := range all(t, r) {
		if e.Kind == Dir {
			continue
		}
		if e.Kind != File || e.Err != nil || e.Raw || e.Size != int64(len(e.Path)) || time.Since(e.ModTime).Abs() > time.Hour {
			t.Errorf("entry %+v is not the file that was written", e)
		}
		seen[e.Path] = true
		f, err := r.Open(e.Path, e.Raw)
		if err != nil {
			t.Errorf("opening %q: %v", e.Path, err)
			continue
		}
		b := make([]byte, len(e.Path)+1)
		n, _ := f.Read(b)
		f.Close()
		if string(b[:n]) != e.Path {
			t.Errorf("file %q holds %q", e.Path, b[:n])
		}
	}
	for _, n := range names {
		if !seen[n] {
			t.Errorf("the walk missed %q", n)
		}
	}
	if len(seen) != len(names) {
		t.Errorf("the walk gave %d files, want %d", len(seen), len(names))
	}
}

func TestWalkRawNames(t *testing.T) {
	root := t.TempDir()
	write(t, root, "b\xf8b/2002.2/50% br\xf8d \u00f8.txt")
	if _, err := os.Lstat(filepath.Join(root, "b\xf8b")); err != nil {
		t.Skip("this file system takes only Unicode names")
	}
	r := open(t, root)
	got := all(t, r)
	want := []string{"b%F8b 1 raw", "b%F8b/2002.2 1 raw", "b%F8b/2002.2/50%25 br%F8d ø.txt 0 raw"}
	if d := describe(got); !slices.Equal(d, want) {
		t.Fatalf("got %q, want %q", d, want)
	}
	name := got[2].Path
	f, err := r.Open(name, true)
	if err != nil {
		t.Fatalf("opening by the record's name: %v", err)
	}
	f.Close()
	if info, err := r.Stat(name, true); err != nil || info.Size() != got[2].Size {
		t.Errorf("Stat: got %v and %v", info, err)
	}
	if _, err := r.Open(name, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened without decoding: got %v, want that it does not exist", err)
	}
	var pe *fs.PathError
	if _, err := r.Open("b%F8b/%2e", true); !errors.As(err, &pe) {
		t.Errorf("opened by a name that is none: got %v, want a path error", err)
	}
}

func TestWalkLinksAndSpecials(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links and pipes need rights and calls that Windows does not give a test")
	}
	root, away := t.TempDir(), t.TempDir()
	write(t, away, "secret.txt")
	write(t, root, "bob/2002.2/a.txt")
	for name, to := range map[string]string{
		"out": away, "bob/2003.1": filepath.Join(root, "bob", "2002.2"), "bob/2002.2/l.txt": filepath.Join(away, "secret.txt"),
		"bob/2002.2/in.txt": "a.txt", "loop": ".", "broken": "nowhere",
	} {
		if err := os.Symlink(to, filepath.Join(root, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
	if err := mkfifo(filepath.Join(root, "pipe")); err != nil {
		t.Fatal(err)
	}
	r := open(t, root)
	want := []string{
		"bob 1", "bob/2002.2 1", "bob/2002.2/a.txt 0", "bob/2002.2/in.txt 2 link", "bob/2002.2/l.txt 2 link",
		"bob/2003.1 2 link", "broken 2 link", "loop 2 link", "out 2 link", "pipe 3 irregular",
	}
	if d := describe(all(t, r)); !slices.Equal(d, want) {
		t.Errorf("got  %q\nwant %q", d, want)
	}
	for _, name := range []string{"out/secret.txt", "bob/2002.2/l.txt", "../" + filepath.Base(away) + "/secret.txt", filepath.Join(away, "secret.txt")} {
		if f, err := r.Open(name, false); err == nil {
			f.Close()
			t.Errorf("opening %q went out of the root", name)
		}
	}
	if _, err := r.Open("pipe", false); !errors.Is(err, ErrNotRegular) || Class(err) != Irregular {
		t.Errorf("opening a pipe: got %v, want ErrNotRegular at once", err)
	}
	if _, err := r.Open("bob", false); !errors.Is(err, ErrNotRegular) {
		t.Errorf("opening a folder: got %v, want ErrNotRegular", err)
	}
	if info, err := r.Stat("bob/2002.2/l.txt", false); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("Stat of a link: got %v and %v, want the link itself", info, err)
	}
}

func TestOpenFile(t *testing.T) {
	root := t.TempDir()
	write(t, root, "bob/2002.2/a.txt")
	f, info, err := OpenFile(root, "bob/2002.2/a.txt", false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 100)
	if n, _ := f.Read(b); string(b[:n]) != "bob/2002.2/a.txt" || info.Size() != int64(n) {
		t.Errorf("got %q and size %d", b[:n], info.Size())
	}
	if _, _, err := OpenFile(root, "bob/2002.2/b.txt", false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it does not exist", err)
	}
	if _, _, err := OpenFile(filepath.Join(root, "no"), "a", false); manifest.HintOf(err) == "" {
		t.Errorf("got %v, want an error with a hint", err)
	}
}

func TestWalkSkipsFolders(t *testing.T) {
	root := t.TempDir()
	for _, n := range []string{"bob/a", "Template/US/b", "Template/c", "z"} {
		write(t, root, n)
	}
	var got []string
	err := Walk(t.Context(), root, func(e Entry) error {
		got = append(got, e.Path)
		if e.Path == "Template" {
			return fs.SkipDir
		}
		return nil
	})
	slices.Sort(got)
	if want := []string{"Template", "bob", "bob/a", "z"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
}

func TestWalkEnds(t *testing.T) {
	root := t.TempDir()
	write(t, root, "bob/a")
	boom := errors.New("boom")
	if err := Walk(t.Context(), root, func(e Entry) error {
		if e.Kind == File {
			return boom
		}
		return nil
	}); !errors.Is(err, boom) {
		t.Errorf("an error of the caller: got %v", err)
	}
	if err := Walk(t.Context(), root, func(e Entry) error {
		if e.Kind == File {
			return fs.SkipDir
		}
		return nil
	}); !errors.Is(err, fs.SkipDir) {
		t.Errorf("SkipDir for a file: got %v, want it back", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Walk(ctx, root, func(Entry) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled walk: got %v", err)
	}
}

// A folder of more entries than a batch comes whole.
func TestWalkBatches(t *testing.T) {
	root := t.TempDir()
	const files = 3*batch + 7
	for i := range files {
		if err := os.WriteFile(filepath.Join(root, strconv.Itoa(i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	if err := Walk(t.Context(), root, func(e Entry) error {
		if e.Kind == File {
			n++
		}
		return nil
	}); err != nil || n != files {
		t.Errorf("got %d files and %v, want %d", n, err, files)
	}
}

func TestRootErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{"nowhere": fs.ErrNotExist, "file": errNoFolder, "empty": ErrEmptyRoot} {
		root := filepath.Join(dir, name)
		err := Walk(t.Context(), root, func(Entry) error { return nil })
		wantRootError(t, err, root, want)
	}
}

// wantRootError checks an error that ends a run because of a root.
func wantRootError(t *testing.T, err error, root string, cause error) {
	t.Helper()
	if !errors.Is(err, cause) || manifest.StatusOf(err) != manifest.Failed {
		t.Errorf("root %q: got %v, want status 1 because of %v", root, err, cause)
		return
	}
	if !strings.Contains(err.Error(), fmt.Sprintf("%q", root)) {
		t.Errorf("the error %q does not name the root %q", err, root)
	}
	for _, word := range []string{"share", "drive", "session", "ImpersonateUser"} {
		if !strings.Contains(manifest.HintOf(err), word) {
			t.Errorf("the hint %q does not speak of %s", manifest.HintOf(err), word)
		}
	}
}

func TestRootGoesDuringTheWalk(t *testing.T) {
	faults := map[string]func(t *testing.T, root string){
		"removed": func(t *testing.T, root string) {
			if err := os.RemoveAll(root); err != nil {
				t.Fatal(err)
			}
		},
		"emptied": func(t *testing.T, root string) {
			for _, n := range []string{"bob", "ann"} {
				if err := os.RemoveAll(filepath.Join(root, n)); err != nil {
					t.Fatal(err)
				}
			}
		},
		"replaced": func(t *testing.T, root string) {
			if err := os.Rename(root, root+".away"); err != nil {
				t.Fatal(err)
			}
			write(t, root, "bob/a")
		},
	}
	causes := map[string]error{"removed": fs.ErrNotExist, "emptied": ErrEmptyRoot, "replaced": errOtherFolder}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("Windows keeps an open folder where it is")
			}
			root := filepath.Join(t.TempDir(), "arc")
			write(t, root, "bob/a")
			write(t, root, "ann/a")
			done := false
			err := Walk(t.Context(), root, func(Entry) error {
				if !done {
					fault(t, root)
					done = true
				}
				return nil
			})
			wantRootError(t, err, root, causes[name])
		})
	}
}

// faulty lists as the root does, but for the folder and the file that fail.
type faulty struct {
	listing
	rel   string
	fail  map[string]error // by path: of a file
	after error            // in place of the end of the listing
}

func (f faulty) next(n int) ([]item, error) {
	items, err := f.listing.next(n)
	for i := range items {
		if e := f.fail[f.rel+"/"+items[i].name]; e != nil {
			items[i] = item{name: items[i].name, err: e}
		}
	}
	if err != nil && f.after != nil {
		err = f.after
	}
	return items, err
}

func TestUnreadable(t *testing.T) {
	root := t.TempDir()
	for _, n := range []string{"ann/2001.1/a", "bob/2002.2/b", "bob/2002.2/c", "cat/2003.1/d", "dan/e", "eve/f"} {
		write(t, root, n)
	}
	r := open(t, root)
	list := r.list
	pathError := func(err error) error { return &fs.PathError{Op: "open", Path: "x", Err: err} }
	fired := map[string]bool{}
	r.list = func(rel string) (listing, error) {
		fired[rel] = true
		switch rel {
		case "ann":
			return nil, pathError(syscall.EACCES)
		case "dan":
			return nil, pathError(syscall.ENOENT)
		case "eve":
			return nil, pathError(syscall.EIO)
		}
		l, err := list(rel)
		if err != nil {
			return nil, err
		}
		f := faulty{listing: l, rel: rel, fail: map[string]error{
			"bob/2002.2/b": pathError(syscall.EACCES), "bob/2002.2/c": pathError(syscall.ENOENT),
		}}
		if rel == "cat/2003.1" {
			f.after = pathError(network)
		}
		return f, nil
	}
	want := []string{
		"ann 1", "ann 1 denied", "bob 1", "bob/2002.2 1", "bob/2002.2/b 0 denied", "bob/2002.2/c 0 vanished", "cat 1",
		"cat/2003.1 1", "cat/2003.1 1 network", "cat/2003.1/d 0", "dan 1", "dan 1 vanished", "eve 1", "eve 1 error",
	}
	got := all(t, r)
	if d := describe(got); !slices.Equal(d, want) {
		t.Errorf("got  %q\nwant %q", d, want)
	}
	for _, e := range got {
		if (e.Err != nil) != (e.Reason != "") {
			t.Errorf("entry %q has reason %q and error %v", e.Path, e.Reason, e.Err)
		}
	}
	if !fired["ann"] || !fired["cat/2003.1"] {
		t.Error("a fault was never asked for")
	}
}

// A share that drops makes every folder fail; the walk ends at the first and does not call the rest unreadable.
func TestShareDrops(t *testing.T) {
	for _, where := range []string{"folder", "file", "root"} {
		t.Run(where, func(t *testing.T) {
			root := t.TempDir()
			for i := range 50 {
				write(t, root, fmt.Sprintf("u%d/2002.1/a", i))
			}
			r := open(t, root)
			list, look, down, calls := r.list, r.look, false, 0
			r.look = func(path string) (fs.FileInfo, error) {
				if down {
					return nil, &fs.PathError{Op: "stat", Path: path, Err: network}
				}
				return look(path)
			}
			r.list = func(rel string) (listing, error) {
				calls++
				if calls < 5 && where != "root" {
					return list(rel)
				}
				down = true
				if where == "file" {
					l, err := list(rel)
					return faulty{listing: l, rel: rel, fail: map[string]error{rel + "/2002.1": network, rel + "/a": network}}, err
				}
				return nil, &fs.PathError{Op: "open", Path: rel, Err: network}
			}
			after := 0
			err := r.Walk(t.Context(), func(e Entry) error {
				if e.Reason != "" {
					after++
				}
				return nil
			})
			wantRootError(t, err, root, network)
			if after != 0 {
				t.Errorf("%d entries were called unreadable before the walk ended", after)
			}
		})
	}
}

func TestClass(t *testing.T) {
	wrap := func(err error) error {
		return fmt.Errorf("reading: %w", &fs.PathError{Op: "open", Path: "x", Err: err})
	}
	for err, want := range map[error]string{
		fs.ErrPermission: Denied, fs.ErrNotExist: Vanished, syscall.EACCES: Denied, syscall.ENOENT: Vanished,
		network: Network, ErrNotRegular: Irregular, errors.New("odd"): Other, syscall.EIO: Other,
	} {
		if got := Class(wrap(err)); got != want {
			t.Errorf("Class(%v) = %q, want %q", err, got, want)
		}
	}
	for errno, want := range map[uint32]string{5: Denied, 32: Locked, 33: Locked, 53: Network, 64: Network, 67: Network,
		1231: Network, 1326: Denied, 123: BadName, 206: BadName, 2: "", 3: "", 0: "", 1117: ""} {
		if got := windowsClass(errno); got != want {
			t.Errorf("windowsClass(%d) = %q, want %q", errno, got, want)
		}
	}
}

func BenchmarkWalk(b *testing.B) {
	root := b.TempDir()
	for i := range 50 {
		dir := filepath.Join(root, fmt.Sprintf("u%d", i), "2002.1")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		for j := range 200 {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("Super%04d.doc", j)), nil, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	files := 0
	for b.Loop() {
		if err := Walk(b.Context(), root, func(e Entry) error {
			if e.Kind == File {
				files++
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(files)/b.Elapsed().Seconds(), "files/s")
}
