package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/scan/scantest"
)

// plugins are what the scripts run their rules with.
var plugins clitest.Plugins

func TestMain(m *testing.M) {
	testscript.Main(plugins.Main(m), map[string]func(){"omt-scan": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: plugins.Setup,
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"site": site, "status": clitest.WantStatus, "verify": verify, "plugins": clitest.CopyPlugins, "relicense": relicense}})
}

// site writes a small installation: site DIR [sound]. In a sound one nothing blocks.
func site(ts *testscript.TestScript, _ bool, args []string) {
	s := scantest.New(ts.MkAbs(args[0]))
	if len(args) > 1 {
		sound(s)
	}
	ts.Check(s.Write(context.Background()))
}

// sound puts the document that is missing in its place, and retires one of two users who share their address.
func sound(s *scantest.Site) {
	s.Files["so_arc/GKS/2003.2/lost.doc"] = "found again"
	for _, row := range s.Table("associate").Rows {
		if row[1] == "TWIN2" {
			row[2] = 1
		}
	}
}

// relicense writes another serial number into the database of a sound installation: relicense DIR SERIAL.
func relicense(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.Remove(ts.MkAbs(args[0] + "/crm.sqlite")))
	s := scantest.New(ts.MkAbs(args[0]))
	sound(s)
	for _, t := range s.Tables {
		for _, row := range t.Rows {
			for i := range row {
				if row[i] == "1801830017" {
					row[i] = args[1]
				}
			}
		}
	}
	ts.Check(s.Write(context.Background()))
}

// verify reads a whole manifest, its end included: verify FILE.
func verify(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	_, err = manifest.Verify(f, manifest.ReadOptions{})
	ts.Check(err)
}

// TestManual holds that the manual page names every flag of omt-scan.
func TestManual(t *testing.T) {
	manual, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range command(nil).Flags {
		if name := f.Names()[0]; !strings.Contains(string(manual), "--"+name) {
			t.Errorf("doc.go does not name --%s", name)
		}
	}
}

func TestWrongFlags(t *testing.T) { clitest.WrongFlags(t, "omt-scan", command) }
