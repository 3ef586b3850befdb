package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openomt/omt/internal/cli/clitest"
)

// plugins are what the scripts run their rules with.
var plugins clitest.Plugins

func TestMain(m *testing.M) {
	testscript.Main(plugins.Main(m), map[string]func(){"omt-pack": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: plugins.Setup,
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"status": clitest.WantStatus, "seal": clitest.Seal, "plugins": clitest.CopyPlugins}})
}

func TestWrongFlags(t *testing.T) { clitest.WrongFlags(t, "omt-pack", command) }

// The commands that this build refuses are named in the README, so that nobody looks for them.
func TestReadmeSaysWhatIsNotDone(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(text), "\n## What is not done yet\n")
	if !found {
		t.Fatal("the README has no list of what is not done")
	}
	for _, flag := range []string{"--dry-run"} {
		if !strings.Contains(list, flag) {
			t.Errorf("%s is refused, and the README does not say so", flag)
		}
	}
}
