package clitest

import (
	"context"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/cli"
)

// WrongFlags gives the program name, and each of its subcommands, every kind of wrong command line there is: each must end with
// status 2, with nothing on standard output, without a word of help on standard error, and before anything was done.
func WrongFlags(t *testing.T, name string, build func(*cli.Env) *cli.Command) {
	t.Helper()
	probe := New(t, name)
	for _, args := range wrongLines(nil, build(probe.Env)) {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			p := New(t, name, args...)
			status := p.Run(context.Background(), func(env *cli.Env) *cli.Command {
				c := build(env)
				disarm(t, c)
				return c
			})
			if status != 2 {
				t.Errorf("status %d, want 2", status)
			}
			if p.Stdout.Len() > 0 {
				t.Errorf("standard output is not empty: %q", p.Stdout.String())
			}
			lines := strings.Split(strings.TrimRight(p.Stderr.String(), "\n"), "\n")
			if len(lines) > 2 || !strings.HasPrefix(lines[0], name+": ") {
				t.Errorf("standard error is not one line and a hint: %q", p.Stderr.String())
			}
		})
	}
}

// disarm makes every action of the tree a failure.
func disarm(t *testing.T, c *cli.Command) {
	if c.Action != nil {
		c.Action = func(context.Context, *cli.Job) error {
			t.Error("the command was run")
			return nil
		}
	}
	for _, sub := range c.Commands {
		disarm(t, sub)
	}
}

// wrongLines lists wrong command lines of c, which path leads to.
func wrongLines(path []string, c *cli.Command) [][]string {
	var all [][]string
	add := func(args ...string) { all = append(all, append(append([]string{}, path...), args...)) }
	add("--no-such-flag")
	add("-x")
	add("--no-such-flag=1")
	add("---")
	add("stray")
	add("help")
	add("", "stray")
	add("--", "stray")
	add("stray", "--version")
	add("--quiet", "stray", "--quiet")
	add("--quiet=perhaps")
	add("--help=perhaps")
	add("--help", "no-such-subcommand")
	add("--progress", "loud")
	add("--temp", "@")
	add("--log", "@no-such-file")
	for _, f := range c.AllFlags() {
		flag := "--" + f.Names()[0]
		if !f.TakesValue() {
			add(flag + "=perhaps")
			continue
		}
		add(flag)
		add(flag, "--help")
		add(flag, "@no-such-file")
		if f.Numeric() {
			add(flag, "12x")
			add(flag + "=")
		}
	}
	for _, sub := range c.Commands {
		add("--quiet", sub.Name)
		add(sub.Name + "x")
		add(strings.ToUpper(sub.Name))
		all = append(all, wrongLines(append(append([]string{}, path...), sub.Name), sub)...)
	}
	return all
}
