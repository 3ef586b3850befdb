package tenant

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination/dir"
	"github.com/openomt/omt/internal/manifest"
)

// putLines stores a manifest and gives its commit and the file that it lies in.
func putLines(t *testing.T, path string, lines []byte) (Commit, string) {
	t.Helper()
	var b bytes.Buffer
	z, err := NewManifestWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(lines); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	c := Commit{ID: "019b7d00-0000-7000-8000-00000000000a", Revision: 1, Phase: Full,
		Manifest: Stored{SHA256: sha256.Sum256(b.Bytes()), Bytes: int64(b.Len())}}
	name := filepath.Join(path, "migrations", c.ID, "000001", "manifest.jsonl.zst")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return c, name
}

// manyLines is a manifest whose records hold much that does not repeat.
func manyLines(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, "omt-push 0.1.0")
	if err := w.Write(manifest.Header{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		f := manifest.File{Area: manifest.Document, ID: int64(i + 1), Path: fmt.Sprintf("bob/%05d.txt", i), State: manifest.Missing,
			Title: fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))}
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEachLine(t *testing.T) {
	path := t.TempDir()
	d, err := dir.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	c, name := putLines(t, path, manyLines(t))
	each := func(ctx context.Context) (n int, end manifest.End, err error) {
		end, err = Open(d).EachLine(ctx, c, func(l manifest.Line) error {
			n++
			if l.Kind == manifest.KindFile {
				_, err := l.File()
				return err
			}
			return nil
		})
		return n, end, err
	}
	n, end, err := each(t.Context())
	if err != nil || n != 2001 || end.Counts["file"] != 2000 || end.SHA256.IsZero() {
		t.Fatalf("%d lines, %+v, %v", n, end, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := each(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	broken := errors.New("broken")
	if _, err := Open(d).EachLine(t.Context(), c, func(manifest.Line) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	// Whatever a damaged byte makes of the records, the error is that the manifest is damaged.
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	nonsense := 0
	for i := 0; i < len(good); i += len(good) / 150 {
		bad := slices.Clone(good)
		bad[i] ^= 2
		if err := os.WriteFile(name, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		n, _, err := each(t.Context())
		if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(err.Error(), "is damaged") || manifest.HintOf(err) == "" {
			t.Fatalf("byte %d: %v", i, err)
		}
		if n > 0 && n < 2001 {
			nonsense++
		}
	}
	if nonsense == 0 {
		t.Error("no flip made nonsense of a record: this proves too little")
	}
}

// Lines that are as they were committed and are no manifest are a failure too, and not a bad input.
func TestEachLineOfNonsense(t *testing.T) {
	path := t.TempDir()
	d, err := dir.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	whole := manyLines(t)
	for what, b := range map[string][]byte{"cut": whole[:len(whole)/2], "empty": nil, "text": []byte("hello\n"), "edited": bytes.Replace(whole, []byte("bob"), []byte("rob"), 1)} {
		c, _ := putLines(t, path, b)
		_, err := Open(d).EachLine(t.Context(), c, func(manifest.Line) error { return nil })
		if manifest.StatusOf(err) != manifest.Failed || !strings.Contains(err.Error(), "the stored manifest of revision 1") {
			t.Errorf("%s: %v", what, err)
		}
	}
	c, name := putLines(t, path, whole)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d).EachLine(t.Context(), c, func(manifest.Line) error { return nil }); err == nil {
		t.Error("a manifest that is not there was read")
	}
}
