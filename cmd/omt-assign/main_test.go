package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/manifest/manifesttest"
)

// plugins are what the scripts run their rules with.
var plugins clitest.Plugins

func TestMain(m *testing.M) {
	testscript.Main(plugins.Main(m), map[string]func(){"omt-assign": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: plugins.Setup,
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"seal": clitest.Seal, "status": clitest.WantStatus, "plugins": clitest.CopyPlugins}})
}

func TestWrongFlags(t *testing.T) { clitest.WrongFlags(t, "omt-assign", command) }

// scan is a manifest as omt-scan writes it, with names that a console spoils.
const scan = `{"kind":"manifest","format":"omt/1","id":"0192f0c1-0000-7000-8000-000000000000","tool":"omt-scan 0.1.0","created":"2026-11-22T04:00:00Z","migration":"test","phase":"full"}
{"kind":"migrator","login":"KK","name":"Karl","email":"k@x.no","phone":"","language":"no","verified":"database","admin":"guessed"}
{"kind":"plan","name":"Sålg","title":"Salg 漢字","onsite":"ten-sales","seats":2,"unlimited":false,"source":"tenant"}
{"kind":"user","id":7,"login":"GKS","person":17,"name":"Gunn K. Schpaa 😀","company":"Ærø","group":"","role":"","position":"","admin":true,"confidential":false,"emails":["gks@example.com"],"onsite":"ten-sales"}
{"kind":"user","id":8,"login":"HÜH","person":18,"name":"Hans","company":"","group":"","role":"","position":"","admin":false,"confidential":false,"emails":["huh@example.com"],"onsite":"ten-sales"}
{"kind":"fact","name":"note","id":"1","data":{"text":"\u0000\u001a\r\n ` + "\u2028" + `"}}
`

// TestPowerShell: whatever the shell does to what comes in and goes out, the same is assigned.
func TestPowerShell(t *testing.T) {
	in, err := clitest.Sealed("omt-scan 0.1.0", scan)
	if err != nil {
		t.Fatal(err)
	}
	assign := func(t *testing.T, in []byte) []byte {
		p := clitest.New(t, "omt-assign", "--auto")
		p.Stdin, p.Vars["OMT_PLUGINS"] = string(in), plugins.Dir(t)
		if status := p.Run(context.Background(), command); status != 0 {
			t.Fatalf("status %d: %s", status, p.Stderr.String())
		}
		return p.Stdout.Bytes()
	}
	want := assign(t, in)
	for _, f := range manifesttest.PowerShell {
		t.Run(f.Name, func(t *testing.T) {
			var before, after bytes.Buffer
			if err := f.Apply(&before, bytes.NewReader(in)); err != nil {
				t.Fatal(err)
			}
			out := assign(t, before.Bytes())
			if d := cmp.Diff(string(want), string(out)); d != "" {
				t.Error(d)
			}
			if err := f.Apply(&after, bytes.NewReader(out)); err != nil {
				t.Fatal(err)
			}
			s, err := manifest.Verify(&after, manifest.ReadOptions{})
			if err != nil || s.Counts["user"] != 2 {
				t.Errorf("%v, %v", s.Counts, err)
			}
		})
	}
}

// TestEditIsRecorded: of a file and of a stream, with the digest that the end record had.
func TestEditIsRecorded(t *testing.T) {
	in, err := clitest.Sealed("omt-scan 0.1.0", scan)
	if err != nil {
		t.Fatal(err)
	}
	s, err := manifest.Verify(bytes.NewReader(in), manifest.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(in), `"seats":2`, `"seats":9`, 1)
	want := `{"kind":"edit","by":"karl","at":"2026-01-02T03:04:05Z","tool":"omt-assign 0.1.0","was":"` + s.End.SHA256.String() + `"}`
	file := filepath.Join(t.TempDir(), "in.jsonl")
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{"file": {"--in", file}, "stream": nil} {
		t.Run(name, func(t *testing.T) {
			p := clitest.New(t, "omt-assign", append(args, "--auto", "--accept-edits")...)
			p.Stdin, p.Vars["USER"], p.Vars["OMT_PLUGINS"] = edited, "karl", plugins.Dir(t)
			if status := p.Run(context.Background(), command); status != 0 {
				t.Fatalf("status %d: %s", status, p.Stderr.String())
			}
			if lines := strings.Split(p.Stdout.String(), "\n"); lines[1] != want {
				t.Errorf("got %s\nwant %s", lines[1], want)
			}
			if left, err := filepath.Glob(filepath.Join(p.Env.TempDir, "omt-assign-*.jsonl")); err != nil || len(left) > 0 {
				t.Errorf("left in the temporary folder: %v, %v", left, err)
			}
			p = clitest.New(t, "omt-assign", append(args, "--auto")...)
			p.Stdin = edited
			if status := p.Run(context.Background(), command); status != 4 || !strings.Contains(p.Stderr.String(), "--accept-edits") {
				t.Errorf("without --accept-edits: status %d: %s", status, p.Stderr.String())
			}
		})
	}
}

// TestRemarksOnATerminal: seats are told on a terminal, what needs somebody's attention everywhere.
func TestRemarksOnATerminal(t *testing.T) {
	in, err := clitest.Sealed("omt-scan 0.1.0", scan)
	if err != nil {
		t.Fatal(err)
	}
	for _, terminal := range []bool{true, false} {
		p := clitest.New(t, "omt-assign", "--set", "GKS:plan=Sålg,username=g@x.no")
		p.Stdin, p.StderrTerminal = string(in), terminal
		if status := p.Run(context.Background(), command); status != 3 {
			t.Fatalf("status %d: %s", status, p.Stderr.String())
		}
		if got := strings.Contains(p.Stderr.String(), `plan "Sålg" (Salg 漢字): 1 used of 2 seats, 1 free`); got != terminal {
			t.Errorf("terminal %v: %s", terminal, p.Stderr.String())
		}
		if !strings.Contains(p.Stderr.String(), "undecided: HÜH (Hans)") {
			t.Errorf("terminal %v: %s", terminal, p.Stderr.String())
		}
	}
}
