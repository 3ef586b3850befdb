package main

import (
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
