package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openomt/omt/internal/cli/clitest"
)

// TestRecoveryStory tells how documents that were missing come after: testdata/recovery/story.txtar is meant to be read.
func TestRecoveryStory(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "recovery"), RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", shared.bin+string(filepath.ListSeparator)+e.Getenv("PATH"))
			e.Setenv("OMT_LOG", filepath.Join(e.WorkDir, "log"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": clitest.WantStatus, "copytree": copyArchive, "edit": editManifest},
	})
}

// editManifest changes a text in a manifest, as a person would with an editor: edit FILE OLD NEW.
func editManifest(ts *testscript.TestScript, _ bool, args []string) {
	old := ts.ReadFile(args[0])
	text := strings.Replace(old, args[1], args[2], 1)
	if text == old {
		ts.Fatalf("%q is not in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// copyArchive copies a folder with the times of its files: copytree FROM TO.
func copyArchive(ts *testscript.TestScript, _ bool, args []string) {
	from, to := ts.MkAbs(args[0]), ts.MkAbs(args[1])
	ts.Check(filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		if e.IsDir() {
			return os.MkdirAll(dst, 0o755)
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(dst, data, 0o644)
		}
		if err == nil {
			err = os.Chtimes(dst, info.ModTime(), info.ModTime())
		}
		return err
	}))
}

// TestKillLookAgain kills omt-push with kill -9 at random moments while it looks again, and runs it again until it ends:
// whenever that was, what was found is there once, as an undisturbed run would have it, and nothing is half done.
func TestKillLookAgain(t *testing.T) {
	t.Parallel()
	r := random(t)
	b := newSite(t)
	b.want(0, "omt-scan", "sample", "--clean", "--dir", "inst", "--documents", "100")
	lost := []string{"EE/2004.1/Kontrakt nr 000045.pdf", "KN/2005.1/Kontrakt nr 000018.doc", "AB/2021.2/Kontrakt nr 000022.jpg"}
	for n, name := range lost {
		if err := os.Rename(b.path("inst/so_arc", name), b.path(fmt.Sprint("lost", n))); err != nil {
			t.Fatal(err)
		}
	}
	b.want(0, "omt-scan", "--install", "inst", "--plans", "inst/plans.csv", "--out", "scan.jsonl")
	b.want(0, "omt-assign", "--in", "scan.jsonl", "--auto", "--out", "assigned.jsonl")
	b.want(0, packStep...)
	b.want(3, pushStep...)
	copyTree(t, b.path("dest"), b.path("before"))
	for n, name := range lost[:2] {
		if err := os.Rename(b.path(fmt.Sprint("lost", n)), b.path("inst/so_arc", name)); err != nil {
			t.Fatal(err)
		}
	}
	again := []string{"omt-push", "--in", "done.jsonl", "--spool", "spool", "--to", "dest", "--out", "done2.jsonl"}
	begun := time.Now()
	b.want(3, again...)
	took := time.Since(begun)
	want := normal(t, b.read("done2.jsonl"))

	hits := 0
	for round := range (number(t, "OMT_TEST_KILLS", 12) + 1) / 2 { // each with one to three kills
		for _, name := range []string{"dest", "spool", "done2.jsonl"} {
			os.RemoveAll(b.path(name))
		}
		copyTree(t, b.path("before"), b.path("dest"))
		for range 1 + round%3 {
			x := b.command(again...)
			if err := x.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(r.Int64N(int64(took))))
			_ = x.Process.Kill()
			if err := x.Wait(); err != nil && x.ProcessState.ExitCode() < 0 {
				hits++
			}
		}
		b.want(3, again...)
		same(t, "looked at again after a kill", want, normal(t, b.read("done2.jsonl")))
		b.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
		if left := chunksIn(t, b.path("spool")); len(left) > 0 {
			t.Errorf("left in the spool: %s", left)
		}
	}
	t.Logf("%d kills hit", hits)
	if hits == 0 {
		t.Error("no kill hit")
	}
}
