package e2e

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/compare"
)

// killer kills processes at random moments, and counts what it hit.
type killer struct {
	r    *rand.Rand
	left int
	hits map[string]int
	late int                      // kills that came when everything had ended
	pace map[string]float64       // by what is killed: how much of that time it takes by now
	took map[string]time.Duration // by step: how long it takes when nobody disturbs it
}

// TestKill kills pack, push, unpack and whole pipes with kill -9 at random moments, and runs them again until they end.
// However often and wherever that was: what is committed is there, nothing is lost and nothing is doubled, and the
// manifest that is committed in the end is the one of a run that nobody disturbed.
func TestKill(t *testing.T) {
	t.Parallel()
	needs(t, "zstd")
	kills := number(t, "OMT_TEST_KILLS", 12)
	k := &killer{r: random(t), hits: map[string]int{}, left: kills, took: map[string]time.Duration{}, pace: map[string]float64{}}
	b := k.undisturbed(t)
	rounds := 0
	for ; k.left > 0 && k.late <= 2*kills; rounds++ {
		r := round{world: world{newSite(t)}, k: k}
		for _, name := range []string{"inst", "assigned.jsonl"} {
			if err := os.Symlink(b.path(name), r.path(name)); err != nil {
				t.Fatal(err)
			}
		}
		ended := []func() bool{r.onFiles, r.inPipe, r.inWholePipe}[rounds%3]()
		r.underFireUnpack()
		r.prove(b)
		if left := chunksIn(t, r.path("spool")); ended && len(left) > 0 {
			t.Errorf("left in the spool: %s", left)
		}
		r.hunt()
		os.RemoveAll(r.dir)
	}
	hit := 0
	for _, what := range slices.Sorted(maps.Keys(k.hits)) {
		t.Logf("%4d × %s", k.hits[what], what)
		hit += k.hits[what]
	}
	t.Logf("%d kills hit something at work, in %d rounds; %d more came too late", hit, rounds, k.late)
	if hit < kills || k.late > 2*kills {
		t.Errorf("%d of %d kills hit something at work: this proves too little", hit, kills)
	}
}

// undisturbed moves the base installation, with a large file and a copy of it more, so that there is more than one chunk
// of an area and one that takes time, and notes how long each step takes.
func (k *killer) undisturbed(t *testing.T) world {
	t.Helper()
	b, w := base(t), world{newSite(t)}
	copyTree(t, b.path("inst"), w.path("inst"))
	noise := rand.NewChaCha8([32]byte{7})
	film := make([]byte, 33<<20+1234)
	noise.Read(film)
	for _, name := range []string{"film.avi", "the film again.avi"} {
		w.write(film, "inst", "service", "text", name)
	}
	for _, s := range []struct {
		name   string
		status int
		step   []string
	}{{"scan", 3, scanStep}, {"assign", 0, assignStep}, {"pack", 0, packStep}, {"push", 3, pushStep}, {"unpack", 0, unpackStep}} {
		began := time.Now()
		w.want(s.status, s.step...)
		k.took[s.name] = time.Since(began)
	}
	return w
}

// shots is how often the next step is to be killed.
func (k *killer) shots() int { return min(k.left, 2+k.r.IntN(2)) }

// kill waits for a random moment, kills one of the processes or all of them, and waits for all to end.
func (k *killer) kill(within time.Duration, what string, list []*exec.Cmd) {
	pace := cmp.Or(k.pace[what], 1)
	moment := time.Duration(float64(k.r.Int64N(int64(within)+1)) * pace)
	if k.r.IntN(2) == 0 {
		moment /= 3 // where the journals are short
	}
	time.Sleep(moment)
	victim := k.r.IntN(len(list) + 1)
	for i, x := range list {
		if victim == len(list) || victim == i {
			x.Process.Kill()
		}
	}
	var killed []string
	for _, x := range list {
		x.Wait()
		if x.ProcessState.ExitCode() < 0 {
			killed = append(killed, filepath.Base(x.Args[0]))
		}
	}
	if len(killed) == 0 {
		k.late++
		k.pace[what] = max(0.1, pace*0.8)
		return
	}
	k.pace[what] = min(1, pace*1.05)
	k.left--
	switch {
	case len(list) > 1 && len(killed) == len(list):
		k.hits[what+": all of it"]++
	default:
		k.hits[what+": "+strings.Join(killed, " and ")]++
	}
}

// round is one migration under fire, with a spool, a destination and targets of its own.
type round struct {
	world
	k *killer
}

// fire starts the commands as a pipe and kills in it.
func (r round) fire(what string, within time.Duration, stages ...[]string) {
	r.t.Helper()
	list, said := make([]*exec.Cmd, len(stages)), make([]bytes.Buffer, len(stages))
	var from *os.File
	for i, args := range stages {
		x := r.command(args...)
		x.Stderr = &said[i]
		if from != nil {
			x.Stdin = from
		}
		var next, w *os.File
		if i < len(stages)-1 {
			next, w = r.newPipe()
			x.Stdout = w
		}
		if err := x.Start(); err != nil {
			r.t.Fatal(err)
		}
		for _, f := range []*os.File{from, w} {
			if f != nil {
				f.Close()
			}
		}
		from, list[i] = next, x
	}
	r.k.kill(within, what, list)
	r.nothingHalf()
	for i, x := range list {
		r.heard(x.Args[0], said[i].Bytes())
		// A stage whose reader is gone ends with 1.
		if s := x.ProcessState.ExitCode(); s == 2 || s == 5 || s == 1 && i == len(list)-1 {
			r.t.Errorf("beside the one that was killed, %v ended with %d\n%s", x.Args, s, said[i].String())
		}
	}
}

// onFiles kills pack, then push. It and its like report whether the last push ended by itself.
func (r round) onFiles() bool {
	r.t.Helper()
	for range r.k.shots() {
		r.fire("pack", r.k.took["pack"], packStep)
	}
	r.want(0, packStep...)
	for range r.k.shots() {
		r.fire("push", r.k.took["push"], pushStep)
	}
	r.want(3, pushStep...)
	return true
}

// inPipe kills in pack | push. A pipe that was killed after the commit is found committed by the next.
func (r round) inPipe() bool {
	r.t.Helper()
	pack, push := without(packStep, "--out"), without(pushStep, "--in")
	for range r.k.shots() {
		r.fire("pack | push", r.k.took["pack"]+r.k.took["push"]/2, pack, push)
	}
	r.wantAll(r.pipe(nil, pack, push), 0, 3)
	return true
}

// inWholePipe kills in all four. What a new scan begins is a new migration, so the first that is committed ends it.
func (r round) inWholePipe() bool {
	r.t.Helper()
	all := piped()
	within := r.k.took["scan"] + r.k.took["assign"] + r.k.took["pack"] + r.k.took["push"]/2
	for range r.k.shots() {
		if len(r.commits()) == 0 {
			r.fire("scan | assign | pack | push", within, all...)
		}
	}
	if len(r.commits()) > 0 {
		return false
	}
	r.wantAll(r.pipe(nil, all...), 3, 0, 0, 3)
	return true
}

func (r round) underFireUnpack() {
	r.t.Helper()
	for range r.k.shots() {
		if !r.unpacked() {
			r.fire("unpack", r.k.took["unpack"], unpackStep)
		}
	}
	if !r.unpacked() {
		r.want(0, unpackStep...)
	}
}

// unpacked says that the last thing that unpack does was done: the folder's mark is gone.
func (r round) unpacked() bool { return r.has("out", "service") && !r.has("out", ".omt-unpack.json") }

// commits are the revisions that are committed.
func (r round) commits() []string {
	list, err := filepath.Glob(r.path("dest", "migrations", "*", "*", "commit.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

// nothingHalf looks at what a kill has left: every chunk that has its name is whole, what is committed is there, and an
// --out that stands is whole.
func (r round) nothingHalf() {
	r.t.Helper()
	for _, dir := range []string{"spool", "dest"} {
		for _, name := range chunksIn(r.t, r.path(dir)) {
			b := r.read(dir, "chunks", name[:2], name)
			if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != name[:64] {
				r.t.Errorf("%s holds %s with other bytes", dir, name)
			}
		}
	}
	if n := len(r.commits()); n > 1 {
		r.t.Errorf("%d revisions are committed", n)
	} else if n == 1 {
		r.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "names")
	}
	for _, out := range []string{"packed.jsonl", "done.jsonl"} {
		if r.has(out) && !bytes.HasPrefix(lines(r.read(out))[len(lines(r.read(out)))-1], []byte(`{"kind":"end"`)) {
			r.t.Errorf("%s has no end", out)
		}
	}
}

// prove compares everything with the run that nobody disturbed.
func (r round) prove(b world) {
	r.t.Helper()
	r.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content", "--db", "sqlite:out.sqlite")
	done := r.committed(r.path("dest"))
	same(r.t, "the committed manifest", normal(r.t, b.read("done.jsonl"), b.dir), normal(r.t, done, b.dir, r.dir))
	if r.has("done.jsonl") && !bytes.Equal(r.read("done.jsonl"), done) {
		same(r.t, "done.jsonl", normal(r.t, done), normal(r.t, r.read("done.jsonl")))
	}
	names := chunkNames(r.t, done)
	slices.Sort(names)
	same(r.t, "the chunks at the destination", names, chunksIn(r.t, r.path("dest")))
	var status struct {
		State     string
		Revisions []struct{ Committed *struct{ Revision int } }
	}
	if err := json.Unmarshal(r.want(0, "omt-push", "status", "--to", "dest", "--json").out, &status); err != nil {
		r.t.Fatal(err)
	}
	if status.State != "offlinemaintenance" {
		r.t.Errorf("the tenant's state is %q", status.State)
	}
	r.write(done, "committed.jsonl")
	f, err := compare.FilesOf(r.path("committed.jsonl"), r.path("out"))
	if err != nil {
		r.t.Error(err)
	}
	rows, err := compare.Databases(context.Background(), b.path("inst", "crm.sqlite"), r.path("out.sqlite"), removed(r.t, b))
	if err != nil {
		r.t.Error(err)
	}
	if f.Same < 130 || rows.Rows < 800 {
		r.t.Errorf("compared %+v, %+v: fewer than there are", f, rows)
	}
	got := 0
	for name := range tree(r.t, r.path("out")) {
		if got++; strings.HasPrefix(name, ".omt") {
			r.t.Errorf("left in the unpacked folder: %s", name)
		}
	}
	if want := len(tree(r.t, b.path("out"))); got != want {
		r.t.Errorf("%d files were unpacked, want %d", got, want)
	}
}
