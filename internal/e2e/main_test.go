package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// shared is what TestMain made: the folder of the commands, and one for the installation that all tests read.
var shared struct {
	bin, dir string
	started  atomic.Int64 // processes
}

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
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	w := watchProcesses()
	status := m.Run()
	if err := w.end(int(shared.started.Load())); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: secrets of processes:", err)
		return 1
	}
	return status
}

// build makes the commands and, beside them where they are found, the plugins, as make build does.
func build() error {
	into := func(folder string) string { return filepath.Join(shared.bin, folder) + string(filepath.Separator) }
	plugins := []string{"build", "-o", into("plugins")}
	for _, name := range []string{"archive", "crm", "script"} {
		if _, err := os.Stat(filepath.Join("..", "..", "plugins", name)); err == nil {
			plugins = append(plugins, "./plugins/"+name)
		}
	}
	for _, x := range []*exec.Cmd{
		exec.Command("go", "build", "-o", into(""), "./cmd/..."), exec.Command("go", plugins...),
		exec.Command(tool("omt-scan"), "rules", "--lock", "--log", filepath.Join(shared.dir, "lock.log")),
	} {
		x.Dir = filepath.Join("..", "..")
		if out, err := x.CombinedOutput(); err != nil {
			return fmt.Errorf("building: %s: %w\n%s", x, err, out)
		}
	}
	return nil
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
