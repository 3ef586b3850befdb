package preflight

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// hostDir is the variable that makes the test binary a host on a folder.
const hostDir = "OMT_TEST_HOST_DIR"

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
		for i, r := range h.running {
			if r == nil {
				fmt.Println(h.plugins[i].Err)
				os.Exit(1)
			}
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
	cmd.Env = append(os.Environ(), hostDir+"="+dir, hostDo+"="+do)
	cmd.Stderr = os.Stderr
	return cmd
}
