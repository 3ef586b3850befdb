package cli

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	ucli "github.com/urfave/cli/v2"
)

// sample is a tree of commands that the library's own renderers are tried on.
func sample() *Command {
	var a, b, c string
	nothing := func(context.Context, *Job) error { return nil }
	return &Command{Usage: "try", Reads: true, Action: nothing, Flags: []*Flag{String("to", "write to `URL`", &a), String("db", "read `URL`", &b)},
		Commands: []*Command{{Name: "sub", Usage: "try it", Action: nothing, Flags: []*Flag{String("to", "write to `URL`", &c)}}}}
}

func sampleEnv(out *bytes.Buffer, args ...string) *Env {
	return &Env{Name: "omt-x", Version: Version, Args: append([]string{"omt-x"}, args...), Stdin: strings.NewReader(""), Stdout: out, Stderr: out,
		IsTerminal: func(any) bool { return false }, Getenv: func(string) string { return "sekret" }}
}

// Documents that the library makes hold no value of the environment, neither of ours nor of the process.
func TestDocumentsHideTheEnvironment(t *testing.T) {
	for _, name := range []string{"OMT_X_TO", "OMT_X_DB", "OMT_X_SUB_TO", "OMT_DB_PASSWORD", "OMT_LOG", "OMT_X_QUIET", "OMT_X_TEMP"} {
		t.Setenv(name, "sekret")
	}
	var out bytes.Buffer
	env := sampleEnv(&out)
	env.prepare()
	app := sample().app(env)
	_ = app.Run([]string{"omt-x", "--to", "sekret"}) // all values are set, and one of them is wrong
	_ = app.Run([]string{"omt-x", "--help"})
	markdown, err := app.ToMarkdown()
	if err != nil {
		t.Fatal(err)
	}
	man, err := app.ToManWithSection(1)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"help and errors": out.String(), "markdown": markdown, "man": man} {
		if !strings.Contains(text, "to") || strings.Contains(text, "sekret") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// The settings that trap a command are off in the whole tree.
func TestTamed(t *testing.T) {
	var out bytes.Buffer
	env := sampleEnv(&out)
	env.prepare()
	app := sample().app(env)
	if app.ExitErrHandler == nil || !app.DisableSliceFlagSeparator || app.UseShortOptionHandling || app.EnableBashCompletion {
		t.Error("the app is not tamed")
	}
	app.Setup()
	nodes := app.Commands
	for len(nodes) > 0 {
		n := nodes[0]
		nodes = append(nodes[1:], n.Subcommands...)
		if n.OnUsageError == nil || n.Before == nil || n.UseShortOptionHandling {
			t.Errorf("%s is not tamed", n.Name)
		}
	}
	for _, f := range app.Flags {
		if r, ok := f.(ucli.RequiredFlag); ok && r.IsRequired() {
			t.Errorf("%v is required by the library", f.Names())
		}
	}
	// An error that could end the process inside the library only comes back.
	c := sample()
	c.Action = func(context.Context, *Job) error { return ucli.Exit("gone", 7) }
	if err := c.app(env).Run([]string{"omt-x"}); err == nil || out.Len() > 0 {
		t.Errorf("%v, printed %q", err, out.String())
	}
}

func TestVariableNames(t *testing.T) {
	for _, tt := range []struct {
		path []string
		flag string
		want string
	}{
		{[]string{"omt-scan"}, "db", "OMT_SCAN_DB"},
		{[]string{"omt-push"}, "to", "OMT_PUSH_TO"},
		{[]string{"omt-scan"}, "older-than", "OMT_SCAN_OLDER_THAN"},
		{[]string{"omt-pack", "unpack"}, "from", "OMT_PACK_UNPACK_FROM"},
		{[]string{"omt-pack", "unpack"}, "db", ""},
		{[]string{"omt-scan", "sample"}, "db", ""},
		{[]string{"omt-scan", "sample"}, "users", "OMT_SCAN_SAMPLE_USERS"},
		{[]string{"omt-scan", "sample"}, "log", "OMT_LOG"},
		{[]string{"omt-scan", "rules"}, "plugins", "OMT_PLUGINS"},
		{[]string{"omt-scan"}, "temp", "OMT_SCAN_TEMP"},
	} {
		if got := variableOf(tt.path, tt.flag); got != tt.want {
			t.Errorf("%q --%s: %q, want %q", tt.path, tt.flag, got, tt.want)
		}
	}
	for _, flag := range []string{"in", "out", "yes", "accept-edits", "dir", "files"} {
		if got := variableOf([]string{"omt-pack", "unpack"}, flag); got != "" {
			t.Errorf("--%s has the variable %q", flag, got)
		}
	}
	for _, command := range []string{"unpack", "sample", "verify"} {
		if got := variableOf([]string{"omt-x", command}, "db"); got != "" {
			t.Errorf("--db of %s has the variable %q", command, got)
		}
	}
	c := sample()
	c.Flags[0].NoVariable()
	var out bytes.Buffer
	c.app(sampleEnv(&out))
	if !slices.Equal(c.Flags[0].GetEnvVars(), nil) || !slices.Equal(c.Flags[1].GetEnvVars(), []string{"OMT_X_DB"}) {
		t.Errorf("variables %q, %q", c.Flags[0].GetEnvVars(), c.Flags[1].GetEnvVars())
	}
}
