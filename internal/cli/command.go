package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	ucli "github.com/urfave/cli/v2"

	"github.com/openomt/omt/internal/manifest"
)

// Command is a program or one of its subcommands.
type Command struct {
	Name        string // of a subcommand; the program's comes from Env
	Usage       string // one line, lower case
	Description string // further lines for help
	Flags       []*Flag
	Reads       bool // takes --in and --accept-edits
	Writes      bool // takes --out

	// Dry reports, once the flags are read, that this run writes nothing: an old --out then stays, whatever comes of the run.
	// nil: every run writes.
	Dry func() bool

	// Statuses are the exit statuses besides 0, 1, 2 and 130 (and 4 where it reads), with what they mean here; an empty
	// meaning is the usual one. They stand at the end of its help.
	Statuses map[manifest.Status]string

	// Validate checks the flags together. Its error ends the run with 2, unless it is a *manifest.Error.
	Validate func() error
	// Action does the work. It may be nil where a subcommand must be given.
	Action   func(ctx context.Context, j *Job) error
	Commands []*Command

	common   Common
	own      []*Flag // Flags and the common ones
	describe bool    // --version was given
}

// errStop ends a run that has done what it was asked for while the flags were read.
var errStop = errors.New("nothing further to do")

// Run parses env.Args, and runs the command or subcommand they name.
func (c *Command) Run(ctx context.Context, env *Env) error {
	env.prepare()
	app := c.app(env)
	err := app.RunContext(ctx, env.Args)
	var exit ucli.ExitCoder
	switch {
	case errors.Is(err, errStop):
		return nil
	case errors.As(err, &exit): // the library's own: --help of a subcommand that does not exist
		return usagef("%s", exit.Error())
	}
	return err
}

// AllFlags returns the flags of the command, the common ones included.
func (c *Command) AllFlags() []*Flag {
	if c.own == nil {
		c.own = append(slices.Clip(c.Flags), c.common.flags(c)...)
	}
	return c.own
}

// app is the command in urfave's terms, with all of its defaults that write to standard output taken away.
func (c *Command) app(env *Env) *ucli.App {
	path := []string{env.Name}
	tree := c.node(env, path)
	return &ucli.App{
		Name: env.Name, HelpName: env.Name, Usage: c.Usage, UsageText: tree.UsageText, Description: c.Description,
		Flags: tree.Flags, Commands: tree.Subcommands,
		Before: tree.Before, Action: tree.Action, OnUsageError: tree.OnUsageError,
		HideHelp: true, HideHelpCommand: true, HideVersion: true,
		CustomAppHelpTemplate:     tree.CustomHelpTemplate,
		Reader:                    env.Stdin,
		Writer:                    env.Stdout,
		ErrWriter:                 io.Discard,
		ExitErrHandler:            func(*ucli.Context, error) {},
		DisableSliceFlagSeparator: true,
		Compiled:                  time.Unix(1, 0), // else the library looks at the program's file
	}
}

// node is one command in urfave's terms. Help and the usage error handler are set in each: the library does not pass
// them down.
func (c *Command) node(env *Env, path []string) *ucli.Command {
	n := &ucli.Command{
		Name: c.Name, Usage: c.Usage, Description: c.Description,
		UsageText:          c.synopsis(path),
		HideHelp:           true,
		HideHelpCommand:    true,
		CustomHelpTemplate: c.help(),
		Flags:              []ucli.Flag{&ucli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show this help", DisableDefaultText: true, Category: commonCategory}},
		OnUsageError: func(_ *ucli.Context, err error, _ bool) error {
			return c.explain(path, err)
		},
		Before: func(u *ucli.Context) error { return c.before(path, u) },
		Action: func(u *ucli.Context) error { return c.act(u.Context, env, path) },
	}
	for _, f := range c.AllFlags() {
		if f.variable = ""; !f.noEnv {
			f.variable = variableOf(path, f.name)
		}
		n.Flags = append(n.Flags, f)
	}
	for _, sub := range c.Commands {
		n.Subcommands = append(n.Subcommands, sub.node(env, append(slices.Clip(path), sub.Name)))
	}
	return n
}

// before runs when the flags of this command have been parsed, and before a subcommand is looked for: the one place to
// refuse what the library would take for an argument.
func (c *Command) before(path []string, u *ucli.Context) error {
	if c.describe = c.versionAsked(); c.describe {
		return nil
	}
	word := u.Args().First()
	if word == "" && !u.Args().Present() {
		return nil
	}
	names := make([]string, 0, len(c.Commands))
	for _, sub := range c.Commands {
		names = append(names, sub.Name)
	}
	name := strings.Join(path, " ")
	switch {
	case slices.Contains(names, word):
		return c.refuseEarlyFlags(name, word)
	case len(names) == 0:
		return usagef("argument %q: %s takes flags only", word, name).
			WithHint("a value with spaces must be quoted; %q lists the flags", name+" --help")
	}
	e := usagef("%s has no subcommand %q", name, word)
	if near := nearest(word, names); near != "" {
		return e.WithHint("did you mean %q?", name+" "+near)
	}
	return e.WithHint("its subcommands are %s", strings.Join(names, ", "))
}

// refuseEarlyFlags refuses "omt-pack --spool D thaw": the flag would be read as omt-pack's own and have no effect.
func (c *Command) refuseEarlyFlags(name, sub string) error {
	for _, f := range c.AllFlags() {
		if len(f.raw) > 0 {
			return usagef("--%s stands before the subcommand %q", f.name, sub).
				WithHint("write flags after it: %s %s --%s …", name, sub, f.name)
		}
	}
	return nil
}

func (c *Command) versionAsked() bool {
	for _, f := range c.AllFlags() {
		if f.name == "version" && len(f.raw) > 0 {
			return f.raw[len(f.raw)-1] == "true"
		}
	}
	return false
}

// explain words a parse error of the standard library's flag package, which knows neither suggestions nor two hyphens.
func (c *Command) explain(path []string, err error) error {
	help := strings.Join(path, " ") + " --help"
	text := err.Error()
	if flag, found := strings.CutPrefix(text, "flag provided but not defined: -"); found {
		e := usagef("unknown flag --%s", flag)
		names := []string{"help"}
		for _, f := range c.AllFlags() {
			names = append(names, f.name)
		}
		if near := nearest(flag, names); near != "" {
			return e.WithHint("did you mean --%s? %q lists the flags", near, help)
		}
		return e.WithHint("%q lists the flags", help)
	}
	if flag, found := strings.CutPrefix(text, "flag needs an argument: -"); found {
		return usagef("--%s needs a value", flag).WithHint("%q says which", help)
	}
	return usagef("%s", text).WithHint("%q lists the flags", help)
}

// resolve reads the values of all flags. The first error is returned, after the others were read: --out is wanted even
// when another flag is wrong.
func (c *Command) resolve(env *Env) error {
	var first error
	for _, f := range c.AllFlags() {
		err := c.swallowed(f)
		if err == nil {
			err = f.resolve(env.Getenv)
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// swallowed refuses "--spool --yes", where the value of the first was forgotten.
func (c *Command) swallowed(f *Flag) error {
	if f.isBool {
		return nil
	}
	for _, text := range f.raw {
		name, found := strings.CutPrefix(text, "--")
		if name, _, _ = strings.Cut(name, "="); !found {
			continue
		}
		if name == "help" || slices.ContainsFunc(c.AllFlags(), func(o *Flag) bool { return o.name == name }) {
			return usagef("--%s needs a value, and is followed by the flag %q", f.name, text)
		}
	}
	return nil
}

// act runs the command that the arguments named.
func (c *Command) act(ctx context.Context, env *Env, path []string) error {
	if c.describe {
		if _, err := fmt.Fprintln(env.Stdout, env.Tool()); err != nil {
			return fmt.Errorf("writing to standard output: %w", err)
		}
		return errStop
	}
	j := &Job{env: env, command: c, Tool: env.Tool()}
	err := c.resolve(env)
	j.Common = c.common
	if err == nil && c.Action == nil {
		err = usagef("%s needs a subcommand", strings.Join(path, " ")).
			WithHint("%q lists them", strings.Join(path, " ")+" --help")
	}
	if err == nil {
		err = j.start(path)
	}
	if err == nil {
		err = guard(func() error { return c.Action(ctx, j) })
	}
	j.finish(ctx, err)
	return err
}

// usagef is an error about the command line.
func usagef(format string, args ...any) *manifest.Error {
	return manifest.Errorf(manifest.Usage, format, args...)
}
