package dir

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
)

func mustOpen(t testing.TB, path string) *Dir {
	t.Helper()
	d, err := Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	destinationtest.Run(t, func(t *testing.T) destinationtest.Opener {
		path := filepath.Join(t.TempDir(), "tenant")
		t.Cleanup(func() { wantNoLeftovers(t, path) })
		return func() destination.Destination { return mustOpen(t, path) }
	})
}

// wantNoLeftovers looks for files in tmp that no later upload can use.
func wantNoLeftovers(t testing.TB, path string) {
	t.Helper()
	left, _ := filepath.Glob(filepath.Join(path, "tmp", "*.new"))
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestOpen(t *testing.T) {
	top := t.TempDir()
	file := filepath.Join(top, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(top, "no", "such"), time.Now); !errors.Is(err, destination.ErrNotExist) {
		t.Errorf("a folder whose parent is not there: error is %v", err)
	}
	if _, err := Open(file, time.Now); err == nil || !strings.Contains(err.Error(), "it is a file") {
		t.Errorf("a file: error is %v", err)
	}
	d := mustOpen(t, filepath.Join(top, "new"))
	if err := d.List(t.Context(), "", func(destination.Info) error { return nil }); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(top, "new")); err == nil {
		t.Error("looking at a destination has made its folder")
	}
}

func TestNothingVisibleOutsideTmp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d")
	d := mustOpen(t, path)
	data := destinationtest.Content(1, 1000)
	u, err := d.Upload(t.Context(), "chunks/ab/x", 1000, sha256.Sum256(data))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if _, err := u.Send(t.Context(), 0, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(path, "chunks")); err == nil {
		t.Error("an unfinished upload has made chunks/")
	}
	for _, name := range []string{"tmp", "tmp/x", "TMP/x"} {
		if err := d.Create(t.Context(), name, data); err == nil {
			t.Errorf("%q was created", name)
		}
	}
}

func TestForeignFiles(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path)
	for _, name := range []string{".DS_Store", "Thumbs db", "chunks/ab/.nfs0001", "chunks/desktop.ini.", "tmp/x.part"} {
		p := filepath.Join(path, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := destinationtest.Listed(t, d, ""); len(got) != 0 {
		t.Errorf("listed: %v", got)
	}
	if _, err := d.Stat(t.Context(), "chunks"); !errors.Is(err, destination.ErrNotExist) {
		t.Errorf("stat of a folder: error is %v", err)
	}
	if _, err := d.Open(t.Context(), "chunks", 0, -1); !errors.Is(err, destination.ErrNotExist) {
		t.Errorf("opening a folder: error is %v", err)
	}
}

func TestSweep(t *testing.T) {
	path := t.TempDir()
	tmp := filepath.Join(path, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	ages := map[string]time.Duration{
		"old.part": 8 * 24 * time.Hour, "old.new": 8 * 24 * time.Hour, "old.txt": 8 * 24 * time.Hour,
		"young.part": 6 * 24 * time.Hour, "young.new": time.Minute,
	}
	for name, age := range ages {
		p := filepath.Join(tmp, name)
		if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	holder := mustOpen(t, path)
	data := destinationtest.Content(1, 1000)
	held, err := holder.Upload(t.Context(), "held", 1000, sha256.Sum256(data))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if _, err := held.Send(t.Context(), 0, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}

	d, err := Open(path, func() time.Time { return now.Add(time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	u, err := d.Upload(t.Context(), "y", 1, sha256.Sum256([]byte("y")))
	if err != nil {
		t.Fatal(err)
	}
	u.Close()
	for name, age := range ages {
		_, err := os.Stat(filepath.Join(tmp, name))
		if gone, want := err != nil, age > 7*24*time.Hour && filepath.Ext(name) != ".txt"; gone != want {
			t.Errorf("%s: gone is %v, want %v", name, gone, want)
		}
	}
	later, err := Open(path, func() time.Time { return now.Add(1000 * time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	if u, err = later.Upload(t.Context(), "z", 1, sha256.Sum256([]byte("z"))); err != nil {
		t.Fatal(err)
	}
	u.Close()
	if err := held.Commit(t.Context()); err != nil {
		t.Errorf("an upload that is held was swept away: %v", err)
	}
}

// A process that died between giving the file its name and removing the part's leaves two names of one file. Nobody may
// write to it through the other name.
func TestPartOfPublishedObject(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path)
	data := destinationtest.Content(1, 1000)
	sum := sha256.Sum256(data)
	u, err := d.Upload(t.Context(), "x", 1000, sum)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Send(t.Context(), 0, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(u.(*upload).f.Name(), filepath.Join(path, "x")); err != nil {
		t.Skip("no hard links here:", err)
	}
	u.Close()
	if _, err := d.Upload(t.Context(), "x", 1000, sum); !errors.Is(err, destination.ErrExists) {
		t.Fatalf("error is %v", err)
	}
	if parts, _ := filepath.Glob(filepath.Join(path, "tmp", "*.part")); len(parts) != 0 {
		t.Errorf("the second name is still there: %q", parts)
	}
	if got := destinationtest.Read(t, d, "x"); !bytes.Equal(got, data) {
		t.Error("the object has changed")
	}
}

func TestPartThatCannotBe(t *testing.T) {
	path := t.TempDir()
	d := mustOpen(t, path)
	data := destinationtest.Content(1, 1000)
	u, err := d.Upload(t.Context(), "x", 1000, sha256.Sum256(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Send(t.Context(), 0, bytes.NewReader(data[:10])); err != nil {
		t.Fatal(err)
	}
	part := u.(*upload).f.Name()
	u.Close()
	if err := os.WriteFile(part, make([]byte, 2000), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err = d.Upload(t.Context(), "x", 1000, sha256.Sum256(data))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if off, err := u.Offset(t.Context()); off != 0 || err != nil {
		t.Errorf("a part longer than the object stands at %d, error %v", off, err)
	}
}

func TestDenied(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("root is refused nothing by modes; a folder in place of a file is tried instead")
	}
	path := t.TempDir()
	d := mustOpen(t, path)
	if err := os.WriteFile(filepath.Join(path, "state"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Create(t.Context(), "state/1", nil); err == nil {
		t.Error("an object was created below a file")
	}
	for _, c := range []struct {
		err   error
		class error
	}{
		{&os.PathError{Op: "open", Path: "x", Err: os.ErrPermission}, destination.ErrDenied},
		{fmt.Errorf("x: %w", os.ErrExist), destination.ErrExists},
		{fmt.Errorf("x: %w", os.ErrNotExist), destination.ErrNotExist},
		{fmt.Errorf("x: %w", io.ErrUnexpectedEOF), nil},
	} {
		got := classify(c.err)
		if c.class != nil && !errors.Is(got, c.class) || !errors.Is(got, c.err) || got.Error() != c.err.Error() {
			t.Errorf("%v became %v", c.err, got)
		}
	}
}

// TestHelperProcess is no test: killed processes are started from it.
func TestHelperProcess(t *testing.T) {
	path := os.Getenv("OMT_TEST_DIR_UPLOAD")
	if path == "" {
		t.Skip("run by TestKilled alone")
	}
	d := mustOpen(t, path)
	fmt.Println("ready")
	for i := range 100 {
		data := destinationtest.Content(i, 200_000)
		_, err := destination.Retry{}.Put(context.Background(), d,
			destination.Object{Name: fmt.Sprintf("chunks/%03d", i), Size: int64(len(data)), Sum: sha256.Sum256(data)},
			func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestKilled kills processes that upload the same objects, two at a time: what is visible is whole, at every moment.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d")
	d := mustOpen(t, path)
	for round := range 8 {
		var procs []*exec.Cmd
		for range 2 {
			cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
			cmd.Env = append(os.Environ(), "OMT_TEST_DIR_UPLOAD="+path)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			procs = append(procs, cmd)
			if _, err := io.ReadFull(out, make([]byte, 5)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(1+round*7) * time.Millisecond)
		for _, cmd := range procs {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		for name, size := range destinationtest.Listed(t, d, "") {
			var i int
			if _, err := fmt.Sscanf(name, "chunks/%d", &i); err != nil {
				t.Fatalf("%q is visible", name)
			}
			if size != 200_000 || !bytes.Equal(destinationtest.Read(t, d, name), destinationtest.Content(i, 200_000)) {
				t.Fatalf("%q is not whole", name)
			}
		}
	}
	t.Setenv("OMT_TEST_DIR_UPLOAD", path)
	TestHelperProcess(t)
	if got := len(destinationtest.Listed(t, d, "")); got != 100 {
		t.Errorf("%d objects are there in the end, want 100", got)
	}
	if parts, _ := filepath.Glob(filepath.Join(path, "tmp", "*.part")); len(parts) != 0 {
		t.Errorf("%d parts are left", len(parts))
	}
}

func TestOpenURL(t *testing.T) {
	path := t.TempDir()
	d, err := OpenURL(mustOpen(t, path).URL())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Create(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	if got := destinationtest.Listed(t, mustOpen(t, path), ""); len(got) != 1 {
		t.Errorf("listed: %v", got)
	}
	u, err := d.Upload(t.Context(), "y", 1, sha256.Sum256([]byte("y")))
	if err != nil {
		t.Fatal(err)
	}
	u.Close()
	if _, err := OpenURL("https://host/x?sig=secret"); !errors.Is(err, ErrScheme) || strings.Contains(err.Error(), "secret") {
		t.Errorf("error is %v", err)
	}
}
