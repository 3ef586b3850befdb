package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// watcher looks at the processes of this machine while the tests run: the command line of none of ours, and of nothing
// that ours have started, holds a secret, and neither does the environment of what ours have started. Ours themselves are
// given secrets by their environment, which only their user can read.
type watcher struct {
	needles  []stem
	stop     chan struct{}
	stopped  chan struct{}
	mu       sync.Mutex
	own      int // processes of ours that were looked at
	children int // processes that those have started
	problems []string
}

// watched is one process.
type watched struct {
	exe   string // the program; one that has just been started is still that of its parent
	looks int    // at this program
	ours  bool   // a command of ours
	below bool   // started by one, or by what that has started
}

// looks is how often a program is looked at.
const looks = 3

// watchProcesses begins. Every secret that is planted is searched for.
func watchProcesses() *watcher {
	w := &watcher{needles: needles(secretsOf(plants())), stop: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(w.stopped)
		for known := map[string]*watched{}; ; {
			w.look(known)
			select {
			case <-w.stop:
				return
			case <-time.After(30 * time.Millisecond):
			}
		}
	}()
	return w
}

// look goes through all processes. Those that may yet become another program are looked at each time.
func (w *watcher) look(known map[string]*watched) {
	self, _ := os.Executable()
	list, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	alive := map[string]bool{}
	for _, e := range list {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		key := e.Name()
		alive[key] = true
		p := known[key]
		if p == nil {
			p = &watched{}
			known[key] = p
		}
		if p.looks < looks || p.ours || p.exe == self {
			w.process(pid, p, known)
		}
	}
	for key := range known {
		if !alive[key] {
			delete(known, key)
		}
	}
}

// process looks at one.
func (w *watcher) process(pid int, p *watched, known map[string]*watched) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	exe, err := os.Readlink(filepath.Join(dir, "exe"))
	if err != nil || exe == p.exe && p.looks >= looks {
		p.looks++
		return
	}
	was := *p
	if exe != p.exe {
		p.exe, p.looks = exe, 0
	}
	p.looks++
	p.ours = filepath.Dir(exe) == shared.bin
	above := known[strconv.Itoa(parentOf(dir))]
	p.below = !p.ours && (filepath.Dir(exe) == filepath.Join(shared.bin, "plugins") || above != nil && (above.ours || above.below) || was.below)
	if !p.ours && !p.below {
		return
	}
	w.search(dir, "cmdline", exe)
	w.mu.Lock()
	if p.ours && !was.ours {
		w.own++
	}
	if p.below && !was.below {
		w.children++
	}
	w.mu.Unlock()
	if p.below {
		w.search(dir, "environ", exe)
	}
}

// search looks into a file of a process.
func (w *watcher) search(dir, name, exe string) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if now, _ := os.Readlink(filepath.Join(dir, "exe")); err != nil || now != exe {
		return // it has ended, or become another program meanwhile
	}
	if secret := found1(b, w.needles); secret != "" {
		w.mu.Lock()
		w.problems = append(w.problems, fmt.Sprintf("%s of the process %s holds the secret %q", name, exe, secret))
		w.mu.Unlock()
	}
}

// parentOf reads who started a process.
func parentOf(dir string) int {
	b, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(f[1])
	return n
}

// end says what was found. A run in which there were processes and none was seen proves nothing.
func (w *watcher) end(started int) error {
	close(w.stop)
	<-w.stopped
	fmt.Printf("looked at %d of %d processes of ours, and at %d that those have started\n", w.own, started, w.children)
	if len(w.problems) > 0 {
		return fmt.Errorf("%d times: %s", len(w.problems), strings.Join(w.problems, "; "))
	}
	if started > 20 && w.own < started/4 {
		return fmt.Errorf("only %d of %d processes were looked at: this proves too little", w.own, started)
	}
	return nil
}

// waiter starts a program that waits for its input, and returns when it is that program and has its environment, which
// comes a moment later.
func waiter(t *testing.T, env, args []string) int {
	t.Helper()
	x := exec.Command("cat", append([]string{"-"}, args...)...)
	x.Env = env
	in, err := x.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); x.Wait() })
	self, _ := os.Executable()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		dir := fmt.Sprintf("/proc/%d", x.Process.Pid)
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if environ, _ := os.ReadFile(filepath.Join(dir, "environ")); err == nil && exe != self && len(environ) > 0 {
			return x.Process.Pid
		}
	}
	t.Fatal("cat does not run")
	return 0
}

// TestWatch shows that what is searched for among processes is found: a command that is given a secret as an argument,
// and a program that a process of ours has started with its whole environment.
func TestWatch(t *testing.T) {
	w := &watcher{needles: needles(secretsOf(plants()))}
	known := map[string]*watched{strconv.Itoa(os.Getpid()): {ours: true, looks: looks}}
	for what, c := range map[string]struct {
		env, args []string
		want      string
	}{
		"a clean child":        {[]string{"PATH=" + os.Getenv("PATH")}, nil, ""},
		"an argument":          {[]string{"PATH=" + os.Getenv("PATH")}, []string{planted + "db"}, "cmdline"},
		"the environment":      {plants(), nil, "environ"},
		"one of a whole proxy": {[]string{"HTTPS_PROXY=http://omt:" + planted + "proxy@127.0.0.1:9"}, nil, "environ"},
	} {
		x := waiter(t, c.env, c.args)
		before, children := len(w.problems), w.children
		w.process(x, &watched{}, known)
		if w.children != children+1 {
			t.Errorf("%s: it was not taken for a child", what)
		}
		if got := strings.Join(w.problems[before:], "; "); c.want == "" && got != "" || c.want != "" && !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: found %q, want %q", what, got, c.want)
		}
	}
}
