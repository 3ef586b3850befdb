package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// forgetful never lists one of its objects.
type forgetful struct {
	destination.Destination
	name string
}

func (f *forgetful) List(ctx context.Context, prefix string, fn func(destination.Info) error) error {
	return f.Destination.List(ctx, prefix, func(i destination.Info) error {
		if i.Name == f.name {
			return nil
		}
		return fn(i)
	})
}

// A push that dies at any change to the destination, before or after it took effect, is finished by running it again,
// as the same revision.
func TestDeathAtEveryStep(t *testing.T) {
	p := small()
	at := newPlace(t, p)
	counter := destinationtest.NewFaulty(t, at.destination(t))
	o := at.options(t, p.bytes(t))
	o.To = counter
	_, err := run1(t.Context(), o)
	wantError(t, err, manifest.Remarks, "revision 1")
	steps := counter.Calls(destinationtest.OpChange)
	if steps < 3*(p.chunks+1)+5 {
		t.Fatalf("a push has %d steps", steps)
	}
	for step := 1; step <= steps; step++ {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d late=%v", step, late), func(t *testing.T) {
				t.Parallel()
				at := newPlace(t, p)
				o := at.options(t, p.bytes(t))
				o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpChange, Call: step, Late: late, Die: true})
				_, err := run1(t.Context(), o)
				wantError(t, err, manifest.Failed, "died")
				_, err = at.push(t, p.bytes(t))
				wantError(t, err, manifest.Remarks, "committed as revision 1")
				at.wantPushed(t, p)
				if left := at.spoolFiles(t); len(left) > 0 {
					t.Errorf("left in the spool: %q", left)
				}
			})
		}
	}
}

// Two pushes with one spool: the second is told so.
func TestOneSpool(t *testing.T) {
	p := small()
	at := newPlace(t, p)
	block, unblock := io.Pipe()
	first := at.base(at.destination(t))
	first.In = manifest.NewReader(block, manifest.ReadOptions{})
	var wg sync.WaitGroup
	var errFirst error
	wg.Go(func() { _, errFirst = run1(t.Context(), first) })
	_, err := unblock.Write(p.bytes(t)) // returns when the first has the lock and reads
	check(t, err)
	_, err = at.push(t, p.bytes(t))
	wantError(t, err, manifest.Refused, "in use by another omt-push")
	check(t, unblock.Close())
	wg.Wait()
	wantError(t, errFirst, manifest.Remarks, "revision 1")
	at.wantPushed(t, p)
}

// Pushes of two migrations from spools of their own, at once: one wins, the others are told so. Pushes of the same
// manifest all succeed.
func TestRace(t *testing.T) {
	for round := range 3 {
		a, b := small(), small()
		b.id, b.seed = idB, 1
		at := newPlace(t, a)
		var wg sync.WaitGroup
		const n = 4
		errs := make([]error, n)
		for i := range n {
			p := []packed{a, b}[i%2]
			own := at
			own.spool = filepath.Join(t.TempDir(), "spool")
			p.fill(t, own.spool)
			o := own.options(t, p.bytes(t))
			wg.Go(func() { _, errs[i] = run1(t.Context(), o) })
		}
		wg.Wait()
		s, err := tenant.Open(at.destination(t)).State(t.Context())
		check(t, err)
		winner := map[string]int{idA: 0, idB: 1}[s.Migration.ID]
		for i, err := range errs {
			if i%2 == winner {
				wantError(t, err, manifest.Remarks, "committed as revision")
			} else {
				wantError(t, err, manifest.Refused, "holds migration "+s.Migration.ID)
			}
		}
		at.wantPushed(t, []packed{a, b}[winner])
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
}

// TestHelperProcess is no test: it is the push that gets killed, or that runs beside another one.
func TestHelperProcess(t *testing.T) {
	args := strings.Split(os.Getenv("OMT_TEST_PUSH"), "|")
	if len(args) != 3 {
		t.Skip("run by other tests alone")
	}
	at := place{spool: args[0], to: args[1], archive: filepath.Join(filepath.Dir(args[0]), "arc"), notices: &lines{}, logged: &lines{}}
	data, err := os.ReadFile(args[2])
	check(t, err)
	fmt.Println("ready")
	_, err = at.push(t, data)
	fmt.Printf("status %d: %v\n", manifest.StatusOf(err), err)
}

func process(t *testing.T, at place, input string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperProcess$")
	cmd.Env = append(os.Environ(), "OMT_TEST_PUSH="+strings.Join([]string{at.spool, at.to, input}, "|"))
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, len("ready\n")))
	check(t, err)
	var rest bytes.Buffer
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.Copy(&rest, out) }()
	t.Cleanup(func() { <-done })
	cmd.Cancel = func() error { <-done; return nil }
	return cmd, &rest
}

// killer kills processes at random moments of their lives.
type killer struct {
	random *rand.Rand
	within time.Duration // of their start
	killed int           // before they had ended
}

// kill takes the less time the more processes end before it comes: how long one lives is the machine's affair.
func (k *killer) kill(cmd *exec.Cmd) {
	time.Sleep(time.Duration(k.random.Int64N(int64(k.within))))
	_ = cmd.Process.Kill()
	if err := cmd.Wait(); err != nil {
		k.killed++
	} else {
		k.within = k.within*3/4 + time.Millisecond
	}
}

// Killed at random points and run again, a push ends whole: nothing lost, nothing twice, nothing half.
func TestKilled(t *testing.T) {
	k := killer{random: rand.New(rand.NewPCG(1, 2)), within: 120 * time.Millisecond}
	for round := range 20 {
		p := small()
		p.chunks, p.size = 12, 200_000
		at := newPlace(t, p)
		input := filepath.Join(t.TempDir(), "packed.jsonl")
		check(t, os.WriteFile(input, p.bytes(t), 0o600))
		for range 1 + round%2 {
			cmd, _ := process(t, at, input)
			k.kill(cmd)
			for name, size := range destinationtest.Listed(t, at.destination(t), "chunks/") {
				if got := destinationtest.Read(t, at.destination(t), name); int64(len(got)) != size || len(got) < p.size {
					t.Fatalf("round %d: %q is not whole", round, name)
				}
			}
		}
		_, err := at.push(t, p.bytes(t))
		wantError(t, err, manifest.Remarks, "committed as revision 1")
		at.wantPushed(t, p)
		if left := at.spoolFiles(t); len(left) > 0 {
			t.Errorf("round %d: left in the spool: %q", round, left)
		}
		if got := len(destinationtest.Listed(t, at.destination(t), "chunks/")); got != p.chunks {
			t.Errorf("round %d: %d chunks are there, want %d", round, got, p.chunks)
		}
	}
	if k.killed < 10 {
		t.Errorf("only %d processes were killed before they had ended", k.killed)
	}
}

// Two processes push two migrations to one tenant at once: one wins, the other says so.
func TestTwoProcesses(t *testing.T) {
	for range 3 {
		a, b := small(), small()
		b.id, b.seed = idB, 1
		at := newPlace(t, a)
		var cmds []*exec.Cmd
		var outs []*bytes.Buffer
		for i, p := range []packed{a, b} {
			own := at
			own.spool = filepath.Join(t.TempDir(), "spool")
			p.fill(t, own.spool)
			input := filepath.Join(t.TempDir(), fmt.Sprint(i))
			check(t, os.WriteFile(input, p.bytes(t), 0o600))
			cmd, out := process(t, own, input)
			cmds, outs = append(cmds, cmd), append(outs, out)
		}
		for _, cmd := range cmds {
			_ = cmd.Cancel() // waits for its output's end
			check(t, cmd.Wait())
		}
		s, err := tenant.Open(at.destination(t)).State(t.Context())
		check(t, err)
		winner := map[string]int{idA: 0, idB: 1}[s.Migration.ID]
		if got := outs[winner].String(); !strings.Contains(got, "status 3: committed as revision 1") {
			t.Errorf("the winner said %q", got)
		}
		if got := outs[1-winner].String(); !strings.Contains(got, "status 5:") || !strings.Contains(got, "holds migration "+s.Migration.ID) {
			t.Errorf("the other said %q", got)
		}
		at.wantPushed(t, []packed{a, b}[winner])
	}
}

// A push that was killed while it committed is finished by whoever comes next.
func TestAnotherFinishes(t *testing.T) {
	p := small()
	at := newPlace(t, p)
	o := at.options(t, p.bytes(t))
	// Creations: open.json, the gate, commit.json, the state.
	o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpCreate, Call: 3, Die: true})
	_, err := run1(t.Context(), o)
	if !errors.Is(err, destinationtest.ErrDied) {
		t.Fatalf("error is %v", err)
	}
	other := small()
	other.id, other.seed = idB, 1
	own := at
	own.spool = filepath.Join(t.TempDir(), "spool")
	other.fill(t, own.spool)
	_, err = own.push(t, other.bytes(t))
	wantError(t, err, manifest.Refused, "holds migration "+idA)
	_, err = at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "committed as revision 1")
	at.wantPushed(t, p)
}
