//go:build !windows

package preflight

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hostDo is the variable that says what the test binary does as a host.
const hostDo = "OMT_TEST_HOST_DO"

// runHost is the test binary as a host in a process of its own.
func runHost(dir string) {
	ctx := context.Background()
	h, err := Open(ctx, Options{Dir: dir, Tool: "omt-test 1", Now: time.Now})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	s, err := h.Begin(ctx)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	if os.Getenv(hostDo) == "wait" {
		for _, r := range h.running {
			fmt.Println(r.proc.ID())
		}
		fmt.Println("ready")
		select {}
	}
	_, findings, err := s.Finish(ctx)
	for _, f := range findings {
		fmt.Println(f.Message)
	}
	h.Close()
	b, err2 := io.ReadAll(os.Stdin)
	fmt.Printf("host: %q %v %v\n", b, err, err2)
}

func hostProcess(t *testing.T, dir, do string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), hostDir+"="+dir, hostDo+"="+do, "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	return cmd
}

// A host that is killed leaves no plugin, whether the plugin watches its connection or not, and no socket.
func TestAKilledHostLeavesNothing(t *testing.T) {
	cmd := hostProcess(t, folder(t, "honest", "unwatch", "hang"), "wait")
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
	deadline := time.Now().Add(10 * time.Second)
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
	temp := ""
	for _, v := range cmd.Env {
		if s, ok := strings.CutPrefix(v, "TMPDIR="); ok {
			temp = s
		}
	}
	for _, dir := range []string{temp, "/tmp"} {
		left, _ := filepath.Glob(filepath.Join(dir, "omt-plugins-*"))
		for _, f := range left {
			if info, err := os.Stat(f); err == nil && time.Since(info.ModTime()) < time.Minute && dir == temp {
				t.Errorf("%s is left", f)
			}
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
