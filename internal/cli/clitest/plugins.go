package clitest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/openomt/omt/internal/preflight"
)

// Plugins are our plugins, built and locked once for all tests of a package, when the first of them asks. A package that
// uses them has a TestMain that ends with Remove, as Main does.
type Plugins struct {
	once sync.Once
	dir  string
	err  error
}

// Dir is the folder of the plugins, for OMT_PLUGINS.
func (p *Plugins) Dir(t testing.TB) string {
	t.Helper()
	p.once.Do(func() { p.dir, p.err = buildPlugins() })
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.dir
}

// Remove removes the folder.
func (p *Plugins) Remove() {
	if p.dir != "" {
		os.RemoveAll(p.dir)
	}
}

// Main is m with the plugins removed behind it, for testscript.Main.
func (p *Plugins) Main(m interface{ Run() int }) interface{ Run() int } { return after{m, p} }

type after struct {
	m interface{ Run() int }
	p *Plugins
}

// Run runs the tests.
func (a after) Run() int {
	defer a.p.Remove()
	return a.m.Run()
}

// buildPlugins builds every plugin of ours into a new folder and locks it.
func buildPlugins() (dir string, err error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", fmt.Errorf("building the plugins: where their source is cannot be told")
	}
	root := filepath.Join(filepath.Dir(here), "..", "..", "..")
	if dir, err = os.MkdirTemp("", "omt-test-plugins-"); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	for _, name := range []string{"archive", "crm", "script"} {
		if _, err := os.Stat(filepath.Join(root, "plugins", name)); err == nil {
			args = append(args, "./plugins/"+name)
		}
	}
	build := exec.Command("go", args...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the plugins: %w: %s", err, out)
	}
	_, err = preflight.Lock(dir)
	return dir, err
}
