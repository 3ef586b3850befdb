package clitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openomt/omt/internal/manifest"
)

// Seal is a command of test scripts that ends a manifest that a script holds without its end, as a tool would: seal TOOL
// FILE.
func Seal(ts *testscript.TestScript, _ bool, args []string) {
	b, err := Sealed(args[0], ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o644))
}

// Sealed writes lines as a manifest with its end.
func Sealed(tool, lines string) ([]byte, error) {
	var b bytes.Buffer
	w := manifest.NewWriter(&b, tool)
	for line := range strings.Lines(lines) {
		var head struct{ Kind manifest.Kind }
		if err := json.Unmarshal([]byte(line), &head); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		if err := w.WriteRaw(manifest.Line{Kind: head.Kind, Raw: []byte(strings.TrimRight(line, "\n"))}); err != nil {
			return nil, err
		}
	}
	_, err := w.End()
	return b.Bytes(), err
}

// CopyPlugins is a command of test scripts that copies the plugins with their lock file from the folder that the variable
// PLUGINS names: plugins DIR.
func CopyPlugins(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(ts.Getenv("PLUGINS"))))
}

// Setup gives scripts the plugins: OMT_PLUGINS, and PLUGINS for scripts that change it.
func (p *Plugins) Setup(env *testscript.Env) error {
	if p.once.Do(func() { p.dir, p.err = buildPlugins() }); p.err != nil {
		return p.err
	}
	env.Setenv("OMT_PLUGINS", p.dir)
	env.Setenv("PLUGINS", p.dir)
	return nil
}
