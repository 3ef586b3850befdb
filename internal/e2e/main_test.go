package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// shared is what TestMain made: the folder of the commands, and one for the installation that all tests read.
var shared struct{ bin, dir string }

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "omt-e2e-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	shared.dir, shared.bin = dir, filepath.Join(dir, "bin")
	x := exec.Command("go", "build", "-o", shared.bin+string(filepath.Separator), "./cmd/...")
	x.Dir = filepath.Join("..", "..")
	if out, err := x.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: building the commands: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func tool(name string) string {
	name = filepath.Join(shared.bin, name)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// needs skips a test whose programs are not on this machine.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("no %s on this machine", p)
		}
	}
}

// number is a choice made by environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s=%q: want a number", name, s)
	}
	return n
}

// random gives the random numbers of a test, and prints how to have the same again.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := number(t, "OMT_TEST_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("OMT_TEST_SEED=%d repeats this", seed)
	return rand.New(rand.NewPCG(uint64(seed), 0))
}
