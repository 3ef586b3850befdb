package e2e

import (
	"bytes"
	"io"
	"os"
	"testing"

	"github.com/openomt/omt/internal/manifest/manifesttest"
)

// piped are the four steps as stages of a pipe.
func piped() [][]string {
	return [][]string{
		without(scanStep, "--out"), without(without(assignStep, "--in"), "--out"),
		without(without(packStep, "--in"), "--out"), without(without(pushStep, "--in"), "--out"),
	}
}

// fresh is a site whose installation is that of the base world.
func fresh(t testing.TB) (world, world) {
	t.Helper()
	b, s := base(t), newSite(t)
	if err := os.Symlink(b.path("inst"), s.path("inst")); err != nil {
		t.Fatal(err)
	}
	return b, world{s}
}

// sameWorld compares what lies at two destinations and what was written about it.
func sameWorld(t *testing.T, want, got world, done []byte) {
	t.Helper()
	same(t, "done.jsonl", normal(t, want.read("done.jsonl"), want.dir), normal(t, done, got.dir))
	a, b := chunksIn(t, want.path("dest")), chunksIn(t, got.path("dest"))
	same(t, "the chunks at the destination", a, b)
}

func TestPipedAndOnFiles(t *testing.T) {
	t.Parallel()
	b, w := fresh(t)
	results := w.pipe(nil, piped()...)
	w.wantAll(results, 3, 0, 0, 3)
	sameWorld(t, b, w, results[3].out)
	w.noLitter()
}

// Every stage reads what the one before wrote after each way through PowerShell, and writes what it would have written.
func TestPowerShellBetweenAnyTwo(t *testing.T) {
	t.Parallel()
	for _, f := range manifesttest.PowerShell {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			b, w := fresh(t)
			shell := func(name string) *bytes.Reader {
				var out bytes.Buffer
				if err := f.Apply(&out, bytes.NewReader(b.read(name))); err != nil {
					t.Fatal(err)
				}
				return bytes.NewReader(out.Bytes())
			}
			stages := piped()
			for i, s := range []struct {
				in, out string
				status  int
			}{{"scan.jsonl", "assigned.jsonl", 0}, {"assigned.jsonl", "packed.jsonl", 0}, {"packed.jsonl", "done.jsonl", 3}} {
				r := w.feed(shell(s.in), stages[i+1]...)
				if r.status != s.status {
					t.Fatalf("want status %d: %s", s.status, r)
				}
				same(t, s.out, normal(t, b.read(s.out), b.dir), normal(t, r.out, w.dir, b.dir))
			}
			// The same as a file, which is read twice.
			in, err := io.ReadAll(shell("scan.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			w.write(in, "scan.jsonl")
			w.want(0, assignStep...)
			same(t, "assigned.jsonl from a file", normal(t, b.read("assigned.jsonl"), b.dir), normal(t, w.read("assigned.jsonl"), w.dir, b.dir))
			w.noLitter()
		})
	}
}

// The whole pipe in a shell that changes what goes through it.
func TestPipeThroughPowerShell(t *testing.T) {
	t.Parallel()
	b, w := fresh(t)
	results := w.pipe(manifesttest.PowerShell[4].Apply, piped()...)
	w.wantAll(results, 3, 0, 0, 3)
	sameWorld(t, b, w, results[3].out)
}
