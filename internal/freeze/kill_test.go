package freeze_test

import (
	"context"
	"errors"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/freeze"
)

const childVariable = "OMT_TEST_FREEZE_CHILD"

// TestChild is the process that TestKill kills: it kills itself when it has come to a point.
func TestChild(t *testing.T) {
	dir, number, _ := strings.Cut(os.Getenv(childVariable), "|")
	if dir == "" {
		t.Skip("only as a child of TestKill")
	}
	last, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	r := at(t, dir)
	n := 0
	r.o = r.o.WithPoints(func(point string) {
		if n++; n == last {
			os.WriteFile(filepath.Join(dir, "point"), []byte(point), 0o600)
			p, _ := os.FindProcess(os.Getpid())
			p.Kill()
			select {}
		}
	})
	r.freeze()
}

// freezeOrDie freezes in a child that is killed at a point, and names it; "" where the freeze has no such point and is done.
func freezeOrDie(t *testing.T, dir string, n int) string {
	t.Helper()
	cmd := osexec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childVariable+"="+dir+"|"+strconv.Itoa(n))
	out, err := cmd.CombinedOutput()
	var exit *osexec.ExitError
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &exit) || exit.Exited():
		t.Fatalf("the child failed: %v\n%s", err, out)
	}
	point, err := os.ReadFile(filepath.Join(dir, "point"))
	if err != nil {
		t.Fatal(err)
	}
	return string(point)
}

// A freeze that is killed anywhere is undone by a thaw, or goes on when it is run again.
func TestKill(t *testing.T) {
	whole := newRig(t)
	before := whole.look()
	whole.freeze()
	frozen := strings.ReplaceAll(whole.look(), whole.dir, "")
	var points []string
	for n := 1; ; n++ {
		r := newRig(t)
		dir := filepath.Dir(r.dir)
		before := strings.ReplaceAll(before, whole.dir, r.dir)
		point := freezeOrDie(t, dir, n)
		if point == "" {
			break
		}
		points = append(points, point)
		if _, said, err := r.thaw(); err != nil {
			t.Fatalf("killed when %s: %v\n%s", point, err, said)
		}
		r.same("killed when "+point+" and thawed", before)
		r.mustThaw(0, 0, 0)

		again := newRig(t)
		freezeOrDie(t, filepath.Dir(again.dir), n)
		again.freeze()
		if got := strings.ReplaceAll(again.look(), again.dir, ""); got != frozen {
			t.Fatalf("killed when %s and run again, it is not frozen as in one run", point)
		}
		again.mustThaw(2, 0, 0)
		again.same("killed when "+point+", run again and thawed", strings.ReplaceAll(before, r.dir, again.dir))
	}
	for _, must := range []string{"the freeze is begun", "the config is to be written", "the new config is written", "the config is replaced",
		"Service is frozen", "the row is put in", "the row is to be committed", "the row is committed"} {
		if !slices.Contains(points, must) {
			t.Errorf("nothing was killed when %s: %q", must, points)
		}
	}
}

// A journal that ends anywhere, as a loss of power may leave it, undoes what had been made by then: the last line is
// synced before what it announces is begun.
func TestTornJournal(t *testing.T) {
	r := newRig(t)
	before := r.look()
	r.freeze()
	r.mustThaw(2, 0, 0)
	name := filepath.Join(r.spool, freeze.JournalName)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"", "\x00\x00", "{\"step\":\"int", "{}x\n"} {
		for n := 0; n <= len(whole); n += 1 + n%83 {
			if tail != "" && n > 0 && whole[n-1] != '\n' {
				continue
			}
			if err := os.WriteFile(name, append(slices.Clone(whole[:n]), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err := r.thaw(); err != nil {
				t.Fatalf("cut at byte %d, then %q: %v", n, tail, err)
			}
		}
	}
	r.same("thawed", before)
	if err := os.WriteFile(name, append([]byte("{\"step\":\n"), whole...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := freeze.Run(context.Background(), r.o); err == nil || !strings.Contains(err.Error(), "damaged in line 1") {
		t.Errorf("%v", err)
	}
}
