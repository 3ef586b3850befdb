package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
