package e2e

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openomt/omt/internal/cli/clitest"
)

// TestDryRun holds that a dry run changes nothing, whatever comes of it: testdata/cutover.
func TestDryRun(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "cutover"), RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", shared.bin+string(filepath.ListSeparator)+e.Getenv("PATH"))
			e.Setenv("OMT_LOG", filepath.Join(e.WorkDir, "log"))
			e.Setenv("TMPDIR", filepath.Join(e.WorkDir, "tmp"))
			return os.Mkdir(filepath.Join(e.WorkDir, "tmp"), 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": clitest.WantStatus, "listing": listing},
	})
}

// listing writes what is below folders, each entry with its size, permissions, time and content: listing FILE DIR...
func listing(ts *testscript.TestScript, _ bool, args []string) {
	var b strings.Builder
	for _, dir := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			var data []byte
			if info.Mode().IsRegular() {
				data, err = os.ReadFile(path)
			}
			fmt.Fprintf(&b, "%s %s %s %x\n", path, info.Mode(), info.ModTime().Format(time.RFC3339Nano), sha256.Sum256(data))
			return err
		}))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o644))
}

// statements runs SQL on the installation's database.
func (w world) statements(list ...string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.path("inst", "crm.sqlite"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	for _, s := range list {
		if _, err := db.ExecContext(w.t.Context(), s); err != nil {
			w.t.Fatalf("%s: %v", s, err)
		}
	}
}

// work is what people do in a week: they change a row in a hundred, make some, delete some, and write three documents. round
// counts from 0.
func (w world) work(round int) {
	w.t.Helper()
	w.statements(
		fmt.Sprintf("UPDATE crm7_y_visit SET note = hex(randomblob(40)) WHERE id %% 100 = %d", round),
		fmt.Sprintf("DELETE FROM crm7_y_visit WHERE id %% 1000 = %d", 500+round),
		"INSERT INTO crm7_y_visit WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "+
			"SELECT (SELECT max(id) FROM crm7_y_visit) + i, hex(randomblob(40)) FROM n")
	c := &changing{world: w, r: rand.New(rand.NewPCG(7, uint64(round)))}
	documents := c.files("so_arc/BOB", "so_arc/EE")
	for i := range 3 {
		c.put(file{path: documents[3*round+i], content: c.bytes()})
	}
}

// The weekend: parts go ahead while people work, a dry run says what a cut-over would send, and the cut-over sends about that.
// What is then at the tenant is what the installation holds.
func TestCutOver(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean", "--documents", "120")
	w.statements(`CREATE TABLE "crm7_y_visit" ("id" integer NOT NULL, "note" nvarchar(200) NOT NULL, PRIMARY KEY ("id"))`,
		"INSERT INTO crm7_y_visit WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i, hex(randomblob(40)) FROM n")
	w.want(0, scanStep...)
	w.want(0, "omt-assign", "--in", "scan.jsonl", "--auto", "--out", "assigned.jsonl")
	ahead := append(slices.Clone(packStep), "--to", "dest", "--older-than", "30d")
	push := [][]string{append(slices.Clone(pushStep), "--bandwidth", "300KB/s"), pushStep} // the first one lasts, so that it measures something
	var before []any
	for round := range 2 {
		w.want(0, ahead...)
		before = append(before, records(t, w.read("packed.jsonl"), "manifest")[0]["before"])
		w.want(0, push[round]...)
		w.work(round)
	}
	if before[0] == nil || before[0] != before[1] {
		t.Errorf("the parts were of files before %v", before)
	}
	night := append(slices.Clone(packStep), "--to", "dest")
	forecast := w.want(0, append(night, "--dry-run")...)
	if w.has("packed.jsonl.old") {
		t.Error("a dry run took the manifest away")
	}
	t.Log(string(forecast.out))
	_, said, _ := strings.Cut(string(forecast.out), "cut-over now would send ")
	said, how, _ := strings.Cut(said, ",")
	if !strings.Contains(how, "at the measured rate (") || !strings.Contains(how, " to file://") {
		t.Errorf("it does not know how fast the push of the first part was: %s", forecast.out)
	}
	want, err := humanize.ParseBytes(said)
	if err != nil {
		t.Fatal(err)
	}

	there := w.size("dest/chunks")
	w.want(0, night...)
	w.want(0, pushStep...)
	sent := w.size("dest/chunks") - there
	t.Logf("forecast %d, sent %d, of %d", want, sent, there)
	if f := float64(want) / float64(sent); f < 0.5 || f > 2 {
		t.Errorf("it was to send %d and sent %d", want, sent)
	}
	if sent*5 > there {
		t.Errorf("%d bytes were sent, and all there was is %d", sent, there)
	}
	changed := 0
	for _, c := range records(t, w.read("done.jsonl"), "chunk") {
		if c["table"] == "y_visit" && c["op"] != nil {
			changed++
		}
	}
	if changed == 0 {
		t.Error("the table was not sent as what changed in it")
	}
	w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content", "--db", "sqlite:inst/crm.sqlite")
	if f, r := w.moved(w.read("done.jsonl")); f.Same < 120 || r.Rows < 20_000 {
		t.Errorf("compared %+v and %+v: fewer than there are", f, r)
	}
	w.noLitter()
}

// size is how many bytes the files below a folder have.
func (w world) size(dir string) (n int64) {
	w.t.Helper()
	err := filepath.WalkDir(w.path(dir), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
