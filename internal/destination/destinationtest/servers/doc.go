// Package servers starts the services that destinations are tested against, as child processes on loopback: Azurite for
// Azure Blob Storage and versitygw for S3. Where they lie is said by OMT_TEST_AZURITE (the folder that npm installed it
// into) and OMT_TEST_VERSITYGW (the folder that the program was built into); make test sets both, and a test is skipped where one is not there.
package servers

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long a server may take to start on a machine that is busy.
const patience = 90 * time.Second

// program finds what a variable names, or skips the test.
func program(t testing.TB, variable, below, what string) string {
	t.Helper()
	top := os.Getenv(variable)
	if top == "" {
		t.Skipf("%s is not set: what %s would show is not tested (make test installs it)", variable, what)
	}
	path := filepath.Join(top, filepath.FromSlash(below))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there: what %s would show is not tested: %v", what, what, err)
	}
	return path
}

// child runs a server until the test ends.
func child(t testing.TB, cmd *exec.Cmd) (lines <-chan string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	dies(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(said)
		for r := bufio.NewScanner(out); r.Scan(); {
			select {
			case said <- r.Text():
			default: // nobody listens any more
			}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
	})
	return said
}

// line waits for a line that holds text.
func line(t testing.TB, lines <-chan string, text string) string {
	t.Helper()
	var all []string
	timeout := time.After(patience)
	for {
		select {
		case l, ok := <-lines:
			if !ok {
				t.Fatalf("the server ended, saying %q", all)
			}
			if strings.Contains(l, text) {
				return l
			}
			all = append(all, l)
		case <-timeout:
			t.Fatalf("the server did not start; it said %q", all)
		}
	}
}

// freePort is a port of this machine that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // of a test alone
	return l.Addr().String()
}

// answers waits until somebody listens.
func answers(t testing.TB, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			_ = c.Close()
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("nobody listens at %s: %v", addr, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
