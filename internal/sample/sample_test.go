package sample

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/progress"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

func write(t *testing.T, o Options) Made {
	t.Helper()
	o.DB, o.Prefix, o.Files, o.Progress = "sqlite:crm.sqlite", "crm7", true, progress.None{}
	m, err := Write(context.Background(), o, func(context.Context) (source.Loader, error) {
		return sqlite.OpenLoader("sqlite:" + o.Dir + ".sqlite")
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sums gives the digest and time of every file below a folder.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		out[rel] = fmt.Sprintf("%x %s", sha256.Sum256(b), st.ModTime().UTC())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSameSeedSameBytes(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: filepath.Join(dir, "a"), Users: 10, Documents: 120, Seed: 7}
	made := write(t, o)
	o.Dir = filepath.Join(dir, "b")
	if again := write(t, o); again != made {
		t.Fatalf("made %+v, then %+v", made, again)
	}
	if d := cmp.Diff(sums(t, filepath.Join(dir, "a")), sums(t, filepath.Join(dir, "b"))); d != "" {
		t.Errorf("the same options gave other files: %s", d)
	}
	a, _ := os.ReadFile(filepath.Join(dir, "a.sqlite"))
	b, _ := os.ReadFile(filepath.Join(dir, "b.sqlite"))
	if sha256.Sum256(a) != sha256.Sum256(b) || len(a) == 0 {
		t.Errorf("the same options gave other databases (%d and %d bytes)", len(a), len(b))
	}
	o.Dir, o.Seed = filepath.Join(dir, "c"), 8
	write(t, o)
	if cmp.Equal(sums(t, filepath.Join(dir, "a")), sums(t, filepath.Join(dir, "c"))) {
		t.Error("another seed gave the same files")
	}
}

// A run that was stopped while it wrote files is gone on with: the database, which was finished, is not filled again.
func TestGoesOnWithFiles(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: filepath.Join(dir, "a"), Users: 10, Documents: 120, Seed: 7, Tiny: true}
	made := write(t, o)
	o.Dir = filepath.Join(dir, "b")
	blocked := filepath.Join(o.Dir, "service")
	o.DB, o.Prefix, o.Files, o.Progress = "sqlite:crm.sqlite", "crm7", true, progress.None{}
	open := func(context.Context) (source.Loader, error) { return sqlite.OpenLoader("sqlite:" + o.Dir + ".sqlite") }
	_, err := Write(context.Background(), o, func(ctx context.Context) (source.Loader, error) {
		if err := os.WriteFile(blocked, nil, 0o644); err != nil { // where a folder should be
			return nil, err
		}
		return open(ctx)
	})
	if err == nil {
		t.Fatal("a file stood where a folder should be, and the run did not mind")
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	again, err := Write(context.Background(), o, open)
	if err != nil {
		t.Fatal(err)
	}
	if again != made {
		t.Errorf("made %+v, want %+v", again, made)
	}
	if d := cmp.Diff(sums(t, filepath.Join(dir, "a")), sums(t, o.Dir)); d != "" {
		t.Error(d)
	}
}

// Tiny files are of a few bytes, and no two documents have the same ones.
func TestTiny(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "a"), Users: 10, Documents: 120, Seed: 7, Tiny: true, Clean: true}
	made := write(t, o)
	if made.Bytes > 32*int64(made.Files) {
		t.Errorf("%d files have %d bytes", made.Files, made.Bytes)
	}
	seen := map[uint64]int{}
	w := newWorld(o)
	for i := 1; i <= o.Documents; i++ {
		d := w.doc(i)
		if seen[d.file.seed] > 0 {
			t.Errorf("documents %d and %d are alike", seen[d.file.seed], i)
		}
		seen[d.file.seed] = i
	}
}

// Ids are unique however many documents there are.
func TestAttachmentIDs(t *testing.T) {
	for _, documents := range []int{0, 200, 199_000, 400_000} {
		w := newWorld(Options{Users: 2, Documents: documents})
		seen := map[any]bool{}
		w.attachmentRows(func(v values) bool {
			if seen[v["id"]] {
				t.Fatalf("%d documents: attachment %v is there twice", documents, v["id"])
			}
			seen[v["id"]] = true
			return true
		})
		if len(seen) != w.attachmentCount()+1 {
			t.Errorf("%d documents: %d attachments", documents, len(seen))
		}
	}
}
