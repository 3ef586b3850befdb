package e2e

import (
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// machine is a site with a spool of its own, in which the base world's manifest was packed.
func machine(t *testing.T, b world, c cloud) world {
	t.Helper()
	_, w := fresh(t)
	w.use(c)
	w.write(b.read("assigned.jsonl"), "assigned.jsonl")
	w.want(0, packStep...)
	return w
}

// until runs a push until so many more requests for chunks have come, and kills it.
func (w world) until(c cloud, more int, push []string) {
	w.t.Helper()
	was := c.relay.Count("PUT", "/chunks/")
	x := w.command(push...)
	if err := x.Start(); err != nil {
		w.t.Fatal(err)
	}
	for end := time.Now().Add(patience); c.relay.Count("PUT", "/chunks/") < was+more && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	x.Process.Kill()
	x.Wait()
	if x.ProcessState.ExitCode() >= 0 {
		w.t.Errorf("a push had ended before it was killed: %s", x)
	}
}

// Two machines, each with its own copy of the manifest and its own spool, take turns at one tenant: what one has sent, the
// other one does not send, and does not ask for one by one; whoever comes last commits; and whoever comes after that finds
// it done and writes the same.
func TestTwoMachines(t *testing.T) {
	t.Parallel()
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)(t)
			b := base(t)
			one, two := machine(t, b, c), machine(t, b, c)
			chunks := chunksIn(t, one.path("spool"))
			same(t, "the chunks of the other machine", chunks, chunksIn(t, two.path("spool")))
			const workers, each = 2, 9
			push := append(toCloud(pushStep, "--to"), "--keep", "--workers", "2")
			c.relay.Slow(3_000_000)
			one.until(c, each, push)
			two.until(c, each, push)
			c.relay.Slow(0)
			one.want(3, push...)
			sent, asked := c.relay.Count("PUT", "/chunks/"), c.relay.Count("HEAD", "/chunks/")
			two.want(3, push...)
			asked = c.relay.Count("HEAD", "/chunks/") - asked
			if n := c.relay.Count("PUT", "/chunks/"); n != sent {
				t.Errorf("the other machine sent %d chunks of a migration that is committed", n-sent)
			}
			// A chunk takes one request, and one more at Azure, which makes it of its blocks.
			least := len(chunks)
			if name == "azure" {
				least *= 2
			}
			if again := sent - least; again < 0 || again > 2*2*workers {
				t.Errorf("%d requests for %d chunks, where at most %d were on their way when a push was killed: some were sent twice", sent, len(chunks), 2*workers)
			}
			if asked > len(chunks)/4 {
				t.Errorf("%d of %d chunks that are there were asked for one by one", asked, len(chunks))
			}
			same(t, "done.jsonl of the other machine", normal(t, one.read("done.jsonl")), normal(t, two.read("done.jsonl")))
			same(t, "done.jsonl", normal(t, b.read("done.jsonl"), b.dir), normal(t, one.read("done.jsonl"), one.dir, b.dir))
			two.want(0, "omt-pack", "verify", "--from", "@tenant.url", "--depth", "content")
			t.Logf("%d requests for %d chunks, %d asked for one by one by the other machine", sent, len(chunks), asked)
		})
	}
}

// Two machines push the same at once. Both end well, or one says that the other was faster and ends well when it is run
// again: it is committed once, and both have written the same.
func TestTwoMachinesAtOnce(t *testing.T) {
	t.Parallel()
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)(t)
			b := base(t)
			push := append(toCloud(pushStep, "--to"), "--keep")
			both := []world{machine(t, b, c), machine(t, b, c)}
			var wait sync.WaitGroup
			ended := make([]result, len(both))
			for i, w := range both {
				x := w.command(push...)
				var said strings.Builder
				x.Stderr = &said
				if err := x.Start(); err != nil {
					t.Fatal(err)
				}
				wait.Add(1)
				go func(x *exec.Cmd) {
					defer wait.Done()
					x.Wait()
					ended[i] = result{line: x.String(), status: x.ProcessState.ExitCode(), err: said.String()}
				}(x)
			}
			wait.Wait()
			won := 0
			for i, w := range both {
				w.heard("omt-push", []byte(ended[i].err))
				if ended[i].status == 3 {
					won++
				} else if ended[i].status != 1 && ended[i].status != 5 {
					t.Errorf("%s", ended[i])
				}
				w.want(3, push...)
			}
			if won == 0 {
				t.Errorf("nobody won: %s, %s", ended[0], ended[1])
			}
			same(t, "done.jsonl", normal(t, both[0].read("done.jsonl")), normal(t, both[1].read("done.jsonl")))
			st := string(both[0].want(0, "omt-push", "status", "--to", "@tenant.url").out)
			// A number that one of them has taken and not used stays unused.
			if n := strings.Count(st, "  full ") - strings.Count(st, "not committed"); n != 1 {
				t.Errorf("it is committed %d times: %s", n, st)
			}
			both[1].want(0, "omt-pack", "verify", "--from", "@tenant.url", "--depth", "content")
		})
	}
}
