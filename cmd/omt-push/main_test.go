package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/manifest/manifesttest"
	"github.com/openomt/omt/internal/spool"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"omt-push": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"seal": seal, "status": clitest.WantStatus, "chunk": chunk, "blur": blur, "flip": flip, "mailserver": mailserver}})
}

// seal ends a manifest that a script holds without its end, as a tool would: seal TOOL FILE.
func seal(ts *testscript.TestScript, _ bool, args []string) {
	b, err := sealed(args[0], ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
}

// chunk puts a file into a spool as a chunk: chunk SPOOL TYPE FILE.
func chunk(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(putChunk(ts.MkAbs(args[0]), args[1], ts.ReadFile(args[2])))
}

func putChunk(dir, typ, data string) error {
	s, err := spool.Open(dir)
	if err != nil {
		return err
	}
	tmp, err := s.Temp("pack")
	if err != nil {
		return err
	}
	name := filepath.Join(tmp, "new")
	if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
		return err
	}
	return s.Publish(name, sha256.Sum256([]byte(data)), typ)
}

var instants = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`)

// blur hides instants and the folder of the script, so that output can be compared: blur FILE.
func blur(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.ReplaceAll(ts.ReadFile(args[0]), ts.Getenv("WORK"), "/W")
	text = instants.ReplaceAllString(text, "YYYY-MM-DD HH:MM UTC")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".blurred"), []byte(text), 0o644))
}

// flip changes one bit in the middle of a file.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

// sealed writes lines as a manifest with its end. What omt-pack wrote has a check of every rule that must have been run,
// unless it says which were.
func sealed(tool, lines string) ([]byte, error) {
	var b bytes.Buffer
	w := manifest.NewWriter(&b, tool)
	checked := !strings.HasPrefix(tool, "omt-pack ") || strings.Contains(lines, `{"kind":"check"`)
	for line := range strings.Lines(lines) {
		var head struct{ Kind manifest.Kind }
		if err := json.Unmarshal([]byte(line), &head); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		if !checked && manifest.Rank(head.Kind) > manifest.Rank(manifest.KindCheck) {
			checked = true
			if err := check(w); err != nil {
				return nil, err
			}
		}
		if err := w.WriteRaw(manifest.Line{Kind: head.Kind, Raw: []byte(strings.TrimRight(line, "\n"))}); err != nil {
			return nil, err
		}
	}
	if !checked {
		if err := check(w); err != nil {
			return nil, err
		}
	}
	_, err := w.End()
	return b.Bytes(), err
}

// check says that all rules were run.
func check(w *manifest.Writer) error {
	for _, rule := range manifest.RequiredRules() {
		if err := w.Write(manifest.Check{Rule: rule, Plugin: "crm 0.1.0", Tool: "omt-pack 0.1.0", Status: manifest.CheckDone}); err != nil {
			return err
		}
	}
	return nil
}

func TestWrongFlags(t *testing.T) { clitest.WrongFlags(t, "omt-push", command) }

const (
	first  = "the first chunk\n"
	second = "the second chunk\n"
)

// packed is a manifest as omt-pack writes it, with text that a console spoils.
func packed(t *testing.T) string {
	t.Helper()
	one, two := sha256.Sum256([]byte(first)), sha256.Sum256([]byte(second))
	b, err := sealed("omt-pack 0.1.0", fmt.Sprintf(`{"kind":"manifest","format":"omt/1","id":"019b7d00-0000-7000-8000-000000000001","tool":"omt-scan 0.1.0","created":"2026-11-22T04:00:00Z","migration":"test","phase":"full"}
{"kind":"installation","owner":"Kållé ✓","serial":"18","version":"8.5","engine":"sqlite","database":"sqlite:/x","prefix":"crm7","areas":["document"],"roots":{}}
{"kind":"table","name":"associate","rows":1,"columns":[{"name":"associate_id","type":"int","null":false}],"key":["associate_id"]}
{"kind":"chunk","sha256":"%x","type":"parquet","area":"database","bytes":16,"raw":16,"items":1,"table":"associate","rows":1}
{"kind":"chunk","sha256":"%x","type":"tar.zst","area":"document","role":"content","bytes":17,"raw":512,"items":1}
{"kind":"file","area":"document","id":1,"path":"bøb/漢字.txt","root":0,"size":1,"state":"present","sha256":"%[2]x","chunk":"%[2]x"}
{"kind":"file","area":"document","id":2,"path":"bøb/😀.txt","root":0,"size":0,"state":"missing"}
`, one, two))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Whatever the shell does to what comes in and goes out, the same is committed.
func TestPowerShell(t *testing.T) {
	data := packed(t)
	push := func(args []string, stdin string) string {
		t.Helper()
		top := t.TempDir()
		for typ, text := range map[string]string{"parquet": first, "tar.zst": second} {
			if err := putChunk(filepath.Join(top, "spool"), typ, text); err != nil {
				t.Fatal(err)
			}
		}
		p := clitest.New(t, "omt-push", append(args, "--to", filepath.Join(top, "tenant"), "--spool", filepath.Join(top, "spool"))...)
		p.Stdin = stdin
		if status := p.Run(context.Background(), command); status != 3 {
			t.Fatalf("status %d: %s", status, p.Stderr.String())
		}
		return p.Stdout.String()
	}
	want := push(nil, data)
	for _, filter := range manifesttest.PowerShell {
		var in, out bytes.Buffer
		if err := filter.Apply(&in, strings.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		got := push(nil, in.String())
		if got != want {
			t.Errorf("%s, piped: the output differs", filter.Name)
		}
		file := filepath.Join(t.TempDir(), "in.jsonl")
		if err := os.WriteFile(file, in.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if got = push([]string{"--in", file}, ""); got != want {
			t.Errorf("%s, as a file: the output differs", filter.Name)
		}
		if err := filter.Apply(&out, strings.NewReader(got)); err != nil {
			t.Fatal(err)
		}
		if _, err := manifest.Verify(&out, manifest.ReadOptions{}); err != nil {
			t.Errorf("%s: what push wrote does not survive it: %v", filter.Name, err)
		}
	}
}
