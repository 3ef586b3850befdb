//go:build !windows

package preflight

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A host that is killed leaves no plugin, whether the plugin watches its connection or not, and no socket.
func TestAKilledHostLeavesNothing(t *testing.T) {
	temp, err := os.MkdirTemp("/tmp", "omt") // short enough for sockets
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temp)
	cmd := hostProcess(t, folder(t, "honest", "unwatch", "hang"), "wait")
	cmd.Env = append(cmd.Env, "TMPDIR="+temp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var plugins []int
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the host said %q", lines.Text())
		}
		plugins = append(plugins, n)
	}
	if len(plugins) != 3 {
		t.Fatalf("plugins %v", plugins)
	}
	for _, n := range plugins {
		if !alive(n) {
			t.Fatalf("plugin %d does not run", n)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	deadline := time.Now().Add(time.Minute)
	for _, n := range plugins {
		for alive(n) {
			if time.Now().After(deadline) {
				t.Errorf("plugin %d outlives its host", n)
				_ = syscall.Kill(n, syscall.SIGKILL)
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left in the folder of temporary files: %v %v", left, err)
	}
}

// The name of a socket is short, wherever temporary files are.
func TestSocketsWithALongTemporaryFolder(t *testing.T) {
	for _, n := range []int{1, longestBase, longestBase + 1, 200} {
		temp := "/tmp/omt" + strings.Repeat("x", max(0, n-len("/tmp/omt")))
		if err := os.MkdirAll(temp, 0o700); err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(temp)
		t.Setenv("TMPDIR", temp)
		if p := open(t, options(folder(t, "honest"))).Plugins()[0]; p.Err != nil {
			t.Errorf("%d bytes: %v", n, p.Err)
		}
	}
}

// alive reports whether a process runs; one that has ended and was not waited for does not.
func alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(b), ") Z ")
}

// A plugin that reads its standard input sees its end, and takes nothing from the host.
func TestPluginsDoNotReadTheHostsInput(t *testing.T) {
	cmd := hostProcess(t, folder(t, "reader"), "finish")
	cmd.Stdin = strings.NewReader("one record\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`stdin: "", <nil>`, `host: "one record\n" <nil> <nil>`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("missing %q in\n%s", want, out)
		}
	}
}
